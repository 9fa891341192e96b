package subgraph

import (
	"fmt"
	"slices"
	"strconv"
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
	for field, value := range object {
		if f := entity.Fields.ForName(field); f != nil {
			if err := checkValue(schema, f.Type, value); err != nil {
				return fmt.Errorf("%s.%s: %w", name, field, err)
			}
		}
	}
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

// fits reports whether a value can be that of a field of a key. checkValue has seen to its type.
func fits(field *ast.FieldDefinition, value any) bool { return field != nil && value != nil }

// scalars are the types whose values checkValue can tell from others. What a subgraph defines besides them is passed on.
var scalars = map[string]func(any) error{
	"ID":      unmarshals(graphql.UnmarshalID),
	"String":  unmarshals(graphql.UnmarshalString),
	"Int":     unmarshals(graphql.UnmarshalInt32),
	"Float":   unmarshals(graphql.UnmarshalFloat),
	"Boolean": unmarshals(graphql.UnmarshalBoolean),
	"Int64":   unmarshals(func(v any) (int64, error) { return strconv.ParseInt(fmt.Sprint(v), 10, 64) }),
}

func unmarshals[T any](unmarshal func(any) (T, error)) func(any) error {
	return func(value any) error {
		_, err := unmarshal(value)
		return err
	}
}

// checkValue refuses what can't be the value of a field: of a key, or of what @requires asks of other subgraphs. Null is
// what they could not find out.
func checkValue(schema *ast.Schema, typ *ast.Type, value any) error {
	if value == nil {
		return nil
	}
	if typ.Elem != nil {
		list, ok := value.([]any)
		if !ok {
			return fmt.Errorf("it is no list")
		}
		for i, v := range list {
			if err := checkValue(schema, typ.Elem, v); err != nil {
				return fmt.Errorf("[%d]: %w", i, err)
			}
		}
		return nil
	}
	definition := schema.Types[typ.NamedType]
	switch definition.Kind {
	case ast.Scalar, ast.Enum:
		return checkLeaf(definition, value)
	}
	object, ok := value.(map[string]any)
	if !ok {
		return fmt.Errorf("it is no object")
	}
	for field, v := range object {
		if f := definition.Fields.ForName(field); f != nil {
			if err := checkValue(schema, f.Type, v); err != nil {
				return fmt.Errorf("%s: %w", field, err)
			}
		}
	}
	return nil
}

func checkLeaf(definition *ast.Definition, value any) error {
	if definition.Kind == ast.Enum {
		if name, ok := value.(string); !ok || definition.EnumValues.ForName(name) == nil {
			return fmt.Errorf("it is no value of %s", definition.Name)
		}
		return nil
	}
	check := scalars[definition.Name]
	if check == nil || check(value) == nil {
		return nil
	}
	return fmt.Errorf("it is no %s", definition.Name)
}
