package plan

import (
	"cmp"
	"slices"
)

// join makes requests to one subgraph that need not wait for each other into one, and returns what is left in
// an order in which every group stands behind those it waits for.
//
// Groups of equal depth never wait for each other, so they go together first; then groups of different depth,
// where neither waits for the other: that is one request less, though some of it starts later than it could. What
// belongs to different parts of the answer never goes together.
func join(groups []*group) []*group {
	ordered(groups)
	groups = mergeBy(groups, func(g, h *group) bool { return g.depth == h.depth && g.part == h.part })
	for {
		ordered(groups)
		before := len(groups)
		groups = mergeFirst(groups)
		if len(groups) == before {
			break
		}
	}
	for _, g := range groups {
		g.reduce()
	}
	return groups
}

// ordered computes depths and sorts by them; what is delivered later comes behind the rest, whose parts may wait for each
// other's requests.
func ordered(groups []*group) {
	for _, g := range groups {
		g.depth = 0
	}
	for _, g := range groups {
		g.deepen()
	}
	slices.SortStableFunc(groups, func(a, b *group) int {
		return cmp.Or(cmp.Compare(min(a.part.index(), 1), min(b.part.index(), 1)), cmp.Compare(a.depth, b.depth),
			cmp.Compare(a.part.index(), b.part.index()), cmp.Compare(a.order, b.order))
	})
}

func (g *group) deepen() int {
	if g.depth == 0 {
		for _, d := range g.deps {
			g.depth = max(g.depth, d.deepen())
		}
		g.depth++
	}
	return g.depth
}

// entities reports whether a group asks entities alone, and may do so together with others: not where arguments
// come from contexts, since these requests are repeated for each value.
func (g *group) entities() bool {
	return !g.visits[0].into.root && !g.visits[0].contextual && g.subgraph != Introspection
}

func mergeBy(groups []*group, alike func(g, h *group) bool) []*group {
	var out []*group
	into := map[*group]*group{}
	for _, g := range groups {
		at := -1
		if g.entities() {
			at = slices.IndexFunc(out, func(h *group) bool {
				return h.subgraph == g.subgraph && h.entities() && alike(g, h)
			})
		}
		if at < 0 {
			out = append(out, g)
			continue
		}
		into[g] = out[at]
		out[at].absorb(g)
	}
	redirect(out, into)
	return out
}

// mergeFirst merges the first two groups that can be.
func mergeFirst(groups []*group) []*group {
	for i, g := range groups {
		if !g.entities() {
			continue
		}
		for j, h := range groups[i+1:] {
			if h.subgraph == g.subgraph && h.part == g.part && h.entities() && !h.needs(g) && !g.needs(h) {
				g.absorb(h)
				groups = slices.Delete(groups, i+1+j, i+2+j)
				redirect(groups, map[*group]*group{h: g})
				return groups
			}
		}
	}
	return groups
}

func (g *group) absorb(h *group) {
	for _, v := range h.visits {
		v.group = g
	}
	g.visits = append(g.visits, h.visits...)
	g.after(h.deps)
}

// redirect makes groups wait for what absorbed those they waited for.
func redirect(groups []*group, into map[*group]*group) {
	for _, g := range groups {
		deps := g.deps
		g.deps = nil
		for _, d := range deps {
			if to := into[d]; to != nil {
				d = to
			}
			g.after([]*group{d})
		}
	}
}

// reduce leaves out dependencies that others imply.
func (g *group) reduce() {
	g.deps = slices.DeleteFunc(slices.Clone(g.deps), func(d *group) bool {
		return slices.ContainsFunc(g.deps, func(o *group) bool { return o != d && o.needs(d) })
	})
}
