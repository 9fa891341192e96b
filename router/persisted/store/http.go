package store

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"time"

	"github.com/agora-supergraph/agora/router/persisted/manifest"
)

// HTTP is a manifest behind a URL, such as an object of a bucket. Servers that send an ETag are asked whether it has changed.
type HTTP struct {
	// URL is where it is.
	URL string
	// Header is sent with the request; nil for nothing.
	Header http.Header
	// Timeout bounds one request. Zero means 10 s.
	Timeout time.Duration
	// MaxBytes bounds the manifest. Zero means 64 MiB.
	MaxBytes int64
}

var _ Source = HTTP{}

// String is the URL without password and query, which may hold a signature.
func (h HTTP) String() string {
	u, err := url.Parse(h.URL)
	if err != nil {
		return "a malformed URL"
	}
	u.User, u.RawQuery = nil, ""
	return u.String()
}

// Load reads the manifest unless the server says that it has not changed. The version is the ETag, or, of a server that sends
// none, the SHA-256 of the content.
func (h HTTP) Load(ctx context.Context, since string) ([]manifest.Document, string, error) {
	documents, version, err := h.load(ctx, since)
	if err != nil {
		return nil, "", fmt.Errorf("documents: %s: %w", h, err)
	}
	return documents, version, nil
}

func (h HTTP) load(ctx context.Context, since string) ([]manifest.Document, string, error) {
	timeout, limit := h.Timeout, h.MaxBytes
	if timeout == 0 {
		timeout = 10 * time.Second
	}
	if limit == 0 {
		limit = 64 << 20
	}
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, h.URL, nil)
	if err != nil {
		return nil, "", err
	}
	for name, values := range h.Header {
		req.Header[name] = values
	}
	if since != "" {
		req.Header.Set("If-None-Match", since)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		if failed, ok := err.(*url.Error); ok { //nolint:errorlint // Client.Do promises the type; its message has the whole URL
			err = failed.Err
		}
		return nil, "", err
	}
	defer func() { _ = resp.Body.Close() }()
	if since != "" && resp.StatusCode == http.StatusNotModified {
		return nil, since, nil
	}
	if resp.StatusCode != http.StatusOK {
		return nil, "", fmt.Errorf("the server answers %s", resp.Status)
	}
	raw, err := io.ReadAll(io.LimitReader(resp.Body, limit+1))
	if err != nil {
		return nil, "", err
	}
	if int64(len(raw)) > limit {
		return nil, "", fmt.Errorf("larger than %d bytes", limit)
	}
	version := resp.Header.Get("ETag")
	if version == "" {
		version = `"` + manifest.SHA256(string(raw)) + `"`
	}
	if version == since {
		return nil, since, nil
	}
	documents, err := manifest.Parse(raw)
	return documents, version, err
}
