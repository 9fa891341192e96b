package serve

import (
	"bufio"
	"errors"
	"io"
	"net/http"
	"sync"

	"github.com/andybalholm/brotli"
	"github.com/klauspost/compress/flate"
	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zlib"
	"github.com/klauspost/compress/zstd"
)

// decoder is a reader that decompresses, with its memory. Reset begins a new body.
type decoder interface {
	io.Reader
	Reset(r io.Reader) error
}

// maxWindow bounds how far back a body may refer, and with it the memory of its decoder: what RFC 9659 allows zstd on the
// web. Brotli's own bound is 16 MiB.
const maxWindow = 8 << 20

var decoders = [codings]sync.Pool{
	codingZstd: {New: func() any {
		d, err := zstd.NewReader(nil, zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true), zstd.WithDecoderMaxWindow(maxWindow))
		return must(d, err)
	}},
	codingBrotli:  {New: func() any { return brotli.NewReader(nil) }},
	codingGzip:    {New: func() any { return new(gzip.Reader) }},
	codingDeflate: {New: func() any { return &inflater{buffered: bufio.NewReader(nil)} }},
}

// inflater reads deflate: the zlib format, as the standard has it, or the bare one, as some clients send it.
type inflater struct {
	buffered *bufio.Reader
	io.Reader
}

// Reset begins a new body, in either format.
func (d *inflater) Reset(r io.Reader) error {
	d.buffered.Reset(r)
	d.Reader = nil
	head, err := d.buffered.Peek(2)
	if err != nil {
		return err
	}
	if head[0]&0x0f == 8 && (int(head[0])<<8|int(head[1]))%31 == 0 {
		d.Reader, err = zlib.NewReader(d.buffered)
		return err
	}
	d.Reader = flate.NewReader(d.buffered)
	return nil
}

// decompressing is a body that is decompressed as it is read.
type decompressing struct {
	decoder
	coding coding
}

// decompress reads the request's body as what its Content-Encoding holds. Bounds are the caller's: what comes out may be a
// thousand times what went in.
func decompress(c coding, body io.Reader) (*decompressing, error) {
	d := &decompressing{decoders[c].Get().(decoder), c}
	if err := d.Reset(body); err != nil {
		d.release()
		return nil, err
	}
	return d, nil
}

func (d *decompressing) release() {
	_ = d.Reset(http.NoBody) // it may say that this is no body of its format
	decoders[d.coding].Put(d.decoder)
}

// content reads the body without its Content-Encoding into b, no more than limit bytes.
func (ex *exchange) content(b *buffer, body io.Reader, limit int64) *refusal {
	c := codingOf(ex.r.Header.Get("Content-Encoding"))
	if c == codings || c == codingIdentity {
		return readError(b.fill(body), limit)
	}
	d, err := decompress(c, body)
	if err != nil {
		return compressedError(err, limit)
	}
	defer d.release()
	err = b.fill(io.LimitReader(d, limit+1))
	if int64(len(b.bytes)) > limit {
		return tooLarge(limit)
	}
	return compressedError(err, limit)
}

// compressedError tells what broke on the way from what was no compressed body.
func compressedError(err error, limit int64) *refusal {
	if err == io.EOF { //nolint:errorlint // io.Reader promises the value itself
		return nil
	}
	var over *http.MaxBytesError
	refused := readError(err, limit)
	if errors.As(err, &over) || refused.status == http.StatusRequestTimeout {
		return refused
	}
	return badRequest("the request body is not what its Content-Encoding says, or ended early")
}
