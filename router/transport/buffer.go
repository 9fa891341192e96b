package transport

import (
	"io"
	"math/bits"
	"sync"
)

// Buffers for answers, pooled by size class: an answer of 1 KB never holds the buffer of one of 1 MB.
var buffers [13]sync.Pool

// buffer is one of them. free gives it back.
type buffer struct {
	b    []byte
	free func()
}

// Classes are powers of two from 1 KiB to 4 MiB; larger buffers are not kept.
const smallest = 10

func class(size int) int { return max(0, bits.Len(uint(max(1, size)-1))-smallest) }

// getBuffer returns an empty buffer that has room for size bytes.
func getBuffer(size int) *buffer {
	c := class(size)
	if c >= len(buffers) {
		return newBuffer(size)
	}
	if buf, _ := buffers[c].Get().(*buffer); buf != nil {
		return buf
	}
	return newBuffer(1 << (smallest + c))
}

func newBuffer(size int) *buffer {
	buf := &buffer{b: make([]byte, 0, size)}
	buf.free = func() { putBuffer(buf) }
	return buf
}

func putBuffer(buf *buffer) {
	// The capacity may have grown to between classes: it serves the one below.
	size := cap(buf.b)
	if size < 1<<smallest || size > 1<<(smallest+len(buffers)-1) {
		return
	}
	buf.b = buf.b[:0]
	buffers[bits.Len(uint(size))-1-smallest].Put(buf)
}

// readFrom appends what a reader has, no more than limit bytes.
func (buf *buffer) readFrom(r io.Reader, limit int64) error {
	for {
		if len(buf.b) == cap(buf.b) {
			buf.b = append(buf.b, 0)[:len(buf.b)]
		}
		n, err := r.Read(buf.b[len(buf.b):cap(buf.b)])
		buf.b = buf.b[:len(buf.b)+n]
		switch {
		case int64(len(buf.b)) > limit:
			return errTooLarge
		case err == io.EOF: //nolint:errorlint // io.Reader promises the value itself
			return nil
		case err != nil:
			return err
		}
	}
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
