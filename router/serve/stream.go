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

// streamWriter writes the responses of one operation in a format for streams. Its methods are safe for
// concurrent use; they are false once the client has gone or does not read.
type streamWriter interface {
	// next sends a response and releases it.
	next(resp *Response) bool
	// complete says that no more will come.
	complete() bool
	// heartbeat shows both ends that the other is there.
	heartbeat() bool
}

// newStream begins the answer, so that the client knows that the stream stands.
func newStream(ex *exchange, m media) streamWriter {
	header := ex.Header()
	header["Content-Type"] = contentTypes[m]
	header.Set("Cache-Control", "no-cache, no-transform")
	header["X-Content-Type-Options"] = nosniff
	// Nginx would collect events before it passes them on.
	header.Set("X-Accel-Buffering", "no")
	ex.WriteHeader(http.StatusOK)
	if m == mediaEventStream {
		return newEvents(ex)
	}
	return newParts(ex, m == mediaMultipart)
}

// streamOrAnswer answers a client that accepts streams: a subscription as a stream, anything else as
// JSON, or as a stream of one response if the client takes nothing else.
//
// When the router shuts down or the access token expires, a stream ends without the event complete: the
// subscription is not over, and clients connect again.
func (h *Handler) streamOrAnswer(ex *exchange, r *http.Request, accepts acceptance) {
	if accepts.stream == mediaEventStream && h.cfg.Streams.Resume.asked(r) {
		h.resumeOrStart(ex, r, accepts)
		return
	}
	ctx, cancel := context.WithCancel(r.Context())
	defer cancel()
	// A subscription may run for as long as it likes; an answer that is no stream must come in time.
	late := time.AfterFunc(h.cfg.HTTP.Timeout, cancel)
	sub, resp := h.subscribe(ctx, &ex.req)
	if sub == nil {
		defer late.Stop()
		ex.deliver(resp, accepts)
		return
	}
	late.Stop()
	defer h.closeSubscription(ctx, ex.id, sub)
	if !ex.enterStreams() {
		return
	}
	ex.operation.Kind = "subscription"
	h.stream(ctx, cancel, ex, newStream(ex, accepts.stream), sub)
}

// stream copies responses until either side ends, with a goroutine beside it that sends heartbeats and notices
// when the stream has to end.
func (h *Handler) stream(ctx context.Context, cancel context.CancelFunc, ex *exchange, out streamWriter, sub Subscription) {
	var beside sync.WaitGroup
	defer beside.Wait()
	defer cancel()
	beside.Go(func() {
		defer cancel()
		h.attend(ctx, out, h.expiry(ex.req.Claims))
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
			out.complete()
			return
		case err != nil:
			h.logStream(ctx, ex.id, err)
			resp = brokenStream()
		}
		last := resp.Outcome != Executed
		ex.operation = resp.Operation
		if !out.next(resp) {
			return
		}
		if last {
			out.complete()
			return
		}
	}
}

// attend sends heartbeats until the stream has to end: with the client, with the router, or at the expiry of the
// token that opened it, if that is not zero.
func (h *Handler) attend(ctx context.Context, out streamWriter, expiry time.Time) {
	beat := time.NewTicker(h.cfg.Streams.Heartbeat)
	defer beat.Stop()
	var expired <-chan time.Time
	if !expiry.IsZero() {
		timer := time.NewTimer(time.Until(expiry))
		defer timer.Stop()
		expired = timer.C
	}
	for {
		select {
		case <-beat.C:
			if !out.heartbeat() {
				return
			}
		case <-expired:
			return
		case <-h.draining:
			return
		case <-ctx.Done():
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
