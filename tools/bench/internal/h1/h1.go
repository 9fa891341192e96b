// Package h1 is the leanest HTTP/1.1 client that the benchmark needs: one connection, used by one goroutine at a time,
// kept alive, to a server on this machine that is trusted to speak the protocol (RFC 9112).
//
// In go the bytes of a whole request, out come the status and the bytes of the body. Sending and receiving are apart, so
// that one goroutine can have requests in flight on several connections.
package h1

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"strconv"
	"time"
)

// Conn is a connection. A Conn that has returned an error must be closed.
type Conn struct {
	net.Conn
	// buf[from:to] has been read from the connection and not used.
	buf      []byte
	from, to int
	body     []byte
	last     bool
}

// Dial connects to a host and port.
func Dial(address string) (*Conn, error) {
	c, err := net.DialTimeout("tcp", address, 5*time.Second)
	if err != nil {
		return nil, err
	}
	return &Conn{Conn: c, buf: make([]byte, 16<<10)}, nil
}

// Request appends a POST of a JSON body to buf.
func Request(buf []byte, host, path string, body []byte) []byte {
	buf = append(append(append(buf, "POST "...), path...), " HTTP/1.1\r\nHost: "...)
	buf = append(append(buf, host...), "\r\nContent-Type: application/json\r\nAccept: application/json\r\nContent-Length: "...)
	buf = strconv.AppendInt(buf, int64(len(body)), 10)
	return append(append(buf, "\r\n\r\n"...), body...)
}

// Send writes a request.
func (c *Conn) Send(request []byte) error {
	_, err := c.Write(request)
	return err
}

// Receive reads the response to the request sent before. The body is valid until the next call.
func (c *Conn) Receive() (status int, body []byte, err error) {
	if c.last {
		return 0, nil, fmt.Errorf("the connection was to be closed: %w", io.EOF)
	}
	head, err := c.head()
	if err != nil {
		return 0, nil, err
	}
	if len(head) < len("HTTP/1.1 200") || !bytes.HasPrefix(head, []byte("HTTP/1.")) {
		return 0, nil, fmt.Errorf("no HTTP response: %q", head)
	}
	if status, err = strconv.Atoi(string(head[9:12])); err != nil {
		return 0, nil, fmt.Errorf("no HTTP status: %q", head)
	}
	if value, ok := header(head, "Connection"); ok {
		c.last = bytes.EqualFold(value, []byte("close"))
	}
	if value, ok := header(head, "Content-Length"); ok {
		size, err := strconv.Atoi(string(value))
		if err != nil || size < 0 {
			return 0, nil, fmt.Errorf("content length %q", value)
		}
		c.body, err = c.take(c.body[:0], size)
		return status, c.body, err
	}
	c.body, err = c.chunks(c.body[:0])
	return status, c.body, err
}

// head is the next status line and headers, with the empty line.
func (c *Conn) head() ([]byte, error) {
	for seen := 0; ; {
		if end := bytes.Index(c.buf[c.from+seen:c.to], []byte("\r\n\r\n")); end >= 0 {
			head := c.buf[c.from : c.from+seen+end+4]
			c.from += len(head)
			return head, nil
		}
		seen = max(0, c.to-c.from-3)
		if err := c.fill(); err != nil {
			return nil, err
		}
	}
}

// fill reads more into the buffer.
func (c *Conn) fill() error {
	if c.from > 0 {
		c.to = copy(c.buf, c.buf[c.from:c.to])
		c.from = 0
	}
	if c.to == len(c.buf) {
		c.buf = append(c.buf, make([]byte, len(c.buf))...)
	}
	n, err := c.Read(c.buf[c.to:])
	c.to += n
	if n > 0 {
		return nil
	}
	return err
}

// header is the value of a header in a head.
func header(head []byte, name string) ([]byte, bool) {
	for line := range bytes.Lines(head) {
		if len(line) > len(name) && line[len(name)] == ':' && bytes.EqualFold(line[:len(name)], []byte(name)) {
			return bytes.TrimSpace(line[len(name)+1:]), true
		}
	}
	return nil, false
}

// take appends the next n bytes to body.
func (c *Conn) take(body []byte, n int) ([]byte, error) {
	had := min(n, c.to-c.from)
	body = append(body, c.buf[c.from:c.from+had]...)
	c.from += had
	if n -= had; n == 0 {
		return body, nil
	}
	at := len(body)
	if cap(body) < at+n {
		body = append(make([]byte, 0, at+n+n/4), body...)
	}
	body = body[:at+n]
	_, err := io.ReadFull(c.Conn, body[at:])
	return body, err
}

// chunks appends a body in chunks.
func (c *Conn) chunks(body []byte) ([]byte, error) {
	for {
		line, err := c.line()
		if err != nil {
			return nil, err
		}
		text, _, _ := bytes.Cut(line, []byte(";"))
		size, err := strconv.ParseUint(string(bytes.TrimSpace(text)), 16, 31)
		if err != nil {
			return nil, fmt.Errorf("size of a chunk: %w", err)
		}
		if size == 0 {
			return body, c.trailer()
		}
		if body, err = c.take(body, int(size)); err != nil {
			return nil, err
		}
		if _, err = c.line(); err != nil {
			return nil, err
		}
	}
}

// trailer skips what comes after the last chunk.
func (c *Conn) trailer() error {
	for {
		if line, err := c.line(); err != nil || len(line) == 0 {
			return err
		}
	}
}

// line is the next line, without its end.
func (c *Conn) line() ([]byte, error) {
	for {
		if end := bytes.Index(c.buf[c.from:c.to], []byte("\r\n")); end >= 0 {
			line := c.buf[c.from : c.from+end]
			c.from += end + 2
			return line, nil
		}
		if err := c.fill(); err != nil {
			return nil, err
		}
	}
}
