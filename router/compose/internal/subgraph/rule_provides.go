package subgraph

import (
	"github.com/vektah/gqlparser/v2/ast"

	"github.com/agora-supergraph/agora/router/compose/internal/schema"
	"github.com/agora-supergraph/agora/router/compose/report"
)

var providesRule = &fieldSetRule{
	directive: "provides", notString: report.ProvidesInvalidFieldsType, invalid: report.ProvidesInvalidFields,
	directives: report.ProvidesDirectiveInFieldsArg, hasArguments: report.ProvidesFieldsHasArgs, external: report.ProvidesFieldsMissingExternal,
}

// providesFields checks every @provides(fields:): it selects external fields of the field's own type.
func providesFields(s *Subgraph) {
	for _, t := range s.Types {
		if t.Kind != ast.Object && t.Kind != ast.Interface {
			continue
		}
		for _, f := range t.Fields {
			if d := f.One("provides"); d != nil {
				s.providesOn(t, f, d)
			}
		}
	}
}

func (s *Subgraph) providesOn(t *schema.Type, f *schema.Field, d *schema.Directive) {
	if t.Kind == ast.Interface {
		s.errorf(report.ProvidesUnsupportedOnInterface, f.Coordinate(), d.Position,
			`Cannot use @%s on field "%s" of parent type "%s": @%s is not yet supported within interfaces`, d.Name, f.Coordinate(), t.Name, d.Name)
	}
	if s.IsExternal(f) {
		s.errorf(report.ExternalCollisionWithAnotherDirective, f.Coordinate(), f.Position,
			`Cannot have both @%s and @external on field "%s"`, d.Name, f.Coordinate())
		return
	}
	of := s.Type(f.Type.Name())
	if of == nil || !of.IsComposite() {
		s.errorf(report.ProvidesOnNonObjectField, f.Coordinate(), d.Position,
			`Invalid @%s directive on field "%s": field has type "%s" which is not a Composite Type`, d.Name, f.Coordinate(), f.Type)
		return
	}
	providesRule.check(s, "field", f.Coordinate(), of, d)
}
