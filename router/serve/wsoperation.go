package serve

import (
	"context"
	"errors"
	"io"
	"strconv"
	"time"

	"github.com/coder/websocket"
)

// socketOperation is one operation on a WebSocket, from its subscribe message to its end.
type socketOperation struct {
	// id is the client's name of the operation.
	id     string
	req    *Request
	cancel context.CancelFunc
	start  time.Time
	// streaming is set once it is known to be a subscription, over once it no longer counts as active;
	// socket.mu guards them.
	streaming, over bool
	// ended is set when no message may follow; socket.writing guards it.
	ended bool
	// responses counts what was sent; it belongs to the operation's goroutine.
	responses int
}

// subscribe starts an operation in a goroutine of its own, which the end of the connection waits for.
func (s *socket) subscribe(ctx context.Context, m message) (code websocket.StatusCode, reason string) {
	s.started++
	own := s.client
	req := &own
	req.ID += "." + strconv.Itoa(s.started)
	refused := decodeParameters(m.payload, req)
	opCtx, cancel := context.WithCancel(ctx)
	op := &socketOperation{id: m.id, req: req, cancel: cancel, start: time.Now(), over: true}
	if s.h.cfg.Observer != nil {
		s.h.cfg.Observer.Began()
	}
	s.mu.Lock()
	_, duplicate := s.operations[m.id]
	full := s.active >= s.door.cfg.Streams.MaxOperations
	admitted := !duplicate && !full && !s.closing && refused == nil
	if admitted {
		s.operations[m.id] = op
		s.active++
		op.over = false
		s.running.Add(1)
	}
	closing := s.closing
	s.mu.Unlock()
	switch {
	case admitted:
		go s.run(opCtx, op)
		return 0, ""
	case duplicate:
		cancel()
		return closeDuplicate, "Subscriber for " + m.id + " already exists"
	case full:
		refused = &refusal{
			code:    CodeTooManyOperations,
			message: "more than " + strconv.Itoa(s.door.cfg.Streams.MaxOperations) + " operations on one connection",
		}
	case closing:
		refused = &refusal{code: CodeUnavailable, message: goingAway}
	}
	cancel()
	s.fail(op, errorBody(refused.code, refused.message))
	s.log(ctx, op, Operation{Code: refused.code})
	return 0, ""
}

// complete is the client's end of an operation. Of one that it does not know, it ended here at the same
// time. Until the engine has let go of it, the operation still counts as active.
func (s *socket) complete(id string) {
	s.mu.Lock()
	op := s.operations[id]
	delete(s.operations, id)
	s.mu.Unlock()
	if op == nil {
		return
	}
	// After this lock nothing more is sent, so the client may use the id again. Only then is the operation
	// cancelled: the engine would answer that.
	s.writing.Lock()
	op.ended = true
	s.writing.Unlock()
	op.cancel()
}

// run executes an operation and sends what it answers. A panic ends the operation, and no other.
func (s *socket) run(ctx context.Context, op *socketOperation) {
	defer s.running.Done()
	defer s.forget(op)
	defer op.cancel()
	var operation Operation
	defer func() { s.log(ctx, op, operation) }()
	defer func() {
		if panicked := recover(); panicked != nil {
			s.h.logPanic(ctx, op.req.ID, panicked)
			operation.Code = CodeInternal
			s.fail(op, errorBody(CodeInternal, "internal server error"))
		}
	}()
	// A subscription may run for as long as it likes; anything else must come in time.
	late := time.AfterFunc(s.h.cfg.HTTP.Timeout, op.cancel)
	defer late.Stop()
	sub, resp := s.h.subscribe(ctx, op.req)
	if sub == nil {
		operation = resp.Operation
		s.answer(ctx, op, resp)
		return
	}
	late.Stop()
	defer s.h.closeSubscription(ctx, op.req.ID, sub)
	operation.Kind = "subscription"
	if s.startStreaming(op) {
		s.events(ctx, op, sub, &operation)
	}
}

// startStreaming is false if the router drains already.
func (s *socket) startStreaming(op *socketOperation) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	op.streaming = true
	return !s.closing
}

// events sends the events of a subscription until it ends. Drained subscriptions end without a message: they
// are not complete, and the close frame makes the client subscribe again.
func (s *socket) events(ctx context.Context, op *socketOperation, sub Subscription, operation *Operation) {
	for {
		resp, err := sub.Next(ctx)
		switch {
		case ctx.Err() != nil:
			if err == nil {
				resp.Release()
			}
			return
		case errors.Is(err, io.EOF):
			s.end(op)
			return
		case err != nil:
			s.h.logStream(ctx, op.req.ID, err)
			resp = brokenStream()
		}
		*operation = resp.Operation
		if resp.Outcome != Executed {
			s.answer(ctx, op, resp)
			return
		}
		s.next(op, resp)
	}
}

// answer sends the last response of an operation and releases it: as next, further ones for the parts that come later,
// and complete, or as an error if the operation did not run.
func (s *socket) answer(ctx context.Context, op *socketOperation, resp *Response) {
	if resp.Outcome != Executed {
		defer resp.Release()
		s.fail(op, resp.Body)
		return
	}
	rest := resp.Rest
	if rest != nil {
		defer rest.Close()
	}
	s.next(op, resp)
	for rest != nil {
		part, err := rest.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			s.h.logStream(ctx, op.req.ID, err)
			s.fail(op, errorBody(CodeInternal, "the answer has broken off"))
			return
		}
		s.next(op, part)
	}
	s.end(op)
}

func (s *socket) next(op *socketOperation, resp *Response) {
	defer resp.Release()
	op.responses++
	s.write(op, func(b []byte) []byte { return appendNext(b, op.id, resp.Body) })
}

// fail sends the error message, which ends the operation.
func (s *socket) fail(op *socketOperation, response []byte) {
	s.last(op, func(b []byte) []byte { return appendError(b, op.id, response) })
}

// end sends the complete message.
func (s *socket) end(op *socketOperation) {
	s.last(op, func(b []byte) []byte { return appendComplete(b, op.id) })
}

// last sends the message that ends an operation. The id is free before the client can read that.
func (s *socket) last(op *socketOperation, build func(b []byte) []byte) {
	s.forget(op)
	s.write(op, func(b []byte) []byte {
		op.ended = true
		return build(b)
	})
}

// forget frees the operation's id and its place among the active ones.
func (s *socket) forget(op *socketOperation) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.operations[op.id] == op {
		delete(s.operations, op.id)
	}
	if !op.over {
		op.over = true
		s.active--
	}
}
