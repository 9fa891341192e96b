package main

import (
	"bytes"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"testing"

	"github.com/agora-supergraph/agora/router"
	"github.com/agora-supergraph/agora/router/config"
	"github.com/agora-supergraph/agora/router/log"
	"github.com/agora-supergraph/agora/router/persisted"
	"github.com/agora-supergraph/agora/router/telemetry"
	"github.com/agora-supergraph/agora/router/transport"
	"github.com/agora-supergraph/agora/tools/bench/internal/shop"
)

// quiet is the configuration that features are compared with.
const quiet = "log: {level: warn}\n"

// BenchmarkFeature is what each part of everything.yaml costs a small query to one subgraph that costs nothing, from the front
// door on.
func BenchmarkFeature(b *testing.B) {
	for _, test := range []struct{ name, configuration string }{
		{"bare", quiet},
		{"log", "log: {level: info, format: json}\n"},
		{"overload", quiet + "overload: {enabled: true}\n"},
		{"cost", quiet + "cost: {mode: measure}\n"},
		{"rate limit", quiet + "rate_limit: {rules: [{name: all, by: address, units: 1000000000, per: 1s}]}\n"},
		{"headers", quiet + `headers:
  all:
    request: [{propagate: Authorization}, {insert: X-Request-Id, from: request.id}]
    response: [{propagate: Cache-Control, merge: most_restrictive}, {propagate: Set-Cookie, merge: append}]
`},
		{"traffic", quiet + "all_subgraphs: {retry: {attempts: 3}, breaker: {failure_percent: 50}, concurrency: {max: 1000}}\n"},
		{"telemetry", quiet + "telemetry: {metrics: {path: /metrics}, slow_operations: 1s}\n"},
		{"cors", quiet + "cors: {origins: [\"https://shop.example\"]}\n"},
		{"everything", everything},
	} {
		b.Run(test.name, func(b *testing.B) { benchmarkFeature(b, test.configuration) })
	}
}

func benchmarkFeature(b *testing.B, configuration string) {
	r := configured(b, configuration)
	body := &bytes.Reader{}
	text := []byte(`{"query":"` + workloads()[1].operation(0) + `"}`)
	req := httptest.NewRequest(http.MethodPost, "/graphql", nil)
	req.Header.Set("Content-Type", "application/json")
	req.Body, req.ContentLength = io.NopCloser(body), int64(len(text))
	w := &discard{header: http.Header{}}
	least(b, func(int) {
		body.Reset(text)
		clear(w.header)
		r.ServeHTTP(w, req)
	})
	if w.status != http.StatusOK {
		b.Fatalf("status = %d", w.status)
	}
}

// configured is a router as its command makes it, over subgraphs in process.
func configured(b *testing.B, configuration string) *router.Router {
	b.Helper()
	cfg, err := config.Parse("router.yaml", []byte(configuration))
	if err != nil {
		b.Fatal(err)
	}
	composed, err := shop.Compose(func(name string) string { return "http://" + name })
	if err != nil {
		b.Fatal(err)
	}
	null, err := os.OpenFile(os.DevNull, os.O_WRONLY, 0)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { null.Close() })
	logger := cfg.Log.Logger(log.NewLines(null))
	made, err := cfg.Router(composed.SDL, logger)
	if err != nil {
		b.Fatal(err)
	}
	made.Transports = map[string]transport.Transport{}
	for _, name := range shop.Names {
		service, err := shop.Subgraph(name)
		if err != nil {
			b.Fatal(err)
		}
		made.Transports[name] = inProcess{service}
	}
	seen, err := telemetry.New(cfg.Telemetry, logger)
	if err != nil {
		b.Fatal(err)
	}
	seen.Watch(&made)
	engine, err := persisted.New(persisted.Config{Logger: logger})
	if err != nil {
		b.Fatal(err)
	}
	made.Around = engine.Around
	r, err := router.New(made)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = r.Close() })
	return r
}

// discard is the writer of an answer that nobody reads.
type discard struct {
	header http.Header
	status int
}

// Header is the answer's.
func (w *discard) Header() http.Header { return w.header }

// WriteHeader takes the status.
func (w *discard) WriteHeader(status int) { w.status = status }

// Write takes everything.
func (w *discard) Write(b []byte) (int, error) { return len(b), nil }
