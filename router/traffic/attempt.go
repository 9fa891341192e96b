package traffic

import (
	"context"
	"errors"

	"github.com/failsafe-go/failsafe-go"
	"github.com/failsafe-go/failsafe-go/circuitbreaker"

	"github.com/agora-supergraph/agora/router/transport"
)

// first is the first attempt at a query that may be repeated: without what repeating takes.
func (g *guarded) first(ctx context.Context, req *transport.Request) (*transport.Response, error) {
	g.budget.RecordExecution()
	defer g.budget.ReleaseExecution()
	return g.attempt(ctx, req)
}

// repeat carries out a query whose first attempt has ended with resp and err, which may be repeated.
func (g *guarded) repeat(ctx context.Context, req *transport.Request, resp *transport.Response, err error) (*transport.Response, error) {
	begun := false
	return g.reads.WithContext(ctx).GetWithExecution(func(attempt failsafe.Execution[*transport.Response]) (*transport.Response, error) {
		if !begun {
			begun = true
			return resp, err
		}
		return g.attempt(attempt.Context(), req)
	})
}

// attempt sends a request once, if the breaker and the bound on requests let it.
func (g *guarded) attempt(ctx context.Context, req *transport.Request) (resp *transport.Response, err error) {
	if g.breaker != nil && !g.breaker.TryAcquirePermit() {
		return nil, circuitbreaker.ErrOpen
	}
	defer func() { g.judge(resp, err) }()
	if err = g.enter(ctx); err != nil {
		return nil, err
	}
	if g.slots != nil {
		defer g.slots.ReleasePermit()
	}
	err = errPanic
	resp, err = g.next.Send(ctx, req)
	return resp, err
}

// errPanic stands for the answer of a transport that panics, which the caller recovers from.
var errPanic = errors.New("the transport panics")

// enter waits for a slot.
func (g *guarded) enter(ctx context.Context) error {
	// The first try is for nothing to be set up that could be waited for.
	if g.slots == nil || g.slots.TryAcquirePermit() {
		return nil
	}
	return g.slots.AcquirePermitWithMaxWait(ctx, g.wait)
}

// judge tells the breaker how an attempt has ended that it has let through.
func (g *guarded) judge(resp *transport.Response, err error) {
	switch {
	case g.breaker == nil:
	case broken(resp, err):
		g.breaker.RecordFailure()
	default:
		g.breaker.RecordSuccess()
	}
}
