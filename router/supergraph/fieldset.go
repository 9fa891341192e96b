package supergraph

import (
	"fmt"
	"sort"
	"strings"

	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/parser"
)

// FieldSet is a selection on a type in a key, requires or provides: parsed, and resolved to runtime types.
type FieldSet struct {
	// ID numbers the field sets of a supergraph from 0.
	ID int
	// Type is the type that the selection stands on.
	Type *Type
	// Text is the selection as the SDL writes it.
	Text string
	// Fields are the selected fields. One name and one list of arguments stands once per set of types.
	Fields []*FieldSelection
}

// FieldSelection is one field of a field set.
type FieldSelection struct {
	// ID numbers the field selections of a supergraph from 0.
	ID int
	// Name is the field's name; __typename is possible.
	Name string
	// Arguments is the text of the arguments as GraphQL writes them, sorted by name, without parentheses;
	// empty for none.
	Arguments string
	// Types are the runtime types of the parent that it is selected for.
	Types TypeSet
	// Scope is the type that it is selected on.
	Scope *Type
	// Base is the composite type of the field; nil for leaves.
	Base *Type
	// Fields is the selection below; nil for leaves.
	Fields []*FieldSelection
}

// fieldSet parses the text of a selection on a type.
func (s *Supergraph) fieldSet(t *Type, text string) (*FieldSet, error) {
	text = strings.TrimSpace(text)
	body := text
	if !strings.HasPrefix(body, "{") {
		body = "{" + body + "}"
	}
	doc, err := parser.ParseQuery(&ast.Source{Name: "field set", Input: body})
	if err != nil {
		return nil, fmt.Errorf("field set %q on %s: %w", text, t.Name, err)
	}
	if len(doc.Operations) != 1 {
		return nil, fmt.Errorf("field set %q on %s: not a selection", text, t.Name)
	}
	set := &FieldSet{ID: s.fieldSets, Type: t, Text: text}
	if set.Fields, err = s.selections(nil, t, t.Possible, doc.Operations[0].SelectionSet); err != nil {
		return nil, fmt.Errorf("field set %q on %s: %w", text, t.Name, err)
	}
	s.fieldSets++
	return set, nil
}

func (s *Supergraph) selections(into []*FieldSelection, scope *Type, types TypeSet, set ast.SelectionSet) ([]*FieldSelection, error) {
	var err error
	for _, sel := range set {
		switch sel := sel.(type) {
		case *ast.Field:
			into, err = s.selectField(into, scope, types, sel)
		case *ast.InlineFragment:
			on := scope
			if sel.TypeCondition != "" {
				if on = s.types[sel.TypeCondition]; on == nil {
					return nil, fmt.Errorf("type %s is not known", sel.TypeCondition)
				}
			}
			into, err = s.selections(into, on, types.Intersect(on.Possible), sel.SelectionSet)
		default:
			err = fmt.Errorf("fragment spreads are not allowed")
		}
		if err != nil {
			return nil, err
		}
	}
	return into, nil
}

func (s *Supergraph) selectField(into []*FieldSelection, scope *Type, types TypeSet, f *ast.Field) ([]*FieldSelection, error) {
	var base *Type
	if f.Name != "__typename" {
		def := scope.Field(f.Name)
		if def == nil {
			return nil, fmt.Errorf("field %s.%s is not known", scope.Name, f.Name)
		}
		base = def.Base
	}
	if (base == nil) != (len(f.SelectionSet) == 0) {
		return nil, fmt.Errorf("field %s.%s: a selection stands on composite types, and only there", scope.Name, f.Name)
	}
	args := argumentText(f.Arguments)
	var field *FieldSelection
	for _, g := range into {
		if g.Name == f.Name && g.Arguments == args && g.Types.Equal(types) {
			field = g
		}
	}
	if field == nil {
		field = &FieldSelection{ID: s.selected, Name: f.Name, Arguments: args, Types: types, Scope: scope, Base: base}
		s.selected++
		into = append(into, field)
	}
	if base == nil {
		return into, nil
	}
	var err error
	field.Fields, err = s.selections(field.Fields, base, base.Possible, f.SelectionSet)
	return into, err
}

// argumentText writes arguments in order of name: requires are compared by name and arguments.
func argumentText(args ast.ArgumentList) string {
	parts := make([]string, 0, len(args))
	for _, a := range args {
		parts = append(parts, a.Name+":"+a.Value.String())
	}
	sort.Strings(parts)
	return strings.Join(parts, ",")
}

// contextSelection parses the part of a context's selection that applies to one of the types that set it: a
// selection may have one inline fragment for each. It returns nil if no part applies.
func (s *Supergraph) contextSelection(t *Type, text string) (*FieldSet, error) {
	if text = strings.TrimSpace(text); !strings.HasPrefix(text, "{") {
		text = "{" + text + "}"
	}
	doc, err := parser.ParseQuery(&ast.Source{Name: "selection", Input: text})
	if err != nil {
		return nil, err
	}
	set := &FieldSet{ID: s.fieldSets, Type: t, Text: strings.TrimSpace(text)}
	for _, sel := range doc.Operations[0].SelectionSet {
		scope, types, part := t, t.Possible, ast.SelectionSet{sel}
		if frag, ok := sel.(*ast.InlineFragment); ok && frag.TypeCondition != "" {
			on := s.types[frag.TypeCondition]
			if on == nil {
				return nil, fmt.Errorf("type %s is not known", frag.TypeCondition)
			}
			scope, types, part = on, types.Intersect(on.Possible), frag.SelectionSet
			if types.Empty() {
				continue
			}
		}
		if set.Fields, err = s.selections(set.Fields, scope, types, part); err != nil {
			return nil, err
		}
	}
	if len(set.Fields) == 0 {
		return nil, nil
	}
	s.fieldSets++
	return set, nil
}
