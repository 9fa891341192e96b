package transport

import (
	"bytes"
	"io"
	"math/bits"
	"sync"
)

// Buffers for answers, pooled by size class: an answer of 1 KB never holds the buffer of one of 1 MB.
var buffers [7]sync.Pool

// buffer is one of them. free gives it back.
type buffer struct {
	bytes.Buffer
	free func()
}

// Classes are powers of four from 1 KiB to 4 MiB; larger buffers are not kept.
func class(size int) int {
	if size <= 1<<10 {
		return 0
	}
	return (bits.Len(uint(size-1)) - 9) / 2
}

func getBuffer(size int) *buffer {
	// ReadFrom wants room for one more read, even if only to learn of the end.
	size += bytes.MinRead
	c := class(size)
	if c >= len(buffers) {
		return newBuffer(size)
	}
	if buf, _ := buffers[c].Get().(*buffer); buf != nil {
		return buf
	}
	return newBuffer(1 << 10 << (2 * c))
}

func newBuffer(size int) *buffer {
	buf := &buffer{Buffer: *bytes.NewBuffer(make([]byte, 0, size))}
	buf.free = func() { putBuffer(buf) }
	return buf
}

func putBuffer(buf *buffer) {
	// The capacity may have grown to between classes: it serves the one below.
	size := buf.Cap()
	if size < 1<<10 || size > 1<<10<<(2*(len(buffers)-1)) {
		return
	}
	buf.Reset()
	buffers[(bits.Len(uint(size))-11)/2].Put(buf)
}

// body lends the caller's bytes to net/http, which may hold on to a request's body after it has answered.
type body struct {
	mu sync.Mutex
	b  []byte
}

func newBody(b []byte) *body { return &body{b: b} }

// detach takes the bytes back: from now on, readers find the end.
func (l *body) detach() {
	l.mu.Lock()
	l.b = nil
	l.mu.Unlock()
}

func (l *body) reader() io.ReadCloser { return &bodyReader{body: l} }

func (l *body) again() (io.ReadCloser, error) { return l.reader(), nil }

type bodyReader struct {
	body *body
	pos  int
}

// Read copies under the lock, so that detach waits for a copy that is under way.
func (r *bodyReader) Read(p []byte) (int, error) {
	r.body.mu.Lock()
	defer r.body.mu.Unlock()
	if r.pos >= len(r.body.b) {
		return 0, io.EOF
	}
	n := copy(p, r.body.b[r.pos:])
	r.pos += n
	return n, nil
}

// Close does nothing: the bytes are the caller's.
func (r *bodyReader) Close() error { return nil }
