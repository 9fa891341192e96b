package serve

import (
	"context"
	"io"
	"net/http"
	"time"
)

// lasting is a subscription that outlives the configuration that it began under. When another handler has replaced the one
// that answered, it is authenticated and started again behind that, as its client sent it, and once that has accepted it,
// takes the place of the old one, whose events are delivered until then. If the new configuration does not allow it, it ends
// with the error that says so.
type lasting struct {
	// at is whose engine runs the subscription.
	at *answering
	// ctx is that of the stream.
	ctx context.Context
	// req is as the client sent it; text is that of its document, if the engine has found that.
	req   Request
	text  string
	sub   Subscription
	ended bool
}

// subscribe starts a subscription that outlives this handler, or answers an operation that is none.
func (h *Handler) subscribe(ctx context.Context, req *Request) (Subscription, *Response) {
	at, sent := h.now.Load(), *req
	sub, resp := at.engine.Subscribe(ctx, req)
	if sub == nil {
		return nil, resp
	}
	return &lasting{at: at, ctx: ctx, req: sent, text: req.Query, sub: sub}, nil
}

// succession is what a new configuration makes of a subscription: another one, or its last response.
type succession struct {
	at   *answering
	sub  Subscription
	last *Response
}

// Next waits for the next event.
func (s *lasting) Next(ctx context.Context) (*Response, error) {
	for !s.ended {
		resp, next, err := s.wait(ctx)
		if next == nil {
			return resp, err
		}
		if next.last != nil {
			if err == nil {
				resp.Release() // of a configuration that no longer allows it
			}
			s.ended = true
			return next.last, nil
		}
		s.at.handler.closeSubscription(s.ctx, s.req.ID, s.sub)
		s.at, s.sub = next.at, next.sub
		switch {
		case err == nil:
			return resp, nil
		case ctx.Err() != nil:
			return nil, ctx.Err()
		}
		// What ended is the old one.
	}
	return nil, io.EOF
}

// wait waits for the next event, and beside that for a new configuration.
func (s *lasting) wait(ctx context.Context) (resp *Response, next *succession, err error) {
	waiting, cancel := context.WithCancel(ctx)
	defer cancel()
	done := make(chan struct{})
	stop := context.AfterFunc(s.at.replaced, func() {
		defer close(done)
		defer cancel()
		next = s.keepSucceeding(waiting)
	})
	resp, err = s.sub.Next(waiting)
	cancel()
	if !stop() {
		<-done
	}
	return resp, next, err
}

// retryInterval is the time between two tries to start a subscription behind a new configuration.
const retryInterval = 5 * time.Second

// keepSucceeding starts the subscription behind the newest handler, again and again until that can be judged, or waiting
// ends.
func (s *lasting) keepSucceeding(waiting context.Context) (next *succession) {
	defer func() {
		if panicked := recover(); panicked != nil {
			s.at.handler.logPanic(s.ctx, s.req.ID, panicked)
			next = &succession{last: brokenStream()}
		}
	}()
	for {
		at := s.at.handler.now.Load()
		if next := s.succeed(at); next != nil {
			return next
		}
		again := time.NewTimer(retryInterval)
		select {
		case <-waiting.Done():
			again.Stop()
			return nil
		case <-at.replaced.Done():
			again.Stop()
		case <-again.C:
		}
	}
}

// succeed starts the subscription behind another handler. It is nil if that can't be done now: the old one goes on until it
// can.
func (s *lasting) succeed(at *answering) *succession {
	req := s.req
	req.ids, req.Claims, req.Renewed = at.handler.cfg.DocumentIDs, nil, true
	at.handler.clients.name(&req)
	if err := at.handler.authenticate(s.ctx, &req); err != nil {
		if err.status != http.StatusUnauthorized {
			return nil
		}
		return &succession{last: Refuse(Unauthenticated, err.code, err.message)}
	}
	again := req
	sub, resp := at.engine.Subscribe(s.ctx, &req)
	if sub == nil && resp.Outcome == TextNeeded && again.Query == "" {
		resp.Release()
		again.Query = s.text
		sub, resp = at.engine.Subscribe(s.ctx, &again)
	}
	switch {
	case sub != nil && s.ctx.Err() != nil:
		at.handler.closeSubscription(s.ctx, req.ID, sub)
		return nil
	case sub != nil:
		return &succession{at: at, sub: sub}
	case s.ctx.Err() != nil || resp.passes():
		resp.Release()
		return nil
	case resp.Outcome == Executed:
		resp.Release()
		return &succession{last: Refuse(RequestError, CodeBadRequest, "the document is no subscription any more")}
	}
	return &succession{last: resp}
}

// passes says whether a subscription that was answered so may be accepted later: the subgraph can't be reached, or there is
// no room.
func (r *Response) passes() bool {
	switch r.Outcome {
	case Executed:
		return r.Operation.Kind == "subscription"
	case TooManyRequests, Unavailable, Internal:
		return true
	}
	return false
}

// Close ends the subscription.
func (s *lasting) Close() error { return s.sub.Close() }
