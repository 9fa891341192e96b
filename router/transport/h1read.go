package transport

import (
	"bytes"
	"errors"
	"io"
	"sync/atomic"
)

// inbox is what has been read of an answer: head and body lie one behind the other in one pooled buffer, which the body
// leaves with.
type inbox struct {
	buf *buffer
	// pos is where what nobody has looked at begins.
	pos int
}

// expectation is how large answers are of late: the room for one that nobody knows anything of yet. It follows larger
// ones at once and smaller ones slowly.
type expectation struct{ bytes atomic.Int64 }

const (
	leastRoom = 4 << 10
	mostRoom  = 1 << 20
)

func (e *expectation) room() int { return int(max(leastRoom, e.bytes.Load())) }

func (e *expectation) learn(size int) {
	before, now := e.bytes.Load(), min(int64(size+size/8), mostRoom)
	switch {
	case now > before:
		e.bytes.Store(now)
	case before-now >= 16:
		e.bytes.Store(before - (before-now)/16)
	}
}

// fill reads more of the answer, as much as there is room for; there must be some.
func (conn *h1conn) fill() error {
	in := conn.in.buf
	if len(in.b) == cap(in.b) {
		conn.makeRoom(1)
		in = conn.in.buf
	}
	n, err := conn.Read(in.b[len(in.b):cap(in.b)])
	if in.b = in.b[:len(in.b)+n]; n > 0 {
		conn.begun = true
		return nil
	}
	return err
}

// makeRoom makes room for n bytes more, or for twice of what has come so far if that is less: it is made as bytes come, not
// as they are announced.
func (conn *h1conn) makeRoom(n int) {
	in := &conn.in
	if cap(in.buf.b)-len(in.buf.b) >= n {
		return
	}
	larger := getBuffer(len(in.buf.b) + min(n, max(64<<10, len(in.buf.b))))
	larger.b = append(larger.b, in.buf.b...)
	putBuffer(in.buf)
	in.buf = larger
}

var errHeadTooLarge = errors.New("the header of the answer is too large")

// line reads a line without its end. It is valid until the next read.
func (conn *h1conn) line(room *int) ([]byte, error) {
	in := &conn.in
	for searched := 0; ; {
		rest := in.buf.b[in.pos:]
		if end := bytes.IndexByte(rest[searched:], '\n'); end >= 0 {
			end += searched
			in.pos += end + 1
			if *room -= end + 1; *room < 0 {
				return nil, errHeadTooLarge
			}
			return bytes.TrimSuffix(rest[:end], []byte("\r")), nil
		}
		if searched = len(rest); searched > *room {
			return nil, errHeadTooLarge
		}
		if err := conn.fill(); err != nil {
			return nil, err
		}
	}
}

// take reads n bytes more, behind what lies before to: body[:to] grows by them, and what is between them and to is
// dropped.
func (conn *h1conn) take(to, n int) (int, error) {
	in := &conn.in
	for n > 0 {
		if in.pos == len(in.buf.b) {
			in.buf.b = in.buf.b[:to]
			in.pos = to
			conn.makeRoom(n)
			if err := conn.fill(); err != nil {
				return to, err
			}
		}
		part := min(n, len(in.buf.b)-in.pos)
		if to != in.pos {
			copy(in.buf.b[to:], in.buf.b[in.pos:in.pos+part])
		}
		to, in.pos, n = to+part, in.pos+part, n-part
	}
	return to, nil
}

// rest reads until the connection ends.
func (conn *h1conn) rest(limit int64) error {
	for {
		if int64(len(conn.in.buf.b)-conn.in.pos) > limit {
			return errTooLarge
		}
		switch err := conn.fill(); {
		case err == io.EOF: //nolint:errorlint // net.Conn promises the value itself
			return nil
		case err != nil:
			return err
		}
	}
}
