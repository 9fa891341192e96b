package plan

import "github.com/agora-supergraph/agora/router/supergraph"

// narrow keeps entries to the ways on which their requires are gathered. A position is reached on several ways
// where the parents of its objects are of several types, and on another way other things may be wanted of them: an
// object that came there would be sent with requires that nobody has asked for.
func (b *placer) narrow() {
	for _, g := range b.groups {
		for _, v := range g.visits {
			if v.into == nil || v.into.root || !v.requires() {
				continue
			}
			types := make([]supergraph.TypeSet, len(v.at.path()))
			v.collect(types, map[*visit]bool{})
			b.keepTo(v, types)
		}
	}
}

func (v *visit) requires() bool {
	for _, s := range v.sent {
		if len(s.requires) > 0 {
			return true
		}
	}
	return false
}

// collect finds, for each step to a visit, the runtime types of the objects that it is taken from.
func (v *visit) collect(types []supergraph.TypeSet, seen map[*visit]bool) {
	if seen[v] {
		return
	}
	seen[v] = true
	for _, from := range v.sites {
		for depth := len(from.at.path()); from.above != nil; from = from.above {
			depth--
			types[depth] = types[depth].Union(from.parents)
		}
		from.real().collect(types, seen)
	}
}

// keepTo makes an entry take steps for some types only, where that makes a difference. The types must be known by
// then, so it waits for who tells them.
func (b *placer) keepTo(v *visit, types []supergraph.TypeSet) {
	n := v.at.parent
	for i := len(types) - 1; i >= 0; i-- {
		at := n.at
		if types[i] != nil && at.known && !n.types.SubsetOf(types[i]) && v.waitFor(at.tellers) {
			if v.ways == nil {
				v.ways = make([]supergraph.TypeSet, len(types))
			}
			v.ways[i] = types[i]
		}
		n = at.parent
	}
}

// waitFor makes an entry wait for groups. It returns false if one of them waits for it.
func (v *visit) waitFor(groups []*group) bool {
	for _, g := range groups {
		if g.needs(v.group) {
			return false
		}
	}
	v.group.after(groups)
	return true
}

// path leads from the root object to the objects that enter.
func (v *visit) path() []Step {
	path := v.at.path()
	for i := range v.ways {
		path[i].Types = v.ways[i]
	}
	return path
}
