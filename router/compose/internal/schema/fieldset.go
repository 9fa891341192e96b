package schema

import (
	"slices"
	"strings"

	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"
	"github.com/vektah/gqlparser/v2/parser"
)

// Selection is one part of a field set: a field or an inline fragment.
type Selection struct {
	// Field is the field's name, empty for a fragment.
	Field string
	Alias string
	// Arguments are the field's.
	Arguments ast.ArgumentList
	// On is the fragment's type condition; may be empty.
	On string
	// Fragment is true for an inline fragment.
	Fragment bool
	// Directives are the names of the directives applied, Applied is the first of them as SDL.
	Directives []string
	Applied    string
	// Sub is what is selected below.
	Sub FieldSet
}

// FieldSet is the selection that federation directives hold in a string, for instance @key(fields:).
type FieldSet []*Selection

// ParseFieldSet reads a field set, with or without braces around it.
func ParseFieldSet(text string) (FieldSet, *gqlerror.Error) {
	if !strings.HasPrefix(strings.TrimSpace(text), "{") {
		text = "{" + text + "}"
	}
	doc, err := parser.ParseQuery(&ast.Source{Input: text})
	if err != nil {
		if g, ok := err.(*gqlerror.Error); ok {
			return nil, g
		}
		return nil, gqlerror.Wrap(err)
	}
	if len(doc.Operations) != 1 || len(doc.Fragments) > 0 {
		return nil, gqlerror.Errorf("Syntax Error: Expected one selection set.")
	}
	return selections(doc.Operations[0].SelectionSet), nil
}

func selections(set ast.SelectionSet) FieldSet {
	var fs FieldSet
	for _, sel := range set {
		switch sel := sel.(type) {
		case *ast.Field:
			s := &Selection{Field: sel.Name, Arguments: sel.Arguments, Directives: directiveNames(sel.Directives), Applied: firstApplied(sel.Directives), Sub: selections(sel.SelectionSet)}
			if sel.Alias != sel.Name {
				s.Alias = sel.Alias
			}
			fs = append(fs, s)
		case *ast.InlineFragment:
			fs = append(fs, &Selection{Fragment: true, On: sel.TypeCondition, Directives: directiveNames(sel.Directives), Applied: firstApplied(sel.Directives), Sub: selections(sel.SelectionSet)})
		case *ast.FragmentSpread:
			fs = append(fs, &Selection{Fragment: true, On: "..." + sel.Name})
		}
	}
	return fs
}

func firstApplied(list ast.DirectiveList) string {
	if len(list) == 0 {
		return ""
	}
	return directives(list[:1], 0)[0].String()
}

func directiveNames(list ast.DirectiveList) []string {
	var names []string
	for _, d := range list {
		names = append(names, d.Name)
	}
	return names
}

// String writes the field set without outer braces.
func (fs FieldSet) String() string {
	parts := make([]string, len(fs))
	for i, s := range fs {
		parts[i] = s.String()
	}
	return strings.Join(parts, " ")
}

// String writes the selection.
func (s *Selection) String() string {
	var b strings.Builder
	if s.Fragment {
		b.WriteString("...")
		if s.On != "" {
			b.WriteString(" on " + s.On)
		}
	} else {
		if s.Alias != "" {
			b.WriteString(s.Alias + ": ")
		}
		b.WriteString(s.Field)
		for i, a := range s.Arguments {
			if i == 0 {
				b.WriteByte('(')
			} else {
				b.WriteString(", ")
			}
			b.WriteString(a.Name + ": " + FormatValue(a.Value))
		}
		if len(s.Arguments) > 0 {
			b.WriteByte(')')
		}
	}
	if len(s.Sub) > 0 {
		b.WriteString(" { " + s.Sub.String() + " }")
	}
	return b.String()
}

// Canonical writes the field set in a form that does not depend on spelling, order or repetition.
func (fs FieldSet) Canonical() string {
	parts := make([]string, 0, len(fs))
	for _, s := range fs {
		c := *s
		c.Sub = nil
		text := c.String()
		if len(s.Sub) > 0 {
			text += " { " + s.Sub.Canonical() + " }"
		}
		parts = append(parts, text)
	}
	slices.Sort(parts)
	return strings.Join(slices.Compact(parts), " ")
}
