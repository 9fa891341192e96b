package execute

import (
	"context"
	"fmt"
	"time"

	"github.com/agora-supergraph/agora/router/operation"
	"github.com/agora-supergraph/agora/router/plan"
	"github.com/agora-supergraph/agora/router/transport"
)

// run carries out all fetches of the plan. Each starts as soon as those that it depends on have ended.
//
// Other goroutines only wait for subgraphs; answers are applied here, one after the other, so the tree needs no
// lock. And where nothing else could happen meanwhile, this goroutine waits for the subgraph itself: a plan
// that is a chain, or whose transports can start requests without waiting, rarely starts another goroutine.
func (s *state) run(ctx context.Context) {
	// running counts the fetches that other goroutines carry out.
	running := 0
	for {
		own, started := s.start(ctx)
		running += started
		if own >= 0 && (running == 0 && !s.anyPending() || !s.othersMayFollow(own)) {
			s.exchange(ctx, &s.fetches[own])
			s.apply(&s.fetches[own])
			running -= s.applyEnded()
			continue
		}
		if own >= 0 {
			running++
			go s.send(ctx, own)
		}
		if id := s.awaited(); id >= 0 {
			f := &s.fetches[id]
			f.receive(ctx, f.take())
			s.apply(f)
			running -= s.applyEnded()
			continue
		}
		running += s.handOver(ctx)
		if running == 0 {
			return
		}
		s.apply(&s.fetches[<-s.ended])
		running--
		running -= s.applyEnded()
	}
}

// start sends what is ready: at once where that needs no waiting, else in other goroutines, which it counts. One of the
// latter it leaves to the caller, with own; -1 if there is none.
func (s *state) start(ctx context.Context) (own, running int) {
	own = -1
	for id := range s.fetches {
		f := &s.fetches[id]
		if f.started || f.waiting > 0 {
			continue
		}
		f.started = true
		if !s.prepare(ctx, f) {
			s.end(f)
			continue
		}
		if s.sendAhead(ctx, f) {
			continue
		}
		if own >= 0 {
			running++
			go s.send(ctx, own)
		}
		own = id
	}
	return own, running
}

// sendAhead sends a request without waiting, if the transport can. Who observes wants to know how long each subgraph
// takes, which only somebody who waits can tell.
func (s *state) sendAhead(ctx context.Context, f *fetchState) bool {
	starter, ok := s.transport(f.fetch.ID).(transport.Starter)
	if !ok || f.request.Mutation || f.observed != nil {
		return false
	}
	defer f.recovered()
	f.pending = starter.Start(ctx, &f.request)
	return f.pending != nil
}

func (s *state) anyPending() bool {
	for id := range s.fetches {
		if s.fetches[id].pending != nil {
			return true
		}
	}
	return false
}

// awaited is a fetch in flight that this goroutine may wait for, or -1: nothing could start before it ends, or it is
// the only one.
func (s *state) awaited() int {
	for id := range s.fetches {
		if s.fetches[id].pending != nil && !s.othersMayFollow(id) {
			return id
		}
	}
	return -1
}

// handOver lets other goroutines wait for all that is in flight.
func (s *state) handOver(ctx context.Context) (running int) {
	for id := range s.fetches {
		f := &s.fetches[id]
		if f.pending == nil {
			continue
		}
		running++
		go s.await(ctx, id, f.take())
	}
	return running
}

// await receives an answer in a goroutine of its own.
func (s *state) await(ctx context.Context, id int, pending transport.Pending) {
	s.fetches[id].receive(ctx, pending)
	s.ended <- id
}

// take is what the answer is to be received from; from now on, the caller waits for it.
func (f *fetchState) take() transport.Pending {
	pending := f.pending
	f.pending = nil
	return pending
}

// receive waits for the answer to a request in flight.
func (f *fetchState) receive(ctx context.Context, pending transport.Pending) {
	defer f.recovered()
	f.response, f.err = pending.Receive(ctx)
}

// recovered, deferred, makes a transport that panics one subgraph that fails.
func (f *fetchState) recovered() {
	if r := recover(); r != nil {
		f.response, f.err = nil, fmt.Errorf("transport: panic: %v", r)
	}
}

// applyEnded applies the answers that are here already, before anything new is prepared.
func (s *state) applyEnded() (n int) {
	for {
		select {
		case id := <-s.ended:
			s.apply(&s.fetches[id])
			n++
		default:
			return n
		}
	}
}

// prepare writes the request of a fetch. It returns false if nothing is to be sent.
func (s *state) prepare(ctx context.Context, f *fetchState) bool {
	if !s.writeRequest(f) {
		return false
	}
	if err := context.Cause(ctx); err != nil {
		f.err = err
		s.fail(f, failureOf(err))
		return false
	}
	if s.transport(f.fetch.ID) == nil {
		f.err = fmt.Errorf("no transport for %s", s.serviceName(f.fetch))
		s.fail(f, unreachable)
		return false
	}
	f.request = transport.Request{
		Query:         f.fetch.Query,
		OperationName: f.fetch.OperationName,
		Variables:     f.body[len(f.fetch.Envelope)-1 : len(f.body)-1],
		Body:          f.body,
		Header:        s.req.header(f.fetch.Subgraph),
		Mutation:      f.fetch.Kind == operation.Mutation,
	}
	if s.req.Observer != nil && f.fetch.Kind != operation.Subscription {
		s.observeStart(ctx, f)
	}
	return true
}

// othersMayFollow reports whether a fetch that hasn't started may become ready before the one with the given
// ID has ended: one that doesn't depend on it, directly or through others that haven't started.
func (s *state) othersMayFollow(id int) bool {
	for later := range s.fetches {
		f := &s.fetches[later]
		if f.blocked = false; f.started {
			continue
		}
		for _, d := range f.fetch.DependsOn {
			f.blocked = f.blocked || d == id || s.fetches[d].blocked
		}
		if !f.blocked {
			return true
		}
	}
	return false
}

// send carries out a fetch in a goroutine of its own.
func (s *state) send(ctx context.Context, id int) {
	s.exchange(ctx, &s.fetches[id])
	s.ended <- id
}

func (s *state) transport(id int) transport.Transport {
	sg := s.plan.Fetches[id].Subgraph
	switch {
	case sg == plan.Introspection:
		return s.cfg.Introspection
	case sg < len(s.cfg.Transports):
		return s.cfg.Transports[sg]
	}
	return nil
}

// exchange sends the request and waits for the answer.
func (s *state) exchange(ctx context.Context, f *fetchState) {
	defer f.recovered()
	if f.observed == nil {
		f.response, f.err = s.transport(f.fetch.ID).Send(ctx, &f.request)
		return
	}
	f.observed.Began = time.Now()
	defer func() { f.observed.Done = f.observed.Began.Add(time.Since(f.observed.Began)) }()
	f.response, f.err = s.transport(f.fetch.ID).Send(f.ctx, &f.request)
}

// end lets go those that waited for the fetch.
func (s *state) end(f *fetchState) {
	id := f.fetch.ID
	f.over = true
	for later := id + 1; later < len(s.fetches); later++ {
		for _, d := range s.plan.Fetches[later].DependsOn {
			if d == id {
				s.fetches[later].waiting--
			}
		}
	}
}
