package serve_test

import (
	"bytes"
	"compress/flate"
	"compress/zlib"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/andybalholm/brotli"
	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"

	"github.com/agora-supergraph/agora/router/serve"
)

// codings are the content codings, each with its other side. "raw" is deflate as some clients send it.
var codings = map[string]struct {
	encode func(io.Writer) io.WriteCloser
	decode func(io.Reader) (io.Reader, error)
}{
	"gzip": {
		func(w io.Writer) io.WriteCloser { return gzip.NewWriter(w) },
		func(r io.Reader) (io.Reader, error) { return gzip.NewReader(r) },
	},
	"br": {
		func(w io.Writer) io.WriteCloser { return brotli.NewWriter(w) },
		func(r io.Reader) (io.Reader, error) { return brotli.NewReader(r), nil },
	},
	"zstd": {
		func(w io.Writer) io.WriteCloser {
			z, err := zstd.NewWriter(w)
			if err != nil {
				panic(err)
			}
			return z
		},
		func(r io.Reader) (io.Reader, error) { return zstd.NewReader(r) },
	},
	"deflate": {encode: func(w io.Writer) io.WriteCloser { return zlib.NewWriter(w) }},
	"raw": {encode: func(w io.Writer) io.WriteCloser {
		z, err := flate.NewWriter(w, 9)
		if err != nil {
			panic(err)
		}
		return z
	}},
}

func encode(t *testing.T, coding, text string) string {
	t.Helper()
	var out bytes.Buffer
	w := codings[coding].encode(&out)
	if _, err := io.WriteString(w, text); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

func TestAnswersAreCompressedAsTheClientLikesItMost(t *testing.T) {
	server, _ := start(t, serve.Config{})
	want := `{"data":{"big":"` + strings.Repeat("x", 5000) + `"}}`
	tests := []struct{ accept, coding string }{
		{"gzip, deflate, br, zstd", "zstd"},
		{"gzip, deflate, br", "br"},
		{"gzip", "gzip"},
		{"x-gzip", "gzip"},
		{"GZIP;q=0.8, br;q=0.5", "gzip"},
		{"*", "zstd"},
		{"*;q=0.5, zstd;q=0, br;q=0", "gzip"},
		{"gzip;q=0.5, identity", ""},
		{"gzip;q=0, br;q=0", ""},
		{"deflate", ""},
		{"gzip;q=nonsense", ""},
		{"identity", ""},
	}
	for _, test := range tests {
		t.Run(test.accept, func(t *testing.T) {
			got := post(t, server, `{"query":"{big(bytes:5000)}"}`, "Accept-Encoding", test.accept)
			if coding := got.header.Get("Content-Encoding"); coding != test.coding {
				t.Fatalf("got %q, want %q", coding, test.coding)
			}
			body := got.body
			if test.coding != "" {
				if len(body) > 500 {
					t.Errorf("%d bytes are not much of a compression", len(body))
				}
				r, err := codings[test.coding].decode(strings.NewReader(body))
				if err != nil {
					t.Fatal(err)
				}
				body = readAll(t, r)
			}
			if body != want {
				t.Errorf("got %.100q", body)
			}
		})
	}
}

func TestSmallAnswersAndThoseThatNobodyAskedToCompressAreNot(t *testing.T) {
	server, _ := start(t, serve.Config{})
	if got := post(t, server, `{"query":"{hello}"}`, "Accept-Encoding", "gzip"); got.header.Get("Content-Encoding") != "" {
		t.Errorf("small: got %v", got.header)
	}
	if got := post(t, server, `{"query":"{hello}"}`, "Accept-Encoding", "gzip, identity;q=0"); got.header.Get("Content-Encoding") != "gzip" {
		t.Errorf("small, but not to be sent as it is: got %v", got.header)
	}
	got := get(t, server, url.Values{"query": {"{big(bytes:5000)}"}}, "Accept-Encoding", "gzip")
	if vary := strings.Join(got.header.Values("Vary"), ","); !strings.Contains(vary, "Accept-Encoding") {
		t.Errorf("a cache is told %q", vary)
	}
	off, _ := start(t, serve.Config{Compression: serve.Compression{Disabled: true}})
	if got := post(t, off, `{"query":"{big(bytes:5000)}"}`, "Accept-Encoding", "gzip"); got.header.Get("Content-Encoding") != "" {
		t.Errorf("off: got %v", got.header)
	}
}

func TestCompressedBodiesAreRead(t *testing.T) {
	server, _ := start(t, serve.Config{HTTP: serve.HTTP{MaxBodyBytes: 1000}})
	const query, want = `{"query":"{hello(name:\"Ann\")}"}`, `{"data":{"hello":"hello Ann"}}`
	for coding := range codings {
		t.Run(coding, func(t *testing.T) {
			name := coding
			if coding == "raw" {
				name = "deflate"
			}
			send := func(body string) answer { return post(t, server, body, "Content-Encoding", name) }
			for range 2 { // the second one gets a decoder from the pool
				if got := send(encode(t, coding, query)); got.status != 200 || got.body != want {
					t.Errorf("got %d %s", got.status, got.body)
				}
			}
			bomb := encode(t, coding, `{"query":"{hello}`+strings.Repeat(" ", 40_000)+`"}`)
			if len(bomb) > 1000 {
				t.Fatalf("a bomb of %d bytes", len(bomb))
			}
			if got := send(bomb); got.status != 413 || got.code != serve.CodePayloadTooLarge {
				t.Errorf("a bomb: got %d %s", got.status, got.body)
			}
			for _, broken := range []string{query, "", encode(t, coding, query)[:10]} {
				if got := send(broken); got.status != 400 || got.code != serve.CodeBadRequest {
					t.Errorf("%q: got %d %s", broken, got.status, got.body)
				}
			}
		})
	}
	got := post(t, server, query, "Content-Encoding", "gzip, gzip")
	if got.status != http.StatusUnsupportedMediaType || got.header.Get("Accept-Encoding") != "gzip, br, zstd, deflate" {
		t.Errorf("twice compressed: got %d %v %s", got.status, got.header, got.body)
	}
}
