package router

import (
	"context"
	"time"

	"github.com/agora-supergraph/agora/router/execute"
	"github.com/agora-supergraph/agora/router/operation"
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

// PrepareHook watches how operations are made ready that were not seen before; of others all is in caches.
type PrepareHook interface {
	// OnPrepare is told of a step that a request had to take. Of requests that wait for the same step at the same time, the
	// one that takes it tells.
	OnPrepare(ctx context.Context, p Prepared)
}

// Step is a part of the way from a request's text to its plan.
type Step string

// The steps.
const (
	// Parse makes a document of a text, and validates it.
	Parse Step = "parse"
	// Normalise makes the normal form of an operation, and finds or builds its plan.
	Normalise Step = "normalise"
	// Build builds the plan of a shape of operations. It is a part of Normalise.
	Build Step = "build"
)

// Prepared tells of a step that has been taken.
type Prepared struct {
	Step        Step
	Began, Done time.Time
	// Err is why it failed; nil if it has not.
	Err error
}

// onPrepare tells of a step that ends now.
func (h hooks) onPrepare(ctx context.Context, step Step, began time.Time, err error) {
	p := Prepared{step, began, time.Now(), err}
	for _, each := range h.prepare {
		each.OnPrepare(ctx, p)
	}
}

// document is the document of a text.
func (r *Router) document(ctx context.Context, g *graph, text string) (*operation.Document, operation.Errors) {
	if len(r.hooks.prepare) == 0 || g.documents.Has(text) {
		return g.documents.Document(text)
	}
	began := time.Now()
	document, errs := g.documents.Document(text)
	var err error
	if errs != nil {
		err = errs
	}
	r.hooks.onPrepare(ctx, Parse, began, err)
	return document, errs
}

// watched takes a step of the way to a plan, and tells of it if anybody wants to know.
func watched[V any](ctx context.Context, h hooks, step Step, take func() (V, error)) (V, error) {
	if len(h.prepare) == 0 {
		return take()
	}
	began := time.Now()
	made, err := take()
	h.onPrepare(ctx, step, began, err)
	return made, err
}
