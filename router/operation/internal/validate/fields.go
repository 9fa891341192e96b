package validate

import (
	"fmt"
	"slices"
	"strings"

	"github.com/vektah/gqlparser/v2/ast"

	"github.com/agora-supergraph/agora/router/operation/internal/suggest"
)

// https://spec.graphql.org/draft/#sec-Field-Selections
func fieldsOnCorrectType(d *document) {
	for _, def := range d.definitions {
		for _, f := range def.fields {
			// On a leaf, the selection set itself is the error.
			if f.ObjectDefinition == nil || f.Definition != nil || !f.ObjectDefinition.IsCompositeType() {
				continue
			}
			d.report(at(f.Position), `Cannot query field "%s" on type "%s".%s`,
				f.Name, f.ObjectDefinition.Name, d.didYouMeanField(f))
		}
	}
}

// didYouMeanField suggests types to put an inline fragment on, or fields of a similar name.
func (d *document) didYouMeanField(f *ast.Field) string {
	if d.enough() {
		return ""
	}
	if types := d.typesWith(f.ObjectDefinition, f.Name); len(types) > 0 {
		return fmt.Sprintf(" Did you mean to use an inline fragment on %s?", suggest.Or(types))
	}
	var fields []string
	for _, candidate := range f.ObjectDefinition.Fields {
		fields = append(fields, candidate.Name)
	}
	return d.didYouMean("", f.Name, fields)
}

// typesWith are the possible types of an abstract type that have the field, those that stand for more types
// first: interfaces by how many of the possible types implement them, then objects.
func (d *document) typesWith(abstract *ast.Definition, field string) []string {
	if !abstract.IsAbstractType() {
		return nil
	}
	count := map[string]int{}
	for _, object := range d.possible(abstract) {
		if object.Fields.ForName(field) == nil {
			continue
		}
		count[object.Name] = 0
		for _, name := range object.Interfaces {
			if i := d.api.Types[name]; i != nil && i.Fields.ForName(field) != nil {
				count[name]++
			}
		}
	}
	types := make([]string, 0, len(count))
	for name := range count {
		types = append(types, name)
	}
	slices.SortFunc(types, func(a, b string) int {
		if count[a] != count[b] {
			return count[b] - count[a]
		}
		return strings.Compare(a, b)
	})
	return types
}

// https://spec.graphql.org/draft/#sec-Leaf-Field-Selections
func scalarLeafs(d *document) {
	for _, def := range d.definitions {
		for _, f := range def.fields {
			if f.Definition == nil {
				continue
			}
			typ := d.api.Types[f.Definition.Type.Name()]
			switch {
			case typ == nil:
			case typ.IsLeafType() && len(f.SelectionSet) > 0:
				d.report(at(f.Position), `Field "%s" must not have a selection since type "%s" has no subfields.`,
					f.Name, f.Definition.Type)
			case !typ.IsLeafType() && len(f.SelectionSet) == 0:
				hint := fmt.Sprintf(` Did you mean "%s { ... }"?`, f.Name)
				if d.config.HideSuggestions {
					hint = ""
				}
				d.report(at(f.Position), `Field "%s" of type "%s" must have a selection of subfields.%s`,
					f.Name, f.Definition.Type, hint)
			}
		}
	}
}
