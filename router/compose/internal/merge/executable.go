package merge

import (
	"slices"
	"strings"

	"github.com/vektah/gqlparser/v2/ast"

	"github.com/agora-supergraph/agora/router/compose/internal/schema"
	"github.com/agora-supergraph/agora/router/compose/report"
)

var executableLocations = []ast.DirectiveLocation{
	ast.LocationQuery, ast.LocationMutation, ast.LocationSubscription, ast.LocationField, ast.LocationFragmentDefinition,
	ast.LocationFragmentSpread, ast.LocationInlineFragment, ast.LocationVariableDefinition,
}

func executable(d *schema.DirectiveDefinition) bool { return len(locationsOf(d)) > 0 }

// locationsOf are the locations that clients may use, in the order of the definition.
func locationsOf(d *schema.DirectiveDefinition) []ast.DirectiveLocation {
	var all []ast.DirectiveLocation
	for _, l := range d.Locations {
		if slices.Contains(executableLocations, l) {
			all = append(all, l)
		}
	}
	return all
}

func definitionElement(d *schema.DirectiveDefinition) *element { return &d.Element }

// mergeExecutableDirectives intersects the directives that clients may use: a query that has one may reach any subgraph.
func (m *merger) mergeExecutableDirectives() {
	var names []string
	for _, s := range m.Subgraphs {
		for _, d := range s.Directives {
			if executable(d) && !slices.Contains(names, d.Name) && m.compose.by[d.Name] == nil && d.Name != "skip" && d.Name != "include" {
				names = append(names, d.Name)
			}
		}
	}
	for _, name := range names {
		var sources []source[*schema.DirectiveDefinition]
		var without []int
		for i, s := range m.Subgraphs {
			if d := s.Directive(name); d != nil && executable(d) {
				sources = append(sources, source[*schema.DirectiveDefinition]{i, d})
			} else {
				without = append(without, i)
			}
		}
		if len(without) > 0 {
			m.hint(report.HintInconsistentExecutableDirectivePresence, "@"+name, nodesOf(m, sources, definitionElement),
				`Executable directive "@%s" will not be part of the supergraph as it does not appear in all subgraphs: it is defined in %s but not in %s.`,
				name, m.subgraphList(indexesOf(sources)), m.subgraphList(without))
			continue
		}
		m.mergeExecutable(name, sources)
	}
}

func locationsText(all []ast.DirectiveLocation) string {
	names := make([]string, len(all))
	for i, l := range all {
		names[i] = string(l)
	}
	word := "location"
	if len(all) != 1 {
		word = "locations"
	}
	return word + ` "` + strings.Join(names, ", ") + `"`
}

func (m *merger) mergeExecutable(name string, sources []source[*schema.DirectiveDefinition]) {
	common := locationsOf(sources[0].el)
	repeatable, varied := true, false
	for _, s := range sources {
		own := locationsOf(s.el)
		common = slices.DeleteFunc(common, func(l ast.DirectiveLocation) bool { return !slices.Contains(own, l) })
		repeatable = repeatable && s.el.Repeatable
	}
	var perGraph []string
	for _, s := range sources {
		own := locationsOf(s.el)
		varied = varied || len(own) != len(common)
		perGraph = append(perGraph, locationsText(own)+" in "+m.subgraphList([]int{s.index}))
	}
	nodes := nodesOf(m, sources, definitionElement)
	if len(common) == 0 {
		m.hint(report.HintNoExecutableDirectiveIntersection, "@"+name, nodes,
			`Executable directive "@%s" has no location that is common to all subgraphs: it will not appear in the supergraph as there no intersection between %s.`,
			name, enumerate(perGraph))
		return
	}
	def := m.AddDirective(&schema.DirectiveDefinition{Name: name, Locations: common, Repeatable: repeatable})
	m.mergeDescription(&def.Element, "@"+name, elements(sources, definitionElement))
	if with, without := split(sources, func(d *schema.DirectiveDefinition) bool { return d.Repeatable }); len(with) > 0 && len(without) > 0 {
		m.hint(report.HintInconsistentExecutableDirectiveRepeatable, "@"+name, nodes,
			`Executable directive "@%s" will not be marked repeatable in the supergraph as it is inconsistently marked repeatable in subgraphs: it is not repeatable in %s but is repeatable in %s.`,
			name, m.subgraphList(without), m.subgraphList(with))
	}
	if varied {
		m.hint(report.HintInconsistentExecutableDirectiveLocations, "@"+name, nodes,
			`Executable directive "@%s" has inconsistent locations across subgraphs and will use %s (intersection of all subgraphs) in the supergraph, but has: %s.`,
			name, locationsText(common), enumerate(perGraph))
	}
	lists := make([]source[[]*schema.Argument], len(sources))
	for i, s := range sources {
		lists[i] = source[[]*schema.Argument]{s.index, s.el.Arguments}
	}
	m.mergeArguments("@"+name, &def.Arguments, nil, lists)
}
