package router

import (
	"context"

	"github.com/agora-supergraph/agora/router/execute"
	"github.com/agora-supergraph/agora/router/serve"
)

// ObserveHook watches what a request asks of subgraphs: for traces, metrics, and the Playground's view of the plan.
type ObserveHook interface {
	// OnExecute is called when a request is about to be executed, after all PlanHooks. It returns who is told of the
	// fetches of this request; nil for nobody.
	OnExecute(ctx context.Context, req *serve.Request, p Planned) execute.Observer
}

// onExecute asks all hooks who is told of the fetches of a request.
func (h hooks) onExecute(ctx context.Context, req *serve.Request, p *prepared) {
	for _, each := range h.observe {
		next := each.OnExecute(ctx, req, Planned{p.operation, p.plan, p.request.Variables})
		switch {
		case next == nil:
		case p.request.Observer == nil:
			p.request.Observer = next
		default:
			p.request.Observer = both{p.request.Observer, next}
		}
	}
}

// both are two observers of one request.
type both struct{ first, second execute.Observer }

// FetchStarted tells both; the second one's context is derived from the first one's.
func (b both) FetchStarted(ctx context.Context, f execute.Started) context.Context {
	return b.second.FetchStarted(b.first.FetchStarted(ctx, f), f)
}

// FetchEnded tells both.
func (b both) FetchEnded(f execute.Ended) {
	b.first.FetchEnded(f)
	b.second.FetchEnded(f)
}
