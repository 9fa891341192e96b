package plan

import (
	"slices"

	"github.com/vektah/gqlparser/v2/ast"

	"github.com/agora-supergraph/agora/router/supergraph"
)

// state is what the solver knows at one position with one set of entries.
type state struct {
	level *level
	views []placed
	// guard holds the requires that are being met: one that needs itself can't be.
	guard []guarded
}

// placed is a view at a position, and what it takes to get it there.
type placed struct {
	*view
	cost    cost
	entered bool
}

type guarded struct {
	subgraph int
	set      *supergraph.FieldSet
}

// gathered is how a selection is met at one position.
type gathered struct {
	choices []choice
	// typed is the index of the view that tells the runtime type; -1 if none is needed.
	typed int
	// known says that runtime types are.
	known bool
	cost  cost
}

// choice is how one field is met for some runtime types.
type choice struct {
	want  *want
	types supergraph.TypeSet
	// views are the indexes of the views that answer it; nil if it takes an entry of its own.
	views []int
	// own is the source of a field that needs a representation with more than a key: with requires.
	own *owned
	// arrive are the views of the objects in the field, one for each of views; child is how they go on.
	arrive []*view
	child  *solution
	cost   cost
	// others are entries that could meet the field, too.
	others []entry
}

// owned is an entry that a field needs for itself: it sends requires along.
type owned struct {
	entering
	source   *supergraph.Source
	requires *gathered
}

// keyed is the key that objects of some types are sent with.
type keyed struct {
	types  supergraph.TypeSet
	key    *supergraph.Key
	picked *gathered
}

// gather meets a selection with the views that there are.
func (s *solver) gather(st *state, w *wants, types supergraph.TypeSet) (*gathered, *unreachable) {
	out := &gathered{typed: -1}
	for i := range w.list {
		wanted := &w.list[i]
		need := wanted.types.Intersect(types)
		if !need.SubsetOf(st.level.live) {
			need = need.Intersect(st.level.live)
		}
		if need.Empty() {
			continue
		}
		classes := s.classes(st, wanted, need)
		if missing := s.oneWay(st, wanted, need, classes); missing != nil {
			return nil, missing
		}
		for _, class := range classes {
			c, missing := s.choose(st, wanted, class)
			if missing != nil {
				return nil, missing
			}
			out.choices = append(out.choices, c)
			out.cost = out.cost.beside(c.cost)
		}
	}
	if (w.typed || w.varies) && !st.level.root {
		index, missing := s.typeFrom(st, types)
		if missing != nil && w.typed {
			return nil, missing
		}
		out.known = missing == nil
		if out.typed = index; index >= 0 {
			out.cost = out.cost.beside(st.views[index].cost)
		}
	}
	return out, nil
}

// oneWay refuses to meet a field of an interface by paths that each serve some implementers only: federation
// resolves it from one path, for all of them, or not at all.
func (s *solver) oneWay(st *state, w *want, need supergraph.TypeSet, classes []supergraph.TypeSet) *unreachable {
	arrived := len(st.level.arrived)
	if len(classes) < 2 || arrived < 2 || !need.Equal(st.level.live) {
		return nil
	}
	if scope := st.level.arrived[0].scope; scope == nil || scope.Kind != ast.Interface || scope.Field(w.name) == nil {
		return nil
	}
	alone := s.wanted.alone(w)
	for i := range arrived {
		if s.solve(alone, st.level.arrived[i:i+1]).missing == nil {
			return nil
		}
	}
	return &unreachable{name: w.name, types: need, why: "no single path serves it for all types: " + s.why(w, classes[0])}
}

// typeFrom finds a view that knows runtime types; -1 if there is but one type.
func (s *solver) typeFrom(st *state, types supergraph.TypeSet) (int, *unreachable) {
	if st.level.static() {
		return -1, nil
	}
	for i, v := range st.views {
		if !v.blind && (v.scope != nil || !v.entered) {
			return i, nil
		}
	}
	for i, v := range st.views {
		if !v.blind {
			return i, nil
		}
	}
	missing := &unreachable{name: "__typename", types: types, why: "no subgraph that is reached knows the runtime types"}
	for _, v := range st.views {
		if !v.blind {
			continue
		}
		for g, p := range v.scope.In {
			if p != nil && !p.InterfaceObject && p.Resolvable() {
				missing.options = append(missing.options, entry{subgraph: g, as: v.scope, types: st.level.live})
			}
		}
	}
	return -1, missing
}

// static reports whether all objects at a level have one runtime type.
func (l *level) static() bool {
	for _, v := range l.arrived {
		if v.can().Len() <= 1 && !v.blind {
			return true
		}
	}
	return l.root || len(l.arrived) > 0 && l.live.Len() <= 1 && l.arrived[0].can().Len() <= 1
}

// classes splits types where subgraphs differ in how they answer a field.
func (s *solver) classes(st *state, w *want, types supergraph.TypeSet) []supergraph.TypeSet {
	if types.Len() == 1 || s.indistinct(st, w, first(types)) {
		return []supergraph.TypeSet{types}
	}
	type class struct {
		key   []uint32
		types supergraph.TypeSet
	}
	var classes []*class
	var key []uint32
	for id := range types.All() {
		key = s.signature(key[:0], st, w, id)
		at := slices.IndexFunc(classes, func(c *class) bool { return slices.Equal(c.key, key) })
		if at < 0 {
			at = len(classes)
			classes = append(classes, &class{key: slices.Clone(key)})
		}
		classes[at].types.Add(id)
	}
	out := make([]supergraph.TypeSet, len(classes))
	for i, c := range classes {
		out[i] = c.types
	}
	return out
}

// indistinct reports whether a field is answered where nobody can tell its objects apart.
func (s *solver) indistinct(st *state, w *want, id supergraph.ObjectID) bool {
	found := false
	for _, v := range st.views {
		if !v.blind {
			return false
		}
		found = found || s.local(v.view, id, w.name) != nil
	}
	return found
}

// signature describes how a field of a runtime type can be had: by which views, and by which entries.
func (s *solver) signature(key []uint32, st *state, w *want, id supergraph.ObjectID) []uint32 {
	for _, v := range st.views {
		if src := s.local(v.view, id, w.name); src != nil {
			key = append(key, 1+baseID(src))
		} else {
			key = append(key, 0)
		}
	}
	for g := range s.sg.Subgraphs {
		src := s.remote(g, id, w.name)
		if src == nil {
			continue
		}
		key = append(key, uint32(g), baseID(src))
		if src.As.Abstract() {
			key = append(key, uint32(src.As.ID))
		}
		if src.Requires != nil {
			key = append(key, 1<<30|uint32(src.Requires.ID))
		}
	}
	return key
}

func baseID(s *supergraph.Source) uint32 {
	if s.Base == nil {
		return 0
	}
	return uint32(s.Base.ID) + 1
}

// choose picks the cheapest way to one field.
func (s *solver) choose(st *state, w *want, class supergraph.TypeSet) (choice, *unreachable) {
	id := first(class)
	var best choice
	found := false
	consider := func(c choice) {
		if !found || c.cost.better(best.cost, s.price) {
			best, found = c, true
		}
	}
	var local []int
	for i, v := range st.views {
		if s.local(v.view, id, w.name) != nil {
			local = append(local, i)
		}
	}
	var below, lacking *unreachable
	if w.sub == nil {
		for _, i := range local {
			consider(choice{views: []int{i}, cost: st.views[i].cost})
		}
	} else {
		below = s.chooseBelow(st, w, class, local, consider)
	}
	if !found {
		lacking = s.chooseOwn(st, w, class, consider)
	}
	others := s.others(st, w, class, local)
	if !found {
		u := &unreachable{name: w.name, types: class, options: others, below: below, why: s.why(w, class)}
		if lacking != nil {
			u.options = append(u.options, lacking.options...)
			u.cause(lacking)
		}
		return best, u
	}
	best.want, best.types, best.others = w, class, others
	return best, nil
}

// chooseBelow considers the views that answer a composite field: each alone, then all together.
func (s *solver) chooseBelow(st *state, w *want, class supergraph.TypeSet, local []int, consider func(choice)) *unreachable {
	id := first(class)
	live := s.agreed(st, w, id, local)
	arrive := make([]*view, len(local))
	var missing *unreachable
	failed, costly := false, true
	for n, i := range local {
		src := s.local(st.views[i].view, id, w.name)
		types := possible(src)
		if live != nil {
			types = types.Intersect(live)
		}
		arrive[n] = s.below(st.views[i].view, src, w.name, class, types)
		sol := s.solve(w.sub, arrive[n:n+1])
		if sol.missing != nil {
			failed, missing = true, sol.missing
			continue
		}
		if sol.cost.depth == 0 && !st.views[i].entered {
			costly = false
		}
		consider(choice{views: local[n : n+1], arrive: arrive[n : n+1], child: sol, cost: st.views[i].cost.before(sol.cost)})
	}
	if len(local) < 2 || !failed && !costly {
		return missing
	}
	sol := s.solve(w.sub, arrive)
	if sol.missing != nil {
		return sol.missing
	}
	c := choice{views: local, arrive: arrive, child: sol}
	for _, i := range sol.used(len(arrive)) {
		c.cost = c.cost.beside(st.views[local[i]].cost.before(sol.cost))
	}
	consider(c)
	return nil
}

// used lists which of the views that arrived are needed: the first, if nothing is needed of any.
func (sol *solution) used(arrived int) []int {
	seen := make([]bool, arrived)
	mark := func(i int) {
		if i >= 0 && i < arrived {
			seen[i] = true
		}
	}
	sol.picked.mark(mark)
	for i := range sol.entries {
		sol.entries[i].mark(mark)
	}
	var out []int
	for i, is := range seen {
		if is {
			out = append(out, i)
		}
	}
	if len(out) == 0 {
		out = append(out, 0)
	}
	return out
}

func (p *gathered) mark(mark func(int)) {
	mark(p.typed)
	for i := range p.choices {
		c := &p.choices[i]
		for _, v := range c.views {
			mark(v)
		}
		if c.own != nil {
			c.own.requires.mark(mark)
			c.own.mark(mark)
		}
	}
}

func (in *entering) mark(mark func(int)) {
	mark(in.typed)
	for _, k := range in.keys {
		k.picked.mark(mark)
	}
}

// agreed are the runtime types that all subgraphs which could answer a field here can mean by it, or nil if
// they don't differ. Where members of a union differ between subgraphs that could serve the same path, only
// the common ones are asked for: federation promises no more.
func (s *solver) agreed(st *state, w *want, id supergraph.ObjectID, local []int) supergraph.TypeSet {
	var out supergraph.TypeSet
	differ := false
	meet := func(src *supergraph.Source) {
		switch p := possible(src); {
		case src.Base == nil || !src.Base.Abstract() || src.Base.In[src.Subgraph].InterfaceObject:
		case out == nil:
			out = p
		case !out.Equal(p):
			differ = true
			out = out.Intersect(p)
		}
	}
	for _, i := range local {
		meet(s.local(st.views[i].view, id, w.name))
	}
	if st.level.root {
		for g := range s.sg.Subgraphs {
			if src := s.root(g, id, w.name); src != nil && src.Base != nil {
				meet(src)
			}
		}
	}
	if !differ {
		return nil
	}
	return out
}

// chooseOwn considers entries that a field needs for itself, since it requires more than a key.
func (s *solver) chooseOwn(st *state, w *want, class supergraph.TypeSet, consider func(choice)) *unreachable {
	id := first(class)
	var missing *unreachable
	for _, v := range st.views {
		src := s.remote(v.subgraph, id, w.name)
		if src == nil || src.Requires == nil {
			continue
		}
		c, m := s.own(st, w, class, src)
		if m != nil {
			missing = missing.or(m)
			continue
		}
		consider(c)
	}
	return missing
}

func (s *solver) own(st *state, w *want, class supergraph.TypeSet, src *supergraph.Source) (choice, *unreachable) {
	e := entry{subgraph: src.Subgraph, types: class}
	if src.As.Abstract() {
		e.as = src.As
	}
	in, missing := s.enter(st, e)
	if missing != nil {
		return choice{}, missing
	}
	g := guarded{src.Subgraph, src.Requires}
	if slices.Contains(st.guard, g) {
		return choice{}, &unreachable{name: w.name, types: class, why: "its requires need the field itself"}
	}
	o := &owned{entering: *in, source: src}
	st.guard = append(st.guard, g)
	o.requires, missing = s.gather(st, s.wanted.ofSet(src.Requires), class)
	st.guard = st.guard[:len(st.guard)-1]
	if missing != nil {
		return choice{}, missing
	}
	c := choice{own: o, cost: o.before.beside(o.requires.cost).request(src.Subgraph)}
	if w.sub != nil {
		v := s.below(o.view, src, w.name, class, possible(src))
		c.arrive = []*view{v}
		if c.child = s.solve(w.sub, c.arrive); c.child.missing != nil {
			return choice{}, &unreachable{name: w.name, types: class, below: c.child.missing}
		}
		c.cost = c.cost.before(c.child.cost)
	}
	return c, nil
}

// others are the entries that could meet a field and aren't made yet.
func (s *solver) others(st *state, w *want, class supergraph.TypeSet, local []int) []entry {
	id := first(class)
	var out []entry
	for g := range s.sg.Subgraphs {
		if slices.ContainsFunc(local, func(i int) bool { return st.views[i].subgraph == g }) {
			continue
		}
		if st.level.root || s.isRoot(id) {
			if s.root(g, id, w.name) != nil {
				out = append(out, entry{subgraph: g, root: true, types: class})
			}
			continue
		}
		src := s.remote(g, id, w.name)
		if src == nil {
			continue
		}
		if src.As.Abstract() {
			out = append(out, entry{subgraph: g, as: src.As, types: class})
			continue
		}
		out = append(out, s.concrete(st, g, class)...)
	}
	return out
}

// concrete are the entries for objects of known types; where nobody knows the type yet, an interface that the
// subgraph resolves is a way in, too.
func (s *solver) concrete(st *state, g int, class supergraph.TypeSet) []entry {
	out := []entry{{subgraph: g, types: class}}
	for _, v := range st.views {
		if !v.blind {
			return out
		}
	}
	for _, v := range st.views {
		if p := v.scope.In[g]; p != nil && !p.InterfaceObject && p.Resolvable() {
			return []entry{{subgraph: g, as: v.scope, types: st.level.live}}
		}
	}
	return out
}

func first(types supergraph.TypeSet) supergraph.ObjectID {
	for id := range types.All() {
		return id
	}
	return supergraph.NoObject
}
