package merge

import (
	"github.com/vektah/gqlparser/v2/ast"

	"github.com/agora-supergraph/agora/router/compose/internal/schema"
	"github.com/agora-supergraph/agora/router/compose/report"
)

// addInterfaceObjectFields gives the implementations of an interface the fields that interface objects add to it.
func (m *merger) addInterfaceObjectFields() {
	for _, t := range m.Types {
		if t.Kind != ast.Interface || m.Machinery[t.Name] {
			continue
		}
		sources := m.sources[t.Name]
		m.interfaceKeys(t, sources)
		for _, s := range sources {
			if isInterfaceObject(s.el) {
				m.noImplementations(t, s)
				m.spread(t, s)
			}
		}
	}
}

// spread adds the fields of one interface object to all implementations that lack them.
func (m *merger) spread(t *schema.Type, s source[*schema.Type]) {
	for _, o := range m.PossibleTypes(t) {
		for _, own := range s.el.Fields {
			merged := t.Field(own.Name)
			if merged == nil || merged.Type == nil || o.Field(own.Name) != nil || m.Subgraphs[s.index].FullyExternal(own) {
				continue
			}
			f := o.AddField(&schema.Field{Name: own.Name, Type: merged.Type})
			f.Description = merged.Description
			for _, a := range merged.Arguments {
				copied := *a
				copied.Field = f
				f.Arguments = append(f.Arguments, &copied)
			}
			for _, d := range merged.Applied {
				if d.Name != "join__field" {
					f.Applied = append(f.Applied, d)
				}
			}
			f.Apply("join__field")
			m.Fields[f] = &FieldOrigins{}
		}
	}
}

// noImplementations: a subgraph that knows an interface as an object must not know its implementations.
func (m *merger) noImplementations(t *schema.Type, s source[*schema.Type]) {
	sg := m.Subgraphs[s.index]
	for _, o := range m.PossibleTypes(t) {
		if own := sg.Type(o.Name); own != nil {
			m.errorf(report.InterfaceObjectUsageError, t.Name, []report.Node{m.node(s.index, s.el.Position), m.node(s.index, own.Position)},
				`[%s] Interface type "%s" is defined as an @interfaceObject in subgraph "%s" so that subgraph should not define any of the implementation types of "%s", but it defines type "%s"`,
				sg.Name, t.Name, sg.Name, t.Name, o.Name)
		}
	}
}

// interfaceKeys: a subgraph with a resolvable key on an interface must know every implementation.
func (m *merger) interfaceKeys(t *schema.Type, sources []source[*schema.Type]) {
	for _, s := range sources {
		if isInterfaceObject(s.el) {
			continue
		}
		var key *schema.Directive
		for _, d := range s.el.All("key") {
			if d.Flag("resolvable", true) && key == nil {
				key = d
			}
		}
		if key == nil {
			continue
		}
		sg := m.Subgraphs[s.index]
		var missing []string
		for _, o := range m.PossibleTypes(t) {
			if own := sg.Type(o.Name); own == nil || !own.Implements(t.Name) {
				missing = append(missing, `"`+o.Name+`"`)
			}
		}
		if len(missing) == 0 {
			continue
		}
		types := "type " + missing[0]
		if len(missing) > 1 {
			types = "types " + enumerate(missing)
		}
		m.errorf(report.InterfaceKeyMissingImplementationType, t.Name, []report.Node{m.node(s.index, s.el.Position)},
			`[%s] Interface type "%s" has a resolvable key (%s) in subgraph "%s" but that subgraph is missing some of the supergraph implementation types of "%s". Subgraph "%s" should define %s (and have it implement "%s").`,
			sg.Name, t.Name, "@"+key.Name+"(fields: "+schema.FormatValue(key.Argument("fields"))+")", sg.Name, t.Name, sg.Name, types, t.Name)
	}
}
