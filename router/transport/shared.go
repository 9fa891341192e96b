package transport

import (
	"bytes"
	"context"
	"hash/maphash"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
)

// Shared answers queries that are identical, in body and headers, and in flight at the same time, by one request
// to the subgraph. All get the same bytes, without a copy. Identical subscriptions have one stream from the subgraph.
// Mutations are never shared.
type Shared struct {
	// Transport carries the requests.
	Transport Transport
	// IgnoreHeaders are headers, in canonical form, that don't change an answer, such as those of tracing: the
	// subgraph sees the ones of the request that came first.
	IgnoreHeaders []string
	// Subscriptions bounds what waits for those who share a stream, by Backlog and DropOldest.
	Subscriptions SubscriptionConfig

	mu sync.Mutex
	// calls are those in flight, by the hash of their bodies. Of two bodies with one hash, only one is shared.
	calls map[uint64]*call
	// streams are the subscriptions that run, in the same way.
	streams map[uint64]*broadcast
}

var (
	_         Transport = (*Shared)(nil)
	shareSeed           = maphash.MakeSeed()
)

// call is a request in flight.
type call struct {
	req  *Request
	done chan struct{}
	// users counts those who have not released the answer yet.
	users atomic.Int32
	resp  *Response
	err   error
	// abandoned says that the request ended because its own context did.
	abandoned bool
}

// Send sends the request, or waits for the answer to an identical one.
func (s *Shared) Send(ctx context.Context, req *Request) (*Response, error) {
	if req.Mutation {
		return s.Transport.Send(ctx, req)
	}
	hash := maphash.Bytes(shareSeed, req.Body)
	for {
		s.mu.Lock()
		c := s.calls[hash]
		if c == nil {
			return s.lead(ctx, req, hash)
		}
		if !s.same(c.req, req) {
			s.mu.Unlock()
			return s.Transport.Send(ctx, req)
		}
		c.users.Add(1)
		s.mu.Unlock()
		select {
		case <-c.done:
		case <-ctx.Done():
			// As long as the answer isn't here, the one who leads is counted, too: this can't be the last.
			c.leave()
			return nil, ctx.Err()
		}
		if !c.abandoned {
			return c.share()
		}
	}
}

// lead sends the request for all. It is called with the lock held.
func (s *Shared) lead(ctx context.Context, req *Request, hash uint64) (*Response, error) {
	c := &call{req: req, done: make(chan struct{})}
	c.users.Store(1)
	if s.calls == nil {
		s.calls = map[uint64]*call{}
	}
	s.calls[hash] = c
	s.mu.Unlock()
	finished := false
	defer func() {
		// The request's bytes are the caller's again once Send returns, so nobody may find the call any more.
		s.mu.Lock()
		delete(s.calls, hash)
		s.mu.Unlock()
		if !finished {
			c.abandoned = true
		}
		close(c.done)
	}()
	c.resp, c.err = s.Transport.Send(ctx, req)
	c.abandoned = c.err != nil && ctx.Err() != nil
	finished = true
	return c.share()
}

// share is the answer for one of those who wait.
func (c *call) share() (*Response, error) {
	if c.err != nil {
		return nil, c.err
	}
	return &Response{Status: c.resp.Status, Header: c.resp.Header, Body: c.resp.Body, Free: c.leave}, nil
}

// leave gives the answer back once nobody uses it any more.
func (c *call) leave() {
	if c.users.Add(-1) == 0 && c.resp != nil {
		c.resp.Release()
	}
}

// same reports whether two requests have the same answer.
func (s *Shared) same(a, b *Request) bool {
	return bytes.Equal(a.Body, b.Body) && s.within(a.Header, b.Header) && s.within(b.Header, a.Header)
}

func (s *Shared) within(a, b http.Header) bool {
	for name, values := range a {
		if !slices.Contains(s.IgnoreHeaders, name) && !slices.Equal(values, b[name]) {
			return false
		}
	}
	return true
}
