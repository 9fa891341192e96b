package subgraph

import (
	"github.com/vektah/gqlparser/v2/ast"

	"github.com/agora-supergraph/agora/router/compose/report"
)

var requiresRule = &fieldSetRule{
	directive: "requires", notString: report.RequiresInvalidFieldsType, invalid: report.RequiresInvalidFields,
	directives: report.RequiresDirectiveInFieldsArg, external: report.RequiresFieldsMissingExternal,
}

// requiresFields checks every @requires(fields:): it selects what other subgraphs resolve.
func requiresFields(s *Subgraph) {
	for _, t := range s.Types {
		if t.Kind != ast.Object && t.Kind != ast.Interface {
			continue
		}
		for _, f := range t.Fields {
			d := f.One("requires")
			if d == nil {
				continue
			}
			if t.Kind == ast.Interface {
				s.errorf(report.RequiresUnsupportedOnInterface, f.Coordinate(), d.Position,
					`Cannot use @%s on field "%s" of parent type "%s": @%s is not yet supported within interfaces`, d.Name, f.Coordinate(), t.Name, d.Name)
			}
			requiresRule.check(s, "field", f.Coordinate(), t, d)
		}
	}
}
