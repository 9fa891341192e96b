package merge

import (
	"github.com/vektah/gqlparser/v2/ast"

	"github.com/agora-supergraph/agora/router/compose/internal/schema"
	"github.com/agora-supergraph/agora/router/compose/report"
)

func argumentElement(a *schema.Argument) *element { return &a.Element }

// argumentLists are the argument lists of the sources' fields.
func argumentLists(sources []source[*schema.Field]) []source[[]*schema.Argument] {
	all := make([]source[[]*schema.Argument], len(sources))
	for i, s := range sources {
		all[i] = source[[]*schema.Argument]{s.index, s.el.Arguments}
	}
	return all
}

func find(args []*schema.Argument, name string) *schema.Argument {
	for _, a := range args {
		if a.Name == name {
			return a
		}
	}
	return nil
}

// mergeArguments intersects the arguments of a field, or of a directive where field is nil.
func (m *merger) mergeArguments(owner string, out *[]*schema.Argument, field *schema.Field, lists []source[[]*schema.Argument]) {
	seen := map[string]bool{}
	var names []string
	for _, l := range lists {
		for _, a := range l.el {
			if !seen[a.Name] {
				seen[a.Name] = true
				names = append(names, a.Name)
			}
		}
	}
	var kept []source[string]
	for _, name := range names {
		if m.contextual(owner, name, lists) || !m.everywhere(owner, name, lists) {
			continue
		}
		kept = append(kept, source[string]{el: name})
	}
	for _, k := range kept {
		*out = append(*out, m.mergeArgument(owner, k.el, field, lists))
	}
}

// everywhere tells whether all sources have the argument; if not, it is dropped with a hint or refused.
func (m *merger) everywhere(owner, name string, lists []source[[]*schema.Argument]) bool {
	with, without := split(lists, func(args []*schema.Argument) bool { return find(args, name) != nil })
	if len(without) == 0 {
		return true
	}
	coordinate := owner + "(" + name + ":)"
	var nodes, requiredNodes []report.Node
	var required []int
	for _, l := range lists {
		if a := find(l.el, name); a != nil {
			nodes = append(nodes, m.node(l.index, a.Position))
			if a.Type.NonNull && a.Default == nil {
				required = append(required, l.index)
				requiredNodes = append(requiredNodes, m.node(l.index, a.Position))
			}
		}
	}
	if len(required) > 0 {
		m.errorf(report.RequiredArgumentMissingInSomeSubgraph, coordinate, requiredNodes,
			`Argument "%s" is required in some subgraphs but does not appear in all subgraphs: it is required in %s but does not appear in %s`,
			coordinate, m.subgraphList(required), m.subgraphList(without))
		return false
	}
	m.hint(report.HintInconsistentArgumentPresence, coordinate, nodes,
		`Optional argument "%s" will not be included in the supergraph as it does not appear in all subgraphs: it is defined in %s but not in %s.`,
		coordinate, m.subgraphList(with), m.subgraphList(without))
	return false
}

func (m *merger) mergeArgument(owner, name string, field *schema.Field, lists []source[[]*schema.Argument]) *schema.Argument {
	var sources []source[*schema.Argument]
	for _, l := range lists {
		sources = append(sources, source[*schema.Argument]{l.index, find(l.el, name)})
	}
	coordinate := owner + "(" + name + ":)"
	a := &schema.Argument{Name: name, Field: field}
	m.mergeDescription(&a.Element, coordinate, elements(sources, argumentElement))
	a.Type, _ = mergeTypeReference(m, inputType, "argument", coordinate, references(sources, func(a *schema.Argument) reference {
		return reference{a.Type, &a.Element}
	}))
	var defaults []source[defaulted]
	for _, s := range sources {
		defaults = append(defaults, source[defaulted]{s.index, defaulted{s.el.Default, &s.el.Element}})
	}
	a.Default = m.mergeDefault("Argument", coordinate, report.FieldArgumentDefaultMismatch, defaults)
	m.mergeDirectives(&a.Element, coordinate, elements(sources, argumentElement))
	return a
}

// defaulted is an element with a default value, which may be nil.
type defaulted struct {
	value *ast.Value
	el    *element
}

// mergeDefault keeps a default that all sources agree on.
func (m *merger) mergeDefault(what, coordinate string, code report.Code, sources []source[defaulted]) *ast.Value {
	var chosen *ast.Value
	missing, differ := false, false
	for _, s := range sources {
		switch {
		case s.el.value == nil:
			missing = true
		case chosen == nil:
			chosen = s.el.value
		case !schema.EqualValues(chosen, s.el.value):
			differ = true
		}
	}
	if chosen == nil || !missing && !differ {
		return chosen
	}
	text := func(s source[defaulted]) string {
		if s.el.value == nil {
			return "no default value"
		}
		return "default value " + schema.FormatValue(s.el.value)
	}
	nodes := nodesOf(m, sources, func(d defaulted) *element { return d.el })
	if differ {
		m.errorf(code, coordinate, nodes, `%s "%s" has incompatible default values across subgraphs: it has %s`,
			what, coordinate, m.contrast(variants(sources, "default value "+schema.FormatValue(chosen), text), ""))
		return chosen
	}
	groups := variants(sources, "no default value", text)
	others := make([]string, 0, len(groups)-1)
	for _, g := range groups[1:] {
		others = append(others, `"`+coordinate+`" has `+g.text+` in `+m.subgraphList(g.indexes))
	}
	m.hint(report.HintInconsistentDefaultValuePresence, coordinate, nodes,
		`%s "%s" has a default value in only some subgraphs: will not use a default in the supergraph (there is no default in %s) but %s.`,
		what, coordinate, m.subgraphList(groups[0].indexes), enumerate(others))
	return nil
}
