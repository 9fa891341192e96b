package merge

import (
	"github.com/vektah/gqlparser/v2/ast"

	"github.com/agora-supergraph/agora/router/compose/internal/schema"
	"github.com/agora-supergraph/agora/router/compose/report"
)

// mergeUnions unites the members of unions, before fields are merged: members are subtypes.
func (m *merger) mergeUnions() {
	for _, t := range m.Types {
		if t.Kind != ast.Union || m.Machinery[t.Name] {
			continue
		}
		sources := m.sources[t.Name]
		for _, s := range sources {
			for _, member := range s.el.Members {
				if !t.HasMember(member.Name) {
					t.Members = append(t.Members, schema.Reference{Name: member.Name})
				}
			}
		}
		for _, member := range t.Members {
			m.memberHint(t, member.Name, sources)
		}
	}
}

// joinMembers writes the join__unionMember directives.
func (m *merger) joinMembers(t *schema.Type, sources []source[*schema.Type]) {
	for _, member := range t.Members {
		for _, s := range sources {
			if s.el.HasMember(member.Name) {
				t.Apply("join__unionMember", m.graph(s.index), schema.Arg("member", schema.String(member.Name)))
			}
		}
	}
}

func (m *merger) memberHint(t *schema.Type, member string, sources []source[*schema.Type]) {
	with, without := split(sources, func(u *schema.Type) bool { return u.HasMember(member) })
	if len(without) > 0 {
		m.hint(report.HintInconsistentUnionMember, t.Name, nodesOf(m, sources, typeElement),
			`Union type "%s" includes member type "%s" in some but not all defining subgraphs: "%s" is defined in %s but not in %s.`,
			t.Name, member, member, m.subgraphList(with), m.subgraphList(without))
	}
}

// split tells the subgraphs for which has is true from the others.
func split[T any](sources []source[T], has func(T) bool) (with, without []int) {
	for _, s := range sources {
		if has(s.el) {
			with = append(with, s.index)
		} else {
			without = append(without, s.index)
		}
	}
	return with, without
}
