package serve

import (
	"bytes"
	"io"
	"net/http"
	"strconv"
	"strings"
	"sync"

	"github.com/andybalholm/brotli"
	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
)

// Compression says when answers are compressed: by zstd, brotli or gzip, whichever the client's Accept-Encoding wants
// most, the first of these among equals. Streams are not compressed: their events have to arrive at once.
type Compression struct {
	// Disabled sends all answers as they are.
	Disabled bool `yaml:"disabled"`
	// MinBytes is the smallest answer that is compressed: less fits into one packet. Zero means 1400.
	MinBytes int `yaml:"min_bytes" min:"0" max:"1073741824"`
}

// coding is a content coding (RFC 9110, 8.4.1).
type coding uint8

const (
	codingZstd coding = iota
	codingBrotli
	codingGzip
	codingIdentity
	codingDeflate // only of requests: browsers disagree on what it means in answers
	codings
)

var codingNames = [codings]string{"zstd", "br", "gzip", "identity", "deflate"}

// codingHeaders are shared by all responses: nobody changes them in place.
var codingHeaders = [...][]string{codingZstd: {"zstd"}, codingBrotli: {"br"}, codingGzip: {"gzip"}}

// acceptCoding picks the coding of an answer by the values of Accept-Encoding (RFC 9110, 12.5.3). compressible says
// whether compressing is worth the while; if not, it is done only for a client that refuses anything else.
func acceptCoding(values []string, compressible bool) coding {
	if len(values) == 0 {
		return codingIdentity
	}
	wants := [codingDeflate]float64{-1, -1, -1, -1}
	others := -1.0
	for _, value := range values {
		for value != "" {
			var entry string
			entry, value = cutList(value)
			name, params, _ := strings.Cut(entry, ";")
			quality, _, ok := acceptParams(params)
			if !ok {
				continue
			}
			if name = strings.TrimSpace(name); name == "*" {
				others = quality
			} else if c := codingOf(name); c < codingDeflate {
				wants[c] = quality
			}
		}
	}
	for c, quality := range wants {
		if quality >= 0 {
			continue
		}
		switch {
		case others >= 0:
			wants[c] = others
		case coding(c) == codingIdentity:
			wants[c] = 0.001 // unless it is refused, better than an answer that can't be read
		}
	}
	if !compressible && wants[codingIdentity] > 0 {
		return codingIdentity
	}
	best := codingIdentity
	for c := codingZstd; c < codingIdentity; c++ {
		if wants[c] > 0 && (best == codingIdentity && wants[c] >= wants[codingIdentity] || wants[c] > wants[best]) {
			best = c
		}
	}
	return best
}

// codingOf is the coding of a name, or codings.
func codingOf(name string) coding {
	for c, known := range codingNames {
		if strings.EqualFold(name, known) {
			return coding(c)
		}
	}
	if strings.EqualFold(name, "x-gzip") {
		return codingGzip
	}
	return codings
}

// compressor is a writer that compresses, with its memory.
type compressor interface {
	io.WriteCloser
	Reset(w io.Writer)
}

// Answers are compressed while somebody waits for them, so by the fastest level that still takes most of the bytes away.
var compressors = [...]sync.Pool{
	codingZstd: {New: func() any {
		w, err := zstd.NewWriter(nil, zstd.WithEncoderLevel(zstd.SpeedFastest), zstd.WithEncoderConcurrency(1), zstd.WithWindowSize(256<<10))
		return must(w, err)
	}},
	codingBrotli: {New: func() any { return brotli.NewWriterOptions(nil, brotli.WriterOptions{Quality: 3, LGWin: 18}) }},
	codingGzip:   {New: func() any { w, err := gzip.NewWriterLevel(nil, gzip.BestSpeed); return must(w, err) }},
}

// must is the value of a constructor whose options are constants.
func must[T any](value T, err error) T {
	if err != nil {
		panic(err)
	}
	return value
}

// compressed are pooled buffers for compressed answers.
var compressed = sync.Pool{New: func() any { return new(bytes.Buffer) }}

// compress returns body in the coding, in a buffer that is to go back to compressed.
func compress(c coding, body []byte) *bytes.Buffer {
	out := compressed.Get().(*bytes.Buffer)
	out.Reset()
	w := compressors[c].Get().(compressor)
	w.Reset(out)
	// A buffer takes everything.
	_, err := w.Write(body)
	must(0, err)
	must(0, w.Close())
	w.Reset(nil)
	compressors[c].Put(w)
	return out
}

// write answers with a whole body, compressed if the client likes that.
func (ex *exchange) write(status int, m media, body []byte) {
	settings := &ex.h.cfg.Compression
	if settings.Disabled {
		ex.writeBytes(status, m, body)
		return
	}
	worth := len(body) >= settings.MinBytes
	if worth && ex.r.Method == http.MethodGet {
		ex.Header().Add("Vary", "Accept-Encoding")
	}
	c := acceptCoding(ex.r.Header["Accept-Encoding"], worth)
	if c == codingIdentity || len(body) == 0 {
		ex.writeBytes(status, m, body)
		return
	}
	out := compress(c, body)
	ex.Header()["Content-Encoding"] = codingHeaders[c]
	ex.writeBytes(status, m, out.Bytes())
	if out.Cap() <= writePiece {
		compressed.Put(out)
	}
}

// unsupportedCoding refuses a request's body.
func unsupportedCoding(header http.Header, name string) *refusal {
	header.Set("Accept-Encoding", "gzip, br, zstd, deflate")
	return &refusal{
		http.StatusUnsupportedMediaType, CodeUnsupportedMediaType,
		"the Content-Encoding " + strconv.Quote(name) + " is not supported: use one of gzip, br, zstd and deflate",
	}
}
