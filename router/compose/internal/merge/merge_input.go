package merge

import (
	"github.com/agora-supergraph/agora/router/compose/internal/schema"
	"github.com/agora-supergraph/agora/router/compose/report"
)

// mergeInput intersects the fields of an input object. A field that is not everywhere is kept where it is @inaccessible.
func (m *merger) mergeInput(t *schema.Type, parents []source[*schema.Type]) {
	var names []string
	seen := map[string]bool{}
	for _, p := range parents {
		for _, f := range p.el.Fields {
			if !seen[f.Name] {
				seen[f.Name] = true
				names = append(names, f.Name)
			}
		}
	}
	for _, name := range names {
		var sources []source[*schema.Field]
		inaccessible := false
		for _, p := range parents {
			if f := p.el.Field(name); f != nil {
				sources = append(sources, source[*schema.Field]{p.index, f})
				inaccessible = inaccessible || f.Has("inaccessible")
			}
		}
		f := &schema.Field{Name: name, Parent: t}
		if len(sources) < len(parents) && !inaccessible {
			m.dropInputField(f, sources, parents)
			continue
		}
		m.mergeInputField(f, sources, parents)
		t.AddField(f)
	}
	if len(t.Fields) == 0 {
		m.errorf(report.EmptyMergedInputType, t.Name, nodesOf(m, parents, typeElement),
			`None of the fields of input object type "%s" are consistently defined in all the subgraphs defining that type. `+
				`As only fields common to all subgraphs are merged, this would result in an empty type.`, t.Name)
	}
}

// dropInputField leaves a field out, with a hint, or refuses to where it is required somewhere.
func (m *merger) dropInputField(f *schema.Field, sources []source[*schema.Field], parents []source[*schema.Type]) {
	m.dropped = append(m.dropped, sources[0].el)
	with, without := split(parents, func(t *schema.Type) bool { return t.Field(f.Name) != nil })
	var required []int
	var nodes []report.Node
	for _, s := range sources {
		if s.el.Type.NonNull && s.el.Default == nil {
			required = append(required, s.index)
			nodes = append(nodes, m.node(s.index, s.el.Position))
		}
	}
	if len(required) > 0 {
		m.errorf(report.RequiredInputFieldMissingInSomeSubgraph, f.Coordinate(), nodes,
			`Input object field "%s" is required in some subgraphs but does not appear in all subgraphs: it is required in %s but does not appear in %s`,
			f.Coordinate(), m.subgraphList(required), m.subgraphList(without))
		return
	}
	m.hint(report.HintInconsistentInputObjectField, f.Coordinate(), nodesOf(m, sources, fieldElement),
		`Input object field "%s" will not be added to "%s" in the supergraph as it does not appear in all subgraphs: it is defined in %s but not in %s.`,
		f.Name, f.Parent.Name, m.subgraphList(with), m.subgraphList(without))
}

func (m *merger) mergeInputField(f *schema.Field, sources []source[*schema.Field], parents []source[*schema.Type]) {
	m.mergeDescription(&f.Element, f.Coordinate(), elements(sources, fieldElement))
	var differ bool
	f.Type, differ = mergeTypeReference(m, inputType, "field", f.Coordinate(), references(sources, func(f *schema.Field) reference {
		return reference{f.Type, &f.Element}
	}))
	if differ || len(sources) < len(parents) {
		for _, s := range sources {
			args := []schema.DirectiveArgument{m.graph(s.index)}
			if differ {
				args = append(args, schema.Arg("type", schema.String(s.el.Type.String())))
			}
			f.Apply("join__field", args...)
		}
	}
	var defaults []source[defaulted]
	for _, s := range sources {
		defaults = append(defaults, source[defaulted]{s.index, defaulted{s.el.Default, &s.el.Element}})
	}
	f.Default = m.mergeDefault("Input field", f.Coordinate(), report.InputFieldDefaultMismatch, defaults)
	m.mergeDirectives(&f.Element, f.Coordinate(), elements(sources, fieldElement))
}
