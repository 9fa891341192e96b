package subgraph

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"
)

// maxRepresentations is how many entities one field asks for at most: their keys are the arguments of one
// statement, of which SQLite takes 32,766.
const maxRepresentations = 32_000

// checkRepresentations refuses representations that no reference resolver could read: what gqlgen says about
// them would pass for an error of ours.
func checkRepresentations(schema *ast.Schema, op *graphql.OperationContext) error {
	if op.Operation == nil || op.Operation.Operation != ast.Query {
		return nil
	}
	for _, f := range graphql.CollectFields(op, op.Operation.SelectionSet, []string{"Query"}) {
		if f.Name != "_entities" {
			continue
		}
		// A list of variables' coercion: one value stands for a list of one.
		list, ok := f.ArgumentMap(op.Variables)["representations"].([]any)
		if !ok {
			continue
		}
		if len(list) > maxRepresentations {
			return fmt.Errorf("_entities has %d representations, %d are the most: ask for them in parts", len(list), maxRepresentations)
		}
		for i, r := range list {
			if err := checkRepresentation(schema, r); err != nil {
				return fmt.Errorf("representation %d: %w", i, err)
			}
		}
	}
	return nil
}

func checkRepresentation(schema *ast.Schema, representation any) error {
	object, ok := representation.(map[string]any)
	if !ok {
		return fmt.Errorf("it is no object")
	}
	name, ok := object["__typename"].(string)
	if !ok {
		return fmt.Errorf("its __typename is missing or no string")
	}
	union := schema.Types["_Entity"]
	if union == nil || !slices.Contains(union.Types, name) {
		return fmt.Errorf("this subgraph has no entity %.50q", name)
	}
	entity := schema.Types[name]
	var keys []string
	for _, d := range entity.Directives.ForNames("key") {
		fields := d.Arguments.ForName("fields")
		if fields == nil {
			continue
		}
		if hasKey(entity, object, fields.Value.Raw) {
			return nil
		}
		keys = append(keys, fmt.Sprintf("%q", fields.Value.Raw))
	}
	return fmt.Errorf("it has no key of %s: want %s", name, strings.Join(keys, " or "))
}

// hasKey reports whether an object has the fields of a key: scalars of the right kind, and objects for whatever
// has fields of its own, which the resolver reads.
func hasKey(entity *ast.Definition, object map[string]any, key string) bool {
	depth := 0
	for _, word := range strings.Fields(strings.NewReplacer("{", " { ", "}", " } ", ",", " ").Replace(key)) {
		switch {
		case word == "{":
			depth++
		case word == "}":
			depth--
		case depth == 0 && !fits(entity.Fields.ForName(word), object[word]):
			return false
		}
	}
	return true
}

func fits(field *ast.FieldDefinition, value any) bool {
	if field == nil || value == nil {
		return false
	}
	switch field.Type.Name() {
	case "ID":
		switch value.(type) {
		case string, json.Number, int64, int:
			return true
		}
		return false
	case "String":
		_, ok := value.(string)
		return ok
	}
	return true
}
