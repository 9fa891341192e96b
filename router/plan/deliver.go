package plan

import (
	"slices"

	"github.com/agora-supergraph/agora/router/operation"
)

// Deferred is a fragment with @defer, at one place of the response. Each object there that the fragment applies to is
// told to be pending once what it stands in has been delivered, and is completed by its own fields.
type Deferred struct {
	// Label is the client's; empty for none.
	Label string
	// Path leads from the root object to the objects that the fragment is selected on.
	Path []Step
	// Parent is the index in Plan.Deferred of the fragment that is delivered before; -1 for the first part of the
	// answer.
	Parent int
	// Increments are the indexes in Plan.Increments of what it holds, ascending: objects before those within them.
	Increments []int
	// Fetches are the IDs of all fetches that must have ended, ascending.
	Fetches []int
}

// Increment writes what deferred fragments hold of the objects at one position.
type Increment struct {
	// Deferred are the indexes in Plan.Deferred of the fragments that hold it: it is delivered with the first of them.
	Deferred []int
	// Path leads from the root object to the objects.
	Path []Step
	// Output writes the fields.
	Output *Output
}

// deliverer collects what is delivered when.
type deliverer struct {
	// inline are the fields that proved impossible to defer.
	inline []*operation.Field
	// known are the parts, by their fragments and where those stand; numbers name positions in that.
	known      map[string]*payload
	numbers    map[*position]int
	increments []increment
	written    map[incrementKey]bool
}

type increment struct {
	at     *position
	in     deferredBy
	part   *payload
	output *Output
}

type incrementKey struct {
	at *position
	in string
}

func (d *deliverer) numberOf(at *position) int {
	n, ok := d.numbers[at]
	if !ok {
		n = len(d.numbers)
		d.numbers[at] = n
	}
	return n
}

// up is the position some selection sets above this one.
func (p *position) up(n int) *position {
	for ; n > 0; n-- {
		p = p.parent.at
	}
	return p
}

// increment is how the objects at a position are written for another part of the answer.
func (b *builder) increment(at *position, d delivered) {
	key := incrementKey{at, d.in.key()}
	if b.written[key] {
		return
	}
	b.written[key] = true
	i := len(b.increments)
	b.increments = append(b.increments, increment{at: at, in: d.in, part: b.partOf(at, d.in)})
	b.increments[i].output = b.output(at, d.fields, d.in)
}

// placedDefer is a use of @defer at a position.
type placedDefer struct {
	use *operation.Defer
	at  *position
}

// deliver tells the plan which fragments are delivered later, and with what.
func (b *builder) deliver(p *Plan) {
	var all []placedDefer
	for _, inc := range b.increments {
		for _, by := range inc.in {
			if d := (placedDefer{by.Defer, inc.at.up(by.Up)}); !slices.Contains(all, d) {
				all = append(all, d)
			}
		}
	}
	slices.SortStableFunc(all, func(x, y placedDefer) int { return x.use.Number - y.use.Number })
	for _, d := range all {
		out := &Deferred{Label: d.use.Label, Path: d.at.path(), Parent: -1}
		for up := d; out.Parent < 0 && up.use.Parent != nil; {
			// A fragment that holds nothing alone is never told of.
			up = placedDefer{up.use.Parent, up.at.up(up.use.ParentUp)}
			out.Parent = slices.Index(all, up)
		}
		p.Deferred = append(p.Deferred, out)
	}
	for i, inc := range b.increments {
		out := &Increment{Path: inc.at.path(), Output: inc.output}
		for _, by := range inc.in {
			n := slices.Index(all, placedDefer{by.Defer, inc.at.up(by.Up)})
			out.Deferred = append(out.Deferred, n)
			d := p.Deferred[n]
			d.Increments = append(d.Increments, i)
			for _, g := range inc.part.groups {
				d.Fetches = p.closure(d.Fetches, g.visits[0].group.fetch.ID)
			}
		}
		p.Increments = append(p.Increments, out)
	}
	for _, d := range p.Deferred {
		slices.Sort(d.Fetches)
	}
}

// closure adds a fetch and all that it waits for.
func (p *Plan) closure(ids []int, id int) []int {
	if slices.Contains(ids, id) {
		return ids
	}
	ids = append(ids, id)
	for _, d := range p.Fetches[id].DependsOn {
		ids = p.closure(ids, d)
	}
	return ids
}
