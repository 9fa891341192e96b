package manifest

import (
	"bytes"
	"cmp"
	"fmt"
	"slices"

	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/formatter"
	"github.com/vektah/gqlparser/v2/parser"
)

// Normalise returns a text that is equal for documents which differ in nothing but white space, commas, comments, the
// notation of strings and the order of their definitions, as Apollo's router compares them: operations sorted by name, then
// fragments sorted by name, printed. Literals stay what they are. tokens bounds the lexical tokens; zero means no bound.
func Normalise(text string, tokens int) (string, error) {
	doc, err := parser.ParseQueryWithTokenLimit(&ast.Source{Input: text}, tokens)
	if err != nil {
		return "", fmt.Errorf("normalise document: %w", err)
	}
	return print(doc), nil
}

func print(doc *ast.QueryDocument) string {
	slices.SortStableFunc(doc.Operations, func(a, b *ast.OperationDefinition) int { return cmp.Compare(a.Name, b.Name) })
	slices.SortStableFunc(doc.Fragments, func(a, b *ast.FragmentDefinition) int { return cmp.Compare(a.Name, b.Name) })
	var b bytes.Buffer
	formatter.NewFormatter(&b, formatter.WithCompacted(), formatter.WithoutDescription()).FormatQueryDocument(doc)
	return b.String()
}

// Introspects says whether a text asks for nothing but the schema, in every operation: __schema, __type and
// __typename at the root. tokens is as for Normalise.
func Introspects(text string, tokens int) bool {
	doc, err := parser.ParseQueryWithTokenLimit(&ast.Source{Input: text}, tokens)
	if err != nil || len(doc.Operations) == 0 {
		return false
	}
	return !slices.ContainsFunc(doc.Operations, func(op *ast.OperationDefinition) bool {
		return op.Operation != ast.Query || !onlySchema(op.SelectionSet)
	})
}

// onlySchema is false for fragments at the root: tools for introspection have none.
func onlySchema(set ast.SelectionSet) bool {
	return !slices.ContainsFunc(set, func(s ast.Selection) bool {
		field, ok := s.(*ast.Field)
		return !ok || field.Name != "__schema" && field.Name != "__type" && field.Name != "__typename"
	})
}
