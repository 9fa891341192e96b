package main

import (
	"context"
	"log/slog"
	"sync/atomic"
	"testing"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2"
	"github.com/vektah/gqlparser/v2/ast"

	"github.com/agora-supergraph/agora/internal/subgraph"
)

// ticking is a subgraph whose subscription always has a next event.
func ticking() *subgraph.Server {
	schema := gqlparser.MustLoadSchema(&ast.Source{Input: `type Query { a: Int } type Subscription { ticks: Int! }`})
	return subgraph.New(subgraph.Config{Name: "ticking", Schema: &graphql.ExecutableSchemaMock{
		SchemaFunc:     func() *ast.Schema { return schema },
		ComplexityFunc: func(context.Context, string, string, int, map[string]any) (int, bool) { return 0, false },
		ExecFunc: func(context.Context) graphql.ResponseHandler {
			return func(ctx context.Context) *graphql.Response {
				if ctx.Err() != nil {
					return nil
				}
				return &graphql.Response{Data: []byte(`{"ticks":1}`)}
			}
		},
	}})
}

func TestAnExchangeDoesNotWaitForWhoIsBusyWithAnEvent(t *testing.T) {
	t.Parallel()
	r := &reopenable{openShop: func(context.Context) (*shop, error) {
		return &shop{servers: map[string]*subgraph.Server{"ticking": ticking()}, log: slog.New(slog.DiscardHandler)}, nil
	}}
	if err := r.open(t.Context()); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	begun, again := make(chan struct{}), make(chan struct{})
	var started atomic.Int64
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		r.subscribe(ctx, "ticking", &subgraph.Request{Query: `subscription { ticks }`}, func(ctx context.Context, event []byte) {
			if string(event) != `{"data":{"ticks":1}}` {
				t.Errorf("event: %s", event)
			}
			switch started.Add(1) {
			case 1:
				close(begun)
			case 2:
				close(again)
			}
			<-ctx.Done() // as a router that waits to enter for what the event needs besides
		})
	}()
	<-begun
	exchanged := make(chan error, 1)
	go func() { exchanged <- r.exchange(t.Context()) }()
	select {
	case <-again:
	case <-time.After(20 * time.Second):
		t.Fatal("the subscription does not go on in the next shop")
	}
	if err := <-exchanged; err != nil {
		t.Error(err)
	}
	cancel()
	<-ended
	if err := r.close(); err != nil {
		t.Error(err)
	}
}
