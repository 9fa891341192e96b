package subgraph

import (
	"github.com/vektah/gqlparser/v2/ast"

	"github.com/agora-supergraph/agora/router/compose/internal/schema"
	"github.com/agora-supergraph/agora/router/compose/report"
)

const shareableOnce = `@shareable is only repeatable on types so it can be used simultaneously on a type definition and its extensions, ` +
	`but it should not be duplicated on the same definition/extension declaration`

// shareableUsage refuses @shareable on an interface's fields and twice on one declaration.
func shareableUsage(s *Subgraph) {
	for _, t := range s.Types {
		if t.Kind == ast.Interface {
			for _, f := range t.Fields {
				if d := f.One("shareable"); d != nil {
					s.errorf(report.InvalidShareableUsage, f.Coordinate(), d.Position,
						`Invalid use of @%s on field "%s": only object type fields can be marked with @%s`, d.Name, f.Coordinate(), d.Name)
				}
			}
		}
		if t.Kind != ast.Object {
			continue
		}
		for _, f := range t.Fields {
			if second := repeated(f.All("shareable")); second != nil {
				s.errorf(report.InvalidShareableUsage, f.Coordinate(), second.Position,
					`Invalid duplicate application of @shareable on field "%s": %s`, f.Coordinate(), shareableOnce)
			}
		}
		if second := repeated(t.All("shareable")); second != nil {
			s.errorf(report.InvalidShareableUsage, t.Name, second.Position,
				`Invalid duplicate application of @shareable on the same type declaration of "%s": %s`, t.Name, shareableOnce)
		}
	}
}

// repeated is the first directive that stands on the same declaration as one before it.
func repeated(all []*schema.Directive) *schema.Directive {
	seen := map[int]bool{}
	for _, d := range all {
		if seen[d.Extension] {
			return d
		}
		seen[d.Extension] = true
	}
	return nil
}
