package cost

import "bytes"

// Actual is what a response came to: its objects and weighted leaves as they are in it, instead of as many as there may
// be. Arguments count as in the estimate. body is a response's JSON as the router writes it: without whitespace.
func (c *Cost) Actual(body []byte, variables [][]byte) float64 {
	response := selections{fields: []field{{key: "data", selections: c.root}}}
	r := reader{body: body, variables: variables}
	return c.base + r.object(&response)
}

// reader walks valid JSON.
type reader struct {
	body      []byte
	at        int
	variables [][]byte
}

// object prices the value at the position as an object with these selections.
func (r *reader) object(s *selections) float64 {
	if r.body[r.at] != '{' {
		r.skip()
		return 0
	}
	sum := 0.0
	for r.at++; r.body[r.at] != '}'; {
		if r.body[r.at] == ',' {
			r.at++
		}
		start := r.at + 1
		r.skip()
		key := r.body[start : r.at-1]
		r.at++ // the colon
		if f := s.find(key); f != nil {
			sum += r.value(f)
			for i := range f.arguments {
				sum += f.arguments[i].cost(r.variables)
			}
		} else {
			r.skip()
		}
	}
	r.at++
	return sum
}

func (s *selections) find(key []byte) *field {
	for i := range s.fields {
		if s.fields[i].key == string(key) {
			return &s.fields[i]
		}
	}
	return nil
}

// value prices what came for a field: each item of a list, nothing for null.
func (r *reader) value(f *field) float64 {
	switch r.body[r.at] {
	case 'n':
		r.skip()
		return 0
	case '[':
		sum := 0.0
		for r.at++; r.body[r.at] != ']'; {
			if r.body[r.at] == ',' {
				r.at++
			}
			sum += r.value(f)
		}
		r.at++
		return sum
	case '{':
		if len(f.selections.fields) > 0 {
			return f.weight + r.object(&f.selections)
		}
	}
	r.skip()
	return f.weight
}

// skip goes past the value at the position.
func (r *reader) skip() {
	depth := 0
	for {
		switch r.body[r.at] {
		case '"':
			for r.at++; r.body[r.at] != '"'; r.at++ {
				if r.body[r.at] == '\\' {
					r.at++
				}
			}
			r.at++
		case '{', '[':
			depth++
			r.at++
			continue
		case '}', ']':
			depth--
			r.at++
		case ',', ':':
			r.at++
			continue
		default:
			for r.at < len(r.body) && !bytes.ContainsRune([]byte(",]}"), rune(r.body[r.at])) {
				r.at++
			}
		}
		if depth == 0 {
			return
		}
	}
}
