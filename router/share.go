package router

import (
	"context"
	"hash/maphash"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/agora-supergraph/agora/router/auth"
	"github.com/agora-supergraph/agora/router/execute"
	"github.com/agora-supergraph/agora/router/headers"
	"github.com/agora-supergraph/agora/router/serve"
	"github.com/agora-supergraph/agora/router/transport"
)

// requests are the queries in flight that identical ones may join (Config.ShareRequests). All get the same bytes, without a
// copy. The first one executes, also for the others after its own client has gone; it stops when nobody waits any more.
type requests struct {
	mu sync.Mutex
	// calls are those in flight, by hash. Of two queries with one hash, only one is shared.
	calls map[uint64]*call
}

// call is a query in flight.
type call struct {
	p      *prepared
	claims *auth.Claims
	done   chan struct{}
	// waiting counts those who wait, users those who have not released the answer yet.
	waiting, users atomic.Int32
	cancel         context.CancelFunc
	response       *execute.Response
	header         http.Header
	// broken says that there is no answer, since its making panicked.
	broken bool
}

// answer is the answer to a query that run executes, or that an identical one in flight gets. p has gone all the way
// to execution on its own: limits, prices and hooks count each request.
func (s *requests) answer(ctx context.Context, p *prepared, claims *auth.Claims, run func(context.Context) *execute.Response) *serve.Response {
	hash := hashOf(p, claims)
	for {
		s.mu.Lock()
		c := s.calls[hash]
		switch {
		case c == nil:
			c = s.begin(ctx, hash, p, claims) // unlocks
			return s.lead(ctx, hash, c, run)
		case !c.same(p, claims):
			s.mu.Unlock()
			return p.describe(run(ctx))
		}
		c.waiting.Add(1)
		c.users.Add(1)
		s.mu.Unlock()
		select {
		case <-c.done:
		case <-ctx.Done():
			c.giveUp()
			// The one who leads is a user as long as there is no answer: this can't be the last.
			c.leave()
			refused := serve.Refuse(serve.Unavailable, transport.CodeTimeout, "The answer did not come in time.")
			refused.Operation = p.describeOperation(transport.CodeTimeout)
			return refused
		}
		if !c.broken {
			return c.share(p)
		}
	}
}

func (s *requests) begin(ctx context.Context, hash uint64, p *prepared, claims *auth.Claims) *call {
	c := &call{p: p, claims: claims, done: make(chan struct{}), broken: true}
	c.waiting.Store(1)
	c.users.Store(1)
	if s.calls == nil {
		s.calls = map[uint64]*call{}
	}
	s.calls[hash] = c
	s.mu.Unlock()
	return c
}

// lead executes for all.
func (s *requests) lead(ctx context.Context, hash uint64, c *call, run func(context.Context) *execute.Response) *serve.Response {
	own, cancel := context.WithCancel(context.WithoutCancel(ctx))
	defer cancel()
	c.cancel = cancel
	stop := context.AfterFunc(ctx, func() {
		s.end(hash, c) // who comes now would wait longer than a client of his own
		c.giveUp()
	})
	defer func() {
		stop()
		s.end(hash, c)
		close(c.done)
	}()
	c.response = run(own)
	c.header = c.p.returned.Header(c.response.Code != "")
	c.broken = false
	return c.share(c.p)
}

// end lets nobody join any more.
func (s *requests) end(hash uint64, c *call) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.calls[hash] == c {
		delete(s.calls, hash)
	}
}

// giveUp ends the execution when nobody waits for it.
func (c *call) giveUp() {
	if c.waiting.Add(-1) == 0 {
		c.cancel()
	}
}

// share is the answer for one of those who asked.
func (c *call) share(p *prepared) *serve.Response {
	p.returned = headers.Response{}
	answer := p.describe(&execute.Response{Body: c.response.Body, Errors: c.response.Errors, Code: c.response.Code, Null: c.response.Null})
	answer.Free = c.leave
	for name, values := range c.header {
		if answer.Header == nil {
			answer.Header = http.Header{}
		}
		if answer.Header[name] == nil {
			answer.Header[name] = slices.Clone(values)
		}
	}
	return answer
}

// leave gives the answer back when nobody uses it any more.
func (c *call) leave() {
	if c.users.Add(-1) == 0 && c.response != nil {
		c.response.Release()
	}
}

var shareSeed = maphash.MakeSeed()

// hashOf is equal for queries that may have the same answer. The headers are left to same, but for what tells clients
// apart.
func hashOf(p *prepared, claims *auth.Claims) uint64 {
	var h maphash.Hash
	h.SetSeed(shareSeed)
	maphash.WriteComparable(&h, p.operation)
	maphash.WriteComparable(&h, identify(claims))
	for _, v := range p.request.Variables {
		maphash.WriteComparable(&h, len(v))
		_, _ = h.Write(v)
	}
	for _, header := range p.request.Headers {
		for _, v := range header["Authorization"] {
			_, _ = h.WriteString(v)
		}
	}
	return h.Sum64()
}

// identity is who asks.
type identity struct {
	known                   bool
	issuer, subject, client string
}

func identify(claims *auth.Claims) identity {
	if claims == nil {
		return identity{}
	}
	return identity{true, claims.Issuer, claims.Subject, claims.Client}
}

// same reports whether a query has the answer of the call: the same document, operation and variant (one prepared
// operation stands for them), variables, identity, and headers to every subgraph.
func (c *call) same(p *prepared, claims *auth.Claims) bool {
	a, b := &c.p.request, &p.request
	return c.p.operation == p.operation && c.p.plan == p.plan && identify(c.claims) == identify(claims) && a.Format == b.Format &&
		slices.EqualFunc(a.Variables, b.Variables, func(v, w []byte) bool { return (v == nil) == (w == nil) && string(v) == string(w) }) &&
		slices.EqualFunc(a.Headers, b.Headers, sameHeader)
}

func sameHeader(a, b http.Header) bool { return within(a, b) && within(b, a) }

func within(a, b http.Header) bool {
	for name, values := range a {
		if !slices.Equal(values, b[name]) && !slices.Contains(unshared, name) {
			return false
		}
	}
	return true
}
