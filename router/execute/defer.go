package execute

import (
	"context"
	"io"

	"github.com/agora-supergraph/agora/router/plan"
)

// Format is how the parts of an answer are written.
type Format uint8

// The formats of incremental delivery.
const (
	// Pending is that of the specification's proposal (https://github.com/graphql/graphql-spec/pull/1110): parts are
	// told of by their ids before they come.
	Pending Format = iota
	// Paths is its earlier form of August 2022: parts come with their path and label, unannounced.
	Paths
)

// Increments are the parts of an answer that come after the first one. Next and Close may not be called at the same
// time.
type Increments struct {
	state   *state
	ctx     context.Context
	cancel  context.CancelFunc
	running int
}

// ExecuteInParts answers a query or mutation whose plan has deferred fragments. The response is the first part of the
// answer. Others follow as increments, which the caller must close; nil if none do. ctx ends them, too. The request must
// stay as it is until then.
func (x *Executor) ExecuteInParts(ctx context.Context, p *plan.Plan, req *Request) (*Response, *Increments) {
	inc := &Increments{}
	if x.cfg.Timeout > 0 {
		inc.ctx, inc.cancel = context.WithTimeout(ctx, x.cfg.Timeout)
	} else {
		inc.ctx, inc.cancel = context.WithCancel(ctx)
	}
	inc.state = x.begin(p, req)
	inc.state.delivery = newDelivery(inc.state)
	inc.advance(func() bool { return inc.state.firstIsReady() })
	resp := inc.state.respond()
	if inc.state.delivery.over() {
		inc.Close()
		return resp, nil
	}
	return resp, inc
}

// Next waits for the next part: what has become ready by then, in one response. It returns io.EOF after the last one.
// Once ctx has ended, what is missing comes with errors.
func (inc *Increments) Next() (*Response, error) {
	d := inc.state.delivery
	if d.over() {
		return nil, io.EOF
	}
	inc.advance(d.anyReady)
	return d.next(), nil
}

// Close ends what is still running and waits for it.
func (inc *Increments) Close() {
	inc.cancel()
	for id := range inc.state.fetches {
		if f := &inc.state.fetches[id]; f.pending != nil {
			f.receive(inc.ctx, f.take())
		}
	}
	for ; inc.running > 0; inc.running-- {
		<-inc.state.ended
	}
	inc.state.release()
}

// advance carries out fetches until there is enough, or nothing is left to wait for. Unlike state.run it leaves all
// waiting to other goroutines: what runs goes on when it returns.
func (inc *Increments) advance(enough func() bool) {
	s := inc.state
	for {
		own, started := s.start(inc.ctx)
		inc.running += started
		if own >= 0 {
			inc.running++
			go s.send(inc.ctx, own)
		}
		inc.running += s.handOver(inc.ctx)
		if enough() || inc.running == 0 {
			return
		}
		s.apply(&s.fetches[<-s.ended])
		inc.running--
		inc.running -= s.applyEnded()
	}
}

// firstIsReady reports whether everything has ended that the first part of the answer waits for.
func (s *state) firstIsReady() bool {
	for i := range s.fetches {
		if f := &s.fetches[i]; !f.over && !f.fetch.Deferred {
			return false
		}
	}
	return true
}
