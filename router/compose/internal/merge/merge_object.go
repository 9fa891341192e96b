package merge

import (
	"github.com/vektah/gqlparser/v2/ast"

	"github.com/agora-supergraph/agora/router/compose/internal/schema"
	"github.com/agora-supergraph/agora/router/compose/report"
)

func fieldElement(f *schema.Field) *element { return &f.Element }

// entityHint remarks on a type that is an entity in some subgraphs only.
func (m *merger) entityHint(t *schema.Type, sources []source[*schema.Type]) {
	if t.Kind != ast.Object {
		return
	}
	with, without := split(sources, func(t *schema.Type) bool { return t.Has("key") })
	if len(with) == 0 || len(without) == 0 {
		return
	}
	m.hint(report.HintInconsistentEntity, t.Name, nodesOf(m, sources, typeElement),
		`Type "%s" is declared as an entity (has a @key applied) in some but not all defining subgraphs: it has no @key in %s but has some @key in %s.`,
		t.Name, m.subgraphList(without), m.subgraphList(with))
}

// mergeFields unites the fields of an object or an interface, in order of appearance.
func (m *merger) mergeFields(t *schema.Type, sources []source[*schema.Type]) {
	entity := false
	for _, s := range sources {
		for _, f := range s.el.Fields {
			if t.Field(f.Name) == nil {
				t.AddField(&schema.Field{Name: f.Name})
			}
		}
		entity = entity || s.el.Has("key")
	}
	root := t.Name == "Query" || t.Name == "Mutation" || t.Name == "Subscription"
	for _, f := range append([]*schema.Field(nil), t.Fields...) {
		if !entity && !root {
			m.valueTypeHint(t, f.Name, sources)
		}
		m.mergeField(t, f, sources)
	}
}

func (m *merger) valueTypeHint(t *schema.Type, name string, sources []source[*schema.Type]) {
	with, without := split(sources, func(t *schema.Type) bool { return t.Field(name) != nil })
	if len(without) == 0 {
		return
	}
	code, what := report.HintInconsistentObjectValueTypeField, "non-entity object type"
	if t.Kind == ast.Interface {
		code, what = report.HintInconsistentInterfaceValueTypeField, "interface type"
	}
	coordinate := t.Name + "." + name
	m.hint(code, t.Name, nodesOf(m, sources, typeElement),
		`Field "%s" of %s "%s" is defined in some but not all subgraphs that define "%s": "%s" is defined in %s but not in %s.`,
		coordinate, what, t.Name, t.Name, coordinate, m.subgraphList(with), m.subgraphList(without))
}
