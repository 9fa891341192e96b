package merge

import (
	"strings"

	"github.com/agora-supergraph/agora/router/compose/report"
)

// mergeDescription takes the description that most sources have; a missing one loses against any other.
func (m *merger) mergeDescription(out *element, coordinate string, sources []source[*element]) {
	count := map[string]int{}
	var described []source[*element]
	best := ""
	for _, s := range sources {
		d := s.el.Description
		if d == "" {
			continue
		}
		described = append(described, s)
		count[d]++
	}
	for _, s := range described {
		if best == "" || count[s.el.Description] > count[best] {
			best = s.el.Description
		}
	}
	out.Description = best
	if len(count) < 2 {
		return
	}
	groups := variants(described, best, func(s source[*element]) string { return s.el.Description })
	var others []string
	for _, g := range groups[1:] {
		others = append(others, "In "+m.subgraphList(g.indexes)+", the description is:\n"+quoteBlock(g.text))
	}
	m.hint(report.HintInconsistentDescription, coordinate, nodesOf(m, sources, func(e *element) *element { return e }),
		"Element \"%s\" has inconsistent descriptions across subgraphs. The supergraph will use description (from %s):\n%s\n%s",
		coordinate, m.subgraphList(groups[0].indexes), quoteBlock(best), strings.Join(others, "\n"))
}

func quoteBlock(text string) string {
	return "  \"\"\"\n  " + strings.ReplaceAll(text, "\n", "\n  ") + "\n  \"\"\""
}
