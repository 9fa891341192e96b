package validate

import (
	"encoding/binary"
	"fmt"
	"slices"
	"strings"

	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"
)

// MergeFields checks https://spec.graphql.org/draft/#sec-Field-Selection-Merging on a document that Document
// found no error in and whose fragments nest within bounds. It reports false if that would take longer than the
// budget, a number of fields to look at.
//
// Comparing every pair of fields, as the specification writes it, is quadratic in equal fields. Instead fields
// of one response key are taken together, level by level: all of them must have one shape, and all of them
// that one object type can have must be the same field (after S. Adameit, "GraphQL overlapping fields can be
// merged fast"). A set of fields met again on another path is not looked at again.
func MergeFields(api *ast.Schema, doc *ast.QueryDocument, config Config, budget int) (gqlerror.List, bool) {
	m := &merging{
		document: document{api: api, config: config},
		budget:   budget,
		numbers:  map[*ast.Field]uint64{},
		shapes:   map[string]bool{},
		fields:   map[string]bool{},
		reported: map[[2]*ast.Field]bool{},
		calls:    map[*ast.Field]string{},
	}
	for _, op := range doc.Operations {
		root := m.expand([]*occurrence{{field: &ast.Field{SelectionSet: op.SelectionSet}}})
		for _, o := range root {
			o.parent = nil
		}
		m.sameField(root)
		m.sameShape(root)
	}
	return m.result(), m.budget >= 0
}

type merging struct {
	document
	budget  int
	numbers map[*ast.Field]uint64
	// shapes and fields are the sets looked at already.
	shapes, fields map[string]bool
	reported       map[[2]*ast.Field]bool
	calls          map[*ast.Field]string
}

// occurrence is a field of a set, with the one of the set above that it was found in.
type occurrence struct {
	field  *ast.Field
	parent *occurrence
}

// expand collects the fields below a set, fragments inlined, each field of the text once.
func (m *merging) expand(set []*occurrence) []*occurrence {
	var out []*occurrence
	seen := map[*ast.Field]bool{}
	spread := map[*ast.FragmentDefinition]bool{}
	var collect func(*occurrence, ast.SelectionSet)
	collect = func(parent *occurrence, selections ast.SelectionSet) {
		for _, selection := range selections {
			switch s := selection.(type) {
			case *ast.Field:
				if !seen[s] {
					seen[s] = true
					out = append(out, &occurrence{s, parent})
				}
			case *ast.InlineFragment:
				collect(parent, s.SelectionSet)
			case *ast.FragmentSpread:
				if !spread[s.Definition] {
					spread[s.Definition] = true
					collect(parent, s.Definition.SelectionSet)
				}
			}
		}
	}
	for _, o := range set {
		collect(o, o.field.SelectionSet)
	}
	return out
}

// enter reports whether a set has to be looked at: it is new, and the budget lasts.
func (m *merging) enter(set []*occurrence, seen map[string]bool) bool {
	m.budget -= len(set)
	if m.budget < 0 || len(set) < 2 && len(set) > 0 && len(set[0].field.SelectionSet) == 0 {
		return false
	}
	numbers := make([]uint64, len(set))
	for i, o := range set {
		number, ok := m.numbers[o.field]
		if !ok {
			number = uint64(len(m.numbers))
			m.numbers[o.field] = number
		}
		numbers[i] = number
	}
	slices.Sort(numbers)
	var key []byte
	for _, n := range numbers {
		key = binary.AppendUvarint(key, n)
	}
	if seen[string(key)] {
		return false
	}
	seen[string(key)] = true
	return true
}

// byResponseKey groups a set in order of first appearance.
func byResponseKey(set []*occurrence) [][]*occurrence {
	index := map[string]int{}
	var groups [][]*occurrence
	for _, o := range set {
		i, ok := index[o.field.Alias]
		if !ok {
			i = len(groups)
			index[o.field.Alias] = i
			groups = append(groups, nil)
		}
		groups[i] = append(groups[i], o)
	}
	return groups
}

// sameField checks that fields which can meet in one object are the same field with the same arguments.
func (m *merging) sameField(set []*occurrence) {
	if !m.enter(set, m.fields) {
		return
	}
	for _, group := range byResponseKey(set) {
		for _, together := range byObjectType(group) {
			if m.agree(together, m.differ) {
				if below := m.expand(together); len(below) > 0 {
					m.sameField(below)
				}
			}
		}
	}
}

// byObjectType lists which fields of a response key can meet: those of each object type, with those that are
// selected on interfaces.
func byObjectType(group []*occurrence) [][]*occurrence {
	var abstract []*occurrence
	index := map[string]int{}
	var concrete [][]*occurrence
	for _, o := range group {
		parent := o.field.ObjectDefinition
		if parent.Kind != ast.Object {
			abstract = append(abstract, o)
			continue
		}
		i, ok := index[parent.Name]
		if !ok {
			i = len(concrete)
			index[parent.Name] = i
			concrete = append(concrete, nil)
		}
		concrete[i] = append(concrete[i], o)
	}
	if len(concrete) == 0 {
		return [][]*occurrence{abstract}
	}
	for i := range concrete {
		concrete[i] = append(concrete[i], abstract...)
	}
	return concrete
}

// sameShape checks that the values of one response key look alike, whatever object they are in.
func (m *merging) sameShape(set []*occurrence) {
	if !m.enter(set, m.shapes) {
		return
	}
	for _, group := range byResponseKey(set) {
		if m.agree(group, m.differInShape) {
			if below := m.expand(group); len(below) > 0 {
				m.sameShape(below)
			}
		}
	}
}

// agree compares all fields with the first, which is enough: to agree is an equivalence.
func (m *merging) agree(group []*occurrence, differ func(a, b *ast.Field) string) bool {
	ok := true
	for _, o := range group[1:] {
		if reason := differ(group[0].field, o.field); reason != "" {
			m.conflict(group[0], o, reason)
			ok = false
		}
	}
	return ok
}

func (m *merging) differ(a, b *ast.Field) string {
	if a.Name != b.Name {
		return fmt.Sprintf(`"%s" and "%s" are different fields`, a.Name, b.Name)
	}
	if m.call(a) != m.call(b) {
		return "they have differing arguments"
	}
	return ""
}

func (m *merging) differInShape(a, b *ast.Field) string {
	if m.shapesConflict(a.Definition.Type, b.Definition.Type) {
		return fmt.Sprintf(`they return conflicting types "%s" and "%s"`, a.Definition.Type, b.Definition.Type)
	}
	return ""
}

func (m *merging) shapesConflict(a, b *ast.Type) bool {
	if a.NonNull != b.NonNull || (a.Elem == nil) != (b.Elem == nil) {
		return true
	}
	if a.Elem != nil {
		return m.shapesConflict(a.Elem, b.Elem)
	}
	x, y := m.api.Types[a.NamedType], m.api.Types[b.NamedType]
	return x != y && (x == nil || y == nil || x.IsLeafType() || y.IsLeafType())
}

// conflict reports two fields, from the outermost response key at which they part.
func (m *merging) conflict(a, b *occurrence, reason string) {
	if m.reported[[2]*ast.Field{a.field, b.field}] {
		return
	}
	m.reported[[2]*ast.Field{a.field, b.field}] = true
	positions := [2][]*ast.Position{{a.field.Position}, {b.field.Position}}
	for a.parent != nil && b.parent != nil && a.parent.field != b.parent.field {
		reason = fmt.Sprintf(`subfields "%s" conflict because %s`, a.field.Alias, reason)
		a, b = a.parent, b.parent
		positions[0] = append(positions[0], a.field.Position)
		positions[1] = append(positions[1], b.field.Position)
	}
	slices.Reverse(positions[0])
	slices.Reverse(positions[1])
	m.report(append(positions[0], positions[1]...), `Fields "%s" conflict because %s. `+
		`Use different aliases on the fields to fetch both if this was intentional.`, a.field.Alias, reason)
}

// call writes a field's arguments so that equal arguments give equal text.
func (m *merging) call(f *ast.Field) string {
	if len(f.Arguments) == 0 {
		return ""
	}
	text, ok := m.calls[f]
	if !ok {
		parts := make([]string, len(f.Arguments))
		for i, a := range f.Arguments {
			parts[i] = a.Name + ":" + canonical(a.Value)
		}
		slices.Sort(parts)
		text = strings.Join(parts, ",")
		m.calls[f] = text
	}
	return text
}

// canonical writes a value with the fields of objects sorted: their order means nothing.
func canonical(v *ast.Value) string {
	if v.Kind != ast.ListValue && v.Kind != ast.ObjectValue {
		return v.String()
	}
	parts := make([]string, len(v.Children))
	for i, c := range v.Children {
		parts[i] = c.Name + ":" + canonical(c.Value)
	}
	if v.Kind == ast.ObjectValue {
		slices.Sort(parts)
		return "{" + strings.Join(parts, ",") + "}"
	}
	return "[" + strings.Join(parts, ",") + "]"
}
