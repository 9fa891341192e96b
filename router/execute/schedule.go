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
// that is a chain never starts another goroutine.
func (s *state) run(ctx context.Context) {
	running := 0
	for {
		own := -1
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
			if own >= 0 {
				running++
				go s.send(ctx, own)
			}
			own = id
		}
		if own >= 0 && (running == 0 || !s.othersMayFollow(own)) {
			s.exchange(ctx, &s.fetches[own])
			s.apply(&s.fetches[own])
			running -= s.applyEnded()
			continue
		}
		if own >= 0 {
			running++
			go s.send(ctx, own)
		}
		if running == 0 {
			return
		}
		s.apply(&s.fetches[<-s.ended])
		running--
		running -= s.applyEnded()
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
		Header:        s.req.Header,
		Mutation:      f.fetch.Kind == operation.Mutation,
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
	defer func() {
		// A transport that panics is one subgraph that fails, wherever the panic happens.
		if r := recover(); r != nil {
			f.response, f.err = nil, fmt.Errorf("transport: panic: %v", r)
		}
	}()
	observed := s.req.Observe != nil
	if observed {
		f.begun = time.Now()
	}
	f.response, f.err = s.transport(f.fetch.ID).Send(ctx, &f.request)
	if observed {
		f.done = time.Now()
	}
}

// end lets go those that waited for the fetch.
func (s *state) end(f *fetchState) {
	id := f.fetch.ID
	for later := id + 1; later < len(s.fetches); later++ {
		for _, d := range s.plan.Fetches[later].DependsOn {
			if d == id {
				s.fetches[later].waiting--
			}
		}
	}
}
