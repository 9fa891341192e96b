package router_test

import (
	"strings"
	"testing"

	"github.com/agora-supergraph/agora/router"
	"github.com/agora-supergraph/agora/router/compose"
	"github.com/agora-supergraph/agora/router/cost"
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
