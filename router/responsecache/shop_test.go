package responsecache_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/parser"

	"github.com/agora-supergraph/agora/router"
	"github.com/agora-supergraph/agora/router/auth"
	"github.com/agora-supergraph/agora/router/compose"
	"github.com/agora-supergraph/agora/router/headers"
	"github.com/agora-supergraph/agora/router/responsecache"
	"github.com/agora-supergraph/agora/router/serve"
	"github.com/agora-supergraph/agora/router/transport"
)

const (
	link     = `extend schema @link(url: "https://specs.apollo.dev/federation/v2.9", import: ["@key", "@authenticated", "@composeDirective"]) `
	goodsSDL = link + `
		@link(url: "https://agora.example/cacheControl/v1.0", import: ["@cacheControl"]) @composeDirective(name: "@cacheControl")
		directive @cacheControl(maxAge: Int) on OBJECT | FIELD_DEFINITION
		type Query { product(id: ID!): Product products: [Product!]! me: Customer motto: String @cacheControl(maxAge: 60) broken: String }
		type Mutation { rename(id: ID!, name: String!): Renamed sell(id: ID!): Boolean }
		type Subscription { renamed: Product }
		type Renamed { product: Product note: String }
		type Product @key(fields: "id") { id: ID! name: String secret: String @authenticated }
		type Customer @key(fields: "id") { id: ID! name: String }`
	stockSDL = link + `
		type Product @key(fields: "id") { id: ID! stock: Int }`
)

// shop is a supergraph of two subgraphs, goods and stock, with a cache.
type shop struct {
	*router.Router
	cache *responsecache.Cache

	mu     sync.Mutex
	names  map[string]string
	stock  map[string]int
	sent   []string
	header http.Header // of answers
	// began is told of each request whose answer is made; it is given when wait is closed. Nil for at once.
	began, wait chan struct{}
	fail        map[string]bool // entities whose stock fails, by id
	extra       map[string]any  // extensions of answers
}

// usual keeps everything of both subgraphs.
func usual() responsecache.Config {
	return responsecache.Config{
		DebugHeader:  "Agora-Cache",
		Invalidation: responsecache.Invalidation{Token: "a token that is long enough"},
		Mutations:    map[string]responsecache.Changes{"sell": {Types: []string{"Product"}}},
		Subgraphs: map[string]responsecache.Subgraph{
			"goods": {MaxAge: 60e9, IgnoreHeaders: []string{"Authorization"}, Hints: map[string]responsecache.Hint{"Customer": {Private: true}}},
			"stock": {MaxAge: 60e9, IgnoreHeaders: []string{"Authorization"}},
		},
	}
}

func open(t testing.TB, cfg responsecache.Config) *shop {
	t.Helper()
	result, errs := compose.Compose([]compose.Subgraph{
		{Name: "goods", URL: "http://goods/graphql", SDL: goodsSDL}, {Name: "stock", URL: "http://stock/graphql", SDL: stockSDL},
	}, compose.Config{})
	if errs != nil {
		t.Fatal(errs)
	}
	var err error
	s := &shop{
		names: map[string]string{"1": "Lamp", "2": "Chair", "3": "Table"},
		stock: map[string]int{"1": 10, "2": 20, "3": 30}, fail: map[string]bool{},
	}
	var hooks []router.Hook
	if cfg.Enabled() {
		if s.cache, err = responsecache.New(cfg); err != nil {
			t.Fatal(err)
		}
		hooks = append(hooks, s.cache)
	}
	s.Router, err = router.New(router.Config{
		Supergraph: result.SDL, Hooks: hooks,
		Transports: map[string]transport.Transport{"goods": subgraph{s, "goods"}, "stock": subgraph{s, "stock"}},
		Headers: headers.Config{All: headers.Rules{
			Request:  []headers.RequestRule{{Propagate: "Authorization"}, {Propagate: "Accept-Language"}, {Insert: "X-Request-Id", From: "request.id"}},
			Response: []headers.ResponseRule{{Propagate: "Cache-Control"}},
		}},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// client asks the shop.
type client struct {
	shop   *shop
	claims *auth.Claims
	header http.Header
}

func (s *shop) anyone() *client { return &client{shop: s, header: http.Header{}} }

func (s *shop) user(name string) *client {
	return &client{s, &auth.Claims{Issuer: "i", Subject: name}, http.Header{"Authorization": {"Bearer " + name}}}
}

// ask returns the answer's body and headers.
func (c *client) ask(query string) (string, http.Header) {
	resp := c.shop.Execute(context.Background(), &serve.Request{Query: query, Header: c.header, Claims: c.claims, ID: "r"})
	defer resp.Release()
	return string(resp.Body), resp.Header.Clone()
}

// expect fails unless the answer is want, and the subgraphs were sent the requests named, in any order.
func (c *client) expect(t testing.TB, query, want string, sent ...string) http.Header {
	t.Helper()
	c.shop.requests()
	got, header := c.ask(query)
	if got != want {
		t.Errorf("%s\n got %s\nwant %s", query, got, want)
	}
	if requests := c.shop.requests(); !slices.Equal(requests, sent) {
		t.Errorf("%s\nsent %q\nwant %q", query, requests, sent)
	}
	return header
}

// requests are those that subgraphs got since the last call, sorted.
func (s *shop) requests() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	sent := s.sent
	s.sent = nil
	slices.Sort(sent)
	return sent
}

// holdAnswers keeps answers back from now on: began is told of each, and they go when wait is closed.
func (s *shop) holdAnswers() (began, wait chan struct{}) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.began, s.wait = make(chan struct{}), make(chan struct{})
	return s.began, s.wait
}

// answerAtOnce ends holdAnswers for requests from now on.
func (s *shop) answerAtOnce() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.began, s.wait = nil, nil
}

// subgraph is one of the shop's, as far as it is needed.
type subgraph struct {
	*shop
	name string
}

// Send answers, and notes what was asked: root fields, or the keys of entities.
func (g subgraph) Send(ctx context.Context, req *transport.Request) (*transport.Response, error) {
	doc, err := parser.ParseQuery(&ast.Source{Input: req.Query})
	if err != nil {
		return nil, err
	}
	var body struct {
		Query     string
		Variables map[string]any
	}
	if err := json.Unmarshal(req.Body, &body); err != nil {
		return nil, fmt.Errorf("body %s: %w", req.Body, err)
	}
	var variables map[string]any
	if err := json.Unmarshal(req.Variables, &variables); err != nil || fmt.Sprint(variables) != fmt.Sprint(body.Variables) {
		return nil, fmt.Errorf("variables %s of %s: %w", req.Variables, req.Body, err)
	}
	g.mu.Lock()
	began, wait := g.began, g.wait
	x := execution{g.shop, g.name, variables, req.Header, doc, nil}
	data := map[string]any{}
	for _, f := range doc.Operations[0].SelectionSet {
		f := f.(*ast.Field)
		data[f.Alias] = x.root(f)
	}
	answer := map[string]any{"data": data}
	if x.errors != nil {
		answer["errors"] = x.errors
	}
	if g.extra != nil {
		answer["extensions"] = g.extra
	}
	header := g.header
	g.mu.Unlock()
	if wait != nil {
		began <- struct{}{}
		select {
		case <-wait:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
	b, err := json.Marshal(answer)
	return &transport.Response{Status: 200, Body: b, Header: header}, err
}

// Subscribe has one event: the first product.
func (g subgraph) Subscribe(context.Context, *transport.Request) (transport.Stream, error) {
	return &events{[]string{`{"data":{"renamed":{"__typename":"Product","id":"1","name":"Lamp"}}}`}}, nil
}

type events struct{ list []string }

func (e *events) Next(context.Context) ([]byte, error) {
	next := e.list[0]
	e.list = e.list[1:]
	return []byte(next), nil
}

func (e *events) Close() error { return nil }

// execution is a request on a subgraph. Its lock is held.
type execution struct {
	*shop
	name      string
	variables map[string]any
	header    http.Header
	doc       *ast.QueryDocument
	errors    []any
}

func (x *execution) root(f *ast.Field) any {
	note := x.name + " " + f.Name
	defer func() { x.sent = append(x.sent, note) }()
	var id string
	if a := f.Arguments.ForName("id"); a != nil {
		v, err := a.Value.Value(x.variables)
		if err != nil {
			panic(err)
		}
		id = fmt.Sprint(v)
		note += " " + id
	}
	switch f.Name {
	case "_entities":
		var list []any
		for i, r := range x.variables[f.Arguments[0].Value.Raw].([]any) {
			id := r.(map[string]any)["id"].(string)
			note += " " + id
			if x.fail[id] {
				list = append(list, nil)
				x.errors = append(x.errors, map[string]any{"message": "no stock of " + id, "path": []any{f.Alias, i}})
				continue
			}
			list = append(list, x.object(r.(map[string]any)["__typename"].(string), id, f.SelectionSet))
		}
		return list
	case "product":
		return x.object("Product", id, f.SelectionSet)
	case "products":
		var list []any
		for _, id := range slices.Sorted(func(yield func(string) bool) {
			for id := range x.names {
				if !yield(id) {
					return
				}
			}
		}) {
			list = append(list, x.object("Product", id, f.SelectionSet))
		}
		return list
	case "rename":
		name, _ := f.Arguments.ForName("name").Value.Value(x.variables)
		x.names[id] = name.(string)
		return x.fields(f.SelectionSet, func(f *ast.Field) any {
			if f.Name == "product" {
				return x.object("Product", id, f.SelectionSet)
			}
			return "done"
		})
	case "sell":
		x.stock[id]--
		return true
	case "me":
		return x.object("Customer", x.caller(), f.SelectionSet)
	case "broken":
		x.errors = append(x.errors, map[string]any{"message": "broken", "path": []any{f.Alias}})
		return nil
	}
	return "more light"
}

func (x *execution) caller() string {
	return strings.TrimPrefix(x.header.Get("Authorization"), "Bearer ")
}

func (x *execution) object(typeName, id string, set ast.SelectionSet) any {
	if x.names[id] == "" && typeName == "Product" {
		return nil
	}
	return x.fields(set, func(f *ast.Field) any {
		switch f.Name {
		case "__typename":
			return typeName
		case "id":
			return id
		case "stock":
			return x.stock[id]
		case "secret":
			return "for " + x.caller()
		}
		if typeName == "Customer" {
			return "I am " + id
		}
		if x.header.Get("Accept-Language") == "de" {
			return "de:" + x.names[id]
		}
		return x.names[id]
	})
}

func (x *execution) fields(set ast.SelectionSet, value func(f *ast.Field) any) map[string]any {
	out := map[string]any{}
	for _, each := range set {
		switch each := each.(type) {
		case *ast.Field:
			out[each.Alias] = value(each)
		case *ast.InlineFragment:
			for k, v := range x.fields(each.SelectionSet, value) {
				out[k] = v
			}
		}
	}
	return out
}
