package serve

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"unicode/utf8"
)

// decodeBody decodes the JSON body of a POST into req, or returns what it holds if that is a batch. Query and names are
// copied, everything else aliases body.
func decodeBody(body []byte, req *Request) (batch []byte, err *refusal) {
	body = bytes.Trim(body, jsonSpace)
	if len(body) == 0 {
		return nil, badRequest("the request body is empty: expected a JSON object with a query")
	}
	if err := checkJSON(body); err != nil {
		return nil, badRequest("the request body is " + err.Error())
	}
	switch body[0] {
	case '{':
		return nil, decodeParameters(body, req)
	case '[':
		return body, nil
	}
	return nil, badRequest("the request body is " + kind(body) + ": expected a JSON object with a query")
}

// decodeParameters decodes the parameters of a request from a JSON object that checkJSON has accepted. Names
// that it does not know are ignored: clients send their own next to the standard's, such as Apollo's id.
// A parameter that comes twice is refused, since two readers could take different ones.
func decodeParameters(object []byte, req *Request) *refusal {
	var seen parameterSet
	for m := walk(object); m.next(); {
		p := parameterOf(m.name)
		if p == 0 {
			req.takeAlternative(m.name, m.value)
			continue
		}
		if seen&p != 0 {
			return badRequest(fmt.Sprintf("the parameter %s is given twice", m.name))
		}
		seen |= p
		if err := req.set(p, m.name, m.value); err != nil {
			return err
		}
		if m.value[0] == 'n' {
			seen &^= p & (parameterQuery | parameterDocumentID)
		}
	}
	return req.complete(seen)
}

// parameterSet is a set of request parameters.
type parameterSet uint8

const (
	parameterQuery parameterSet = 1 << iota
	parameterOperationName
	parameterVariables
	parameterExtensions
	parameterDocumentID
)

func parameterOf(name []byte) parameterSet {
	switch string(name) {
	case "query":
		return parameterQuery
	case "operationName":
		return parameterOperationName
	case "variables":
		return parameterVariables
	case "extensions":
		return parameterExtensions
	case "documentId":
		return parameterDocumentID
	}
	return 0
}

// set takes one parameter. Null is the same as leaving it out.
func (req *Request) set(p parameterSet, name, value []byte) *refusal {
	expected, opening := "a string", byte('"')
	if p == parameterVariables || p == parameterExtensions {
		expected, opening = "an object", '{'
	}
	if value[0] != opening && value[0] != 'n' {
		return badRequest(fmt.Sprintf("the parameter %s is %s: expected %s", name, kind(value), expected))
	}
	if value[0] == 'n' {
		return nil
	}
	switch p {
	case parameterQuery:
		req.Query = unquote(value)
	case parameterOperationName:
		req.OperationName = unquote(value)
	case parameterDocumentID:
		req.DocumentID = unquote(value)
	case parameterVariables:
		req.Variables = json.RawMessage(value)
		return unique(value)
	case parameterExtensions:
		req.Extensions = json.RawMessage(value)
	}
	return nil
}

// unique refuses variables of which a name comes twice: the router and a subgraph could read different ones.
func unique(variables []byte) *refusal {
	const few = 8
	var names [few][]byte
	var more map[string]bool
	n := 0
	for m := walk(variables); m.next(); n++ {
		for _, name := range names[:min(n, few)] {
			if bytes.Equal(name, m.name) {
				return badRequest(fmt.Sprintf("the variable %s is given twice", m.name))
			}
		}
		if n < few {
			names[n] = m.name
			continue
		}
		if more[string(m.name)] {
			return badRequest(fmt.Sprintf("the variable %s is given twice", m.name))
		}
		if more == nil {
			more = make(map[string]bool)
		}
		more[string(m.name)] = true
	}
	return nil
}

// complete refuses a request that does not say which document it means: by its text, or, if the engine knows
// ids, by documentId, by Apollo's extension persistedQuery or by one of the alternatives.
func (req *Request) complete(seen parameterSet) *refusal {
	if seen&parameterQuery != 0 {
		return nil
	}
	byID := req.DocumentID != "" || req.hasExtension("persistedQuery")
	if !byID && req.alternative != "" {
		req.DocumentID, byID = req.alternative, true
	}
	switch {
	case !byID && seen&parameterDocumentID != 0:
		return badRequest("the parameter documentId is empty: give the document's id, or its text as query")
	case !byID:
		return badRequest("the parameter query is missing")
	case req.ids == nil:
		return &refusal{http.StatusOK, CodePersistedQueryNotSupported, "PersistedQueryNotSupported"}
	}
	return nil
}

// decodeURL decodes the parameters of a GET: strings as they are, variables and extensions as JSON.
func decodeURL(rawQuery string, req *Request) *refusal {
	values, err := url.ParseQuery(rawQuery)
	if err != nil {
		return badRequest("the URL's query component is malformed: " + err.Error())
	}
	var seen parameterSet
	for _, name := range [...]string{"query", "operationName", "variables", "extensions", "documentId"} {
		given := values[name]
		if len(given) > 1 {
			return badRequest("the parameter " + name + " is given twice")
		}
		// The specification says that an empty operationName is none; an empty query is a document that
		// does not parse.
		if len(given) == 0 || given[0] == "" && name != "query" {
			continue
		}
		p := parameterOf([]byte(name))
		seen |= p
		if err := req.setText(p, name, given[0]); err != nil {
			return err
		}
	}
	if req.ids != nil && req.ids.Parameter != "" {
		req.alternative = cmp.Or(values.Get(req.ids.Parameter), req.alternative)
	}
	req.alternative = cmp.Or(values.Get(relayID), req.alternative)
	return req.complete(seen)
}

func (req *Request) setText(p parameterSet, name, text string) *refusal {
	if !utf8.ValidString(text) {
		return badRequest("the parameter " + name + " is not UTF-8")
	}
	switch p {
	case parameterQuery:
		req.Query = text
	case parameterOperationName:
		req.OperationName = text
	case parameterDocumentID:
		req.DocumentID = text
	default:
		raw := bytes.Trim([]byte(text), jsonSpace)
		if err := checkJSON(raw); err != nil {
			return badRequest("the parameter " + name + " is " + err.Error())
		}
		return req.set(p, []byte(name), raw)
	}
	return nil
}
