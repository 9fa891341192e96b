package playground

import (
	"bytes"
	"compress/gzip"
	"embed"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"path"
	"strconv"
	"strings"
	"sync"
	"time"
)

//go:embed all:dist
var dist embed.FS

// contentTypes are fixed here because the system's table differs from machine to machine.
var contentTypes = map[string]string{
	".css":   "text/css; charset=utf-8",
	".js":    "text/javascript; charset=utf-8",
	".md":    "text/plain; charset=utf-8",
	".svg":   "image/svg+xml",
	".ttf":   "font/ttf",
	".woff2": "font/woff2",
}

// asset is a file below the page. Its bytes are those embedded: gzip, or as they are.
type asset struct {
	contentType string
	cache       string
	body        []byte
	compressed  bool
}

// files maps a path below the page to its file. Built once: the embedded tree never changes.
var files = sync.OnceValue(func() map[string]*asset {
	found := map[string]*asset{}
	err := fs.WalkDir(dist, "dist/assets", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		plain := strings.TrimSuffix(strings.TrimPrefix(name, "dist/"), ".gz")
		found[plain], err = load(name, "public, max-age=31536000, immutable")
		return err
	})
	if err == nil {
		found["licenses.md"], err = load("dist/licenses.md", "no-cache")
	}
	if err != nil {
		panic("playground: embedded files: " + err.Error())
	}
	return found
})

func load(name, cache string) (*asset, error) {
	body, err := dist.ReadFile(name)
	if err != nil {
		return nil, err
	}
	plain, compressed := strings.CutSuffix(name, ".gz")
	contentType, known := contentTypes[path.Ext(plain)]
	if !known {
		return nil, fmt.Errorf("load %s: no content type for its extension", name)
	}
	return &asset{contentType: contentType, cache: cache, body: body, compressed: compressed}, nil
}

func (a *asset) serve(w http.ResponseWriter, r *http.Request) {
	header := w.Header()
	header.Set("Content-Type", a.contentType)
	header.Set("Cache-Control", a.cache)
	header.Set("Vary", "Accept-Encoding")
	switch {
	case !a.compressed:
		http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(a.body))
	case acceptsGzip(r.Header.Values("Accept-Encoding")):
		header.Set("Content-Encoding", "gzip")
		header.Set("Content-Length", strconv.Itoa(len(a.body)))
		w.WriteHeader(http.StatusOK)
		if r.Method != http.MethodHead {
			_, _ = w.Write(a.body) // A client that left is nobody's error.
		}
	default:
		a.serveDecompressed(w, r)
	}
}

// serveDecompressed is for the rare client without gzip; it costs a decompression each time.
func (a *asset) serveDecompressed(w http.ResponseWriter, r *http.Request) {
	plain, err := gzip.NewReader(bytes.NewReader(a.body))
	if err != nil {
		panic("playground: embedded asset: " + err.Error())
	}
	w.WriteHeader(http.StatusOK)
	if r.Method != http.MethodHead {
		_, _ = io.Copy(w, plain)
	}
}

// acceptsGzip reads Accept-Encoding by RFC 9110, section 12.5.3: gzip or, failing that, * with a
// weight above zero.
func acceptsGzip(values []string) bool {
	wildcard := false
	for coding := range strings.SplitSeq(strings.Join(values, ","), ",") {
		name, parameters, _ := strings.Cut(coding, ";")
		switch strings.ToLower(strings.TrimSpace(name)) {
		case "gzip", "x-gzip":
			return weight(parameters) > 0
		case "*":
			wildcard = weight(parameters) > 0
		}
	}
	return wildcard
}

func weight(parameters string) float64 {
	name, value, found := strings.Cut(parameters, "=")
	if !found || !strings.EqualFold(strings.TrimSpace(name), "q") {
		return 1
	}
	q, err := strconv.ParseFloat(strings.TrimSpace(value), 64)
	if err != nil {
		return 0
	}
	return q
}
