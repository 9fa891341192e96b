package serve

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"io"
	"net/http"
	"sync"
	"time"
)

// Single connection mode of graphql-sse (https://github.com/enisdenjo/graphql-sse/blob/master/PROTOCOL.md): PUT reserves a
// stream and gives its token, GET with the token opens it, POST with the token starts an operation whose responses come over
// the stream, DELETE with the token ends one. The token is a secret that only the client knows who made the reservation; each
// operation runs for who sends it.

// Where the token stands: in the header, or in the URL's query for EventSource, which sends no header.
const (
	tokenHeader    = "X-Graphql-Event-Stream-Token"
	tokenParameter = "token"
)

// maxReservations bounds the streams that are reserved or open, of all clients together.
const maxReservations = 100_000

// reservations are the streams of single connection mode by their tokens.
type reservations struct {
	mu      sync.Mutex
	byToken map[string]*reservation
}

// reservation is one stream, from PUT to the end of GET.
type reservation struct {
	h     *Handler
	token string
	// opened is closed when the client listens; out is set then.
	opened chan struct{}
	out    *events
	// ctx ends with the stream, or if nobody opens it in time.
	ctx     context.Context
	end     context.CancelFunc
	running sync.WaitGroup

	mu sync.Mutex
	// taken is set once a client listens, over when no operation may begin any more.
	taken, over bool
	operations  map[string]context.CancelFunc
}

// eventStreamToken is the token that a request brings; empty if it is none of single connection mode.
func (h *Handler) eventStreamToken(r *http.Request) string {
	if values := r.Header[tokenHeader]; len(values) > 0 {
		return values[0]
	}
	if r.Method == http.MethodGet && accept(r.Header["Accept"]).stream == mediaEventStream {
		return r.URL.Query().Get(tokenParameter)
	}
	return ""
}

// singleConnection answers what belongs to single connection mode, and says whether the request did.
func (h *Handler) singleConnection(ex *exchange, r *http.Request) bool {
	if r.Method == http.MethodPut {
		h.reserve(ex)
		return true
	}
	token := h.eventStreamToken(r)
	if token == "" {
		return false
	}
	h.reservations.mu.Lock()
	stream := h.reservations.byToken[token]
	h.reservations.mu.Unlock()
	switch {
	case stream == nil:
		ex.refuse(&refusal{http.StatusNotFound, CodeNotFound, "no such stream: reserve one by PUT"}, mediaJSON)
	case r.Method == http.MethodDelete:
		stream.remove(ex, r.URL.Query().Get("operationId"))
	case r.Method == http.MethodGet && accept(r.Header["Accept"]).stream == mediaEventStream:
		stream.listen(ex, r)
	default:
		stream.start(ex, r)
	}
	return true
}

// reserve answers with a new token. It is good for as long as a WebSocket may take to say who it is.
func (h *Handler) reserve(ex *exchange) {
	stream := &reservation{h: h, token: rand.Text(), opened: make(chan struct{}), operations: map[string]context.CancelFunc{}}
	h.reservations.mu.Lock()
	full := len(h.reservations.byToken) >= maxReservations
	if !full {
		if h.reservations.byToken == nil {
			h.reservations.byToken = map[string]*reservation{}
		}
		h.reservations.byToken[stream.token] = stream
	}
	h.reservations.mu.Unlock()
	if full {
		ex.refuse(&refusal{http.StatusServiceUnavailable, CodeUnavailable, "too many streams"}, mediaJSON)
		return
	}
	stream.ctx, stream.end = context.WithCancel(context.WithoutCancel(ex.r.Context()))
	time.AfterFunc(h.cfg.Streams.InitTimeout, func() {
		stream.mu.Lock()
		forgotten := !stream.taken
		stream.mu.Unlock()
		if forgotten {
			stream.close()
		}
	})
	ex.Header()["Content-Type"] = []string{"text/plain; charset=utf-8"}
	ex.WriteHeader(http.StatusCreated)
	_, _ = ex.Write([]byte(stream.token)) // the client has gone if this fails
}

// close ends the stream with all of its operations.
func (s *reservation) close() {
	s.h.reservations.mu.Lock()
	delete(s.h.reservations.byToken, s.token)
	s.h.reservations.mu.Unlock()
	s.mu.Lock()
	s.over = true
	s.mu.Unlock()
	s.end()
	s.running.Wait()
}

// listen is the client's GET: it lasts as long as the stream.
func (s *reservation) listen(ex *exchange, r *http.Request) {
	req := Request{Header: r.Header, ID: ex.id}
	if err := s.h.authenticate(r.Context(), &req); err != nil {
		ex.refuse(err, mediaJSON)
		return
	}
	s.mu.Lock()
	taken := s.taken
	s.taken = true
	s.mu.Unlock()
	if taken {
		ex.refuse(&refusal{http.StatusConflict, CodeConflict, "the stream is open already"}, mediaJSON)
		return
	}
	defer s.close()
	if !ex.enterStreams() {
		return
	}
	ex.operation.Kind = "stream"
	s.out = newStream(ex, mediaEventStream).(*events)
	close(s.opened)
	stop := context.AfterFunc(r.Context(), s.end)
	defer stop()
	s.h.attend(s.ctx, s.out, s.h.expiry(req.Claims))
}

// start begins an operation, and answers before it has run: what comes of it comes over the stream.
func (s *reservation) start(ex *exchange, r *http.Request) {
	if err := ex.h.admit(ex, r, acceptance{}); err != nil {
		ex.refuse(err, mediaJSON)
		return
	}
	ex.req = Request{Header: r.Header, ID: ex.id, QueryOnly: r.Method == http.MethodGet, ids: ex.h.cfg.DocumentIDs}
	ex.h.clients.identify(&ex.req, r.RemoteAddr)
	err := ex.h.authenticate(r.Context(), &ex.req)
	if err == nil {
		err = ex.decode()
	}
	if err == nil && (ex.batch != nil || ex.form != nil) {
		err = badRequest("neither a batch nor files can be sent to a stream")
	}
	if err != nil {
		ex.refuse(err, mediaJSON)
		return
	}
	id := ex.req.extension("operationId")
	if id == nil || id[0] != '"' || len(id) == 2 {
		ex.refuse(badRequest("the extension operationId is missing: it names the operation on the stream"), mediaJSON)
		return
	}
	if err := s.admit(string(id), ex.req); err != nil {
		ex.refuse(err, mediaJSON)
		return
	}
	ex.WriteHeader(http.StatusAccepted)
}

// admit starts the operation in a goroutine that the end of the stream waits for. id is a JSON string.
func (s *reservation) admit(id string, req Request) *refusal {
	name := unquote([]byte(id))
	req.Variables, req.Extensions = bytes.Clone(req.Variables), bytes.Clone(req.Extensions)
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.over:
		return &refusal{http.StatusNotFound, CodeNotFound, "the stream has ended"}
	case s.operations[name] != nil:
		return &refusal{http.StatusConflict, CodeConflict, "an operation of this operationId runs already"}
	case len(s.operations) >= s.h.cfg.Streams.MaxOperations:
		return &refusal{http.StatusTooManyRequests, CodeTooManyOperations, "too many operations on one stream"}
	}
	ctx, cancel := context.WithCancel(s.ctx)
	s.operations[name] = cancel
	s.running.Go(func() {
		defer s.complete(name)
		s.run(ctx, cancel, id, &req)
	})
	return nil
}

// remove is the client's DELETE. An operation that has ended is none that runs any more, which is what was asked for.
func (s *reservation) remove(ex *exchange, name string) {
	if name == "" {
		ex.refuse(badRequest("the parameter operationId is missing: it names the operation to end"), mediaJSON)
		return
	}
	s.complete(name)
	ex.WriteHeader(http.StatusOK)
}

// complete ends an operation, by the client's wish or its own.
func (s *reservation) complete(name string) {
	s.mu.Lock()
	cancel := s.operations[name]
	delete(s.operations, name)
	s.mu.Unlock()
	if cancel != nil {
		cancel()
	}
}

// run executes an operation and sends what it answers. A panic ends the operation, and no other.
func (s *reservation) run(ctx context.Context, cancel context.CancelFunc, id string, req *Request) {
	began := time.Now()
	if s.h.cfg.Observer != nil {
		s.h.cfg.Observer.Began()
	}
	r := Record{
		ID: req.ID, Transport: "stream", Address: req.Address, Client: req.Client, Proven: req.proven(), Document: req.documentID(),
	}
	defer func() {
		if panicked := recover(); panicked != nil {
			s.h.logPanic(ctx, req.ID, panicked)
			r.Operation.Code = CodeInternal
			s.send(ctx, id, Refuse(Internal, CodeInternal, "internal server error"))
			s.finish(ctx, id)
		}
		r.Published, r.Duration = req.Published, time.Since(began)
		s.h.logOperation(ctx, r)
	}()
	if expiry := s.h.expiry(req.Claims); !expiry.IsZero() {
		expired := time.AfterFunc(time.Until(expiry), cancel)
		defer expired.Stop()
	}
	// A subscription may run for as long as it likes; anything else must come in time.
	late := time.AfterFunc(s.h.cfg.HTTP.Timeout, cancel)
	defer late.Stop()
	sub, resp := s.h.subscribe(ctx, req)
	if sub == nil {
		r.Operation, r.Responses = resp.Operation, 1
		s.send(s.ctx, id, resp)
		s.finish(s.ctx, id)
		return
	}
	late.Stop()
	defer s.h.closeSubscription(ctx, req.ID, sub)
	r.Operation.Kind = "subscription"
	for {
		resp, err := sub.Next(ctx)
		switch {
		case ctx.Err() != nil:
			if err == nil {
				resp.Release()
			}
			return
		case errors.Is(err, io.EOF):
			s.finish(ctx, id)
			return
		case err != nil:
			s.h.logStream(ctx, req.ID, err)
			resp = brokenStream()
		}
		last := resp.Outcome != Executed
		r.Operation = resp.Operation
		r.Responses++
		if !s.send(ctx, id, resp) {
			return
		}
		if last {
			s.finish(ctx, id)
			return
		}
	}
}

// send sends a response once the client listens, and releases it.
func (s *reservation) send(ctx context.Context, id string, resp *Response) bool {
	defer resp.Release()
	return s.write(ctx, func(b []byte) []byte {
		b = append(append(append(b, "event: next\ndata: {\"id\":"...), id...), `,"payload":`...)
		return append(oneLine(append(b, resp.Body...), len(b)), "}\n\n"...)
	})
}

// finish tells the client that an operation is complete.
func (s *reservation) finish(ctx context.Context, id string) {
	s.write(ctx, func(b []byte) []byte {
		return append(append(append(b, "event: complete\ndata: {\"id\":"...), id...), "}\n\n"...)
	})
}

// write is false once the stream is over, or the operation is and its client wants no more of it.
func (s *reservation) write(ctx context.Context, build func(b []byte) []byte) bool {
	select {
	case <-s.opened:
	case <-ctx.Done():
	}
	if ctx.Err() != nil {
		return false
	}
	if !s.out.send(build) {
		s.end()
		return false
	}
	return true
}
