package serve_test

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/agora-supergraph/agora/router/serve"
)

func record(h http.Handler, target, accept string) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	r := httptest.NewRequest(http.MethodGet, target, nil)
	if accept != "" {
		r.Header.Set("Accept", accept)
	}
	h.ServeHTTP(w, r)
	return w
}

// constantEngine answers everything with the same bytes.
type constantEngine struct{ body []byte }

func (e constantEngine) Execute(context.Context, *serve.Request) *serve.Response {
	return &serve.Response{Body: e.body, Operation: serve.Operation{Name: "Product", Kind: "query"}}
}

func (e constantEngine) Subscribe(ctx context.Context, req *serve.Request) (serve.Subscription, *serve.Response) {
	return nil, e.Execute(ctx, req)
}

// sink is a ResponseWriter that costs nothing.
type sink struct{ header http.Header }

func (s *sink) Header() http.Header         { return s.header }
func (s *sink) Write(b []byte) (int, error) { return len(b), nil }
func (s *sink) WriteHeader(int)             {}

func (s *sink) SetReadDeadline(time.Time) error  { return nil }
func (s *sink) SetWriteDeadline(time.Time) error { return nil }

// BenchmarkHandler is the handler's own part of a request: from net/http's request to the engine and back.
func BenchmarkHandler(b *testing.B) {
	const query = `query Product($id: ID!, $first: Int) { product(id: $id) { id name price { amount currency } reviews(first: $first) { edges { node { id text author { name } } } } } }`
	body := `{"operationName":"Product","variables":{"id":"prod_0192","first":10},"extensions":{"clientLibrary":{"name":"@apollo/client","version":"4.3.8"}},"query":"` + query + `"}`
	for name, logger := range map[string]*slog.Logger{"silent": nil, "logged": slog.New(slog.NewJSONHandler(io.Discard, nil))} {
		b.Run(name, func(b *testing.B) {
			h, err := serve.New(serve.Config{Engine: constantEngine{[]byte(`{"data":` + strings.Repeat(" ", 2000) + `null}`)}, Logger: logger})
			if err != nil {
				b.Fatal(err)
			}
			reader := strings.NewReader(body)
			r := httptest.NewRequest(http.MethodPost, "/graphql", reader)
			r.Header.Set("Content-Type", "application/json")
			r.Header.Set("Accept", "application/graphql-response+json,application/json;q=0.9")
			w := &sink{header: make(http.Header)}
			b.ReportAllocs()
			for b.Loop() {
				reader.Reset(body)
				clear(w.header)
				h.ServeHTTP(w, r)
			}
		})
	}
}
