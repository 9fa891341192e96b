package serve_test

import (
	"strings"
	"testing"

	"github.com/agora-supergraph/agora/router/serve"
)

func TestABatchIsAnsweredInItsOrder(t *testing.T) {
	server, engine := start(t, serve.Config{Batching: serve.Batching{Enabled: true}})
	tests := []struct {
		name, body, want string
		status           int
	}{
		{
			"queries", `[{"query":"{hello(name:\"a\")}"} , {"query":"{whoami}"},{"query":"query($n:String){hello(name:$n)}","variables":{"n":"]"}}]`,
			`[{"data":{"hello":"hello a"}},{"data":{"whoami":"usr_1"}},{"data":{"hello":"hello ]"}}]`, 200,
		},
		{"mutations, in order", `[{"query":"mutation{bump}"},{"query":"mutation{bump}"},{"query":"{hello}"}]`, `[{"data":{"bump":1}},{"data":{"bump":2}},{"data":{"hello":"hello nobody"}}]`, 200},
		{"one", ` [ {"query":"{hello}"} ] `, `[{"data":{"hello":"hello nobody"}}]`, 200},
		{
			"one that fails", `[{"query":"{hello}"},{"query":"{boom}"}]`,
			`[{"data":{"hello":"hello nobody"}},{"errors":[{"message":"internal server error","extensions":{"code":"INTERNAL_SERVER_ERROR"}}]}]`, 200,
		},
		{
			"nothing but subscriptions", `[{"query":"subscription{forever}"}]`,
			`[{"errors":[{"message":"accept text/event-stream","extensions":{"code":"SUBSCRIPTION_NEEDS_STREAM"}}]}]`, 406,
		},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got := do(t, "POST", server.URL+"/graphql", test.body, "Content-Type", "application/json", "Authorization", "Bearer good")
			if got.status != test.status || got.body != test.want {
				t.Errorf("got %d %s, want %s", got.status, got.body, test.want)
			}
		})
	}
	if n := engine.bumps.Load(); n != 2 {
		t.Errorf("%d mutations ran, want 2", n)
	}
}

func TestQueriesOfABatchRunBesideEachOther(t *testing.T) {
	server, engine := start(t, serve.Config{Batching: serve.Batching{Enabled: true}})
	answered := make(chan answer)
	go func() { answered <- post(t, server, `[{"query":"{slow}"},{"query":"{slow}"},{"query":"{slow}"}]`) }()
	for range 3 {
		<-engine.entered
	}
	close(engine.release)
	if got := <-answered; got.body != `[{"data":{"slow":"done"}},{"data":{"slow":"done"}},{"data":{"slow":"done"}}]` {
		t.Errorf("got %s", got.body)
	}
}

func TestBatchesThatCantBeTakenAreRefusedAsAWhole(t *testing.T) {
	server, engine := start(t, serve.Config{Batching: serve.Batching{Enabled: true, MaxOperations: 2}})
	const bump = `{"query":"mutation{bump}"}`
	tests := []struct{ name, body, code, message string }{
		{"empty", `[]`, "BAD_REQUEST", "the batch is empty"},
		{"too many", `[` + bump + `,` + bump + `,` + bump + `]`, "TOO_MANY_OPERATIONS", "more than 2 operations"},
		{"an operation that is none", `[` + bump + `,1]`, "BAD_REQUEST", "operation 1 of the batch is a number"},
		{"a batch in a batch", `[[` + bump + `]]`, "BAD_REQUEST", "operation 0 of the batch is an array"},
		{"an operation without a query", `[` + bump + `,{}]`, "BAD_REQUEST", "operation 1 of the batch: the parameter query is missing"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if got := post(t, server, test.body); got.status != 400 || got.code != test.code || !strings.Contains(got.body, test.message) {
				t.Errorf("got %d %s", got.status, got.body)
			}
		})
	}
	if got := post(t, server, `[`+bump+`]`, "Accept", "text/event-stream"); got.status != 406 {
		t.Errorf("as a stream: got %d %s", got.status, got.body)
	}
	if n := engine.bumps.Load(); n != 0 {
		t.Errorf("%d mutations ran", n)
	}
}
