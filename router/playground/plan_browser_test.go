package playground

import (
	"context"
	"errors"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/agora-supergraph/agora/router"
	"github.com/agora-supergraph/agora/router/compose"
	"github.com/agora-supergraph/agora/router/playground/browsertest"
	"github.com/agora-supergraph/agora/router/transport"
)

const shopQuery = `query Shop {
  products {
    name
    price
    inStock
    reviews {
      stars
      author {
        name
      }
    }
  }
}`

// subgraph answers everything alike, after a moment: bars of no length make no picture.
type subgraph struct {
	answer string
	after  time.Duration
	asked  *atomic.Int32
}

// Send answers, or fails if there is nothing to answer.
func (s subgraph) Send(ctx context.Context, _ *transport.Request) (*transport.Response, error) {
	s.asked.Add(1)
	select {
	case <-time.After(s.after):
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	if s.answer == "" {
		return nil, errors.New("connection refused")
	}
	return &transport.Response{Status: 200, Body: []byte(s.answer)}, nil
}

// Subscribe is for nobody here.
func (subgraph) Subscribe(context.Context, *transport.Request) (transport.Stream, error) {
	return nil, errors.New("no subscriptions")
}

// shop is a router that explains, over subgraphs of which ratings can't be reached.
func shop(t *testing.T, asked *atomic.Int32) *router.Router {
	t.Helper()
	const link = `extend schema @link(url: "https://specs.apollo.dev/federation/v2.9", import: ["@key"]) `
	var subgraphs []compose.Subgraph
	for name, sdl := range map[string]string{
		"products":  `type Query { products: [Product!] } type Product @key(fields: "id") { id: ID! name: String price: Float }`,
		"inventory": `type Product @key(fields: "id") { id: ID! inStock: Boolean }`,
		"reviews":   `type Product @key(fields: "id") { id: ID! reviews: [Review!] } type Review { stars: Int author: User } type User @key(fields: "id") { id: ID! }`,
		"ratings":   `type Product @key(fields: "id") { id: ID! rating: Rating } type Rating { value: Int by: User } type User @key(fields: "id") { id: ID! }`,
		"users":     `type User @key(fields: "id") { id: ID! name: String }`,
	} {
		subgraphs = append(subgraphs, compose.Subgraph{Name: name, URL: "http://" + name, SDL: link + sdl})
	}
	composed, errs := compose.Compose(subgraphs, compose.Config{})
	if errs != nil {
		t.Fatal(errs)
	}
	r, err := router.New(router.Config{Supergraph: composed.SDL, Explain: true, Transports: map[string]transport.Transport{
		"products":  subgraph{`{"data":{"products":[{"__typename":"Product","id":"1","name":"Lamp","price":49.5},{"__typename":"Product","id":"2","name":"Desk","price":320}]}}`, 8 * time.Millisecond, asked},
		"inventory": subgraph{`{"data":{"_entities":[{"inStock":true},{"inStock":false}]}}`, 24 * time.Millisecond, asked},
		"ratings":   subgraph{"", 6 * time.Millisecond, asked},
		"reviews":   subgraph{`{"data":{"_entities":[{"reviews":[{"stars":5,"author":{"__typename":"User","id":"7"}}]},{"reviews":[]}]}}`, 6 * time.Millisecond, asked},
		"users":     subgraph{`{"data":{"_entities":[{"name":"Ada"}]}}`, 10 * time.Millisecond, asked},
	}})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func thePlanOfARunIsShownAsAPicture(t *testing.T, browser *browsertest.Browser) {
	var asked atomic.Int32
	cfg := Config{Title: "Shop", Explain: true, Tabs: []Tab{
		{Name: "Shop", Query: shopQuery},
		{Name: "Ratings", Query: "query Ratings {\n  products {\n    name\n    rating {\n      by {\n        name\n      }\n    }\n  }\n}"},
		{Name: "Deferred", Query: "query Deferred {\n  products {\n    name\n    ... @defer {\n      inStock\n    }\n  }\n}"},
	}}
	page, server := openBeside(t, browser, cfg, shop(t, &asked))
	run(page, `"Lamp"`)
	if n := asked.Load(); n != 4 {
		t.Errorf("%d requests to subgraphs, want 4", n)
	}
	page.Click(`[data-testid="plan"]`)
	page.Wait(`document.querySelector('[data-testid="plan-panel"]').innerText.includes("Run the operation")`)
	page.Click(`[data-testid="plan-only"]`)
	page.Wait(`document.querySelectorAll(".plan .fetch").length === 4 && !document.querySelector('[data-testid="plan-timeline"]')`)
	if n := asked.Load(); n != 4 {
		t.Errorf("the plan alone took %d requests to subgraphs", n-4)
	}
	page.Screenshot("plan-only")

	run(page, `"Lamp"`)
	page.Wait(`document.querySelectorAll('[data-testid="plan-timeline"] .row').length === 4`)
	if got := page.Text(".plan .summary"); !strings.HasPrefix(got, "4 requests · 3 deep · ") {
		t.Errorf("summary %q", got)
	}
	page.Wait(`!__MONACO.editor.getModels().some(model => model.uri.path.includes("response") && model.getValue().includes("extensions"))`)
	// What waits stands to the right of what it waits for, and begins after it.
	page.Wait(`(() => {
		const left = (subgraph, selector) => [...document.querySelectorAll(selector)].find(e => e.innerText.includes(subgraph)).getBoundingClientRect().left
		const bar = subgraph => [...document.querySelectorAll(".plan .row")].find(e => e.innerText.includes(subgraph)).querySelector(".bar").getBoundingClientRect().left
		return left("products", ".plan .fetch") < left("reviews", ".plan .fetch") && left("reviews", ".plan .fetch") < left("users", ".plan .fetch") &&
			left("reviews", ".plan .fetch") === left("inventory", ".plan .fetch") && bar("products") < bar("reviews") && bar("reviews") < bar("users")
	})()`)
	page.Screenshot("plan-light")
	page.Eval(`[...document.querySelectorAll(".plan .fetch")].find(e => e.innerText.includes("users")).click()`, nil)
	detail := page.Text(`[data-testid="plan-detail"]`)
	for _, want := range []string{"_entities(representations: $r)", "User { id }", "name of products.reviews.author", "1 entity for 1 place", "status 200"} {
		if !strings.Contains(detail, want) {
			t.Errorf("the fetch's details lack %q:\n%s", want, detail)
		}
	}
	page.Eval(`document.querySelector('[data-testid="plan-detail"]').scrollIntoView()`, nil)
	page.ColorScheme("dark")
	page.Wait(`document.querySelector(".graphiql-query-editor .monaco-editor.vs-dark")`)
	page.Screenshot("plan-dark")

	page.Click("#graphiql-session-tab-1")
	page.Wait(`document.querySelector('[data-testid="plan-panel"]').innerText.includes("Run the operation")`)
	failureShows(t, page)
	page.Click("#graphiql-session-tab-2")
	page.Wait(`document.querySelector('[data-testid="plan-panel"]').innerText.includes("Run the operation")`)
	run(page, `"inStock": false`)
	page.Wait(`document.querySelector(".plan .fetch.deferred").innerText.includes("2 entities · deferred")`)
	page.Screenshot("plan-deferred")
	page.Click("#graphiql-session-tab-0")
	page.Wait(`document.querySelectorAll(".plan .fetch").length === 4`)
	page.Click(`[data-testid="plan"]`)
	page.Wait(`!document.querySelector('[data-testid="plan-panel"]')`)
	checkClean(t, page, server)
}

// failureShows runs an operation of which one subgraph answers nothing.
func failureShows(t *testing.T, page *browsertest.Page) {
	run(page, `"SUBREQUEST_HTTP_ERROR"`)
	page.Wait(`document.querySelectorAll(".plan .fetch").length === 3`)
	page.Wait(`document.querySelector(".plan .fetch.failed").innerText.includes("ratings")`)
	page.Wait(`[...document.querySelectorAll(".plan .fetch")].find(e => e.innerText.includes("users")).innerText.includes("not sent")`)
	page.Click(".plan .fetch.failed")
	if detail := page.Text(`[data-testid="plan-detail"]`); !strings.Contains(detail, "connection refused") {
		t.Errorf("the fetch's details don't say why it failed:\n%s", detail)
	}
	page.Screenshot("plan-failed")
}
