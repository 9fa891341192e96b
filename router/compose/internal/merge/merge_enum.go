package merge

import (
	"github.com/vektah/gqlparser/v2/ast"

	"github.com/agora-supergraph/agora/router/compose/internal/schema"
	"github.com/agora-supergraph/agora/router/compose/report"
)

func valueElement(v *schema.EnumValue) *element { return &v.Element }

// enumUse says where the supergraph uses an enum: an example of each position.
type enumUse struct {
	input, output string
}

// mergeEnums merges enums once all that uses them is merged: values are united where the enum only comes out, intersected
// where it only goes in, and must be equal where it does both.
func (m *merger) mergeEnums() {
	uses := m.enumUses()
	for _, t := range m.Types {
		if t.Kind != ast.Enum || m.Machinery[t.Name] {
			continue
		}
		sources := m.sources[t.Name]
		m.mergeDescription(&t.Element, t.Name, elements(sources, typeElement))
		m.joinTypes(t, sources)
		use := uses[t.Name]
		if use == nil {
			use = &enumUse{}
			m.hint(report.HintUnusedEnumType, t.Name, nil,
				`Enum type "%s" is defined but unused. It will be included in the supergraph with all the values appearing in any subgraph ("as if" it was only used as an output type).`, t.Name)
		}
		m.mergeValues(t, use, sources)
		m.mergeDirectives(&t.Element, t.Name, elements(sources, typeElement))
	}
}

// enumUses finds where enums stand in the merged schema.
func (m *merger) enumUses() map[string]*enumUse {
	uses := map[string]*enumUse{}
	use := func(t *ast.Type) *enumUse {
		name := t.Name()
		if e := m.Type(name); e == nil || e.Kind != ast.Enum {
			return nil
		}
		if uses[name] == nil {
			uses[name] = &enumUse{}
		}
		return uses[name]
	}
	for _, t := range m.Types {
		for _, f := range t.Fields {
			if u := use(f.Type); u != nil {
				if t.Kind == ast.InputObject && u.input == "" {
					u.input = f.Coordinate()
				} else if t.Kind != ast.InputObject && u.output == "" {
					u.output = f.Coordinate()
				}
			}
			for _, a := range f.Arguments {
				if u := use(a.Type); u != nil && u.input == "" {
					u.input = a.Coordinate()
				}
			}
		}
	}
	// Input fields that are dropped for not being everywhere count, too: some subgraph does take the enum.
	for _, f := range m.dropped {
		if u := use(f.Type); u != nil && u.input == "" {
			u.input = f.Coordinate()
		}
	}
	for i := range m.Subgraphs {
		for _, d := range m.Subgraphs[i].Directives {
			for _, a := range d.Arguments {
				if u := use(a.Type); u != nil && u.input == "" && executable(d) {
					u.input = "@" + d.Name + "(" + a.Name + ":)"
				}
			}
		}
	}
	return uses
}

func (m *merger) mergeValues(t *schema.Type, use *enumUse, parents []source[*schema.Type]) {
	var names []string
	seen := map[string]bool{}
	for _, p := range parents {
		for _, v := range p.el.Values {
			if !seen[v.Name] {
				seen[v.Name] = true
				names = append(names, v.Name)
			}
		}
	}
	for _, name := range names {
		var sources []source[*schema.EnumValue]
		inaccessible := false
		for _, p := range parents {
			if v := p.el.Value(name); v != nil {
				sources = append(sources, source[*schema.EnumValue]{p.index, v})
				inaccessible = inaccessible || v.Has("inaccessible")
			}
		}
		if len(sources) < len(parents) && !m.keepValue(t, name, use, inaccessible, parents) {
			continue
		}
		v := t.AddValue(&schema.EnumValue{Name: name})
		m.mergeDescription(&v.Element, t.Name+"."+name, elements(sources, valueElement))
		for _, s := range sources {
			v.Apply("join__enumValue", m.graph(s.index))
		}
		m.mergeDirectives(&v.Element, t.Name+"."+name, elements(sources, valueElement))
	}
	if len(t.Values) == 0 {
		m.errorf(report.EmptyMergedEnumType, t.Name, nodesOf(m, parents, typeElement),
			`None of the values of enum type "%s" are defined consistently in all the subgraphs defining that type. `+
				`As only values common to all subgraphs are merged, this would result in an empty type.`, t.Name)
	}
}

// keepValue decides on a value that only some subgraphs define.
func (m *merger) keepValue(t *schema.Type, name string, use *enumUse, inaccessible bool, parents []source[*schema.Type]) bool {
	with, without := split(parents, func(t *schema.Type) bool { return t.Value(name) != nil })
	where := `"` + name + `" is defined in ` + m.subgraphList(with) + ` but not in ` + m.subgraphList(without)
	nodes := nodesOf(m, parents, typeElement)
	coordinate := t.Name + "." + name
	switch {
	case use.input != "" && use.output != "":
		if !inaccessible {
			m.errorf(report.EnumValueMismatch, coordinate, nodes,
				`Enum type "%s" is used as both input type (for example, as type of "%s") and output type (for example, as type of "%s"), but value "%s" is not defined in all the subgraphs defining "%s": %s`,
				t.Name, use.input, use.output, name, t.Name, where)
		}
		return true
	case use.input != "":
		if !inaccessible {
			m.hint(report.HintInconsistentEnumValueForInputEnum, coordinate, nodes,
				`Value "%s" of enum type "%s" will not be part of the supergraph as it is not defined in all the subgraphs defining "%s": %s.`,
				name, t.Name, t.Name, where)
		}
		return inaccessible
	}
	m.hint(report.HintInconsistentEnumValueForOutputEnum, coordinate, nodes,
		`Value "%s" of enum type "%s" has been added to the supergraph but is only defined in a subset of the subgraphs defining "%s": %s.`,
		name, t.Name, t.Name, where)
	return true
}
