package operation

import (
	"fmt"

	"github.com/vektah/gqlparser/v2/ast"
)

// size is what limits are compared with. Fragments are measured once each, and sums saturate, so that measuring
// is linear in the text however large the operation it stands for.
type size struct {
	depth, fields, aliases, roots int
}

type measurer struct {
	fragments map[*ast.FragmentDefinition]size
}

// exceeded compares every operation of a valid document with the limits.
func exceeded(doc *ast.QueryDocument, limits Limits) Errors {
	m := measurer{fragments: map[*ast.FragmentDefinition]size{}}
	var errs Errors
	for _, op := range doc.Operations {
		errs = append(errs, m.operation(op, limits)...)
	}
	return errs
}

func (m *measurer) operation(op *ast.OperationDefinition, limits Limits) Errors {
	s := m.selections(op.SelectionSet)
	var errs Errors
	for _, l := range []struct {
		what, code  string
		size, limit int
	}{
		{"nests fields %d deep", CodeDepth, s.depth, bound(limits.Depth, defaultDepth)},
		{"selects %d fields", CodeFields, s.fields, bound(limits.Fields, defaultFields)},
		{"has %d aliases", CodeAliases, s.aliases, bound(limits.Aliases, unlimited)},
		{"has %d root fields", CodeRootFields, s.roots, bound(limits.RootFields, unlimited)},
	} {
		if l.size <= l.limit {
			continue
		}
		name := "The operation"
		if op.Name != "" {
			name = "Operation " + op.Name
		}
		errs = append(errs, &Error{
			Message:   fmt.Sprintf("%s "+l.what+", but at most %d are allowed.", name, l.size, l.limit),
			Locations: []Location{{op.Position.Line, op.Position.Column}},
			Code:      l.code,
		})
	}
	return errs
}

func (m *measurer) selections(set ast.SelectionSet) size {
	var sum size
	for _, selection := range set {
		switch s := selection.(type) {
		case *ast.Field:
			inner := m.selections(s.SelectionSet)
			aliased := 0
			if s.Alias != s.Name {
				aliased = 1
			}
			sum.include(size{inner.depth + 1, inner.fields + 1, inner.aliases + aliased, 1})
		case *ast.InlineFragment:
			sum.include(m.selections(s.SelectionSet))
		case *ast.FragmentSpread:
			sum.include(m.fragment(s.Definition))
		}
	}
	return sum
}

func (m *measurer) fragment(def *ast.FragmentDefinition) size {
	if s, ok := m.fragments[def]; ok {
		return s
	}
	s := m.selections(def.SelectionSet)
	m.fragments[def] = s
	return s
}

// most is where sums saturate: far beyond any limit, and safe to add to itself.
const most = 1 << 30

func (s *size) include(o size) {
	s.depth = max(s.depth, o.depth)
	s.fields = min(s.fields+o.fields, most)
	s.aliases = min(s.aliases+o.aliases, most)
	s.roots = min(s.roots+o.roots, most)
}
