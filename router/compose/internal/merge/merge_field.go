package merge

import (
	"github.com/vektah/gqlparser/v2/ast"

	"github.com/agora-supergraph/agora/router/compose/internal/schema"
	"github.com/agora-supergraph/agora/router/compose/report"
)

// fieldMerge is the merging of one field.
type fieldMerge struct {
	*merger
	field *schema.Field
	// parents are the subgraphs that have the type, declared those of them that have the field.
	parents  []source[*schema.Type]
	declared []source[*schema.Field]
	// resolved are the declared ones that are not external.
	resolved []source[*schema.Field]
	origins  *FieldOrigins
	// types tells that subgraphs declare different types.
	types bool
}

func (m *merger) mergeField(t *schema.Type, f *schema.Field, parents []source[*schema.Type]) {
	fm := &fieldMerge{merger: m, field: f, parents: parents}
	for _, p := range parents {
		if own := p.el.Field(f.Name); own != nil {
			fm.declared = append(fm.declared, source[*schema.Field]{p.index, own})
		}
	}
	fm.origins = m.overrides(f, fm.declared)
	m.Fields[f] = fm.origins
	var inUse []source[*schema.Field]
	for _, s := range fm.declared {
		// An overridden field resolves nothing any more, but its declaration still has to agree with the others.
		if o, ok := fm.origins.Overridden[s.index]; !ok || o.Used || o.Label != "" {
			inUse = append(inUse, s)
		}
		if !m.Subgraphs[s.index].IsExternal(s.el) {
			fm.resolved = append(fm.resolved, s)
		} else {
			m.noMergedDirectives(s)
		}
	}
	if len(fm.resolved) == 0 {
		m.errorf(report.ExternalMissingOnBase, f.Coordinate(), nodesOf(m, fm.declared, fieldElement),
			`Field "%s" is marked @external on all the subgraphs in which it is listed (%s).`, f.Coordinate(), m.subgraphList(indexesOf(fm.declared)))
		f.Type = fm.declared[0].el.Type
		return
	}
	m.mergeDescription(&f.Element, f.Coordinate(), elements(fm.resolved, fieldElement))
	f.Type, fm.types = mergeTypeReference(m, outputType, "field", f.Coordinate(), references(fm.resolved, func(f *schema.Field) reference {
		return reference{f.Type, &f.Element}
	}))
	m.mergeArguments(f.Coordinate(), &f.Arguments, f, argumentLists(fm.resolved))
	m.checkExternal(f, fm.declared, fm.types)
	fm.join(inUse)
	m.mergeDirectives(&f.Element, f.Coordinate(), elements(fm.resolved, fieldElement))
}

// join writes the join__field directives, where there is something to say.
func (fm *fieldMerge) join(inUse []source[*schema.Field]) {
	if !fm.special(inUse) {
		return
	}
	for _, s := range inUse {
		sg := fm.Subgraphs[s.index]
		args := []schema.DirectiveArgument{fm.graph(s.index)}
		add := func(name string, v *ast.Value) { args = append(args, schema.Arg(name, v)) }
		if d := s.el.One("requires"); d != nil {
			add("requires", schema.String(d.Text("fields")))
		}
		if d := s.el.One("provides"); d != nil {
			add("provides", schema.String(d.Text("fields")))
		}
		if d := s.el.One("override"); d != nil {
			add("override", schema.String(d.Text("from")))
		}
		if fm.types {
			add("type", schema.String(s.el.Type.String()))
		}
		if sg.IsExternal(s.el) {
			add("external", schema.Boolean(true))
		}
		if o, ok := fm.origins.Overridden[s.index]; ok {
			if o.Used {
				add("usedOverridden", schema.Boolean(true))
			}
			if o.Label != "" {
				add("overrideLabel", schema.String(o.Label))
			}
		}
		if label := fm.origins.Overriding[s.index]; label != "" {
			add("overrideLabel", schema.String(label))
		}
		if contextual := contextArguments(sg.Name, s.el); contextual != nil {
			add("contextArguments", contextual)
		}
		fm.field.Apply("join__field", args...)
	}
}

// special tells whether the field is other than "resolved alike wherever the type is".
func (fm *fieldMerge) special(inUse []source[*schema.Field]) bool {
	if fm.types || len(inUse) != len(fm.parents) || len(fm.origins.Overridden)+len(fm.origins.Overriding) > 0 {
		return true
	}
	for _, s := range inUse {
		if fm.Subgraphs[s.index].IsExternal(s.el) || s.el.Has("requires") || s.el.Has("provides") ||
			contextArguments("", s.el) != nil {
			return true
		}
	}
	return false
}
