package merge

import (
	"github.com/agora-supergraph/agora/router/compose/internal/federation"
	"github.com/agora-supergraph/agora/router/compose/internal/schema"
	"github.com/agora-supergraph/agora/router/compose/report"
)

// noMergedDirectives refuses directives that would be merged on a field that does not take part in merging.
func (m *merger) noMergedDirectives(s source[*schema.Field]) {
	for _, d := range s.el.Applied {
		name := m.merged(s.index, d)
		if name == "" || d.Spec == "" && (name == "deprecated" || name == "specifiedBy") {
			continue
		}
		if known := federation.Lookup(d.Spec); d.Spec != "" && (known == nil || known.Feature == nil) {
			continue
		}
		m.errorf(report.MergedDirectiveApplicationOnExternal, s.el.Coordinate(), []report.Node{m.node(s.index, d.Position)},
			`[%s] Cannot apply merged directive %s to external field "%s"`, m.Subgraphs[s.index].Name, d, s.el.Coordinate())
	}
}

// checkExternal holds the external declarations of a field against the merged one: they must promise what it does.
func (m *merger) checkExternal(f *schema.Field, sources []source[*schema.Field], differ bool) {
	var external, others []source[*schema.Field]
	for _, s := range sources {
		if m.Subgraphs[s.index].IsExternal(s.el) {
			external = append(external, s)
		} else {
			others = append(others, s)
		}
	}
	if len(external) == 0 || len(others) == 0 || f.Type == nil {
		return
	}
	m.externalType(f, external, sources, differ)
	for _, a := range f.Arguments {
		m.externalArgument(f, a, external, others)
	}
}

// externalType wants the merged type, or a subtype where those that resolve the field differ themselves.
func (m *merger) externalType(f *schema.Field, external, sources []source[*schema.Field], differ bool) {
	for _, s := range external {
		if schema.EqualTypes(f.Type, s.el.Type) || differ && m.IsTypeSubtype(f.Type, s.el.Type) {
			continue
		}
		groups := variants(sources, `type "`+f.Type.String()+`"`, func(s source[*schema.Field]) string { return `type "` + s.el.Type.String() + `"` })
		m.errorf(report.ExternalTypeMismatch, f.Coordinate(), nodesOf(m, sources, fieldElement),
			`Type of field "%s" is incompatible across subgraphs (where marked @external): it has %s`, f.Coordinate(), m.contrast(groups, ""))
		return
	}
}

func (m *merger) externalArgument(f *schema.Field, a *schema.Argument, external, others []source[*schema.Field]) {
	missing, types, defaults := false, false, false
	var all, with []source[*schema.Argument]
	for _, s := range others {
		if arg := s.el.Argument(a.Name); arg != nil {
			with = append(with, source[*schema.Argument]{s.index, arg})
		}
	}
	all = append(all, with...)
	for _, s := range external {
		arg := s.el.Argument(a.Name)
		switch {
		case arg == nil:
			missing = true
			continue
		case !m.IsTypeSubtype(arg.Type, a.Type):
			types = true
		case !schema.EqualValues(arg.Default, a.Default):
			defaults = true
		}
		all = append(all, source[*schema.Argument]{s.index, arg})
	}
	nodes := nodesOf(m, all, argumentElement)
	if missing {
		_, without := split(external, func(f *schema.Field) bool { return f.Argument(a.Name) != nil })
		m.errorf(report.ExternalArgumentMissing, a.Coordinate(), nodes,
			`Field "%s" is missing argument "%s" in some subgraphs where it is marked @external: argument "%s" is declared in %s but not in %s (where "%s" is @external).`,
			f.Coordinate(), a.Coordinate(), a.Coordinate(), m.subgraphList(indexesOf(with)), m.subgraphList(without), f.Coordinate())
	}
	if types {
		groups := variants(all, `type "`+a.Type.String()+`"`, func(s source[*schema.Argument]) string { return `type "` + s.el.Type.String() + `"` })
		m.errorf(report.ExternalArgumentTypeMismatch, a.Coordinate(), nodes,
			`Type of argument "%s" is incompatible across subgraphs (where "%s" is marked @external): it has %s`, a.Coordinate(), f.Coordinate(), m.contrast(groups, ""))
	}
	if defaults {
		text := func(a *schema.Argument) string {
			if a.Default == nil {
				return "no default value"
			}
			return "default value " + schema.FormatValue(a.Default)
		}
		groups := variants(all, text(a), func(s source[*schema.Argument]) string { return text(s.el) })
		m.errorf(report.ExternalArgumentDefaultMismatch, a.Coordinate(), nodes,
			`Argument "%s" has incompatible defaults across subgraphs (where "%s" is marked @external): it has %s`, a.Coordinate(), f.Coordinate(), m.contrast(groups, ""))
	}
}
