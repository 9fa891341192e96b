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
	return e.send(func(b []byte) []byte { return appendNextEvent(b, resp.Body) })
}

// oneLine takes the line breaks out of the JSON that b holds from a place on: they would end the field. They can only be
// white space.
func oneLine(b []byte, from int) []byte {
	for i, c := range b[from:] {
		if c == '\n' || c == '\r' {
			b[from+i] = ' '
		}
	}
	return b
}

// complete has empty data for browsers, which drop events without.
func (e *events) complete() bool { return e.text("event: complete\ndata: \n\n") }

// heartbeat is a comment.
func (e *events) heartbeat() bool { return e.text(":\n\n") }
