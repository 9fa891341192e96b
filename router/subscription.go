package router

import (
	"context"
	"errors"
	"io"
	"time"

	"github.com/agora-supergraph/agora/router/execute"
	"github.com/agora-supergraph/agora/router/operation"
	"github.com/agora-supergraph/agora/router/serve"
)

// subscription is a running subscription as serve sees it. It survives a change of the supergraph: it is planned anew, and
// once the subgraph has accepted the new one, takes the place of the old one, whose events are delivered until then. If the
// new supergraph does not allow the operation any more, it ends with the error that says so.
type subscription struct {
	router *Router
	req    *serve.Request
	// ctx is that of Subscribe, with what hooks put into it: events are answered within it.
	ctx context.Context
	// graph, p and events belong together: what the subscription runs on now.
	graph  *graph
	p      *prepared
	events *execute.Subscription
	ended  bool
}

// renewal is what a change of the supergraph makes of a subscription: another one, or its last response.
type renewal struct {
	graph  *graph
	p      *prepared
	events *execute.Subscription
	last   *serve.Response
}

// Next waits for the next event.
func (s *subscription) Next(ctx context.Context) (*serve.Response, error) {
	if s.ended {
		return nil, io.EOF
	}
	for {
		p := s.p
		response, renewed, err := s.wait(ctx)
		if renewed != nil {
			if last := s.take(renewed); last != nil {
				if response != nil {
					response.Release() // of a supergraph that no longer allows it
				}
				return s.router.hooks.onResponse(s.ctx, s.req, last), nil
			}
			if err != nil && ctx.Err() == nil {
				continue // what ended is the old one
			}
		}
		if err != nil {
			return nil, err
		}
		return s.router.hooks.onResponse(s.ctx, s.req, p.describe(response)), nil
	}
}

// wait waits for the next event, and beside that for a change of the supergraph.
func (s *subscription) wait(ctx context.Context) (response *execute.Response, renewed *renewal, err error) {
	waiting, cancel := context.WithCancel(ctx)
	defer cancel()
	done := make(chan struct{})
	stop := context.AfterFunc(s.graph.replaced, func() {
		defer close(done)
		defer cancel()
		renewed = s.keepRenewing(waiting)
	})
	response, err = s.events.NextUntil(waiting, s.ctx)
	cancel()
	if !stop() {
		<-done
	}
	if errors.Is(err, io.EOF) {
		err = io.EOF
	}
	return response, renewed, err
}

// renewalRetry is the time between two tries to start a subscription anew.
const renewalRetry = 5 * time.Second

// keepRenewing renews the subscription until that succeeds, or waiting ends.
func (s *subscription) keepRenewing(waiting context.Context) *renewal {
	for {
		g := s.router.graph.Load()
		if renewed := s.renew(s.ctx, g); renewed != nil {
			return renewed
		}
		again := time.NewTimer(renewalRetry)
		select {
		case <-waiting.Done():
			again.Stop()
			return nil
		case <-g.replaced.Done():
			again.Stop()
		case <-again.C:
		}
	}
}

// renew plans and starts the subscription on another supergraph. It is nil if the subgraph can't be reached for that: the
// old subscription goes on until it can.
func (s *subscription) renew(ctx context.Context, g *graph) *renewal {
	r := s.router
	p, refused := r.compile(ctx, g, s.req)
	switch {
	case ctx.Err() != nil:
		return nil
	case refused != nil:
		return &renewal{last: refused}
	case p.kind != operation.Subscription:
		return &renewal{last: serve.Refuse(serve.RequestError, serve.CodeBadRequest, "The document is no subscription any more.")}
	}
	events, answer := g.executor.Subscribe(ctx, p.plan, &p.request)
	if answer != nil {
		answer.Release()
		return nil
	}
	return &renewal{graph: g, p: p, events: events}
}

// take puts the new subscription in the place of the old one, or returns the last response.
func (s *subscription) take(renewed *renewal) *serve.Response {
	if renewed.last != nil {
		s.ended = true
		return renewed.last
	}
	// The subgraph may be gone, and the stream with it; it has been replaced.
	_ = s.events.Close()
	s.graph, s.p, s.events = renewed.graph, renewed.p, renewed.events
	return nil
}

// Close ends the subscription.
func (s *subscription) Close() error { return s.events.Close() }
