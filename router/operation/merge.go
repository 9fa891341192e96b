package operation

import (
	"slices"

	"github.com/vektah/gqlparser/v2/ast"

	"github.com/agora-supergraph/agora/router/supergraph"
)

// group is a response key for types to which the same fields of the text contribute.
type group struct {
	types supergraph.TypeSet
	// entries are the indexes of what contributes, ascending; for a leaf only the first, unless it matters which they are.
	entries []int
}

// groups divides what was collected by response key, and then the types of a key by what contributes to it. The
// order is that of the first contribution: for each type, the order in which CollectFields meets its keys. With whole, all
// contributions to a leaf count.
func groups(entries []entry, whole bool) []group {
	var keys []*[]group
	byKey := map[string]*[]group{}
	for i, e := range entries {
		of, ok := byKey[e.field.Alias]
		if !ok {
			of = new([]group)
			byKey[e.field.Alias] = of
			keys = append(keys, of)
		}
		divide(of, i, e, whole)
	}
	var all []group
	for _, of := range keys {
		all = append(all, *of...)
	}
	slices.SortStableFunc(all, func(a, b group) int { return a.entries[0] - b.entries[0] })
	return all
}

// divide adds one contribution, splitting the groups that it reaches in part.
func divide(of *[]group, index int, e entry, whole bool) {
	rest := e.types
	leaf := len(e.field.SelectionSet) == 0 && !whole
	for i, count := 0, len(*of); i < count && !rest.Empty(); i++ {
		g := &(*of)[i]
		common := g.types.Intersect(rest)
		if common.Empty() {
			continue
		}
		rest = rest.Minus(common)
		switch {
		case leaf:
			// A leaf that is there already gains nothing.
		case g.types.SubsetOf(common):
			g.entries = append(g.entries, index)
		default:
			g.types = g.types.Minus(common)
			split := group{types: common, entries: append(slices.Clone(g.entries), index)}
			*of = append(*of, split)
		}
	}
	if !rest.Empty() {
		*of = append(*of, group{types: rest, entries: []int{index}})
	}
}

// merger turns groups into nodes.
type merger struct {
	n        *normaliser
	sequence sequence
}

func (m *merger) group(g group, entries []entry) {
	if m.n.exhausted() {
		return
	}
	fields := make([]use, 0, len(g.entries))
	for _, i := range g.entries {
		fields = append(fields, entries[i].use)
	}
	later := deferredBy(fields)
	field := fields[0].field
	allowed, denied := m.n.verdict(g.types, fields)
	if !denied.Empty() {
		m.add(&node{field: field, types: denied, denied: true, deferred: later})
	}
	if allowed.Empty() {
		return
	}
	d := &node{field: field, types: allowed, deferred: later}
	if len(field.SelectionSet) > 0 {
		for i := range fields {
			fields[i].in.Up++
			if fields[i].in.Defer == nil {
				fields[i].in.Up = 0
			}
		}
		d.below = m.n.selection(fields, m.n.results(allowed, field))
	}
	m.add(d)
}

func (m *merger) add(d *node) { m.sequence.add(d, m.n.identity(d)) }

// verdict divides types by whether the caller may see the field there: by the requirement of the object type's
// field, and of any interface's field by which it was selected.
func (n *normaliser) verdict(types supergraph.TypeSet, fields []use) (allowed, denied supergraph.TypeSet) {
	if n.variant.Denied == (Bits{}) {
		return types, nil
	}
	name := fields[0].field.Name
	for _, f := range fields {
		if n.denies(f.field.ObjectDefinition.Name, name) {
			return nil, types
		}
	}
	for id := range types.All() {
		if n.denies(n.supergraph.Objects[id], name) {
			denied.Add(id)
		}
	}
	return types.Minus(denied), denied
}

func (n *normaliser) denies(typ, field string) bool {
	r := n.supergraph.Requirement(typ, field)
	if r == nil {
		return false
	}
	i, ok := n.selected.requirements[r]
	return ok && n.variant.Denied.Has(i)
}

// results are the runtime types that a field may return, over all types of its parent. On an interface the
// implementers' own types count, which may be narrower.
func (n *normaliser) results(parents supergraph.TypeSet, f *ast.Field) supergraph.TypeSet {
	if f.ObjectDefinition.Kind == ast.Object {
		return n.typesOf(f.Definition.Type.Name())
	}
	var all supergraph.TypeSet
	before := ""
	for id := range parents.All() {
		parent := n.supergraph.API.Types[n.supergraph.Objects[id]]
		if name := parent.Fields.ForName(f.Name).Type.Name(); name != before {
			all = all.Union(n.typesOf(name))
			before = name
		}
	}
	return all
}
