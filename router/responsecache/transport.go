package responsecache

import (
	"context"

	lru "github.com/hashicorp/golang-lru/v2"

	"github.com/agora-supergraph/agora/router/transport"
)

// cached is the way to a subgraph with the cache around it.
type cached struct {
	transport.Transport
	// starter is the Transport if it is one; nil otherwise.
	starter transport.Starter
	cache   *Cache
	schema  *schema
	name    string
	// cfg is nil if the subgraph's answers are not kept.
	cfg *Subgraph
	// operations are those sent lately, by their texts; nil if answers are not kept.
	operations *lru.Cache[string, *operation]
	// ignored are the headers that keys leave out, in canonical form.
	ignored []string
}

var _ transport.Starter = (*cached)(nil)

// maxOperations bounds the texts that are remembered for a subgraph.
const maxOperations = 4096

// Send answers a query from what is kept, as far as it can, and ends what a mutation changes.
func (t *cached) Send(ctx context.Context, req *transport.Request) (*transport.Response, error) {
	if req.Mutation {
		return t.mutate(ctx, req)
	}
	if t.cfg == nil {
		return t.Transport.Send(ctx, req)
	}
	op := t.operation(req.Query)
	s := sessionOf(ctx)
	if op.never || s.identity == "" && op.protected() {
		return t.Transport.Send(ctx, req)
	}
	a := t.ask(op, s, req)
	if a == nil {
		return t.Transport.Send(ctx, req)
	}
	return a.answer(ctx)
}

// operation is what is known of a text. It is the same string for each request of a fetch.
func (t *cached) operation(text string) *operation {
	if op, ok := t.operations.Get(text); ok {
		return op
	}
	op := t.schema.compile(t.name, t.cfg, text)
	t.operations.Add(text, op)
	return op
}

// Start sends a query ahead where nothing is kept.
func (t *cached) Start(ctx context.Context, req *transport.Request) transport.Pending {
	if t.cfg != nil || t.starter == nil {
		return nil
	}
	return t.starter.Start(ctx, req)
}

// Subscribe starts a subscription. What is fetched for its events is never what was kept.
func (t *cached) Subscribe(ctx context.Context, req *transport.Request) (transport.Stream, error) {
	sessionOf(ctx).follow()
	return t.Transport.Subscribe(ctx, req)
}
