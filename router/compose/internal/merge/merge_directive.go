package merge

import (
	"cmp"
	"slices"
	"strings"

	"github.com/vektah/gqlparser/v2/ast"

	"github.com/agora-supergraph/agora/router/compose/internal/federation"
	"github.com/agora-supergraph/agora/router/compose/internal/schema"
	"github.com/agora-supergraph/agora/router/compose/report"
)

// mergeDirectives merges the applications of those directives that the supergraph carries. Repeatable ones are united;
// others must be equal, are merged by a strategy for each argument, or the most frequent application wins.
func (m *merger) mergeDirectives(out *element, coordinate string, sources []source[*element]) {
	var names []string
	for _, s := range sources {
		for _, d := range s.el.Applied {
			if key := m.merged(s.index, d); key != "" && !slices.Contains(names, key) {
				names = append(names, key)
			}
		}
	}
	// Directives that become join__directive come before the others.
	joined := m.DirectiveNames["cacheTag"]
	slices.SortStableFunc(names, func(a, b string) int { return cmp.Compare(bit(a != joined), bit(b != joined)) })
	for _, name := range names {
		m.mergeDirective(out, name, coordinate, sources)
	}
}

func bit(b bool) int {
	if b {
		return 1
	}
	return 0
}

// merged is the supergraph's name of an applied directive, or empty where the supergraph does not carry it.
func (m *merger) merged(index int, d *schema.Directive) string {
	if d.Spec != "" {
		return m.DirectiveNames[d.Spec]
	}
	if d.Name == "deprecated" || d.Name == "specifiedBy" {
		return d.Name
	}
	if m.compose.carries(index, d.Name) {
		return d.Name
	}
	return ""
}

// application is a directive of one subgraph, in the form that the supergraph will have.
type application struct {
	*schema.Directive
	canonical string
}

func (m *merger) mergeDirective(out *element, name, coordinate string, sources []source[*element]) {
	var all []source[application]
	def := m.directiveDefinition(name)
	for _, s := range sources {
		for _, d := range s.el.Applied {
			if m.merged(s.index, d) == name {
				d = m.adapted(s.index, d)
				all = append(all, source[application]{s.index, application{d, canonicalArguments(d, def)}})
			}
		}
	}
	spec := all[0].el.Spec
	if spec == "cacheTag" {
		m.joinDirective(out, spec, all)
		return
	}
	if def != nil && def.Repeatable {
		seen := map[string]bool{}
		for _, a := range all {
			if !seen[a.el.canonical] {
				seen[a.el.canonical] = true
				m.carry(out, name, a.el.Directive)
			}
		}
		return
	}
	m.mergeOnce(out, name, coordinate, all, sources)
}

// carry puts an application on an element of the supergraph. @inaccessible comes before all but the type's own joins, as
// the reference writes it.
func (m *merger) carry(out *element, name string, d *schema.Directive) {
	applied := &schema.Directive{Name: name, Spec: d.Spec, Arguments: d.Arguments}
	if d.Spec == "inaccessible" {
		for i, other := range out.Applied {
			if other.Name != "join__type" && other.Name != "join__implements" && other.Name != "join__directive" {
				out.Applied = slices.Insert(out.Applied, i, applied)
				return
			}
		}
	}
	out.Applied = append(out.Applied, applied)
}

// directiveDefinition is the definition that counts for merging a directive; nil for what is not repeatable and has no defaults.
func (m *merger) directiveDefinition(name string) *schema.DirectiveDefinition {
	for spec, n := range m.DirectiveNames {
		if n == name {
			return federation.Lookup(spec).Definition
		}
	}
	if d := m.compose.definition(name); d != nil {
		return d
	}
	if name == "deprecated" {
		return &schema.DirectiveDefinition{Name: name, Arguments: []*schema.Argument{{Name: "reason", Default: schema.String("No longer supported")}}}
	}
	return nil
}

// canonicalArguments writes the arguments so that equal applications have equal texts: sorted, defaults filled in.
func canonicalArguments(d *schema.Directive, def *schema.DirectiveDefinition) string {
	parts := make([]string, 0, len(d.Arguments))
	for _, a := range d.Arguments {
		parts = append(parts, a.Name+": "+schema.FormatValue(a.Value))
	}
	if def != nil {
		for _, a := range def.Arguments {
			if a.Default != nil && d.Argument(a.Name) == nil {
				parts = append(parts, a.Name+": "+schema.FormatValue(a.Default))
			}
		}
	}
	slices.Sort(parts)
	return strings.Join(parts, ", ")
}

// mergeOnce merges applications of a directive that can stand only once.
func (m *merger) mergeOnce(out *element, name, coordinate string, all []source[application], sources []source[*element]) {
	equal := true
	for _, a := range all[1:] {
		equal = equal && a.el.canonical == all[0].el.canonical
	}
	if equal {
		m.carry(out, name, all[0].el.Directive)
		return
	}
	if strategies := strategiesOf[all[0].el.Spec]; strategies != nil {
		merged := &schema.Directive{Name: name, Spec: all[0].el.Spec}
		for _, s := range strategies {
			if v := s.merge(valuesOf(all, s.argument)); v != nil {
				merged.Arguments = append(merged.Arguments, schema.Arg(s.argument, v))
			}
		}
		m.carry(out, name, merged)
		m.hint(report.HintMergedNonRepeatableDirectiveArguments, coordinate, nil,
			`Directive @%s is applied to "%s" in multiple subgraphs with different arguments. Merging strategies used by arguments: %s`,
			name, coordinate, describe(strategies))
		return
	}
	m.mostFrequent(out, name, coordinate, all, sources)
}

func (m *merger) mostFrequent(out *element, name, coordinate string, all []source[application], sources []source[*element]) {
	count := map[string]int{}
	best := all[0].el
	for _, a := range all {
		count[a.el.canonical]++
	}
	for _, a := range all {
		if count[a.el.canonical] > count[best.canonical] {
			best = a.el
		}
	}
	m.carry(out, name, best.Directive)
	text := func(a source[application]) string { return writtenArguments(a.el.Directive) }
	groups := variants(all, writtenArguments(best.Directive), text)
	var others []string
	for _, g := range groups[1:] {
		others = append(others, g.text+" in "+m.subgraphList(g.indexes))
	}
	m.hint(report.HintInconsistentNonRepeatableDirectiveArguments, coordinate, nodesOf(m, sources, func(e *element) *element { return e }),
		`Non-repeatable directive @%s is applied to "%s" in multiple subgraphs but with incompatible arguments. The supergraph will use %s (from %s), but found %s.`,
		name, coordinate, groups[0].text, m.subgraphList(groups[0].indexes), enumerate(others))
}

func writtenArguments(d *schema.Directive) string {
	if len(d.Arguments) == 0 {
		return "no arguments"
	}
	return "arguments " + schema.FormatValue(schema.Object(d.Arguments...))
}

// adapted renames what is named by subgraph: contexts.
func (m *merger) adapted(index int, d *schema.Directive) *schema.Directive {
	if d.Spec != "context" {
		return d
	}
	name := schema.Arg("name", schema.String(m.Subgraphs[index].Name+"__"+d.Text("name")))
	return &schema.Directive{Name: d.Name, Spec: d.Spec, Arguments: []schema.DirectiveArgument{name}}
}

// joinDirective carries a directive as @join__directive, with the graphs that apply it alike.
func (m *merger) joinDirective(out *element, spec string, all []source[application]) {
	var order []string
	graphs := map[string][]*ast.Value{}
	first := map[string]*schema.Directive{}
	for _, a := range all {
		if first[a.el.canonical] == nil {
			first[a.el.canonical] = a.el.Directive
			order = append(order, a.el.canonical)
		}
		graphs[a.el.canonical] = append(graphs[a.el.canonical], schema.Enum(m.Graphs[a.index]))
	}
	for _, c := range order {
		out.Apply("join__directive", schema.Arg("graphs", schema.List(graphs[c]...)),
			schema.Arg("name", schema.String("federation__"+spec)), schema.Arg("args", schema.Object(first[c].Arguments...)))
	}
}
