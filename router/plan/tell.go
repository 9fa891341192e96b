package plan

import (
	"slices"

	"github.com/agora-supergraph/agora/router/supergraph"
)

// arrival is one path on which objects come to a position, in one part of the answer.
type arrival struct {
	site []*visit
	part *payload
	// static says that all of these objects have one runtime type.
	static bool
}

// tell makes runtime types known on every path to a position, where they are on some: a position is reached on several
// where the parents of its objects are of several types, and what is done by type leaves out objects without one.
func (b *builder) tell() {
	b.tellAt(b.top)
	for _, g := range b.groups {
		for _, v := range g.visits {
			if v.into != nil && v.sorts() {
				b.tellEntry(v)
			}
		}
	}
}

func (b *builder) tellAt(at *position) {
	for _, a := range at.arrivals {
		if at.known || slices.Contains(at.knownIn, a.part) {
			told := a.told()
			if teller := a.teller(); !told && teller != nil {
				told = true
				teller.typed = true
				if teller.group.part == nil {
					at.tellers = union(at.tellers, []*group{teller.group})
				}
			}
			if !told {
				at.known, at.knownIn = false, nil
				break
			}
		}
	}
	for _, n := range at.nodes {
		if n.below != nil {
			b.tellAt(n.below)
		}
	}
}

// tellEntry makes known the types of all objects that enter, before they do.
func (b *builder) tellEntry(v *visit) {
	for _, a := range v.at.arrivals {
		if len(a.site) == 0 || !slices.Contains(v.sites, a.site[0]) || a.told() {
			continue
		}
		if teller := a.teller(); teller != nil && v.waitFor([]*group{teller.group}) {
			teller.typed = true
		}
	}
}

// told reports whether the objects' types are known on this path.
func (a *arrival) told() bool {
	return a.static || slices.ContainsFunc(a.site, func(v *visit) bool { return v.real().typed })
}

// teller is a visit that is asked something on this path and can tell types; nil if there is none.
func (a *arrival) teller() *visit {
	for _, v := range a.site {
		if v = v.real(); v.group != nil && !v.view.blind {
			return v
		}
	}
	return nil
}

// sorts reports whether objects are sent by their runtime types.
func (v *visit) sorts() bool {
	switch {
	case v.into.root || v.at.on.Possible.Len() < 2:
		return false
	case v.into.as == nil || v.partial || len(v.sent) > 1:
		return true
	}
	return slices.ContainsFunc(v.sent, func(s *sent) bool {
		sets := append([]*supergraph.FieldSet{s.key.Fields}, s.requires...)
		return slices.ContainsFunc(sets, func(set *supergraph.FieldSet) bool { return v.varies(s, set) })
	})
}

// varies reports whether what is sent of a field set is taken from several places, by type.
func (v *visit) varies(s *sent, set *supergraph.FieldSet) bool {
	return slices.ContainsFunc(set.Fields, func(sel *supergraph.FieldSelection) bool {
		return slices.ContainsFunc(v.holds[holding{v.at, sel}], func(h held) bool { return !s.types.SubsetOf(h.types) })
	})
}
