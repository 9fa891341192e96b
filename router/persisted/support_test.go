package persisted_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/parser"

	"github.com/agora-supergraph/agora/router"
	"github.com/agora-supergraph/agora/router/auth"
	"github.com/agora-supergraph/agora/router/compose"
	"github.com/agora-supergraph/agora/router/persisted"
	"github.com/agora-supergraph/agora/router/persisted/manifest"
	"github.com/agora-supergraph/agora/router/persisted/store"
	"github.com/agora-supergraph/agora/router/serve"
	"github.com/agora-supergraph/agora/router/transport"
)

const (
	link        = `extend schema @link(url: "https://specs.apollo.dev/federation/v2.9", import: ["@key"]) `
	productsSDL = link + `
		type Query { products(first: Int): [Product!]! product(id: ID!): Product }
		type Mutation { rename(id: ID!, name: String!): Product }
		type Subscription { ticks(to: Int!): Int }
		type Product @key(fields: "id") { id: ID! name: String! }`
	reviewsSDL = link + `
		type Product @key(fields: "id") { id: ID! reviews: [Review!]! }
		type Review { id: ID! text: String }`
)

// product is what every field of the fakes leads to.
func product() map[string]any {
	return map[string]any{
		"__typename": "Product", "id": "1", "name": "Kettle",
		"reviews": []any{map[string]any{"__typename": "Review", "id": "r1", "text": "It boils."}},
	}
}

// subgraph answers over HTTP with a product, whatever is asked; subscriptions as two events over server-sent events.
func subgraph(w http.ResponseWriter, r *http.Request) {
	var req struct {
		Query     string
		Variables map[string]any
	}
	if err := json.NewDecoder(r.Body).Decode(&req); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	doc, err := parser.ParseQuery(&ast.Source{Input: req.Query})
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	op := doc.Operations[0]
	if op.Operation == ast.Subscription {
		w.Header().Set("Content-Type", "text/event-stream")
		for n := range 2 {
			_, _ = fmt.Fprintf(w, "event: next\ndata: {\"data\":{\"ticks\":%d}}\n\n", n+1)
		}
		_, _ = io.WriteString(w, "event: complete\ndata:\n\n")
		return
	}
	root := map[string]any{"products": []any{product()}, "product": product(), "rename": product()}
	for _, value := range req.Variables {
		if representations, ok := value.([]any); ok {
			root["_entities"] = slices.Repeat([]any{product()}, len(representations))
		}
	}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(map[string]any{"data": selected(root, op.SelectionSet)})
}

// selected is the part of a value that a selection set asks for.
func selected(value any, set ast.SelectionSet) any {
	switch value := value.(type) {
	case []any:
		list := []any{}
		for _, item := range value {
			list = append(list, selected(item, set))
		}
		return list
	case map[string]any:
		object := map[string]any{}
		for _, s := range set {
			switch s := s.(type) {
			case *ast.Field:
				object[s.Alias] = selected(value[s.Name], s.SelectionSet)
			case *ast.InlineFragment:
				for key, inner := range selected(value, s.SelectionSet).(map[string]any) {
					object[key] = inner
				}
			}
		}
		return object
	}
	return value
}

// newRouter is a router over two subgraphs that answer over HTTP.
func newRouter(t testing.TB) *router.Router {
	t.Helper()
	products, reviews := httptest.NewServer(http.HandlerFunc(subgraph)), httptest.NewServer(http.HandlerFunc(subgraph))
	t.Cleanup(products.Close)
	t.Cleanup(reviews.Close)
	result, errs := compose.Compose([]compose.Subgraph{
		{Name: "products", URL: products.URL, SDL: productsSDL}, {Name: "reviews", URL: reviews.URL, SDL: reviewsSDL},
	}, compose.Config{})
	if len(errs) > 0 {
		t.Fatal(errs)
	}
	engine, err := router.New(router.Config{
		Supergraph: result.SDL,
		HTTP:       map[string]transport.HTTPConfig{"": {Subscriptions: transport.SubscriptionConfig{Protocol: transport.SSE}}},
	})
	if err != nil {
		t.Fatal(err)
	}
	return engine
}

// door is a front door with persisted documents and API keys.
type door struct {
	*testing.T
	*httptest.Server
	engine *persisted.Engine
	log    *bytes.Buffer
	mu     sync.Mutex
}

// Write takes the log.
func (d *door) Write(b []byte) (int, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.log.Write(b)
}

func (d *door) logged() string {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.log.String()
}

// open serves cfg, whose manifests are read first. The keys of clients are their names.
func open(t *testing.T, cfg persisted.Config) *door {
	t.Helper()
	d := &door{T: t, log: &bytes.Buffer{}}
	cfg.Next, cfg.Logger = newRouter(t), slog.New(slog.NewTextHandler(d, nil))
	engine, err := persisted.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	if err := engine.Load(t.Context()); err != nil {
		t.Fatal(err)
	}
	d.serve(engine)
	return d
}

// serve puts another engine behind a door.
func (d *door) serve(engine *persisted.Engine) {
	d.Helper()
	h, err := serve.New(serve.Config{
		Engine: engine, Verifier: keyring{}, DocumentIDs: &serve.DocumentIDs{Parameter: "id", Path: true}, InitHeaders: []string{"X-API-Key"},
	})
	if err != nil {
		d.Fatal(err)
	}
	server := httptest.NewServer(h)
	d.engine, d.Server = engine, server
	d.Cleanup(server.Close)
}

// keyring takes every key for that of the client that it names.
type keyring struct{}

func (keyring) FromHeader(_ context.Context, header http.Header) (*auth.Claims, error) {
	if name := header.Get("X-API-Key"); name != "" {
		return &auth.Claims{Client: name, Scopes: []string{name}}, nil
	}
	return nil, nil
}

// answer is what a client sees, in short: the status, the first error's code, or the data.
func (d *door) answer(resp *http.Response, err error) string {
	d.Helper()
	if err != nil {
		d.Fatal(err)
	}
	defer resp.Body.Close()
	raw, err := io.ReadAll(resp.Body)
	if err != nil {
		d.Fatal(err)
	}
	var body struct {
		Data   json.RawMessage
		Errors []struct{ Extensions struct{ Code string } }
	}
	if err := json.Unmarshal(raw, &body); err != nil {
		d.Fatalf("%s: %v", raw, err)
	}
	if len(body.Errors) > 0 {
		return fmt.Sprint(resp.StatusCode, " ", body.Errors[0].Extensions.Code)
	}
	return fmt.Sprint(resp.StatusCode, " ", string(body.Data))
}

func (d *door) post(path, body string, header ...string) string {
	d.Helper()
	return d.answer(d.send(http.MethodPost, path, body, header...))
}

func (d *door) get(path string, header ...string) string {
	d.Helper()
	return d.answer(d.send(http.MethodGet, path, "", header...))
}

// send sends a request to a path below the endpoint.
func (d *door) send(method, path, body string, header ...string) (*http.Response, error) {
	req, err := http.NewRequestWithContext(d.Context(), method, d.URL+"/graphql"+path, strings.NewReader(body))
	if err != nil {
		return nil, err
	}
	req.Header.Set("Accept", "application/graphql-response+json")
	if method == http.MethodPost {
		req.Header.Set("Content-Type", "application/json")
	}
	for i := 0; i < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	return http.DefaultClient.Do(req)
}

func (d *door) wants(what, want, got string) {
	d.Helper()
	if got != want {
		d.Errorf("%s: got %s, want %s", what, got, want)
	}
}

// written is a manifest in a file of the test's.
func written(t testing.TB, documents ...manifest.Document) store.File {
	t.Helper()
	path := t.TempDir() + "/manifest.json"
	if err := os.WriteFile(path, manifest.Format(documents), 0o600); err != nil {
		t.Fatal(err)
	}
	return store.File{Path: path}
}
