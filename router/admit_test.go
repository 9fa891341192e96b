package router_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/agora-supergraph/agora/router"
	"github.com/agora-supergraph/agora/router/compose"
	"github.com/agora-supergraph/agora/router/cost"
	"github.com/agora-supergraph/agora/router/overload"
	"github.com/agora-supergraph/agora/router/ratelimit"
	"github.com/agora-supergraph/agora/router/transport"
)

// library has a list whose size the client chooses.
func library(t testing.TB, price cost.Config) *router.Router {
	const sdl = `extend schema @link(url: "https://specs.apollo.dev/federation/v2.9", import: ["@listSize", "@cost"])
		type Query { books(first: Int): [Book!]! @listSize(slicingArguments: ["first"]) }
		type Book { title: String! author: Author }
		type Author @cost(weight: 3) { name: String! }`
	result, errs := compose.Compose([]compose.Subgraph{{Name: "books", URL: "http://books", SDL: sdl}}, compose.Config{})
	if errs != nil {
		t.Fatal(errs)
	}
	return newRouter(t, router.Config{Supergraph: result.SDL, Cost: price, Transports: map[string]transport.Transport{
		"books": fixed{answer: `{"data":{"books":[{"author":{"name":"Ada"}},{"author":null}]}}`},
	}})
}

func TestAnOperationThatMayCostTooMuchIsRefusedBeforeItRuns(t *testing.T) {
	r := library(t, cost.Config{Mode: "enforce", Max: 100})
	if status, body := ask(t, r, `{ books(first: 25) { author { name } } }`); status != 200 {
		t.Errorf("at the bound: %d %s", status, body)
	}
	status, body := ask(t, r, `{ books(first: 26) { author { name } } }`)
	if status != 400 || !strings.Contains(body, `"code":"COST_ESTIMATED_TOO_EXPENSIVE"`) || !strings.Contains(body, "estimated to cost 104, more than 100") {
		t.Errorf("above the bound: %d %s", status, body)
	}
	status, body = ask(t, r, `query($n: Int = 26) { books(first: $n) { author { name } } }`)
	if status != 400 || !strings.Contains(body, "estimated to cost 104") {
		t.Errorf("above the bound by a variable: %d %s", status, body)
	}
}

func TestTheHeaderTellsTheEstimateAndWhatItCameTo(t *testing.T) {
	rec := post(library(t, cost.Config{Mode: "measure", Max: 1, Header: "X-Cost"}), `{ books(first: 25) { author { name } } }`)
	if got := rec.Header().Get("X-Cost"); rec.Code != 200 || got != "estimated=100, actual=5" {
		t.Errorf("X-Cost = %q, status %d", got, rec.Code)
	}
}

func TestAClientThatAsksTooMuchIsToldWhenToComeBack(t *testing.T) {
	r := newRouter(t, router.Config{RateLimit: ratelimit.Config{Rules: []ratelimit.Rule{{Name: "address", By: "address", Units: 2, Per: time.Hour}}}})
	for i := range 3 {
		rec := post(r, question)
		if rec.Header().Get("RateLimit-Policy") != `"address";q=2;w=3600` {
			t.Errorf("request %d: RateLimit-Policy %q", i, rec.Header().Get("RateLimit-Policy"))
		}
		if i < 2 && rec.Code != 200 {
			t.Fatalf("request %d of 2: %d %s", i+1, rec.Code, rec.Body)
		}
		if i == 2 && (rec.Code != 429 || rec.Header().Get("Retry-After") != "1800" || !strings.Contains(rec.Body.String(), `"code":"REQUEST_RATE_LIMITED"`)) {
			t.Errorf("one more: %d %v %s", rec.Code, rec.Header(), rec.Body)
		}
	}
}

// slow is a subgraph that answers when it is let.
type slow struct {
	fixed
	asked, let chan struct{}
}

func (s slow) Send(ctx context.Context, req *transport.Request) (*transport.Response, error) {
	s.asked <- struct{}{}
	<-s.let
	return s.fixed.Send(ctx, req)
}

func TestAnOverloadedRouterSaysSoAtOnce(t *testing.T) {
	ways := subgraphs()
	users := slow{ways["users"].(fixed), make(chan struct{}, 1), make(chan struct{})}
	ways["users"] = users
	r := newRouter(t, router.Config{Transports: ways, Overload: overload.Config{Enabled: true, Min: 1, Max: 1, MaxWait: time.Millisecond}})
	first := make(chan int)
	go func() {
		status, _ := ask(t, r, question)
		first <- status
	}()
	<-users.asked
	rec := post(r, question)
	if rec.Code != 503 || rec.Header().Get("Retry-After") != "1" || !strings.Contains(rec.Body.String(), `"code":"OVERLOADED"`) {
		t.Errorf("a second request at a time: %d %v %s", rec.Code, rec.Header(), rec.Body)
	}
	close(users.let)
	if status := <-first; status != 200 {
		t.Errorf("the first request: %d", status)
	}
	if status, body := ask(t, r, question); status != 200 || body != adasStars {
		t.Errorf("afterwards: %d %s", status, body)
	}
}
