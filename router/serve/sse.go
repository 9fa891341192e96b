package serve

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"sync"
	"time"
)

// eventStream answers a client that accepts server-sent events: a subscription as a stream, anything else as
// JSON, or as a stream of one event if the client takes nothing else.
//
// When the router shuts down or the access token expires, a stream ends without the event complete: the
// subscription is not over, and clients connect again.
func (h *Handler) eventStream(ex *exchange, r *http.Request, accepts acceptance) {
	ctx, cancel := context.WithCancel(r.Context())
	defer cancel()
	// A subscription may run for as long as it likes; an answer that is no stream must come in time.
	late := time.AfterFunc(h.cfg.HTTP.Timeout, cancel)
	sub, resp := h.cfg.Engine.Subscribe(ctx, &ex.req)
	if sub == nil {
		defer late.Stop()
		if accepts.single != mediaEventStream {
			ex.respond(resp, accepts.single)
			return
		}
		ex.operation = resp.Operation
		events := newEvents(ex)
		events.next(resp)
		events.complete()
		return
	}
	late.Stop()
	defer h.closeSubscription(ctx, ex.id, sub)
	if !h.streams.enter() {
		ex.refuse(&refusal{http.StatusServiceUnavailable, CodeUnavailable, "shutting down"}, mediaJSON)
		return
	}
	defer h.streams.leave()
	ex.operation.Kind = "subscription"
	h.stream(ctx, cancel, newEvents(ex), sub)
}

// stream copies events until either side ends, with a goroutine beside it that sends heartbeats and notices
// when the stream has to end.
func (h *Handler) stream(ctx context.Context, cancel context.CancelFunc, events *events, sub Subscription) {
	var beside sync.WaitGroup
	defer beside.Wait()
	defer cancel()
	beside.Go(func() {
		defer cancel()
		beat := time.NewTicker(h.cfg.Streams.Heartbeat)
		defer beat.Stop()
		var expired <-chan time.Time
		if expiry := h.expiry(events.ex.req.Claims); !expiry.IsZero() {
			timer := time.NewTimer(time.Until(expiry))
			defer timer.Stop()
			expired = timer.C
		}
		for {
			select {
			case <-expired:
				return
			case <-beat.C:
				if !events.comment() {
					return
				}
			case <-h.draining:
				return
			case <-ctx.Done():
				return
			}
		}
	})
	for {
		resp, err := sub.Next(ctx)
		switch {
		case ctx.Err() != nil:
			if err == nil {
				resp.Release()
			}
			return
		case errors.Is(err, io.EOF):
			events.complete()
			return
		case err != nil:
			h.logStream(ctx, events.ex.id, err)
			resp = brokenStream()
		}
		last := resp.Outcome != Executed
		events.ex.operation = resp.Operation
		if !events.next(resp) {
			return
		}
		if last {
			events.complete()
			return
		}
	}
}

// brokenStream is what a client is told when a subscription fails for reasons of ours.
func brokenStream() *Response {
	return Refuse(Internal, CodeInternal, "the subscription has failed")
}

func (h *Handler) logStream(ctx context.Context, id string, err error) {
	h.cfg.Logger.LogAttrs(ctx, slog.LevelError, "subscription", slog.String("id", id), slog.Any("error", err))
}

func (h *Handler) closeSubscription(ctx context.Context, id string, sub Subscription) {
	if err := sub.Close(); err != nil {
		h.logStream(ctx, id, err)
	}
}

// events writes an event stream (https://html.spec.whatwg.org/multipage/server-sent-events.html).
type events struct {
	ex *exchange

	mu  sync.Mutex
	buf []byte
}

// newEvents opens the stream at once, so that the client knows that it stands.
func newEvents(ex *exchange) *events {
	header := ex.Header()
	header["Content-Type"] = contentTypes[mediaEventStream]
	header.Set("Cache-Control", "no-cache, no-transform")
	header["X-Content-Type-Options"] = nosniff
	// Nginx would collect events before it passes them on.
	header.Set("X-Accel-Buffering", "no")
	ex.WriteHeader(http.StatusOK)
	e := &events{ex: ex}
	e.comment()
	return e
}

// next sends a response and releases it.
func (e *events) next(resp *Response) bool {
	defer resp.Release()
	e.mu.Lock()
	defer e.mu.Unlock()
	e.buf = append(e.buf[:0], "event: next\ndata: "...)
	data := len(e.buf)
	e.buf = append(e.buf, resp.Body...)
	for i, c := range e.buf[data:] {
		// A line break would end the field. In JSON it can only be white space.
		if c == '\n' || c == '\r' {
			e.buf[data+i] = ' '
		}
	}
	e.buf = append(e.buf, "\n\n"...)
	return e.flush()
}

// complete ends the subscription. The empty data is there for browsers, which drop events without.
func (e *events) complete() bool { return e.send("event: complete\ndata: \n\n") }

// comment shows both ends that the other is there.
func (e *events) comment() bool { return e.send(":\n\n") }

func (e *events) send(text string) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.buf = append(e.buf[:0], text...)
	return e.flush()
}

// flush is false if the client has gone or does not read.
func (e *events) flush() bool {
	e.ex.writeBy(time.Now().Add(e.ex.h.cfg.HTTP.WriteTimeout))
	if _, err := e.ex.Write(e.buf); err != nil {
		return false
	}
	return http.NewResponseController(e.ex.w).Flush() == nil
}
