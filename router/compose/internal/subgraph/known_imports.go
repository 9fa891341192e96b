package subgraph

import (
	"slices"
	"strings"

	"github.com/agora-supergraph/agora/router/compose/internal/federation"
	"github.com/agora-supergraph/agora/router/compose/internal/schema"
	"github.com/agora-supergraph/agora/router/compose/report"
)

// checkKnown refuses the import of what the specification does not define. Only specifications that composition knows
// can be checked.
func (s *Subgraph) checkKnown(l *federation.Link, i federation.Import) {
	known := elements(l)
	if known == nil || slices.Contains(known, i.Name) {
		return
	}
	s.errorf(report.InvalidLinkDirectiveUsage, "schema", l.Directive.Position,
		`Cannot import unknown element "%s".%s`, i.Name, didYouMeanElement(i.Name, known))
}

func elements(l *federation.Link) []string {
	var known []string
	if l.Identity == federation.Identity {
		for _, d := range federation.Directives() {
			if d.In(l.Version) {
				known = append(known, "@"+d.Name)
			}
		}
		return append(known, federation.Types(l.Version)...)
	}
	for _, f := range federation.Features {
		if f.Identity == l.Identity {
			for _, d := range f.Directives {
				known = append(known, "@"+d)
			}
			return append(known, f.Scalars...)
		}
	}
	return nil
}

func didYouMeanElement(name string, known []string) string {
	if !strings.HasPrefix(name, "@") && slices.Contains(known, "@"+name) {
		return ` Did you mean directive "@` + name + `"?`
	}
	return schema.DidYouMean(name, known)
}
