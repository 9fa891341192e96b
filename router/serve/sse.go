package serve

import (
	"net/http"
	"sync"
	"time"
)

// chunks writes pieces of a stream, whole and at once.
type chunks struct {
	ex *exchange

	mu  sync.Mutex
	buf []byte
}

// send builds a piece in the stream's own buffer and writes it.
func (c *chunks) send(build func(b []byte) []byte) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.buf = build(c.buf[:0])
	c.ex.writeBy(time.Now().Add(c.ex.h.cfg.HTTP.WriteTimeout))
	if _, err := c.ex.Write(c.buf); err != nil {
		return false
	}
	return http.NewResponseController(c.ex.w).Flush() == nil
}

func (c *chunks) text(s string) bool {
	return c.send(func(b []byte) []byte { return append(b, s...) })
}

// events writes server-sent events (https://html.spec.whatwg.org/multipage/server-sent-events.html) as
// graphql-sse has them.
type events struct{ chunks }

func newEvents(ex *exchange) *events {
	e := &events{chunks{ex: ex}}
	e.heartbeat()
	return e
}

func (e *events) next(resp *Response) bool {
	defer resp.Release()
	return e.send(func(b []byte) []byte {
		b = append(b, "event: next\ndata: "...)
		data := len(b)
		b = append(b, resp.Body...)
		for i, c := range b[data:] {
			// A line break would end the field. In JSON it can only be white space.
			if c == '\n' || c == '\r' {
				b[data+i] = ' '
			}
		}
		return append(b, "\n\n"...)
	})
}

// complete has empty data for browsers, which drop events without.
func (e *events) complete() bool { return e.text("event: complete\ndata: \n\n") }

// heartbeat is a comment.
func (e *events) heartbeat() bool { return e.text(":\n\n") }
