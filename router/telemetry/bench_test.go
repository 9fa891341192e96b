package telemetry_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/agora-supergraph/agora/router"
	"github.com/agora-supergraph/agora/router/compose"
	"github.com/agora-supergraph/agora/router/telemetry"
)

// BenchmarkWatched is what being watched costs a query of three fetches over HTTP, two of them at the same time: that of a
// router which nobody watches, against those with metrics, and with metrics and slow operations.
func BenchmarkWatched(b *testing.B) {
	metrics := telemetry.Metrics{Path: "/metrics"}
	for _, bench := range []struct {
		name string
		seen telemetry.Config
	}{
		{"bare", telemetry.Config{}},
		{"metrics", telemetry.Config{Metrics: metrics}},
		{"metrics and slow", telemetry.Config{Metrics: metrics, SlowOperations: time.Minute}},
	} {
		b.Run(bench.name, func(b *testing.B) { benchmark(b, bench.seen) })
	}
}

func benchmark(b *testing.B, seen telemetry.Config) {
	t, err := telemetry.New(seen, nil)
	if err != nil {
		b.Fatal(err)
	}
	serve := func(answer string) string {
		server := httptest.NewServer(&subgraph{answer: answer})
		b.Cleanup(server.Close)
		return server.URL
	}
	result, errs := compose.Compose([]compose.Subgraph{
		{Name: "users", SDL: usersSDL, URL: serve(`{"data":{"me":{"__typename":"User","id":"1","name":"Ada"}}}`)},
		{Name: "reviews", SDL: reviewsSDL, URL: serve(`{"data":{"_entities":[{"stars":5}]}}`)},
		{Name: "orders", SDL: link + `type User @key(fields: "id") { id: ID! spent: Int }`, URL: serve(`{"data":{"_entities":[{"spent":7}]}}`)},
	}, compose.Config{})
	if errs != nil {
		b.Fatal(errs)
	}
	cfg := router.Config{Supergraph: result.SDL}
	t.Watch(&cfg)
	r, err := router.New(cfg)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = r.Close() })
	const body = `{"query":"query Me { me { name stars spent } }"}`
	reader := strings.NewReader(body)
	req := httptest.NewRequest(http.MethodPost, "/graphql", reader)
	req.Header.Set("Content-Type", "application/json")
	rec := httptest.NewRecorder()
	b.ReportAllocs()
	for b.Loop() {
		reader.Reset(body)
		rec.Body.Reset()
		clear(rec.Header())
		r.ServeHTTP(rec, req)
	}
	if want := `{"data":{"me":{"name":"Ada","stars":5,"spent":7}}}`; rec.Body.String() != want {
		b.Fatalf("answer = %s, want %s", rec.Body, want)
	}
}
