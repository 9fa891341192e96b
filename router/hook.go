package router

import (
	"context"
	"fmt"

	"github.com/agora-supergraph/agora/router/operation"
	"github.com/agora-supergraph/agora/router/plan"
	"github.com/agora-supergraph/agora/router/serve"
	"github.com/agora-supergraph/agora/router/transport"
)

// A Hook is code of the embedding program on the way of a request: a value that implements one or more of RequestHook,
// PlanHook, ObserveHook, FetchHook and ResponseHook. It is called from many goroutines at once; hooks of one kind are
// called in the order of Config.Hooks. What is not hooked costs nothing.
type Hook any

// RequestHook sees a request first.
type RequestHook interface {
	// OnRequest may change req, but for what its Header and Extensions hold, which it may replace. The context that it
	// returns is the one that the request goes on with. A response ends the request: no later hook sees it.
	OnRequest(ctx context.Context, req *serve.Request) (context.Context, *serve.Response)
}

// PlanHook sees a request that is about to be executed.
type PlanHook interface {
	// OnPlan must not change p. A response is given instead of executing it.
	OnPlan(ctx context.Context, req *serve.Request, p Planned) *serve.Response
}

// FetchHook stands around each query and mutation to a subgraph.
type FetchHook interface {
	// OnFetch returns the answer of a fetch: that of send, which carries it out, unless the hook has a better one. req
	// belongs to the executor: what is to be sent otherwise is a copy.
	OnFetch(ctx context.Context, subgraph string, req *transport.Request, send Send) (*transport.Response, error)
}

// Send carries a fetch out.
type Send func(ctx context.Context, req *transport.Request) (*transport.Response, error)

// ResponseHook sees a response last: of a subscription, each event.
type ResponseHook interface {
	// OnResponse may add to the response's Header and replace its Body, which it must not change in place.
	OnResponse(ctx context.Context, req *serve.Request, resp *serve.Response)
}

// Planned is an operation that is ready to be executed.
type Planned struct {
	// Operation is its normal form. Operations that differ in nothing but literals share the rest.
	Operation *operation.Operation
	// Plan is what will be executed.
	Plan *plan.Plan
	// Variables is the raw JSON of the values, by the index in Plan.Variables.
	Variables [][]byte
}

// hooks are those of Config.Hooks, by kind.
type hooks struct {
	request  []RequestHook
	plan     []PlanHook
	observe  []ObserveHook
	fetch    []FetchHook
	response []ResponseHook
}

func newHooks(list []Hook) (hooks, error) {
	var h hooks
	for _, each := range list {
		known := false
		if on, ok := each.(RequestHook); ok {
			h.request, known = append(h.request, on), true
		}
		if on, ok := each.(PlanHook); ok {
			h.plan, known = append(h.plan, on), true
		}
		if on, ok := each.(ObserveHook); ok {
			h.observe, known = append(h.observe, on), true
		}
		if on, ok := each.(FetchHook); ok {
			h.fetch, known = append(h.fetch, on), true
		}
		if on, ok := each.(ResponseHook); ok {
			h.response, known = append(h.response, on), true
		}
		if !known {
			return h, fmt.Errorf("hook %T implements none of RequestHook, PlanHook, ObserveHook, FetchHook and ResponseHook", each)
		}
	}
	return h, nil
}

func (h hooks) onRequest(ctx context.Context, req *serve.Request) (context.Context, *serve.Response) {
	for _, each := range h.request {
		var refused *serve.Response
		if ctx, refused = each.OnRequest(ctx, req); refused != nil {
			return ctx, refused
		}
	}
	return ctx, nil
}

func (h hooks) onPlan(ctx context.Context, req *serve.Request, p *prepared) *serve.Response {
	for _, each := range h.plan {
		if refused := each.OnPlan(ctx, req, Planned{p.operation, p.plan, p.request.Variables}); refused != nil {
			return refused
		}
	}
	return nil
}

func (h hooks) onResponse(ctx context.Context, req *serve.Request, resp *serve.Response) *serve.Response {
	for _, each := range h.response {
		each.OnResponse(ctx, req, resp)
	}
	return resp
}

// around puts the hooks around a transport, the first one outermost.
func (h hooks) around(subgraph string, t transport.Transport) transport.Transport {
	if len(h.fetch) == 0 {
		return t
	}
	send := Send(t.Send)
	for i := len(h.fetch) - 1; i >= 0; i-- {
		hook, next := h.fetch[i], send
		send = func(ctx context.Context, req *transport.Request) (*transport.Response, error) {
			return hook.OnFetch(ctx, subgraph, req, next)
		}
	}
	return hooked{t, send}
}

// hooked is a transport with hooks around what it sends.
type hooked struct {
	transport.Transport
	send Send
}

// Send sends through the hooks.
func (t hooked) Send(ctx context.Context, req *transport.Request) (*transport.Response, error) {
	return t.send(ctx, req)
}
