package merge

import (
	"github.com/vektah/gqlparser/v2/ast"

	"github.com/agora-supergraph/agora/router/compose/internal/schema"
	"github.com/agora-supergraph/agora/router/compose/report"
)

// reference is an element with a type.
type reference struct {
	typ *ast.Type
	el  *element
}

func references[T any](sources []source[T], of func(T) reference) []source[reference] {
	all := make([]source[reference], len(sources))
	for i, s := range sources {
		all[i] = source[reference]{s.index, of(s.el)}
	}
	return all
}

// variance says which of two compatible types wins: the wider one where values come out, the narrower where they go in.
type variance int

const (
	outputType variance = iota
	inputType
)

// mergeTypeReference merges the types that subgraphs give an element and tells whether they differ.
func mergeTypeReference(m *merger, v variance, what, coordinate string, sources []source[reference]) (*ast.Type, bool) {
	chosen := sources[0].el.typ
	differ, fits := false, true
	for _, s := range sources[1:] {
		t := s.el.typ
		if schema.EqualTypes(chosen, t) {
			continue
		}
		differ = true
		wide, narrow := chosen, t
		if v == inputType {
			wide, narrow = narrow, wide
		}
		switch {
		case m.IsTypeSubtype(wide, narrow):
		case m.IsTypeSubtype(narrow, wide):
			chosen = t
		default:
			fits = false
		}
	}
	if !differ {
		return chosen, false
	}
	if fits {
		m.typeHint(v, what, coordinate, chosen, sources)
		return chosen, true
	}
	groups := variants(sources, chosen.String(), func(s source[reference]) string { return s.el.typ.String() })
	for i := range groups {
		groups[i].text = `"` + groups[i].text + `"`
	}
	code := report.FieldTypeMismatch
	if v == inputType && what == "argument" {
		code = report.FieldArgumentTypeMismatch
	}
	m.errorf(code, coordinate, nodesOf(m, sources, referenceElement), `Type of %s "%s" is incompatible across subgraphs: it has %s`,
		what, coordinate, m.contrast(groups, "type "))
	return chosen, true
}

func referenceElement(r reference) *element { return r.el }

func (m *merger) typeHint(v variance, what, coordinate string, chosen *ast.Type, sources []source[reference]) {
	code, relation := report.HintInconsistentButCompatibleFieldType, "subtype"
	if v == inputType {
		code, relation = report.HintInconsistentButCompatibleArgumentType, "supertype"
		if what == "field" {
			code = report.HintInconsistentButCompatibleFieldType
		}
	}
	groups := variants(sources, chosen.String(), func(s source[reference]) string { return s.el.typ.String() })
	others := make([]string, 0, len(groups)-1)
	for _, g := range groups[1:] {
		others = append(others, `"`+coordinate+`" has `+relation+` "`+g.text+`" in `+m.subgraphList(g.indexes))
	}
	m.hint(code, coordinate, nodesOf(m, sources, referenceElement),
		`Type of %s "%s" is inconsistent but compatible across subgraphs: will use type "%s" (from %s) in supergraph but %s.`,
		what, coordinate, chosen, m.subgraphList(groups[0].indexes), enumerate(others))
}
