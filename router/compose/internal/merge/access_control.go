package merge

import (
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
