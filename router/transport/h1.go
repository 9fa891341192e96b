package transport

import (
	"bytes"
	"context"
	"errors"
	"net"
	"net/http"
	"net/url"
	"sort"
	"strconv"
	"time"
)

// h1 is an HTTP/1.1 client for one endpoint, by RFC 9112. A call runs in its caller's goroutine from
// the first byte to the last, on a connection of its own: net/http hands every request and every answer
// through two more goroutines, which costs more than all the rest.
type h1 struct {
	cfg     *HTTPConfig
	connect connector
	// line is the request line and Host; fixed are the headers that all requests have.
	line, fixed []byte
	// own are the names in fixed that a request's headers may replace.
	own []string

	expected expectation
	connections
}

func newH1(cfg *HTTPConfig, u *url.URL, connect connector, header http.Header) *h1 {
	c := &h1{cfg: cfg, connect: connect, connections: connections{cfg: cfg}}
	c.line = append(c.line, "POST "+u.RequestURI()+" HTTP/1.1\r\nHost: "+u.Host+"\r\n"...)
	names := make([]string, 0, len(header))
	for name := range header {
		names = append(names, name)
	}
	sort.Strings(names)
	for _, name := range names {
		c.own = append(c.own, name)
		c.fixed, _ = appendHeader(c.fixed, name, header[name])
	}
	return c
}

var errHeader = errors.New("a header holds what no header may hold")

// appendHeader writes one header. It returns false if that would break the message's form.
func appendHeader(b []byte, name string, values []string) ([]byte, bool) {
	for i := range len(name) {
		if c := name[i]; c <= ' ' || c == ':' || c >= 0x7f {
			return b, false
		}
	}
	for _, v := range values {
		for i := range len(v) {
			if c := v[i]; c < ' ' && c != '\t' || c == 0x7f {
				return b, false
			}
		}
		b = append(append(append(append(b, name...), ": "...), v...), "\r\n"...)
	}
	return b, true
}

// send posts a request. A query whose kept connection turns out to be closed is sent again on a new one.
func (c *h1) send(ctx context.Context, req *Request) (*Response, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	conn := c.take(ctx, req.Mutation)
	for {
		if conn == nil {
			var err error
			if conn, err = c.dial(ctx); err != nil {
				return nil, err
			}
		}
		resp, err := c.exchange(ctx, conn, req)
		if err == nil {
			return resp, nil
		}
		if req.Mutation || !conn.stale(ctx, err) {
			return nil, err
		}
		conn = nil
	}
}

func isTimeout(err error) bool {
	var timeout net.Error
	return errors.As(err, &timeout) && timeout.Timeout()
}

func (c *h1) dial(ctx context.Context) (*h1conn, error) {
	within := ctx
	if c.cfg.Timeout > 0 {
		var cancel context.CancelFunc
		within, cancel = context.WithTimeout(ctx, c.cfg.Timeout)
		defer cancel()
	}
	conn, err := c.connect(within)
	if err != nil {
		return nil, err
	}
	made := &h1conn{Conn: conn, below: beneath(conn)}
	made.makeWaiter()
	c.add(ctx, made)
	return made, nil
}

// exchange sends a request on a connection and reads the answer. The connection is kept or closed then.
func (c *h1) exchange(ctx context.Context, conn *h1conn, req *Request) (*Response, error) {
	err := c.writeAndWait(conn, req)
	if err != nil {
		return c.finish(ctx, conn, nil, err)
	}
	resp, err := conn.readAnswer(c.cfg, &c.expected)
	return c.finish(ctx, conn, resp, err)
}

// finish ends a call: the connection is kept or closed.
func (c *h1) finish(ctx context.Context, conn *h1conn, resp *Response, err error) (*Response, error) {
	if err != nil || conn.spent {
		c.drop(conn)
	} else {
		c.keep(conn)
	}
	if err != nil && ctx.Err() != nil {
		err = ctx.Err()
	}
	return resp, err
}

// smallBody is what goes along with the header in one write: to copy a larger body would cost more than a second write.
const smallBody = 16 << 10

// write sends a request.
func (c *h1) write(conn *h1conn, req *Request) error {
	if err := c.compose(conn, req); err != nil {
		return err
	}
	_, err := conn.Write(conn.out)
	if err == nil && len(req.Body) > smallBody {
		_, err = conn.Write(req.Body)
	}
	return err
}

// compose puts a request into conn.out, but for a body that is not small.
func (c *h1) compose(conn *h1conn, req *Request) error {
	b, ok := c.appendRequest(conn.out[:0], req, conn.deadline)
	if !ok {
		return errHeader
	}
	if len(req.Body) <= smallBody {
		b = append(b, req.Body...)
	}
	conn.out = b
	return nil
}

func (c *h1) appendRequest(b []byte, req *Request, deadline time.Time) ([]byte, bool) {
	b = append(b, c.line...)
	if len(req.Header) == 0 {
		b = append(b, c.fixed...)
	} else {
		var ok bool
		if b, ok = c.appendOwn(b, req.Header); !ok {
			return b, false
		}
	}
	if c.cfg.DeadlineHeader != "" && !deadline.IsZero() {
		b = append(append(b, c.cfg.DeadlineHeader...), ": "...)
		b = append(strconv.AppendInt(b, remaining(deadline), 10), "\r\n"...)
	}
	b = append(b, "Content-Length: "...)
	b = strconv.AppendInt(b, int64(len(req.Body)), 10)
	return append(b, "\r\n\r\n"...), true
}

// appendOwn writes the headers of a request that brings some of its own, which replace the fixed ones.
func (c *h1) appendOwn(b []byte, header http.Header) ([]byte, bool) {
	if c.replaces(header) {
		b = c.appendKept(b, header)
	} else {
		b = append(b, c.fixed...)
	}
	for name, values := range header {
		if hopByHop(name) {
			continue
		}
		var ok bool
		if b, ok = appendHeader(b, name, values); !ok {
			return b, false
		}
	}
	return b, true
}

// replaces says whether one of the headers stands in for a fixed one.
func (c *h1) replaces(header http.Header) bool {
	for _, name := range c.own {
		if header[name] != nil && !hopByHop(name) {
			return true
		}
	}
	return false
}

// appendKept writes the fixed headers that none of a request's own replaces.
func (c *h1) appendKept(b []byte, header http.Header) []byte {
	rest := c.fixed
	for _, name := range c.own {
		replaced := header[name] != nil && !hopByHop(name)
		// A header with several values has several lines.
		for len(rest) > len(name) && bytes.HasPrefix(rest, []byte(name)) && rest[len(name)] == ':' {
			end := bytes.IndexByte(rest, '\n') + 1
			if !replaced {
				b = append(b, rest[:end]...)
			}
			rest = rest[end:]
		}
	}
	return b
}
