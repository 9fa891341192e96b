package plan

import (
	"slices"

	"github.com/agora-supergraph/agora/router/supergraph"
)

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
		if s.local(v.view, id, w.name) != nil && st.level.answers(i, w) {
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
	if len(local) < 2 || !failed && !costly || st.level.root && s.once {
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

// chooseOwn considers entries that a field needs for itself, since it takes more than a key: requires, or
// arguments from a context.
func (s *solver) chooseOwn(st *state, w *want, class supergraph.TypeSet, consider func(choice)) *unreachable {
	id := first(class)
	var missing *unreachable
	for _, v := range st.views {
		src := s.remote(v.subgraph, id, w.name)
		if src == nil || src.Requires == nil && src.Context == nil {
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
	if src.Context != nil && w.field == nil {
		return choice{}, &unreachable{name: w.name, types: class, why: "a field set needs it, but it takes an argument from a context"}
	}
	o := &owned{entering: *in, source: src, requires: &gathered{typed: -1}}
	if src.Requires != nil {
		g := guarded{src.Subgraph, src.Requires}
		if slices.Contains(st.guard, g) {
			return choice{}, &unreachable{name: w.name, types: class, why: "its requires need the field itself"}
		}
		st.guard = append(st.guard, g)
		o.requires, missing = s.gather(st, s.wanted.ofSet(src.Requires), class)
		st.guard = st.guard[:len(st.guard)-1]
		if missing != nil {
			return choice{}, missing
		}
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
