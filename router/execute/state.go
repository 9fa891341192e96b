package execute

import (
	"context"

	"github.com/agora-supergraph/agora/router/operation"
	"github.com/agora-supergraph/agora/router/plan"
	"github.com/agora-supergraph/agora/router/supergraph"
	"github.com/agora-supergraph/agora/router/transport"
)

// state is all that one request holds. States are pooled: a request in the steady state allocates nothing
// here. Lifetimes: a state belongs to one request from begin to finish; the response's bytes are copied out of
// it, so nothing of it outlives finish.
type state struct {
	executor *Executor

	cfg     *Config
	plan    *plan.Plan
	sg      *supergraph.Supergraph
	req     *Request
	arena   arena
	reader  reader
	fetches []fetchState
	errors  errorList
	// stencil is of the target whose representations are being written.
	stencil stencil
	// path and written are the writer's, kept for their room; visited is that of walks.
	path    []int32
	written written
	visited visited
	// origins are the fetches that the answers in the arena belong to.
	origins []*fetchState
	// delivery is nil for an answer that comes as a whole.
	delivery *delivery
	// ended takes the IDs of the fetches that other goroutines have carried out.
	ended chan int
}

// fetchState is one fetch of a running request.
type fetchState struct {
	fetch *plan.Fetch
	// waiting counts the fetches that it still waits for.
	waiting int
	started bool
	// over is set once nobody has to wait for it any more.
	over bool
	// blocked is scratch of the scheduler.
	blocked bool
	body    []byte
	// represented is parallel to Entities. A fetch of root fields has one, for the objects that take its answer:
	// the root object, or those of the query type that its path leads to.
	represented []represented
	// root is Fetch.Root as a list, empty for entity fetches.
	root    []*plan.Target
	request transport.Request
	// pending is set while the request is in flight and no goroutine waits for its answer.
	pending  transport.Pending
	response *transport.Response
	err      error
	// observed and ctx are set while an observed request runs. The former is seen, or nil.
	observed *Ended
	seen     Ended
	ctx      context.Context
	// errors counts those recorded.
	errors int
	// places are the paths to the objects of each Entities, once an error needs them.
	places []*atlas
	// contextual is nil but for fetches with arguments from contexts.
	contextual *contextual
}

// root is the base of the data object: it is always the first in the arena.
const root = 0

// begin takes a state from the pool and sets it up.
func (x *Executor) begin(p *plan.Plan, req *Request) *state {
	s, _ := x.states.Get().(*state)
	if s == nil {
		s = &state{executor: x}
	}
	s.cfg, s.plan, s.sg, s.req = &x.cfg, p, p.Supergraph, req
	s.arena.limit = x.cfg.MaxValues
	s.reader = reader{arena: &s.arena, sg: s.sg, lastType: supergraph.NoObject, twins: s.reader.twins}
	s.arena.newObject(p.Root, rootType(p))
	if cap(s.fetches) < len(p.Fetches) {
		s.fetches = append(s.fetches[:cap(s.fetches)], make([]fetchState, len(p.Fetches)-cap(s.fetches))...)
	}
	s.fetches = s.fetches[:len(p.Fetches)]
	for i, f := range p.Fetches {
		s.fetches[i].begin(f)
	}
	if cap(s.ended) < len(p.Fetches) {
		s.ended = make(chan int, max(8, len(p.Fetches)))
	}
	return s
}

func (f *fetchState) begin(fetch *plan.Fetch) {
	f.fetch, f.waiting = fetch, len(fetch.DependsOn)
	n := len(fetch.Entities)
	if f.root = f.root[:0]; fetch.Root != nil {
		f.root = append(f.root, fetch.Root)
		n = 1
	}
	if cap(f.represented) < n {
		f.represented = append(f.represented[:cap(f.represented)], make([]represented, n-cap(f.represented))...)
	}
	f.represented = f.represented[:n]
	if fetch.Contexts != nil {
		f.contextual = &contextual{}
	}
}

// targets are those of represented[i].
func (f *fetchState) targets(i int) []*plan.Target {
	if f.fetch.Root != nil {
		return f.root
	}
	return f.fetch.Entities[i].Targets
}

// rootType is the object type of the response's data.
func rootType(p *plan.Plan) supergraph.ObjectID {
	t := p.Supergraph.Query
	switch p.Kind {
	case operation.Mutation:
		t = p.Supergraph.Mutation
	case operation.Subscription:
		t = p.Supergraph.Subscription
	}
	if t == nil {
		return supergraph.NoObject
	}
	return t.Object
}

// release gives the answers back to their transports and the state to the pool.
func (s *state) release() {
	for i := range s.fetches {
		s.fetches[i].release()
	}
	s.arena.reset()
	s.errors.reset()
	s.reader.twins.reset()
	s.reader = reader{twins: s.reader.twins}
	clear(s.origins)
	s.origins = s.origins[:0]
	s.cfg, s.plan, s.sg, s.req, s.delivery = nil, nil, nil, nil, nil
	s.executor.states.Put(s)
}

func (f *fetchState) release() {
	if f.response != nil {
		f.response.Release()
	}
	if f.contextual != nil {
		f.contextual.release()
	}
	for i := range f.represented {
		f.represented[i].reset()
	}
	clear(f.root)
	*f = fetchState{body: trimmed(f.body, 1<<20), represented: f.represented[:0], root: f.root[:0]}
}

// origin is the fetch that a leaf came with; nil for other values.
func (s *state) origin(w word) *fetchState {
	switch {
	case !w.isLeaf():
		return nil
	case w.kind() == far:
		return s.origins[s.arena.far[w&^kindMask].answer]
	}
	return s.origins[w>>(offsetBits+lengthBits)&(1<<answerBits-1)]
}
