package execute

import (
	"encoding/json"
	"strconv"

	"github.com/agora-supergraph/agora/router/plan"
)

// errorList holds the errors of a response as JSON, each with the fetch that caused it, so that they come out
// in the order of the plan whichever subgraph was faster.
type errorList struct {
	json    []byte
	records []errorRecord
	// dropped counts errors beyond the limit.
	dropped int
	// written counts those that were found while the response was written.
	written int
}

// errorRecord is a range of errorList.json.
type errorRecord struct {
	fetch, start, end int
	// path is where the path begins, without its bracket; 0 if there is none.
	path int
}

func (l *errorList) reset() {
	l.json, l.records, l.dropped = trimmed(l.json, 1<<18), trimmed(l.records, 1<<12), 0
	l.written = 0
}

// found counts the errors of the response so far.
func (l *errorList) found() int { return l.written + l.dropped }

// segment is one step of a path in a response: a response key, or an index where key is empty.
type segment struct {
	key   string
	index int
}

// serviceName names the subgraph of a fetch to clients.
func (s *state) serviceName(f *plan.Fetch) string {
	if f.Subgraph < 0 || f.Subgraph >= len(s.sg.Subgraphs) {
		return "introspection"
	}
	return s.sg.Subgraphs[f.Subgraph].Name
}

// report records an error of ours about a fetch; nil if it is about none.
func (s *state) report(f *fetchState, message string, path []segment, code string) {
	s.open(f, appendString(nil, message), path)
	s.extend(code, f)
	s.close(f)
}

// reportOutput records an error that was found while the response was written, in a value of the given fetch,
// if that is known.
func (s *state) reportOutput(message string, path []segment, code string, origin *fetchState) {
	s.open(nil, appendString(nil, message), path)
	s.extend(code, origin)
	s.close(nil)
}

// extend adds the extensions of an error of ours.
func (s *state) extend(code string, origin *fetchState) {
	if code == "" {
		return
	}
	l := &s.errors
	l.json = appendString(append(l.json, `,"extensions":{"code":`...), code)
	if origin != nil && !s.cfg.SubgraphErrors.OmitServiceName {
		l.json = appendString(append(l.json, `,"serviceName":`...), s.serviceName(origin.fetch))
	}
	l.json = append(l.json, '}')
}

// open starts an error: {"message":…,"path":[…], to which extensions may be added until close. The message is
// JSON already.
func (s *state) open(f *fetchState, message []byte, path []segment) {
	l := &s.errors
	fetch := len(s.fetches)
	if f != nil {
		fetch = f.fetch.ID
	}
	l.records = append(l.records, errorRecord{fetch: fetch, start: len(l.json)})
	l.json = append(append(l.json, `{"message":`...), message...)
	if len(path) > 0 {
		l.json = append(l.json, `,"path":`...)
		l.records[len(l.records)-1].path = len(l.json) + 1
		l.json = appendPath(l.json, path)
	}
}

// close ends an error. Each fetch, and the writing of the response, may record as many as the response may
// have, so that the choice doesn't depend on who is first.
func (s *state) close(f *fetchState) {
	l := &s.errors
	l.json = append(l.json, '}')
	n := len(l.records) - 1
	l.records[n].end = len(l.json)
	if f == nil {
		return
	}
	if f.errors++; f.errors > s.cfg.MaxErrors {
		l.json = l.json[:l.records[n].start]
		l.records = l.records[:n]
		l.dropped++
	}
}

func appendPath(b []byte, path []segment) []byte {
	b = append(b, '[')
	for i, seg := range path {
		if i > 0 {
			b = append(b, ',')
		}
		if seg.key != "" {
			b = appendString(b, seg.key)
		} else {
			b = strconv.AppendInt(b, int64(seg.index), 10)
		}
	}
	return append(b, ']')
}

// appendString appends a string as JSON.
func appendString(b []byte, s string) []byte {
	for i := range len(s) {
		if c := s[i]; c < ' ' || c == '"' || c == '\\' || c >= 0x7f {
			quoted, err := json.Marshal(s)
			if err != nil {
				return append(b, `""`...)
			}
			return append(b, quoted...)
		}
	}
	return append(append(append(b, '"'), s...), '"')
}

// appendErrors writes the list of errors into the response.
func (s *state) appendErrors(b []byte) []byte {
	l := &s.errors
	b = append(b, `"errors":[`...)
	n := 0
	// Few fetches and few errors: going through once per fetch beats sorting.
	for fetch := range len(s.fetches) + 1 {
		for _, r := range l.records {
			if r.fetch != fetch {
				continue
			}
			if n >= s.cfg.MaxErrors {
				l.dropped++
				continue
			}
			if n > 0 {
				b = append(b, ',')
			}
			b = append(b, l.json[r.start:r.end]...)
			n++
		}
	}
	if l.dropped > 0 {
		b = append(b, `,{"message":"`...)
		b = strconv.AppendInt(b, int64(l.dropped), 10)
		b = append(b, ` more errors are left out","extensions":{"code":"TOO_MANY_ERRORS"}}`...)
	}
	return append(b, ']')
}
