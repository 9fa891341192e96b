package plan

import (
	"slices"

	"github.com/agora-supergraph/agora/router/operation"
	"github.com/agora-supergraph/agora/router/supergraph"
)

// placer turns solutions into groups: every choice becomes a field in some request's selection, every entry a
// request that waits for what it sends. Requests are made only once something is asked of them, so a solution's
// entry that nothing needs costs nothing.
type placer struct {
	*graph
	top    *position
	groups []*group
	// kind is that of requests at the operation's root.
	kind operation.Kind
	// barrier are the groups that the next requests of root fields wait for.
	barrier []*group
	// part is what requests are made for now; nil for the first part of the answer. postponed waits for its turn.
	part      *payload
	parts     []*payload
	postponed []postponed
	// begun are the parts that have begun at each position.
	begun map[*position][]begun
	// holds notes the nodes of what is picked to be sent; nil for what isn't.
	holds holdings
	// placements are the groups that answer what has been placed below entries.
	placements map[placement][]*group
}

// place asks what a solution chose, and returns the groups that answer it. A position is placed once for each path to it,
// which may be more than there is time for: what is placed is of no use then, and resolve says so.
func (b *placer) place(at *position, sol *solution, arrived []*visit) []*group {
	if b.ctx.Err() != nil {
		return nil
	}
	site := slices.Clone(arrived)
	for i := range sol.entries {
		in := &sol.entries[i]
		site = append(site, &visit{view: in.view, at: at, into: in})
	}
	for _, v := range site[len(arrived):] {
		v.site = site
	}
	done := b.pick(at, site, sol.picked)
	at.arrivals = append(at.arrivals, arrival{site, b.part, sol.level.static()})
	b.postpone(at, site, sol.level)
	return done
}

func (b *placer) pick(at *position, site []*visit, g *gathered) []*group {
	var done []*group
	known := g.known
	if g.typed >= 0 {
		v := b.attach(site[g.typed])
		v.typed = true
		done = union(done, []*group{v.group})
		if v.group.part == nil {
			at.tellers = union(at.tellers, done)
		} else if known {
			known, at.knownIn = false, append(at.knownIn, b.part)
		}
	}
	at.known = at.known || known
	for i := range g.choices {
		c := &g.choices[i]
		answered := b.choice(at, site, c)
		done = union(done, answered)
		if c.want.selection != nil && b.sg.Contexts() {
			at.supply(c.want.selection, answered)
		}
	}
	return done
}

// pickToSend picks what an entry sends, and tells which nodes hold that.
func (b *placer) pickToSend(at *position, site []*visit, g *gathered) ([]*group, holdings) {
	before := b.holds
	defer func() { b.holds = before }()
	b.holds = holdings{}
	return b.pick(at, site, g), b.holds
}

func (b *placer) choice(at *position, site []*visit, c *choice) []*group {
	n := at.node(c.want, c.types)
	if b.holds != nil && c.want.selection != nil {
		in := holding{at, c.want.selection}
		b.holds[in] = append(b.holds[in], held{c.types, n})
	}
	if c.own != nil {
		return b.own(at, site, n, c)
	}
	if c.child == nil {
		v := b.attach(site[c.views[0]])
		v.add(n, c.types, nil)
		v.serve(n)
		return []*group{v.group}
	}
	below := make([]*visit, len(c.views))
	for i, index := range c.views {
		below[i] = &visit{view: c.arrive[i], at: n.below, parent: site[index], above: site[index], via: n, parents: c.types}
	}
	if v := below[0]; len(below) == 1 && v.above.into != nil && b.holds == nil {
		b.attach(v)
		v.real().root().serve(n)
		return union([]*group{v.real().group}, b.placeOnce(c, n, v))
	}
	done := b.place(n.below, c.child, below)
	if !slices.ContainsFunc(below, func(v *visit) bool { return v.group != nil || v.same != nil }) {
		b.attach(below[0])
	}
	for _, v := range below {
		if v.group != nil || v.same != nil {
			v.real().root().serve(n)
			done = union(done, []*group{v.real().group})
		}
	}
	return done
}

func (b *placer) own(at *position, site []*visit, n *node, c *choice) []*group {
	after, holds := b.pickToSend(at, site, c.own.requires)
	if c.own.source.Context != nil {
		after = union(after, at.suppliers(c.own.source))
	}
	v := b.enter(at, site, &c.own.entering, c.own.source, after)
	v.holds = v.holds.add(holds)
	v.serve(n)
	done := []*group{v.group}
	if c.child == nil {
		v.add(n, c.types, c.own.source)
		return done
	}
	below := &visit{view: c.arrive[0], at: n.below, group: v.group, parent: v, above: v, via: n, parents: c.types}
	if have := v.addBelow(n, c.types, c.own.source, below); have != below {
		below.same = have
	}
	if b.holds != nil {
		return union(done, b.place(n.below, c.child, []*visit{below}))
	}
	return union(done, b.placeOnce(c, n, below))
}

// placement is what is below one choice in the objects that one request has entered with, for one part of the answer.
type placement struct {
	choice *choice
	visit  *visit
	part   *payload
}

// placeOnce places what is below a choice in an entry. Many paths lead to an entry where the parents of its objects are of
// several types, and more to each below it; what is asked there, and of whom, is the same on all of them.
func (b *placer) placeOnce(c *choice, n *node, below *visit) []*group {
	at := placement{c, below.real(), b.part}
	done, ok := b.placements[at]
	if !ok {
		done = b.place(n.below, c.child, []*visit{below})
		b.placements[at] = done
	}
	return done
}

// attach makes the request that a visit belongs to ask for it.
func (b *placer) attach(v *visit) *visit {
	if v.same != nil {
		return v.same.real()
	}
	if v.group != nil {
		return v
	}
	if v.into != nil {
		v.same = b.enter(v.at, v.site, v.into, nil, nil)
		return v.same
	}
	parent := b.attach(v.parent)
	if have := parent.addBelow(v.via, v.parents, nil, v); have != v {
		v.same = have
		return have
	}
	v.group = parent.group
	v.parent = parent
	return v
}

func (v *visit) real() *visit {
	for v.same != nil {
		v = v.same
	}
	return v
}

// root is the visit by which the request came to where this one stands.
func (v *visit) root() *visit {
	for v.parent != nil {
		v = v.parent
	}
	return v
}

// serve notes that an entry was made for a field.
func (v *visit) serve(n *node) {
	if n.field != nil && v.parent == nil && !slices.Contains(v.serves, n.name) {
		v.serves = append(v.serves, n.name)
	}
}

// enter finds or makes the request by which objects enter a subgraph. An entry that is there already is used if
// nothing that must be sent along waits for it, and if what is sent along agrees with what it sends.
func (b *placer) enter(at *position, site []*visit, in *entering, source *supergraph.Source, after []*group) *visit {
	contextual := source != nil && source.Context != nil
	for _, v := range at.entries {
		if v.view.subgraph == in.subgraph && v.view.scope == in.view.scope && v.into.root == in.root && v.contextual == contextual && v.group.part == b.part && b.join(v, site, in, source, after) {
			return v
		}
	}
	v := &visit{view: in.view, at: at, into: in, contextual: contextual}
	v.group = &group{order: len(b.groups), subgraph: in.subgraph, part: b.part, visits: []*visit{v}}
	if in.root && at == b.top {
		v.group.kind = b.kind
		v.group.after(b.barrier)
	}
	b.groups = append(b.groups, v.group)
	at.entries = append(at.entries, v)
	b.join(v, site, in, source, after)
	return v
}

// join lets further objects, with further requires, into an entry. It returns false if that can't be.
func (b *placer) join(v *visit, site []*visit, in *entering, source *supergraph.Source, after []*group) bool {
	var requires *supergraph.FieldSet
	if source != nil {
		requires = source.Requires
	}
	switch {
	case in.root && v.at != b.top:
		// No key ties the request to its objects, but they must be there.
		after = []*group{b.attach(site[0]).group}
	case !in.root && !v.welcomes(site, in, requires):
		return false
	}
	var holds holdings
	for _, k := range in.keys {
		if !v.otherwise(k) {
			groups, held := b.pickToSend(v.at, site, k.picked)
			after, holds = union(after, groups), holds.add(held)
		}
	}
	if in.typed >= 0 {
		tells := b.attach(site[in.typed])
		tells.typed = true
		after = union(after, []*group{tells.group})
	}
	if slices.ContainsFunc(after, func(g *group) bool { return g.needs(v.group) }) {
		return false
	}
	v.group.after(after)
	v.holds = v.holds.add(holds)
	for _, k := range in.keys {
		if types := v.unrepresented(k.types); !types.Empty() {
			v.sent = append(v.sent, &sent{types: types, key: k.key})
		}
	}
	if requires != nil {
		v.require(in.types, requires)
	}
	if !v.knows(site) {
		v.sites = append(v.sites, site[0])
	}
	v.partial = v.partial || in.partial
	v.widen(in)
	return true
}

// otherwise reports whether objects that could be sent by a key are sent by others already.
func (v *visit) otherwise(k keyed) bool {
	for _, r := range v.sent {
		if r.key == k.key && r.types.Intersects(k.types) {
			return false
		}
	}
	return v.unrepresented(k.types).Empty()
}

// knows reports whether objects have entered from a site before.
func (v *visit) knows(site []*visit) bool { return len(site) > 0 && slices.Contains(v.sites, site[0]) }

// welcomes reports whether what a site sends can be sent with what the visit sends already. Objects on another
// path must be sent by the same key, and without requires: what those need is gathered on one path only.
func (v *visit) welcomes(site []*visit, in *entering, requires *supergraph.FieldSet) bool {
	if requires != nil && !v.agrees(in.types, requires) || in.view.blind && !v.alike(in, requires) {
		return false
	}
	if v.sites == nil || len(v.sites) == 1 && v.knows(site) {
		return true
	}
	if requires != nil {
		return false
	}
	for _, r := range v.sent {
		for _, k := range in.keys {
			if len(r.requires) > 0 || r.types.Intersects(k.types) && r.key != k.key {
				return false
			}
		}
	}
	return true
}

// alike reports whether all objects of an interface object would be sent with the same requires: the subgraph can't
// tell them apart, so it is asked the same of all.
func (v *visit) alike(in *entering, requires *supergraph.FieldSet) bool {
	var covered supergraph.TypeSet
	sends := false
	for _, r := range v.sent {
		covered = covered.Union(r.types)
		sends = sends || len(r.requires) > 0
	}
	return (requires == nil || covered.SubsetOf(in.types)) && (!sends || in.types.SubsetOf(covered))
}

// require sends requires along with the representations of some types, and only those.
func (v *visit) require(types supergraph.TypeSet, requires *supergraph.FieldSet) {
	for _, r := range slices.Clone(v.sent) {
		if !r.types.Intersects(types) || slices.Contains(r.requires, requires) {
			continue
		}
		if rest := r.types.Minus(types); !rest.Empty() {
			v.sent = append(v.sent, &sent{types: rest, key: r.key, requires: slices.Clone(r.requires)})
			r.types = r.types.Intersect(types)
		}
		r.requires = append(r.requires, requires)
	}
}

// widen makes the visit's view cover the types of an entry.
func (v *visit) widen(in *entering) {
	if in.view.types.SubsetOf(v.view.types) {
		return
	}
	wider := *v.view
	wider.types = wider.types.Union(in.view.types)
	v.view = &wider
}

// unrepresented are those of some types that have no representation yet.
func (v *visit) unrepresented(types supergraph.TypeSet) supergraph.TypeSet {
	for _, r := range v.sent {
		types = types.Minus(r.types)
	}
	return types
}

// agrees reports whether requires can be sent along with what the representations of some types hold already.
func (v *visit) agrees(types supergraph.TypeSet, requires *supergraph.FieldSet) bool {
	for _, r := range v.sent {
		if !r.types.Intersects(types) {
			continue
		}
		if conflict(r.key.Fields.Fields, requires.Fields) {
			return false
		}
		for _, other := range r.requires {
			if conflict(other.Fields, requires.Fields) {
				return false
			}
		}
	}
	return true
}

// conflict reports whether two selections disagree about a field of one name: it has other arguments.
func conflict(a, b []*supergraph.FieldSelection) bool {
	for _, x := range a {
		for _, y := range b {
			if x.Name == y.Name && x.Types.Intersects(y.Types) && (x.Arguments != y.Arguments || conflict(x.Fields, y.Fields)) {
				return true
			}
		}
	}
	return false
}

// union appends the groups that aren't there yet.
func union(a, b []*group) []*group {
	for _, g := range b {
		if !slices.Contains(a, g) {
			a = append(a, g)
		}
	}
	return a
}
