package supergraph

import (
	"fmt"
	"slices"

	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/validator"
)

// apiDirectives are the directives that every GraphQL service has and clients may see.
var apiDirectives = []string{"skip", "include", "defer", "deprecated", "specifiedBy", "oneOf"}

// loadAPI builds the API schema: the definitions without join machinery, without elements of other
// specifications, and without what is inaccessible.
func (l *loader) loadAPI() error {
	doc := validator.PreludeDocument()
	doc.Directives = slices.DeleteFunc(doc.Directives, func(d *ast.DirectiveDefinition) bool {
		return !slices.Contains(apiDirectives, d.Name)
	})
	// The parser's own definition lets "if" be null; the specification's does not.
	doc.Directives.ForName("defer").Arguments.ForName("if").Type.NonNull = true
	for _, d := range l.doc.Directives {
		if l.specName(d.Name) == "" && !slices.Contains(apiDirectives, d.Name) {
			directive := *d
			directive.Arguments = l.apiArguments(d.Arguments)
			doc.Directives = append(doc.Directives, &directive)
		}
	}
	prelude := map[string]bool{}
	for _, def := range doc.Definitions {
		prelude[def.Name] = true
	}
	for _, def := range l.doc.Definitions {
		if l.defs[def.Name] != nil && !prelude[def.Name] && !l.inaccessible(def.Directives) {
			doc.Definitions = append(doc.Definitions, l.apiDefinition(def))
		}
	}
	doc.Schema = ast.SchemaDefinitionList{l.apiRoots()}
	schema, err := validator.ValidateSchemaDocument(doc)
	if err != nil {
		return fmt.Errorf("API schema: %w", err)
	}
	l.sg.API = schema
	l.restoreCosts()
	return nil
}

func (l *loader) apiRoots() *ast.SchemaDefinition {
	out := &ast.SchemaDefinition{Position: &ast.Position{}}
	for _, s := range l.doc.Schema {
		out.Description = s.Description
	}
	for _, root := range []struct {
		operation ast.Operation
		t         *Type
	}{{ast.Query, l.sg.Query}, {ast.Mutation, l.sg.Mutation}, {ast.Subscription, l.sg.Subscription}} {
		if root.t != nil && !root.t.Inaccessible {
			out.OperationTypes = append(out.OperationTypes, &ast.OperationTypeDefinition{
				Operation: root.operation, Type: root.t.Name, Position: out.Position,
			})
		}
	}
	return out
}

// apiDefinition copies a definition without what clients must not see.
func (l *loader) apiDefinition(def *ast.Definition) *ast.Definition {
	out := *def
	out.Directives = l.apiApplications(def.Directives)
	out.TypePositions = nil
	hidden := func(name string) bool { t := l.defs[name]; return t != nil && l.inaccessible(t.Directives) }
	out.Interfaces = slices.DeleteFunc(slices.Clone(def.Interfaces), hidden)
	out.Types = slices.DeleteFunc(slices.Clone(def.Types), hidden)
	out.Fields, out.EnumValues = nil, nil
	for _, f := range def.Fields {
		if l.inaccessible(f.Directives) {
			continue
		}
		field := *f
		field.Directives = l.apiApplications(f.Directives)
		field.Arguments = l.apiArguments(f.Arguments)
		out.Fields = append(out.Fields, &field)
	}
	for _, v := range def.EnumValues {
		if !l.inaccessible(v.Directives) {
			value := *v
			value.Directives = l.apiApplications(v.Directives)
			out.EnumValues = append(out.EnumValues, &value)
		}
	}
	return &out
}

// apiArguments copies the arguments that clients may see.
func (l *loader) apiArguments(list ast.ArgumentDefinitionList) ast.ArgumentDefinitionList {
	var out ast.ArgumentDefinitionList
	for _, a := range list {
		if !l.inaccessible(a.Directives) {
			arg := *a
			arg.Directives = l.apiApplications(a.Directives)
			out = append(out, &arg)
		}
	}
	return out
}

// apiApplications keeps the directives of the GraphQL specification and of the users' own.
func (l *loader) apiApplications(directives ast.DirectiveList) ast.DirectiveList {
	var out ast.DirectiveList
	for _, d := range directives {
		if l.specName(d.Name) == "" {
			out = append(out, d)
		}
	}
	return out
}

// costDirectives stay applied to the API schema's elements, under the specification's names: they price
// operations, or say how long answers may be kept, and introspection does not show applied directives anyway.
var costDirectives = []string{"cost", "listSize", "cacheControl"}

func (l *loader) restoreCosts() {
	for name, def := range l.sg.API.Types {
		source := l.defs[name]
		if source == nil || def.BuiltIn {
			continue
		}
		def.Directives = append(def.Directives, l.costs(source.Directives)...)
		for _, f := range source.Fields {
			field := def.Fields.ForName(f.Name)
			if field == nil {
				continue
			}
			field.Directives = append(field.Directives, l.costs(f.Directives)...)
			for _, a := range f.Arguments {
				if arg := field.Arguments.ForName(a.Name); arg != nil {
					arg.Directives = append(arg.Directives, l.costs(a.Directives)...)
				}
			}
		}
	}
}

func (l *loader) costs(directives ast.DirectiveList) ast.DirectiveList {
	var out ast.DirectiveList
	for _, d := range directives {
		if name := l.specName(d.Name); slices.Contains(costDirectives, name) {
			renamed := *d
			renamed.Name = name
			out = append(out, &renamed)
		}
	}
	return out
}

// loadVisible computes what of each API type clients can meet: runtime types and enum values.
func (l *loader) loadVisible() error {
	var visible TypeSet
	for _, t := range l.sg.byObject {
		if !t.Inaccessible {
			visible.Add(t.Object)
		}
	}
	l.sg.apiPossible = map[string]TypeSet{}
	for _, t := range l.sg.Types {
		if !t.Inaccessible {
			l.sg.apiPossible[t.Name] = t.Possible.Intersect(visible)
		}
	}
	l.sg.enumValues = map[string]map[string]struct{}{}
	for name, def := range l.sg.API.Types {
		if def.Kind == ast.Enum {
			values := map[string]struct{}{}
			for _, v := range def.EnumValues {
				values[v.Name] = struct{}{}
			}
			l.sg.enumValues[name] = values
		}
	}
	return nil
}
