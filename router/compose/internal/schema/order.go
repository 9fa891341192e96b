package schema

import (
	"cmp"
	"slices"
	"strings"
)

// CompareNames orders names as the reference's output does, which is the root collation of Unicode for the letters that
// GraphQL names have: underscore before digits before letters whatever their case; lower case first among equals.
func CompareNames(a, b string) int {
	for i := 0; i < len(a) && i < len(b); i++ {
		if c := cmp.Compare(primary(a[i]), primary(b[i])); c != 0 {
			return c
		}
	}
	if c := cmp.Compare(len(a), len(b)); c != 0 {
		return c
	}
	return -strings.Compare(a, b)
}

func primary(c byte) int {
	switch {
	case c == '_':
		return 0
	case c >= '0' && c <= '9':
		return 1 + int(c-'0')
	case c >= 'A' && c <= 'Z':
		return 11 + int(c-'A')
	}
	return 11 + int(c) - 'a'
}

// sortedTypes returns the types in the order of CompareNames.
func (s *Schema) sortedTypes() []*Type {
	return slices.SortedFunc(slices.Values(s.Types), func(a, b *Type) int { return CompareNames(a.Name, b.Name) })
}

func (s *Schema) sortedDirectives() []*DirectiveDefinition {
	return slices.SortedFunc(slices.Values(s.Directives), func(a, b *DirectiveDefinition) int { return CompareNames(a.Name, b.Name) })
}
