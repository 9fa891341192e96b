package schema

import (
	"cmp"
	"slices"

	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"
	"github.com/vektah/gqlparser/v2/parser"
)

// Document is a parsed SDL document, merged into a schema, with what the merging itself cannot express.
type Document struct {
	*Schema
	// SchemaDefinitions are the schema definitions and extensions, in order.
	SchemaDefinitions []*ast.SchemaDefinition
	// Duplicates are definitions, fields, values and so on that repeat a name.
	Duplicates []Duplicate
}

// Duplicate is the second declaration of a name.
type Duplicate struct {
	// What says what is there twice, in the words of graphql-js.
	What          string
	First, Second *ast.Position
}

// Parse reads SDL. The error, if any, is the parser's, with its position.
func Parse(subgraph, file, sdl string) (*Document, *gqlerror.Error) {
	doc, err := parser.ParseSchema(&ast.Source{Name: file, Input: sdl})
	if err != nil {
		if g, ok := err.(*gqlerror.Error); ok {
			return nil, g
		}
		return nil, gqlerror.Wrap(err)
	}
	b := &builder{doc: &Document{Schema: New(subgraph)}}
	for _, def := range doc.Schema {
		b.schemaDefinition(def, 0)
	}
	for i, def := range doc.SchemaExtension {
		b.schemaDefinition(def, i+1)
	}
	for _, d := range doc.Directives {
		b.directiveDefinition(d)
	}
	// Types stand in order of their first appearance, be it a definition or an extension; within a type, what the
	// definition declares comes first.
	for _, def := range inOrder(doc.Definitions, doc.Extensions) {
		b.declare(def)
	}
	for _, def := range doc.Definitions {
		b.define(def, 0)
	}
	for i, def := range doc.Extensions {
		b.define(def, i+1)
	}
	return b.doc, nil
}

type numbered struct {
	*ast.Definition
	extension int
}

func inOrder(definitions, extensions ast.DefinitionList) []numbered {
	all := make([]numbered, 0, len(definitions)+len(extensions))
	for _, d := range definitions {
		all = append(all, numbered{d, 0})
	}
	for i, d := range extensions {
		all = append(all, numbered{d, i + 1})
	}
	slices.SortStableFunc(all, func(a, b numbered) int { return cmp.Compare(a.Position.Start, b.Position.Start) })
	return all
}

type builder struct{ doc *Document }

func (b *builder) duplicate(what string, first, second *ast.Position) {
	b.doc.Duplicates = append(b.doc.Duplicates, Duplicate{What: what, First: first, Second: second})
}

func (b *builder) schemaDefinition(def *ast.SchemaDefinition, extension int) {
	b.doc.SchemaDefinitions = append(b.doc.SchemaDefinitions, def)
	if def.Description != "" {
		b.doc.Root.Description = def.Description
	}
	if b.doc.Root.Position == nil {
		b.doc.Root.Position = def.Position
	} else if extension == 0 {
		b.duplicate("Must provide only one schema definition.", b.doc.Root.Position, def.Position)
	}
	b.doc.Root.Applied = append(b.doc.Root.Applied, directives(def.Directives, extension)...)
	for _, op := range def.OperationTypes {
		if b.doc.Roots[op.Operation] != "" {
			b.duplicate("There can be only one "+string(op.Operation)+" type in schema.", b.doc.Root.Position, op.Position)
			continue
		}
		b.doc.Roots[op.Operation] = op.Type
	}
}

func (b *builder) directiveDefinition(d *ast.DirectiveDefinition) {
	if old := b.doc.Directive(d.Name); old != nil {
		b.duplicate(`There can be only one directive named "@`+d.Name+`".`, old.Position, d.Position)
		return
	}
	def := &DirectiveDefinition{
		Element: Element{Description: d.Description, Position: d.Position},
		Name:    d.Name, Locations: d.Locations, Repeatable: d.IsRepeatable,
	}
	def.Arguments = b.arguments("@"+d.Name, d.Arguments, nil, 0)
	b.doc.AddDirective(def)
}

// declare adds a type, still empty, at its first appearance. A definition's kind counts more than an extension's.
func (b *builder) declare(def numbered) {
	t := b.doc.Type(def.Name)
	if t == nil {
		t = b.doc.AddType(&Type{Name: def.Name, Kind: def.Kind, Element: Element{Position: def.Position}})
	}
	if def.extension == 0 {
		t.Kind = def.Kind
	}
}

func (b *builder) define(def *ast.Definition, extension int) {
	t := b.doc.Type(def.Name)
	switch {
	case t.Kind != def.Kind:
		b.duplicate(kindClash(t, def), t.Position, def.Position)
		return
	case extension == 0 && t.Defined:
		b.duplicate(`There can be only one type named "`+def.Name+`".`, t.Position, def.Position)
		return
	}
	if extension == 0 {
		t.Defined, t.Position = true, def.Position
	} else {
		t.Extended = true
		t.Extensions = append(t.Extensions, def.Position)
	}
	if def.Description != "" {
		t.Description = def.Description
	}
	t.Applied = append(t.Applied, directives(def.Directives, extension)...)
	b.references(t, def, extension)
	for _, f := range def.Fields {
		b.field(t, f, extension)
	}
	for _, v := range def.EnumValues {
		if old := t.Value(v.Name); old != nil {
			b.duplicate(`Enum value "`+t.Name+"."+v.Name+`" can only be defined once.`, old.Position, v.Position)
			continue
		}
		t.AddValue(&EnumValue{Name: v.Name, Element: element(v.Description, v.Directives, v.Position, extension)})
	}
}

func kindClash(t *Type, def *ast.Definition) string {
	return "Cannot extend non-" + kindWord(def.Kind) + ` type "` + t.Name + `".`
}

func kindWord(k Kind) string {
	switch k {
	case ast.InputObject:
		return "input object"
	case ast.Object:
		return "object"
	case ast.Interface:
		return "interface"
	case ast.Union:
		return "union"
	case ast.Enum:
		return "enum"
	}
	return "scalar"
}

func (b *builder) references(t *Type, def *ast.Definition, extension int) {
	for _, name := range def.Interfaces {
		if t.Implements(name) {
			b.duplicate(`Type "`+t.Name+`" can only implement "`+name+`" once.`, t.Position, def.Position)
			continue
		}
		t.Interfaces = append(t.Interfaces, Reference{Name: name, Position: def.Position, Extension: extension})
	}
	for i, name := range def.Types {
		pos := def.Position
		if i < len(def.TypePositions) {
			pos = def.TypePositions[i]
		}
		if t.HasMember(name) {
			b.duplicate(`Union type "`+t.Name+`" can only include type "`+name+`" once.`, t.Position, pos)
			continue
		}
		t.Members = append(t.Members, Reference{Name: name, Position: pos, Extension: extension})
	}
}

func (b *builder) field(t *Type, f *ast.FieldDefinition, extension int) {
	if old := t.Field(f.Name); old != nil {
		b.duplicate(`Field "`+t.Name+"."+f.Name+`" can only be defined once.`, old.Position, f.Position)
		return
	}
	field := &Field{Name: f.Name, Type: f.Type, Default: f.DefaultValue}
	field.Element = element(f.Description, f.Directives, f.Position, extension)
	t.AddField(field)
	field.Arguments = b.arguments(t.Name+"."+f.Name, f.Arguments, field, extension)
}

func (b *builder) arguments(of string, list ast.ArgumentDefinitionList, field *Field, extension int) []*Argument {
	var args []*Argument
	for _, a := range list {
		if old := argument(args, a.Name); old != nil {
			b.duplicate(`Argument "`+of+"("+a.Name+`:)" can only be defined once.`, old.Position, a.Position)
			continue
		}
		arg := &Argument{Name: a.Name, Field: field, Type: a.Type, Default: a.DefaultValue}
		arg.Element = element(a.Description, a.Directives, a.Position, extension)
		args = append(args, arg)
	}
	return args
}

func element(description string, applied ast.DirectiveList, pos *ast.Position, extension int) Element {
	return Element{Description: description, Applied: directives(applied, 0), Position: pos, Extension: extension}
}

func directives(list ast.DirectiveList, extension int) []*Directive {
	all := make([]*Directive, len(list))
	for i, d := range list {
		all[i] = &Directive{Name: d.Name, Position: d.Position, Extension: extension}
		for _, a := range d.Arguments {
			all[i].Arguments = append(all[i].Arguments, DirectiveArgument{Name: a.Name, Value: a.Value})
		}
	}
	return all
}
