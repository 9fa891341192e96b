package execute

import (
	"slices"
	"sync"
)

// Response is the answer to one request.
type Response struct {
	// Body is the response as JSON: {"data":…} or {"errors":[…],"data":…}. It is valid until Release.
	Body []byte
	// Errors counts those in Body.
	Errors int
	// Code is extensions.code of the first error; empty if there is none.
	Code string
	// Null says that data is null as a whole, or not there.
	Null bool

	// spare is the other buffer: errors go before data, but are known after it.
	spare []byte
}

var responses = sync.Pool{New: func() any { return &Response{} }}

// Release gives the body back. Nobody may touch the response afterwards.
func (r *Response) Release() {
	*r = Response{Body: trimmed(r.Body, 4<<20), spare: trimmed(r.spare, 1<<18)}
	responses.Put(r)
}

// finish writes the response and gives the state back.
func (s *state) finish() *Response {
	resp := s.respond()
	s.release()
	return resp
}

// respond writes the response, or the first part of it.
func (s *state) respond() *Response {
	resp := responses.Get().(*Response)
	size := len(`{"data":}`)
	for _, answer := range s.arena.answers {
		size += len(answer)
	}
	w := writer{state: s, arena: &s.arena, limit: s.cfg.MaxResponseBytes, path: s.path[:0], out: s.plan.Output, deferring: s.delivery != nil}
	if s.arena.shared {
		w.written = s.written.begin()
	}
	w.b = append(slices.Grow(resp.Body[:0], min(size+size/4, 4<<20)), `{"data":`...)
	start := len(w.b)
	if !w.object(s.plan.Output, root) {
		w.b = append(w.b[:start], "null"...)
		resp.Null = true
	}
	if w.overflow {
		s.errors.reset()
		s.report(nil, "The response is larger than the router allows.", nil, "RESPONSE_TOO_LARGE")
	}
	if s.delivery != nil {
		w.b = s.delivery.begin(&w, !resp.Null)
	}
	resp.Body = append(w.b, '}')
	if len(s.errors.records) > 0 {
		resp.prependErrors(s)
		// Later parts have errors of their own.
		s.errors.records = s.errors.records[:0]
	}
	s.path = w.path
	return resp
}

// firstCode is extensions.code of the first error of a body.
func firstCode(body []byte) (code string) {
	start := len(`{"errors":[`)
	members(body[start:scanValue(body, start, len(body))], func(key, value []byte) {
		if string(key) != "extensions" {
			return
		}
		members(value, func(key, value []byte) {
			if string(key) == "code" && value[0] == '"' {
				code = string(unescaped(value[1 : len(value)-1]))
			}
		})
	})
	return code
}

// prependErrors puts the errors before the data: the specification advises so, for people.
func (r *Response) prependErrors(s *state) {
	data := r.Body
	r.spare = append(s.appendErrors(append(r.spare[:0], '{')), ',')
	r.spare = append(r.spare, data[1:]...)
	r.Body, r.spare = r.spare, data
	r.Errors = min(len(s.errors.records), s.cfg.MaxErrors)
	if s.errors.dropped > 0 {
		r.Errors++
	}
	r.Code = firstCode(r.Body)
}
