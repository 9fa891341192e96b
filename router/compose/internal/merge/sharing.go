package merge

import (
	"slices"

	"github.com/agora-supergraph/agora/router/compose/internal/schema"
	"github.com/agora-supergraph/agora/router/compose/report"
)

// resolver is a subgraph that resolves a field, by its own declaration or that of an interface object.
type resolver struct {
	field *schema.Field
	// shareable is true for a field that is only provided, too: that is an offer to share.
	shareable bool
	// through is the interface object's field, or empty.
	through string
}

// sharing refuses a field that several subgraphs resolve and not all share.
func (m *merger) sharing(t *schema.Type) {
	for _, f := range t.Fields {
		resolvers := m.resolvers(t, f)
		if t.Name == "Subscription" {
			m.subscriptionSharing(f, resolvers)
			continue
		}
		if len(resolvers) < 2 {
			continue
		}
		var not []source[resolver]
		for _, r := range resolvers {
			if !r.el.shareable {
				not = append(not, r)
			}
		}
		if len(not) > 0 {
			m.sharingError(f, resolvers, not)
		}
	}
}

// resolvers are the subgraphs that resolve the field of the object.
func (m *merger) resolvers(t *schema.Type, f *schema.Field) []source[resolver] {
	var all []source[resolver]
	declared := map[int]*schema.Field{}
	for _, p := range m.sources[t.Name] {
		if own := p.el.Field(f.Name); own != nil {
			declared[p.index] = own
		}
	}
	origins := m.Fields[f]
	for _, i := range m.resolving(t) {
		s := m.Subgraphs[i]
		if own := declared[i]; own != nil {
			_, overridden := origins.overridden(i)
			if !overridden && !s.FullyExternal(own) {
				all = append(all, source[resolver]{i, resolver{field: own, shareable: s.Shareable(own) || s.IsExternal(own)}})
			}
			continue
		}
		if s.Type(t.Name) != nil {
			continue
		}
		for _, ref := range t.Interfaces {
			object := s.Type(ref.Name)
			if object == nil || !isInterfaceObject(object) {
				continue
			}
			if own := object.Field(f.Name); own != nil && !s.FullyExternal(own) {
				all = append(all, source[resolver]{i, resolver{field: own, shareable: s.Shareable(own), through: own.Coordinate()}})
				break
			}
		}
	}
	return all
}

// resolving are the subgraphs that know the object or one of its interfaces, in order: only they can resolve its fields.
func (m *merger) resolving(t *schema.Type) []int {
	indexes := indexesOf(m.sources[t.Name])
	for _, ref := range t.Interfaces {
		for _, s := range m.sources[ref.Name] {
			if isInterfaceObject(s.el) {
				indexes = append(indexes, s.index)
			}
		}
	}
	slices.Sort(indexes)
	return slices.Compact(indexes)
}

func (o *FieldOrigins) overridden(index int) (Override, bool) {
	if o == nil {
		return Override{}, false
	}
	v, ok := o.Overridden[index]
	return v, ok
}

func (m *merger) sharingError(f *schema.Field, resolvers, not []source[resolver]) {
	names := make([]string, len(resolvers))
	for i, r := range resolvers {
		names[i] = m.quoted(r.index)
		if r.el.through != "" {
			names[i] += ` (through @interfaceObject field "` + r.el.through + `")`
		}
	}
	where := "all of them"
	if len(not) < len(resolvers) {
		where = m.subgraphList(indexesOf(not))
	}
	var declared []source[*schema.Field]
	for _, r := range resolvers {
		declared = append(declared, source[*schema.Field]{r.index, r.el.field})
	}
	advice := ""
	if name, found := m.misspelt(declared); found {
		advice = ` (please note that "` + f.Coordinate() + `" has an @override directive in "` + name +
			`" that targets an unknown subgraph so this could be due to misspelling the @override(from:) argument)`
	}
	m.errorf(report.InvalidFieldSharing, f.Coordinate(), nodesOf(m, declared, fieldElement),
		`Non-shareable field "%s" is resolved from multiple subgraphs: it is resolved from subgraphs %s and defined as non-shareable in %s%s`,
		f.Coordinate(), enumerate(names), where, advice)
}

func (m *merger) subscriptionSharing(f *schema.Field, resolvers []source[resolver]) {
	if len(resolvers) == 0 {
		return
	}
	var declared []source[*schema.Field]
	shareable := false
	for _, r := range resolvers {
		declared = append(declared, source[*schema.Field]{r.index, r.el.field})
		shareable = shareable || r.el.shareable
	}
	switch {
	case shareable:
		m.errorf(report.InvalidFieldSharing, f.Coordinate(), nodesOf(m, declared, fieldElement),
			"Fields on root level subscription object cannot be marked as shareable")
	case len(resolvers) > 1:
		m.sharingError(f, resolvers, resolvers)
	}
}
