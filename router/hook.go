package router

import (
	"context"
	"fmt"
	"slices"

	"github.com/agora-supergraph/agora/router/operation"
	"github.com/agora-supergraph/agora/router/plan"
	"github.com/agora-supergraph/agora/router/serve"
	"github.com/agora-supergraph/agora/router/supergraph"
	"github.com/agora-supergraph/agora/router/transport"
)

// A Hook is code of the embedding program on the way of a request: a value that implements one or more of RequestHook,
// PlanHook, PrepareHook, ObserveHook, FetchHook, TransportHook and ResponseHook; RequestFunc and the like make one of a
// function. It is called from many goroutines at once; hooks of one kind are called in the order of Config.Hooks, and of
// FetchHooks and TransportHooks the first one is the outermost. A hook that panics fails its request alone. What is not hooked costs nothing.
type Hook any

// RequestHook sees a request first.
type RequestHook interface {
	// OnRequest may change req, but for what its Header and Extensions hold, which it may replace. The context that it
	// returns is the one that the request, and each event of a subscription, goes on with: what hooks need of each other
	// is in it. A response, such as serve.Refuse makes one, ends the request: no later RequestHook sees it, all
	// ResponseHooks do.
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

// ResponseHook sees every response last, also that of a request that was refused; of a subscription each event, and of an
// answer that comes in parts (@defer) each part.
type ResponseHook interface {
	// OnResponse may add to the response's Header and replace its Body, which it must neither change in place nor keep.
	OnResponse(ctx context.Context, req *serve.Request, resp *serve.Response)
}

// TransportHook stands around the ways to subgraphs themselves, inside of FetchHooks and outside of Config.Traffic: it sees
// subscriptions, too, and lives as long as a supergraph. If it is an io.Closer, the Router's Close closes it.
type TransportHook interface {
	// OnTransport returns what is used instead of t, the way to the subgraph with that index, or t itself. It is called
	// for each subgraph when a supergraph is loaded; an error refuses the supergraph.
	OnTransport(sg *supergraph.Supergraph, subgraph int, t transport.Transport) (transport.Transport, error)
	// AnswerHeaders are the headers that it wants to see of a subgraph's answers.
	AnswerHeaders(subgraph string) []string
}

// RequestFunc is a RequestHook of one function.
type RequestFunc func(ctx context.Context, req *serve.Request) (context.Context, *serve.Response)

// OnRequest calls f.
func (f RequestFunc) OnRequest(ctx context.Context, req *serve.Request) (context.Context, *serve.Response) {
	return f(ctx, req)
}

// PlanFunc is a PlanHook of one function.
type PlanFunc func(ctx context.Context, req *serve.Request, p Planned) *serve.Response

// OnPlan calls f.
func (f PlanFunc) OnPlan(ctx context.Context, req *serve.Request, p Planned) *serve.Response {
	return f(ctx, req, p)
}

// FetchFunc is a FetchHook of one function.
type FetchFunc func(ctx context.Context, subgraph string, req *transport.Request, send Send) (*transport.Response, error)

// OnFetch calls f.
func (f FetchFunc) OnFetch(ctx context.Context, subgraph string, req *transport.Request, send Send) (*transport.Response, error) {
	return f(ctx, subgraph, req, send)
}

// ResponseFunc is a ResponseHook of one function.
type ResponseFunc func(ctx context.Context, req *serve.Request, resp *serve.Response)

// OnResponse calls f.
func (f ResponseFunc) OnResponse(ctx context.Context, req *serve.Request, resp *serve.Response) {
	f(ctx, req, resp)
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
	request   []RequestHook
	plan      []PlanHook
	prepare   []PrepareHook
	observe   []ObserveHook
	fetch     []FetchHook
	transport []TransportHook
	response  []ResponseHook
}

// add appends a hook to those of a kind, if it is of that kind.
func add[H any](list *[]H, each Hook) bool {
	on, ok := each.(H)
	if ok {
		*list = append(*list, on)
	}
	return ok
}

// newHooks sorts those of the configuration by kind. The router's own, for explanations, come last.
func newHooks(cfg Config) (hooks, error) {
	var h hooks
	own := Hook(unexplained{})
	if cfg.Explain {
		own = explainer{}
	}
	for _, each := range append(slices.Clip(cfg.Hooks), own) {
		known := add(&h.request, each)
		known = add(&h.plan, each) || known
		known = add(&h.prepare, each) || known
		known = add(&h.observe, each) || known
		known = add(&h.fetch, each) || known
		known = add(&h.transport, each) || known
		known = add(&h.response, each) || known
		if !known {
			return h, fmt.Errorf("hook %T implements none of RequestHook, PlanHook, PrepareHook, ObserveHook, FetchHook, TransportHook and ResponseHook", each)
		}
	}
	return h, nil
}

func (h hooks) onRequest(ctx context.Context, req *serve.Request) (context.Context, *serve.Response) {
	for _, each := range h.request {
		var refused *serve.Response
		if ctx, refused = each.OnRequest(ctx, req); refused != nil {
			return ctx, h.onResponse(ctx, req, refused)
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

// onTransport puts what hooks have for transports around one, the first one outermost.
func (h hooks) onTransport(sg *supergraph.Supergraph, subgraph int, t transport.Transport) (transport.Transport, error) {
	var err error
	for _, each := range slices.Backward(h.transport) {
		if t, err = each.OnTransport(sg, subgraph, t); err != nil {
			return nil, err
		}
	}
	return t, nil
}

// answerHeaders are those that rules or hooks ask for of a subgraph's answers: "*" alone if that depends on the names.
func (h hooks) answerHeaders(subgraph string, rules []string) []string {
	if slices.Contains(rules, "*") {
		return rules
	}
	for _, each := range h.transport {
		rules = append(slices.Clip(rules), each.AnswerHeaders(subgraph)...)
	}
	slices.Sort(rules)
	return slices.Compact(rules)
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
