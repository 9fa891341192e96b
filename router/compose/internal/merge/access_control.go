package merge

import (
	"cmp"
	"math"
	"slices"
	"strings"

	"github.com/vektah/gqlparser/v2/ast"

	"github.com/agora-supergraph/agora/router/compose/internal/schema"
	"github.com/agora-supergraph/agora/router/compose/internal/subgraph"
)

// mergeAccessControl raises the requirements of implementations to their interfaces, types and fields: whoever asks the
// interface must meet those of everything that may come out. They are conjoined.
func (m *merger) mergeAccessControl() {
	for _, t := range m.Types {
		if t.Kind != ast.Interface || m.Machinery[t.Name] {
			continue
		}
		implementations := m.PossibleTypes(t)
		below := make([]*element, len(implementations))
		for i, o := range implementations {
			below[i] = &o.Element
		}
		m.raise(&t.Element, t.Name, below)
		for _, f := range t.Fields {
			var fields []*element
			for _, o := range implementations {
				if own := o.Field(f.Name); own != nil {
					fields = append(fields, &own.Element)
				}
			}
			m.raise(&f.Element, f.Coordinate(), fields)
		}
	}
	m.accessControlFirst()
}

// accessControlFirst orders directives as the reference does: on fields and interfaces, what access control demands comes
// after the join directives and before all others, in the order of the supergraph's links.
func (m *merger) accessControlFirst() {
	rank := map[string]int{}
	features := m.features()
	for i, f := range features {
		if slices.Contains(subgraph.AccessControl, f.Name) {
			rank[f.Name] = i - len(features)
		}
	}
	order := func(e *element) {
		slices.SortStableFunc(e.Applied, func(a, b *schema.Directive) int { return cmp.Compare(rankOf(rank, a), rankOf(rank, b)) })
	}
	for _, t := range m.Types {
		if len(rank) == 0 || t.Kind != ast.Interface && t.Kind != ast.Object || m.Machinery[t.Name] {
			continue
		}
		if t.Kind == ast.Interface {
			order(&t.Element)
		}
		for _, f := range t.Fields {
			order(&f.Element)
		}
	}
}

// rankOf leaves the bare @join__field of an interface object's field where it is: after access control.
func rankOf(rank map[string]int, d *schema.Directive) int {
	if strings.HasPrefix(d.Name, "join__") && len(d.Arguments) > 0 {
		return math.MinInt
	}
	return rank[d.Spec]
}

// raise conjoins the requirements of the elements below with those already there.
func (m *merger) raise(out *element, coordinate string, below []*element) {
	for _, spec := range subgraph.AccessControl {
		var all []source[application]
		if own := out.One(spec); own != nil {
			all = append(all, source[application]{el: application{own, canonicalArguments(own, nil)}})
		}
		for _, e := range below {
			if d := e.One(spec); d != nil {
				all = append(all, source[application]{el: application{d, canonicalArguments(d, nil)}})
			}
		}
		if len(all) == 0 {
			continue
		}
		out.Drop(func(d *schema.Directive) bool { return d.Spec == spec })
		m.mergeOnce(out, m.DirectiveNames[spec], coordinate, all, nil)
	}
}
