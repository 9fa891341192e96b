package router_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"strings"
	"time"

	"github.com/agora-supergraph/agora/router"
	"github.com/agora-supergraph/agora/router/compose"
	"github.com/agora-supergraph/agora/router/serve"
	"github.com/agora-supergraph/agora/router/transport"
)

// books and ratings are two subgraphs of somebody's own. A subgraph is anything that answers GraphQL over HTTP, such as
// a gqlgen server; these answer by hand what a router asks them.

const booksSDL = `
extend schema @link(url: "https://specs.apollo.dev/federation/v2.9", import: ["@key"])
type Query { books: [Book!]! }
type Book @key(fields: "isbn") { isbn: ID!  title: String! }`

func books(w http.ResponseWriter, _ *http.Request) {
	io.WriteString(w, `{"data":{"books":[{"isbn":"1","title":"Middlemarch"},{"isbn":"2","title":"Emma"}]}}`)
}

const ratingsSDL = `
extend schema @link(url: "https://specs.apollo.dev/federation/v2.9", import: ["@key"])
type Book @key(fields: "isbn") { isbn: ID!  stars: Int }`

func ratings(w http.ResponseWriter, r *http.Request) {
	var request struct {
		Variables struct {
			Representations []struct{ ISBN string } `json:"r"`
		}
	}
	json.NewDecoder(r.Body).Decode(&request)
	stars := map[string]int{"1": 5, "2": 4}
	var entities []any
	for _, book := range request.Variables.Representations {
		entities = append(entities, map[string]int{"stars": stars[book.ISBN]})
	}
	json.NewEncoder(w).Encode(map[string]any{"data": map[string]any{"_entities": entities}})
}

// bookshop is the configuration of a router over both, in this process.
func bookshop() router.Config {
	supergraph, errs := compose.Compose([]compose.Subgraph{
		{Name: "books", SDL: booksSDL},
		{Name: "ratings", SDL: ratingsSDL},
	}, compose.Config{})
	if errs != nil {
		log.Fatal(errs)
	}
	return router.Config{
		Supergraph: supergraph.SDL,
		Transports: map[string]transport.Transport{
			"books":   &transport.Handler{Handler: http.HandlerFunc(books)},
			"ratings": &transport.Handler{Handler: http.HandlerFunc(ratings), Timeout: time.Second},
		},
	}
}

// A router over subgraphs in the same process, as a handler of net/http.
func ExampleNew() {
	shop, err := router.New(bookshop())
	if err != nil {
		log.Fatal(err)
	}
	server := httptest.NewServer(shop)
	defer server.Close()

	answer, err := http.Post(server.URL+"/graphql", "application/json", strings.NewReader(`{"query":"{ books { title stars } }"}`))
	if err != nil {
		log.Fatal(err)
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(answer.Status)
	fmt.Println(string(body))
	// Output:
	// 200 OK
	// {"data":{"books":[{"title":"Middlemarch","stars":5},{"title":"Emma","stars":4}]}}
}

// quota is a hook of two kinds: it refuses clients without a name, and tells the others what their request cost.
type quota struct{}

type costKey struct{}

// OnRequest is a RequestHook.
func (quota) OnRequest(ctx context.Context, req *serve.Request) (context.Context, *serve.Response) {
	if req.Header.Get("X-Client") == "" {
		return ctx, serve.Refuse(serve.Forbidden, "CLIENT_UNKNOWN", "Say who you are in the header X-Client.")
	}
	return context.WithValue(ctx, costKey{}, new(int)), nil
}

// OnPlan is a PlanHook.
func (quota) OnPlan(ctx context.Context, _ *serve.Request, p router.Planned) *serve.Response {
	*ctx.Value(costKey{}).(*int) = len(p.Plan.Fetches)
	return nil
}

// OnResponse is a ResponseHook.
func (quota) OnResponse(ctx context.Context, _ *serve.Request, resp *serve.Response) {
	if cost, ok := ctx.Value(costKey{}).(*int); ok {
		resp.Header = http.Header{"X-Cost": {fmt.Sprint(*cost, " fetches")}}
	}
}

// Hooks put code of your own on the way of a request.
func ExampleHook() {
	cfg := bookshop()
	cfg.Hooks = []router.Hook{
		quota{},
		router.FetchFunc(func(ctx context.Context, subgraph string, req *transport.Request, send router.Send) (*transport.Response, error) {
			answer, err := send(ctx, req)
			if err == nil {
				fmt.Println(subgraph, "answered", answer.Status, "to", req.Query)
			}
			return answer, err
		}),
	}
	shop, err := router.New(cfg)
	if err != nil {
		log.Fatal(err)
	}
	for _, client := range []string{"app", ""} {
		request := httptest.NewRequest("POST", "/graphql", strings.NewReader(`{"query":"{ books { stars } }"}`))
		request.Header.Set("Content-Type", "application/json")
		request.Header.Set("X-Client", client)
		answer := httptest.NewRecorder()
		shop.ServeHTTP(answer, request)
		fmt.Println(answer.Header().Get("X-Cost"), answer.Body)
	}
	// Output:
	// books answered 200 to {books{isbn}}
	// ratings answered 200 to query($r:[_Any!]!){_entities(representations:$r){...on Book{stars}}}
	// 2 fetches {"data":{"books":[{"stars":5},{"stars":4}]}}
	//  {"errors":[{"message":"Say who you are in the header X-Client.","extensions":{"code":"CLIENT_UNKNOWN"}}]}
}
