// Package schema is composition's own model of a GraphQL schema.
//
// gqlparser's parser reads the SDL, but its validating loader refuses documents that federation accepts (types that are
// only ever extended, federation directives that are not defined), so composition keeps its own model: what stood in the
// document, definitions and extensions together, every element with its position and its applied directives. The same
// model holds subgraphs, the supergraph and the API schema; Print writes any of them.
package schema

import (
	"slices"

	"github.com/vektah/gqlparser/v2/ast"
)

// Kind is the kind of a type.
type Kind = ast.DefinitionKind

// Schema is a set of type and directive definitions. It keeps them in order of appearance.
type Schema struct {
	// Subgraph is the name of the subgraph, empty for the supergraph.
	Subgraph string
	// Root holds directives and description of the schema definition, and its position.
	Root Element
	// Roots maps operations to the names of their root types.
	Roots map[ast.Operation]string
	// Types and Directives are in order of appearance.
	Types      []*Type
	Directives []*DirectiveDefinition

	types      map[string]*Type
	directives map[string]*DirectiveDefinition
	frozen     map[string][]*Type
}

// New returns an empty schema.
func New(subgraph string) *Schema {
	return &Schema{
		Subgraph: subgraph, Roots: map[ast.Operation]string{},
		types: map[string]*Type{}, directives: map[string]*DirectiveDefinition{},
	}
}

// Element is what all parts of a schema have in common. It is embedded in each of them.
type Element struct {
	Description string
	Applied     []*Directive
	// Position is that of the element's name, nil for what composition made.
	Position *ast.Position
	// Extension is 0 where the element was declared in its type's definition, else the number of the extension.
	Extension int
}

// Type is a type: all of its definition and its extensions.
type Type struct {
	Element
	Name string
	Kind Kind
	// Interfaces are what an object or interface implements.
	Interfaces []Reference
	// Fields are those of an object, an interface or an input object.
	Fields []*Field
	// Members are those of a union.
	Members []Reference
	// Values are those of an enum.
	Values []*EnumValue
	// BuiltIn is true for the five scalars and the introspection types, which are never printed.
	BuiltIn bool
	// Defined is true where a definition, and Extended where an extension was seen.
	Defined, Extended bool
	// Extensions holds the positions of the extensions.
	Extensions []*ast.Position

	fields map[string]*Field
	values map[string]*EnumValue
}

// Reference is the mention of a type's name: an implemented interface or a union member.
type Reference struct {
	Name      string
	Position  *ast.Position
	Extension int
}

// Field is a field of an object or an interface, or an input field.
type Field struct {
	Element
	Name      string
	Parent    *Type
	Type      *ast.Type
	Arguments []*Argument
	// Default is an input field's.
	Default *ast.Value
}

// Argument is an argument of a field or of a directive definition.
type Argument struct {
	Element
	Name    string
	Field   *Field
	Type    *ast.Type
	Default *ast.Value
}

// EnumValue is a value of an enum.
type EnumValue struct {
	Element
	Name   string
	Parent *Type
}

// DirectiveDefinition defines a directive.
type DirectiveDefinition struct {
	Element
	Name       string
	Arguments  []*Argument
	Locations  []ast.DirectiveLocation
	Repeatable bool
	// BuiltIn is true for what every GraphQL schema has; it is not printed.
	BuiltIn bool
}

// Directive is an application of a directive.
type Directive struct {
	Name      string
	Arguments []DirectiveArgument
	Position  *ast.Position
	// Extension is 0 where the directive stands on a definition, else the number (from 1) of the extension in the document.
	Extension int
	// Spec is the directive's name in the specification it belongs to where that is federation or one of the
	// specifications that federation knows, else empty: subgraphs rename what they import.
	Spec string
}

// DirectiveArgument is a named value.
type DirectiveArgument struct {
	Name  string
	Value *ast.Value
}

// Type returns the type of that name, or nil.
func (s *Schema) Type(name string) *Type { return s.types[name] }

// Directive returns the directive definition of that name, or nil.
func (s *Schema) Directive(name string) *DirectiveDefinition { return s.directives[name] }

// RootOf tells which operation the named type is the root of; empty if none.
func (s *Schema) RootOf(name string) ast.Operation {
	for _, op := range []ast.Operation{ast.Query, ast.Mutation, ast.Subscription} {
		if s.Roots[op] == name {
			return op
		}
	}
	return ""
}

// AddType appends t, which must have a new name.
func (s *Schema) AddType(t *Type) *Type {
	s.types[t.Name] = t
	s.Types = append(s.Types, t)
	return t
}

// RemoveType takes the named type out.
func (s *Schema) RemoveType(name string) {
	delete(s.types, name)
	for i, t := range s.Types {
		if t.Name == name {
			s.Types = append(s.Types[:i:i], s.Types[i+1:]...)
			return
		}
	}
}

// RenameType gives t another name and the last place; the references to it are the caller's.
func (s *Schema) RenameType(t *Type, name string) {
	delete(s.types, t.Name)
	t.Name = name
	s.types[name] = t
	s.Types = append(slices.DeleteFunc(s.Types, func(o *Type) bool { return o == t }), t)
}

// AddDirective appends d, which must have a new name.
func (s *Schema) AddDirective(d *DirectiveDefinition) *DirectiveDefinition {
	s.directives[d.Name] = d
	s.Directives = append(s.Directives, d)
	return d
}

// RemoveDirective takes the named directive definition out.
func (s *Schema) RemoveDirective(name string) {
	delete(s.directives, name)
	for i, d := range s.Directives {
		if d.Name == name {
			s.Directives = append(s.Directives[:i:i], s.Directives[i+1:]...)
			return
		}
	}
}

// Field returns the field of that name, or nil.
func (t *Type) Field(name string) *Field { return t.fields[name] }

// FieldNames are the names of the fields, in their order.
func (t *Type) FieldNames() []string {
	names := make([]string, len(t.Fields))
	for i, f := range t.Fields {
		names[i] = f.Name
	}
	return names
}

// AddField appends f.
func (t *Type) AddField(f *Field) *Field {
	if t.fields == nil {
		t.fields = map[string]*Field{}
	}
	f.Parent = t
	t.fields[f.Name] = f
	t.Fields = append(t.Fields, f)
	return f
}

// RemoveField takes the named field out.
func (t *Type) RemoveField(name string) {
	delete(t.fields, name)
	for i, f := range t.Fields {
		if f.Name == name {
			t.Fields = append(t.Fields[:i:i], t.Fields[i+1:]...)
			return
		}
	}
}

// Value returns the enum value of that name, or nil.
func (t *Type) Value(name string) *EnumValue { return t.values[name] }

// ValueNames are the names of the enum's values, in their order.
func (t *Type) ValueNames() []string {
	names := make([]string, len(t.Values))
	for i, v := range t.Values {
		names[i] = v.Name
	}
	return names
}

// AddValue appends v.
func (t *Type) AddValue(v *EnumValue) *EnumValue {
	if t.values == nil {
		t.values = map[string]*EnumValue{}
	}
	v.Parent = t
	t.values[v.Name] = v
	t.Values = append(t.Values, v)
	return v
}

// Implements tells whether t declares the named interface.
func (t *Type) Implements(name string) bool { return Refers(t.Interfaces, name) }

// HasMember tells whether the union t declares the named member.
func (t *Type) HasMember(name string) bool { return Refers(t.Members, name) }

// Refers tells whether the name is among the references.
func Refers(refs []Reference, name string) bool {
	for _, r := range refs {
		if r.Name == name {
			return true
		}
	}
	return false
}

// IsComposite tells whether t has selections: an object, an interface or a union.
func (t *Type) IsComposite() bool {
	return t.Kind == ast.Object || t.Kind == ast.Interface || t.Kind == ast.Union
}

// IsAbstract tells whether t is an interface or a union.
func (t *Type) IsAbstract() bool { return t.Kind == ast.Interface || t.Kind == ast.Union }

// Argument returns the argument of that name, or nil.
func (f *Field) Argument(name string) *Argument { return argument(f.Arguments, name) }

// Argument returns the argument of that name, or nil.
func (d *DirectiveDefinition) Argument(name string) *Argument { return argument(d.Arguments, name) }

func argument(args []*Argument, name string) *Argument {
	for _, a := range args {
		if a.Name == name {
			return a
		}
	}
	return nil
}

// Coordinate is the field's schema coordinate.
func (f *Field) Coordinate() string { return f.Parent.Name + "." + f.Name }

// Coordinate is the argument's schema coordinate.
func (a *Argument) Coordinate() string {
	if a.Field == nil {
		return a.Name
	}
	return a.Field.Coordinate() + "(" + a.Name + ":)"
}

// Argument returns the value of the named argument, or nil.
func (d *Directive) Argument(name string) *ast.Value {
	for _, a := range d.Arguments {
		if a.Name == name {
			return a.Value
		}
	}
	return nil
}

// Text returns the named argument's string, or "".
func (d *Directive) Text(name string) string {
	if v := d.Argument(name); v != nil && (v.Kind == ast.StringValue || v.Kind == ast.BlockValue) {
		return v.Raw
	}
	return ""
}

// Flag returns the named boolean argument, or otherwise.
func (d *Directive) Flag(name string, otherwise bool) bool {
	if v := d.Argument(name); v != nil && v.Kind == ast.BooleanValue {
		return v.Raw == "true"
	}
	return otherwise
}

// All returns the applications whose specification's name is spec.
func (e *Element) All(spec string) []*Directive {
	var all []*Directive
	for _, d := range e.Applied {
		if d.Spec == spec {
			all = append(all, d)
		}
	}
	return all
}

// One returns the first application whose specification's name is spec, or nil.
func (e *Element) One(spec string) *Directive {
	for _, d := range e.Applied {
		if d.Spec == spec {
			return d
		}
	}
	return nil
}

// Has tells whether a directive of that specification's name is applied.
func (e *Element) Has(spec string) bool { return e.One(spec) != nil }

// Named returns the first application with the literal name, or nil.
func (e *Element) Named(name string) *Directive {
	for _, d := range e.Applied {
		if d.Name == name {
			return d
		}
	}
	return nil
}

// Drop removes the applications for which gone is true.
func (e *Element) Drop(gone func(*Directive) bool) {
	var kept []*Directive
	for _, d := range e.Applied {
		if !gone(d) {
			kept = append(kept, d)
		}
	}
	e.Applied = kept
}

// Apply appends a directive with the name and the arguments.
func (e *Element) Apply(name string, args ...DirectiveArgument) *Directive {
	d := &Directive{Name: name, Arguments: args}
	e.Applied = append(e.Applied, d)
	return d
}

// KindWord is a kind in words, for messages: "Object", "Input Object".
func KindWord(k Kind) string {
	word := kindWord(k)
	if k == ast.InputObject {
		return "Input Object"
	}
	return string(word[0]-'a'+'A') + word[1:]
}
