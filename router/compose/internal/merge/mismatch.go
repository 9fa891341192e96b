package merge

import (
	"strings"

	"github.com/agora-supergraph/agora/router/compose/report"
)

// subgraphList writes `subgraph "a"` or `subgraphs "a", "b" and "c"`.
func (m *Supergraph) subgraphList(indexes []int) string {
	names := make([]string, len(indexes))
	for i, x := range indexes {
		names[i] = m.quoted(x)
	}
	if len(names) == 1 {
		return "subgraph " + names[0]
	}
	return "subgraphs " + enumerate(names)
}

// enumerate joins with commas and a last "and".
func enumerate(parts []string) string {
	if len(parts) < 2 {
		return strings.Join(parts, "")
	}
	return strings.Join(parts[:len(parts)-1], ", ") + " and " + parts[len(parts)-1]
}

// variant is one way in which some subgraphs have an element.
type variant struct {
	text    string
	indexes []int
}

// variants groups the sources by what text says of them, in order of appearance, the chosen one first.
func variants[T any](sources []source[T], chosen string, text func(source[T]) string) []variant {
	groups := []variant{{text: chosen}}
next:
	for _, s := range sources {
		t := text(s)
		for i := range groups {
			if groups[i].text == t {
				groups[i].indexes = append(groups[i].indexes, s.index)
				continue next
			}
		}
		groups = append(groups, variant{text: t, indexes: []int{s.index}})
	}
	if len(groups[0].indexes) == 0 {
		groups = groups[1:]
	}
	return groups
}

// contrast writes `A in subgraph "a" but B in subgraph "b" and C in subgraph "c"`, with words put before each variant.
func (m *merger) contrast(groups []variant, words string) string {
	parts := make([]string, len(groups))
	for i, g := range groups {
		parts[i] = words + g.text + " in " + m.subgraphList(g.indexes)
	}
	if len(parts) == 1 {
		return parts[0]
	}
	return parts[0] + " but " + enumerate(parts[1:])
}

// nodesOf are the places of all sources.
func nodesOf[T any](m *merger, sources []source[T], element func(T) *element) []report.Node {
	nodes := make([]report.Node, len(sources))
	for i, s := range sources {
		nodes[i] = m.node(s.index, element(s.el).Position)
	}
	return nodes
}
