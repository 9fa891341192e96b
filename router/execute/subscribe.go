package execute

import (
	"context"
	"errors"
	"io"

	"github.com/agora-supergraph/agora/router/plan"
	"github.com/agora-supergraph/agora/router/transport"
)

// Subscription is a running subscription: each event of the subgraph, completed by the plan's other fetches,
// is a response. Next and Close may not be called at the same time.
type Subscription struct {
	executor *Executor
	plan     *plan.Plan
	req      *Request
	stream   transport.Stream
	ended    bool
}

// Subscribe starts a subscription. If the subgraph refuses, the response says why, and there is no
// subscription. The request must stay as it is until Close.
func (x *Executor) Subscribe(ctx context.Context, p *plan.Plan, req *Request) (*Subscription, *Response) {
	s := x.begin(p, req)
	f := &s.fetches[0]
	f.started = true
	if !s.prepare(ctx, f) {
		return nil, s.finish()
	}
	stream, err := subscribe(ctx, s.transport(0), &f.request)
	if err != nil {
		f.err = err
		s.apply(f)
		return nil, s.finish()
	}
	s.release()
	return &Subscription{executor: x, plan: p, req: req, stream: stream}, nil
}

// subscribe hands the transport a request of its own: a subscription may use it for longer than the state of
// its start lives.
func subscribe(ctx context.Context, t transport.Transport, req *transport.Request) (transport.Stream, error) {
	own := *req
	own.Body = append([]byte(nil), req.Body...)
	start := len(req.Body) - len(req.Variables) - 1
	own.Variables = own.Body[start : len(own.Body)-1]
	return t.Subscribe(ctx, &own)
}

// Next waits for the next event and answers it. At the end it returns io.EOF; a subscription that the subgraph
// broke off ends with a response that says so. An error of ctx is returned as it is.
func (sub *Subscription) Next(ctx context.Context) (*Response, error) { return sub.NextUntil(ctx, ctx) }

// NextUntil is Next that waits for the event as long as waiting does, and answers it within ctx. The end of waiting may end
// the subscription.
func (sub *Subscription) NextUntil(waiting, ctx context.Context) (*Response, error) {
	if sub.ended {
		return nil, io.EOF
	}
	event, err := sub.stream.Next(waiting)
	switch {
	case errors.Is(err, io.EOF):
		sub.ended = true
		return nil, io.EOF
	case err != nil && waiting.Err() != nil:
		return nil, waiting.Err()
	case err != nil:
		sub.ended = true
	}
	x := sub.executor
	if x.cfg.Timeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, x.cfg.Timeout)
		defer cancel()
	}
	s := x.begin(sub.plan, sub.req)
	f := &s.fetches[0]
	s.writeRequest(f)
	f.started, f.err = true, err
	f.response = &transport.Response{Status: 200, Body: event}
	s.apply(f)
	s.run(ctx)
	return s.finish(), nil
}

// Close ends the subscription, also at the subgraph.
func (sub *Subscription) Close() error { return sub.stream.Close() }
