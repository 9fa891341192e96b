package subgraph

import (
	"github.com/vektah/gqlparser/v2/ast"

	"github.com/agora-supergraph/agora/router/compose/internal/schema"
	"github.com/agora-supergraph/agora/router/compose/report"
)

// AccessControl are the directives that protect what they stand on.
var AccessControl = []string{"authenticated", "requiresScopes", "policy"}

// authOnInterface refuses access control on interfaces, their fields and interface objects: composition derives it there.
func authOnInterface(s *Subgraph) {
	for _, t := range s.Types {
		switch {
		case t.Kind == ast.Interface:
			s.noAuth(&t.Element, "interface", t.Name)
			for _, f := range t.Fields {
				s.noAuth(&f.Element, "field", f.Coordinate())
			}
		case t.Has("interfaceObject"):
			s.noAuth(&t.Element, "interface object", t.Name)
		}
	}
}

func (s *Subgraph) noAuth(e *schema.Element, what, coordinate string) {
	for _, spec := range AccessControl {
		if d := e.One(spec); d != nil {
			s.errorf(report.AuthRequirementsAppliedOnInterface, coordinate, d.Position,
				`Invalid use of @%s on %s "%s": @%s cannot be applied on interfaces, interface fields and interface objects`, d.Name, what, coordinate, d.Name)
		}
	}
}
