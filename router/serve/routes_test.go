package serve_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"testing"

	"github.com/agora-supergraph/agora/router/serve"
)

func TestThePagesBesideGraphQL(t *testing.T) {
	const page = "text/html,application/xhtml+xml,*/*;q=0.8"
	playground := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { _, _ = io.WriteString(w, "page "+r.URL.Path) })
	ready := true
	cfg := serve.Config{Playground: playground, Ready: func(context.Context) error {
		if ready {
			return nil
		}
		return errors.New("no supergraph yet")
	}}
	server, _ := start(t, cfg)
	bare, _ := start(t, serve.Config{})
	expect := func(name, method, target, accept string, status int, body string) answer {
		t.Helper()
		got := do(t, method, target, "", "Accept", accept)
		if got.status != status || got.body != body {
			t.Errorf("%s: got %d %s, want %d %s", name, got.status, got.body, status, body)
		}
		return got
	}
	const notFound = `{"errors":[{"message":"no such page: GraphQL is at /graphql","extensions":{"code":"NOT_FOUND"}}]}`
	expect("live", "GET", server.URL+"/health/live", "", 200, `{"status":"UP"}`)
	expect("live by HEAD", "HEAD", server.URL+"/health/live", "", 200, ``)
	expect("live by POST", "POST", server.URL+"/health/live", "", 405, `{"errors":[{"message":"use GET","extensions":{"code":"METHOD_NOT_ALLOWED"}}]}`)
	expect("ready", "GET", server.URL+"/health/ready", "", 200, `{"status":"UP"}`)
	ready = false
	expect("not ready", "GET", server.URL+"/health/ready", "", 503, `{"status":"DOWN","reason":"no supergraph yet"}`)
	if got := do(t, "GET", server.URL+"/", "", "Accept", page); got.status != 302 || got.header.Get("Location") != "/playground" {
		t.Errorf("/ for a browser: got %d %v", got.status, got.header)
	}
	expect("/ for a program", "GET", server.URL+"/", "*/*", 404, notFound)
	expect("the Playground", "GET", server.URL+"/playground", page, 200, "page /playground")
	expect("its files", "GET", server.URL+"/playground/a.js", "*/*", 200, "page /playground/a.js")
	expect("what begins like it", "GET", server.URL+"/playgrounds", "*/*", 404, notFound)
	expect("no Playground", "GET", bare.URL+"/playground", page, 404, notFound)
	expect("/ without a Playground", "GET", bare.URL+"/", page, 404, notFound)
	expect("a path that is not there", "POST", server.URL+"/graphql/", "*/*", 404, notFound)
}

func TestThePathOfTheEndpointCanBeChosen(t *testing.T) {
	server, _ := start(t, serve.Config{Path: "/api"})
	if got := do(t, "POST", server.URL+"/api", `{"query":"{hello}"}`, "Content-Type", "application/json"); got.status != 200 {
		t.Errorf("got %d %s", got.status, got.body)
	}
	if got := post(t, server, `{"query":"{hello}"}`); got.status != 404 {
		t.Errorf("got %d %s", got.status, got.body)
	}
}

func TestADrainedHandlerIsNotReadyAndTakesNoStreams(t *testing.T) {
	engine := newFakeEngine()
	h, err := serve.New(serve.Config{Engine: engine})
	if err != nil {
		t.Fatal(err)
	}
	if err := h.Drain(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		target, accept string
		status         int
	}{
		{"/health/ready", "", 503},
		{"/health/live", "", 200},
		{"/graphql?query=subscription{forever}", "text/event-stream", 503},
		{"/graphql?query={hello}", "", 200},
	} {
		if got := record(h, test.target, test.accept); got.Code != test.status {
			t.Errorf("%s: got %d %s, want %d", test.target, got.Code, got.Body, test.status)
		}
	}
	if n := engine.open.Load(); n != 0 {
		t.Errorf("%d subscriptions were not closed", n)
	}
}
