package merge

import (
	"fmt"
	"strings"

	"github.com/agora-supergraph/agora/router/compose/internal/schema"
	"github.com/agora-supergraph/agora/router/compose/report"
)

// namespace is the prefix by which the supergraph knows a specification's elements: the specification's name. Where another
// specification has that name, or something of the subgraphs is in that namespace, it is an alias such as "_0tag", which the
// reference invents, too.
func (m *merger) namespace(name string, taken func(string) bool) string {
	if m.namespaces == nil {
		m.namespaces = map[string]bool{"link": true, "join": true}
	}
	alias := name
	for i := 0; m.namespaces[alias] || taken(alias); i++ {
		alias = fmt.Sprintf("_%d%s", i, name)
	}
	m.namespaces[alias] = true
	return alias
}

// inhabited tells whether a type or directive of the subgraphs is in a namespace.
func (m *merger) inhabited(namespace string) bool {
	for _, t := range m.Types {
		if !m.Machinery[t.Name] && strings.HasPrefix(t.Name, namespace+"__") {
			return true
		}
	}
	for _, d := range m.Directives {
		if !m.Machinery["@"+d.Name] && (d.Name == namespace || strings.HasPrefix(d.Name, namespace+"__")) {
			return true
		}
	}
	return false
}

// reservedNames refuses what would be in the namespace of the specifications that every supergraph links under their own
// names: readers of the supergraph would take it for a part of them.
func (m *merger) reservedNames() {
	for _, spec := range []string{"link", "join"} {
		for _, t := range m.Types {
			if !m.Machinery[t.Name] && strings.HasPrefix(t.Name, spec+"__") {
				m.errorf(report.TypeDefinitionInvalid, t.Name, nodesOf(m, m.sources[t.Name], func(t *schema.Type) *element { return &t.Element }),
					`Type "%s" is in the namespace of the specification "%s", which the supergraph links: rename the type.`, t.Name, spec)
			}
		}
		for _, d := range m.Directives {
			if !m.Machinery["@"+d.Name] && strings.HasPrefix(d.Name, spec+"__") {
				var nodes []report.Node
				for i, s := range m.Subgraphs {
					nodes = append(nodes, m.node(i, s.Directive(d.Name).Position))
				}
				m.errorf(report.DirectiveDefinitionInvalid, "@"+d.Name, nodes,
					`Directive "@%s" is in the namespace of the specification "%s", which the supergraph links: rename the directive.`, d.Name, spec)
			}
		}
	}
}

// namedDifferently remarks that a subgraph has another name for a composed directive, which it does not compose.
func (m *merger) namedDifferently(name string) {
	composed := m.compose.by[name][0]
	for i, s := range m.Subgraphs {
		l := s.Link(composed.link.Identity)
		if l == nil || m.compose.carries(i, name) {
			continue
		}
		own := l.DirectiveName(composed.spec)
		if def := s.Directive(own); own != name && def != nil {
			m.hint(report.HintDirectiveCompositionWarn, "@"+name, []report.Node{m.node(i, def.Position)},
				`Composed directive "@%s" is named differently in a subgraph that doesn't export it. Consistent naming will be required to export it.`, name)
			return
		}
	}
}
