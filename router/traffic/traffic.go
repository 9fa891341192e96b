// Package traffic guards a subgraph and the router from each other: retries of reads within a budget, hedged reads, a
// circuit breaker, and a bound on requests at a time.
//
// In goes a transport.Transport and a Config, out comes a transport.Transport that does the same under these policies, from the
// outside in:
//
//	retry → hedge → breaker → concurrency → the transport
//
// A query that is answered at once, as nearly all are, costs the counters of the breaker and of the bounds; what repeats it
// is set up when it has failed. Each is off unless it is configured; without any, Guard returns the transport itself. The
// policies are those of failsafe-go; here stands what is a failure, and what may be sent twice: only queries, never a
// mutation, and subscriptions are left alone but for the breaker.
package traffic

import (
	"cmp"
	"context"
	"errors"
	"time"

	"github.com/failsafe-go/failsafe-go"
	"github.com/failsafe-go/failsafe-go/bulkhead"
	"github.com/failsafe-go/failsafe-go/circuitbreaker"

	"github.com/agora-supergraph/agora/router/transport"
)

// Config holds the policies for one subgraph. The zero value has none.
type Config struct {
	// Retry repeats queries that have failed.
	Retry Retry
	// Hedge sends a query a second time when the first answer is late, and takes the one that comes first.
	Hedge Hedge
	// Breaker stops asking a subgraph that fails all the time.
	Breaker Breaker
	// Concurrency bounds the requests that are under way at a time.
	Concurrency Concurrency
}

// Retry says how queries are repeated whose subgraph could not be reached, broke off or answered 429, 502, 503 or 504. The
// request's deadline holds for all attempts together.
type Retry struct {
	// Attempts is how often a query is sent at most. Zero or one means once.
	Attempts int `min:"0" max:"10"`
	// Delay is the pause before the second attempt; it doubles from one to the next, and varies by half. Zero means 20 ms.
	Delay time.Duration `min:"0s" max:"1m"`
	// MaxDelay bounds the pause. Zero means 1 s.
	MaxDelay time.Duration `min:"0s" max:"10m"`
	// Budget bounds retries, as percent of the subgraph's requests that are under way: what is overloaded must not get the
	// double load. Zero means 20.
	Budget int `min:"0" max:"100"`
}

// Hedge says when a query is sent once more while nobody knows whether the first one failed.
type Hedge struct {
	// After is the time to wait for an answer first; such as the 95th percentile of what it takes. Zero means never.
	After time.Duration `min:"0s" max:"1m"`
	// Budget bounds hedges, as percent of the subgraph's requests that are under way. Zero means 10.
	Budget int `min:"0" max:"100"`
}

// Breaker says when a subgraph is not asked any more. While it is open, requests fail at once; after Open has passed one
// is let through, and if that succeeds the others follow. A failure is what Retry would repeat, and a timeout.
type Breaker struct {
	// FailurePercent of the requests within Window open the breaker. Zero means that there is none.
	FailurePercent int `min:"0" max:"100"`
	// Window is the time over which requests are counted. Zero means 10 s.
	Window time.Duration `min:"0s" max:"1h"`
	// MinRequests are needed within Window before the breaker may open. Zero means 20.
	MinRequests int `min:"0" max:"1000000"`
	// Open is how long it stays open. Zero means 5 s.
	Open time.Duration `min:"0s" max:"1h"`
}

// Concurrency bounds the requests that a subgraph gets at a time.
type Concurrency struct {
	// Max is the number of requests. Zero means that there is no bound.
	Max int `min:"0" max:"1000000"`
	// MaxWait is how long a request waits for its turn. Zero means until its own deadline.
	MaxWait time.Duration `min:"0s" max:"10m"`
}

// The codes of requests that were not sent.
const (
	// CodeBreakerOpen is for a subgraph that has failed too often of late.
	CodeBreakerOpen = "SUBGRAPH_CIRCUIT_OPEN"
	// CodeOverloaded is for a subgraph that has too many requests under way.
	CodeOverloaded = "SUBGRAPH_OVERLOADED"
)

// State is what a breaker does.
type State = circuitbreaker.State

// Events tells what happens. Its functions are called from many goroutines at once and must return at once; each may be nil.
type Events struct {
	// Breaker is told the new state of the breaker: closed, half-open or open.
	Breaker func(state State)
	// Repeated is told of each attempt beyond the first, which is a hedge or a retry.
	Repeated func(hedge bool)
}

// Guard puts the policies of cfg around a transport. Without any it returns the transport itself.
func Guard(t transport.Transport, cfg Config, events Events) transport.Transport {
	g := &guarded{next: t, copies: cfg.Hedge.After > 0}
	if cfg.Breaker.FailurePercent > 0 {
		g.breaker = cfg.Breaker.policy(events)
	}
	if cfg.Concurrency.Max > 0 {
		g.slots, g.wait = bulkhead.New[*transport.Response](uint(cfg.Concurrency.Max)), cfg.Concurrency.wait()
	}
	var reads []failsafe.Policy[*transport.Response]
	if cfg.Retry.Attempts > 1 {
		g.budget = percent(cmp.Or(cfg.Retry.Budget, 20))
		reads = append(reads, cfg.Retry.policy(events, g.budget))
	}
	if cfg.Hedge.After > 0 {
		reads = append(reads, cfg.Hedge.policy(events))
	}
	switch {
	case len(reads) > 0:
		g.reads = failsafe.With(reads...)
	case g.breaker == nil && g.slots == nil:
		return t
	}
	return g
}

// guarded is a transport under policies.
type guarded struct {
	next transport.Transport
	// reads repeats queries; nil if nothing does. budget is that of its retries, which all queries count towards.
	reads  failsafe.Executor[*transport.Response]
	budget counted
	// breaker and slots are those of each attempt; nil if there are none. wait is how long to wait for a slot.
	breaker circuitbreaker.CircuitBreaker[*transport.Response]
	slots   bulkhead.Bulkhead[*transport.Response]
	wait    time.Duration
	// copies says that an attempt may be under way after another one has been answered: its request has bytes of its own.
	copies bool
}

// Send sends a request under the policies.
func (g *guarded) Send(ctx context.Context, req *transport.Request) (*transport.Response, error) {
	var resp *transport.Response
	var err error
	switch {
	case g.reads == nil || req.Mutation:
		resp, err = g.attempt(ctx, req)
	case g.copies:
		req = own(req)
		resp, err = g.reads.WithContext(ctx).GetWithExecution(func(attempt failsafe.Execution[*transport.Response]) (*transport.Response, error) {
			return g.attempt(attempt.Context(), req)
		})
	default:
		if resp, err = g.first(ctx, req); repeatable(resp, err) {
			resp, err = g.repeat(ctx, req, resp, err)
		}
	}
	return resp, refusal(ctx, err)
}

// Subscribe starts a subscription, unless the breaker is open.
func (g *guarded) Subscribe(ctx context.Context, req *transport.Request) (transport.Stream, error) {
	if g.breaker != nil && g.breaker.IsOpen() {
		return nil, refusal(ctx, circuitbreaker.ErrOpen)
	}
	return g.next.Subscribe(ctx, req)
}

// own copies what of a request belongs to the caller.
func own(req *transport.Request) *transport.Request {
	c := *req
	c.Body = append([]byte(nil), req.Body...)
	// The variables are the body's end, but for the closing brace.
	end := len(c.Body) - 1
	c.Variables = c.Body[end-len(req.Variables) : end]
	return &c
}

// refusal is the error in the transport's terms.
func refusal(ctx context.Context, err error) error {
	switch {
	case err == nil:
		return nil
	case ctx.Err() != nil:
		return context.Cause(ctx)
	case errors.Is(err, circuitbreaker.ErrOpen):
		return &transport.Error{Code: CodeBreakerOpen, Message: "has failed too often of late and is not asked for a moment", Err: err}
	case errors.Is(err, bulkhead.ErrFull):
		return &transport.Error{Code: CodeOverloaded, Message: "has too many requests under way", Err: err}
	}
	return err
}
