package check

import (
	"encoding/json"
	"io"
)

// WriteJSON writes a result for programs, in the envelope of rover's JSON documents. Lists are never null, keys are never
// removed.
func (r *Result) WriteJSON(w io.Writer) error {
	type operations struct {
		Checked int         `json:"checked"`
		Broken  []Operation `json:"broken"`
		Invalid []Operation `json:"invalid_already"`
	}
	type data struct {
		Success    bool       `json:"success"`
		Breaking   int        `json:"breaking"`
		Dangerous  int        `json:"dangerous"`
		Safe       int        `json:"safe"`
		Changes    []Change   `json:"changes"`
		Operations operations `json:"operations"`
	}
	document := struct {
		Version string  `json:"json_version"`
		Data    data    `json:"data"`
		Error   *string `json:"error"`
	}{"1", data{
		!r.Breaks(), r.Count(Breaking), r.Count(Dangerous), r.Count(Safe), list(r.Changes),
		operations{r.Checked, list(r.Broken), list(r.Invalid)},
	}, nil}
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	return e.Encode(document)
}

func list[T any](s []T) []T {
	if s == nil {
		return []T{}
	}
	return s
}
