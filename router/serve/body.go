package serve

import (
	"errors"
	"io"
	"net/http"
	"os"
	"strconv"
	"sync"
)

// buffer is a request body's memory. Bodies that needed more than keepBuffer don't go back to the pool.
type buffer struct{ bytes []byte }

const (
	firstBuffer = 4 << 10
	keepBuffer  = 64 << 10
)

var buffers = sync.Pool{New: func() any { return &buffer{make([]byte, 0, firstBuffer)} }}

func (b *buffer) release() {
	if cap(b.bytes) <= keepBuffer {
		b.bytes = b.bytes[:0]
		buffers.Put(b)
	}
}

// decode reads the request's parameters into ex.req.
func (ex *exchange) decode() *refusal {
	if ex.r.Method == http.MethodGet {
		return decodeURL(ex.r.URL.RawQuery, &ex.req)
	}
	if ex.h.cfg.Uploads.Enabled && isForm(ex.r.Header) {
		return ex.decodeForm()
	}
	ex.body = buffers.Get().(*buffer)
	if err := ex.read(ex.body); err != nil {
		return err
	}
	batch, err := decodeBody(ex.body.bytes, &ex.req)
	if batch != nil {
		ex.batch, err = ex.decodeBatch(batch)
	}
	return err
}

// read reads the body into b.
func (ex *exchange) read(b *buffer) *refusal {
	r, limit := ex.r, ex.h.cfg.HTTP.MaxBodyBytes
	if r.ContentLength > limit {
		return tooLarge(limit)
	}
	// The length is a promise only: no more is reserved for it than a pooled buffer has.
	if want := int(min(r.ContentLength+1, keepBuffer)); cap(b.bytes) < want {
		b.bytes = make([]byte, 0, want)
	}
	body := r.Body
	if r.ContentLength <= 0 { // else the server reads no more than what was promised
		body = http.MaxBytesReader(ex.w, body, limit)
	}
	if len(r.Header["Content-Encoding"]) == 0 {
		return readError(b.fill(body), limit)
	}
	return ex.content(b, body, limit)
}

// fill reads until an error, which is io.EOF if all is well.
func (b *buffer) fill(body io.Reader) error {
	for {
		if len(b.bytes) == cap(b.bytes) {
			b.bytes = append(b.bytes, 0)[:len(b.bytes)]
		}
		n, err := body.Read(b.bytes[len(b.bytes):cap(b.bytes)])
		b.bytes = b.bytes[:len(b.bytes)+n]
		if err != nil {
			return err
		}
	}
}

func readError(err error, limit int64) *refusal {
	if err == io.EOF { //nolint:errorlint // io.Reader promises the value itself
		return nil
	}
	var over *http.MaxBytesError
	switch {
	case errors.As(err, &over):
		return tooLarge(limit)
	case errors.Is(err, os.ErrDeadlineExceeded):
		return &refusal{http.StatusRequestTimeout, CodeRequestTimeout, "the request body did not arrive in time"}
	}
	return badRequest("the request body ended early")
}

func tooLarge(limit int64) *refusal {
	return &refusal{
		http.StatusRequestEntityTooLarge, CodePayloadTooLarge,
		"the request body is larger than " + strconv.FormatInt(limit, 10) + " bytes",
	}
}
