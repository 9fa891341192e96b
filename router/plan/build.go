package plan

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/agora-supergraph/agora/router/operation"
	"github.com/agora-supergraph/agora/router/supergraph"
)

// Config is what plans depend on besides the operation. The zero value works.
type Config struct {
	// Labels are the verdicts on the labels of progressive overrides; missing ones are false.
	Labels map[string]bool
	// MaxFetches bounds the requests of a plan. Zero means 1,000.
	MaxFetches int
	// Timeout bounds the time that planning one operation may take. Zero means 10 s.
	Timeout time.Duration
}

// limit is the time that planning may take.
func (c Config) limit() time.Duration {
	if c.Timeout <= 0 {
		return 10 * time.Second
	}
	return c.Timeout
}

// Error is an operation that can't be planned.
type Error struct {
	// Field names the field that can't be reached, as Type.field, and Path the way to its parent in the operation.
	Field, Path string
	// Reason says why.
	Reason string
}

// Error says which field can't be reached and why.
func (e *Error) Error() string {
	at := ""
	if e.Path != "" {
		at = " at " + e.Path
	}
	return fmt.Sprintf("cannot plan %s%s: %s", e.Field, at, e.Reason)
}

// Build plans an operation, in these phases:
//
//	want.go      what is wanted: selection sets of the operation, of keys and of requires, in one form
//	solve.go     which subgraphs are entered where: the cheapest set of entries at each position
//	gather.go    what one such set meets, choose.go how each field is met, enter.go by which key
//	place.go     the solution as requests that wait for each other
//	defer.go     the same again for each part of the answer that is delivered later
//	tell.go      runtime types are told on every path to a position, or on none
//	narrow.go    objects are sent only on the ways on which what is sent was gathered
//	context.go   arguments that take their values from further up, at every step
//	join.go      requests to one subgraph that can go together become one
//	output.go    shapes and the output; fetch.go, text.go and selection.go the requests themselves
//	alone.go     where objects of equal text are the same
//
// The only errors are an *Error and the context's.
func Build(ctx context.Context, sg *supergraph.Supergraph, op *operation.Operation, cfg Config) (*Plan, error) {
	limited, cancel := context.WithTimeout(ctx, cfg.limit())
	defer cancel()
	b := newBuilder(limited, sg, op, cfg)
	err := b.resolve()
	for rounds := 0; err == nil && len(b.inline) > 0; rounds++ {
		b = b.again(rounds, cfg)
		err = b.resolve()
	}
	if err != nil {
		if limited.Err() != nil && ctx.Err() == nil {
			err = &Error{Field: b.top.on.Name, Reason: fmt.Sprintf("it takes longer than the limit of %v to find a plan", cfg.limit())}
		}
		return nil, err
	}
	b.tell()
	b.narrow()
	groups := join(b.groups)
	if most := cfg.MaxFetches; len(groups) > most && most > 0 || most == 0 && len(groups) > 1000 {
		return nil, &Error{Field: b.top.on.Name, Reason: fmt.Sprintf("it takes %d requests, which is more than the limit", len(groups))}
	}
	b.shapes(b.top)
	p := &Plan{
		Kind: op.Kind, Fetches: b.fetches(groups), Root: b.top.shape, Output: b.output(b.top, op.Selections, nil),
		Variables: op.Variables, Supergraph: sg,
	}
	b.deliver(p)
	p.Compile()
	return p, nil
}

// builder carries one Build through its phases.
type builder struct {
	solver
	placer
	*graph
	op         *operation.Operation
	shapeCount int
	deliverer
}

func newBuilder(ctx context.Context, sg *supergraph.Supergraph, op *operation.Operation, cfg Config) *builder {
	g := &graph{ctx: ctx, sg: sg, labels: cfg.Labels, views: map[string]*view{}, wanted: newWanted(sg)}
	price := make([]int, len(sg.Subgraphs))
	for i := range price {
		price[i] = 1
	}
	on := [...]*supergraph.Type{sg.Query, sg.Mutation, sg.Subscription}[op.Kind]
	return &builder{
		solver: solver{graph: g, price: price, memo: map[string]*solution{}, prefer: -1, work: workBudget, once: op.Kind != operation.Query},
		placer: placer{graph: g, top: newPosition(nil, on, op.Selections, sg), kind: op.Kind, begun: map[*position][]begun{}, placements: map[placement][]*group{}},
		graph:  g, op: op,
		deliverer: deliverer{known: map[string]*payload{}, numbers: map[*position]int{}, written: map[incrementKey]bool{}},
	}
}

// resolve decides who answers what, and makes the groups.
func (b *builder) resolve() error {
	on := b.top.on
	all := b.wanted.ofFields(b.op.Selections, on, nil)
	parts := []*wants{all}
	if b.op.Kind == operation.Mutation {
		parts = b.oneByOne(all)
	}
	b.introspection()
	for _, part := range parts {
		if len(part.list) == 0 {
			continue
		}
		sol := b.solveRoot(part, on.Object)
		if err := b.ctx.Err(); err != nil {
			return fmt.Errorf("plan: %w", err)
		}
		if sol.missing != nil {
			return b.unplannable(sol.missing)
		}
		if b.op.Kind == operation.Mutation {
			b.next(sol)
		}
		b.place(b.top, sol, nil)
	}
	if len(all.list) == 0 {
		b.postpone(b.top, nil, &level{wants: all, live: supergraph.SetOf(on.Object), root: true})
	}
	b.resolveLater()
	if err := b.ctx.Err(); err != nil {
		return fmt.Errorf("plan: %w", err)
	}
	return nil
}

// oneByOne splits the root fields of a mutation, which are carried out in order.
func (b *builder) oneByOne(all *wants) []*wants {
	var parts []*wants
	for i := range all.list {
		if all.list[i].field == nil {
			continue
		}
		part := b.wanted.new()
		part.list = all.list[i : i+1]
		parts = append(parts, part)
	}
	return parts
}

// next begins a new request of root fields, which waits for everything before it, unless the field goes to the
// same subgraph as its neighbour.
func (b *builder) next(sol *solution) {
	if subgraph := sol.entries[sol.picked.choices[0].views[0]].subgraph; subgraph != b.prefer {
		b.prefer = subgraph
		b.top.entries = nil
		b.barrier = slices.Clone(b.groups)
	}
}

// introspection makes the request for what the router answers itself.
func (b *builder) introspection() {
	var v *visit
	for _, n := range b.top.nodes {
		if !introspective(n.field) {
			continue
		}
		if v == nil {
			v = b.introspect(b.top)
			v.group = &group{order: len(b.groups), subgraph: Introspection, visits: []*visit{v}}
			v.into = &entering{entry: entry{subgraph: Introspection, root: true}}
			b.groups = append(b.groups, v.group)
		}
		v.picks = append(v.picks, &pick{node: n, types: n.types, below: b.introspectAll(n.below)})
		v.serve(n)
	}
}

func (b *builder) introspect(at *position) *visit {
	return &visit{at: at, view: &view{subgraph: Introspection, scope: at.on, types: at.on.Possible}}
}

func (b *builder) introspectAll(at *position) *visit {
	v := b.introspect(at)
	for _, n := range at.nodes {
		p := &pick{node: n, types: n.types}
		if n.below != nil {
			p.below = b.introspectAll(n.below)
		}
		v.picks = append(v.picks, p)
	}
	return v
}

// unplannable finds the field that is really missing: the deepest one.
func (b *builder) unplannable(u *unreachable) error {
	var path []string
	for u.below != nil {
		if u.name != "" {
			path = append(path, u.name)
		}
		u = u.below
	}
	e := &Error{Path: strings.Join(path, "."), Reason: u.why, Field: u.name}
	if id := first(u.types); id != supergraph.NoObject {
		e.Field = b.sg.Objects[id] + "." + u.name
	}
	return e
}
