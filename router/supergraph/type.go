package supergraph

import "github.com/vektah/gqlparser/v2/ast"

// Type is an object, interface or union type of the supergraph, accessible or not.
type Type struct {
	// ID is the index in Supergraph.Types.
	ID int
	// Name is the type's name.
	Name string
	// Kind is ast.Object, ast.Interface or ast.Union.
	Kind ast.DefinitionKind
	// Object numbers object types; NoObject for others.
	Object ObjectID
	// Possible are the runtime types over the whole supergraph, the inaccessible ones included.
	Possible TypeSet
	// Inaccessible marks a type that clients must not see.
	Inaccessible bool
	// Interfaces are those that the type implements in any subgraph, in the order of the SDL.
	Interfaces []*Type
	// Fields in the order of the SDL; none for unions.
	Fields []*Field
	// In says how each subgraph knows the type, by subgraph; nil where it does not.
	In []*Presence

	fields map[string]*Field
}

// Field returns a field by its name, or nil.
func (t *Type) Field(name string) *Field { return t.fields[name] }

// Abstract reports whether the type is an interface or a union.
func (t *Type) Abstract() bool { return t.Kind != ast.Object }

// Presence is how one subgraph knows one type.
type Presence struct {
	// Subgraph is the index in Supergraph.Subgraphs.
	Subgraph int
	// InterfaceObject marks an interface of the supergraph that the subgraph knows as an object type.
	InterfaceObject bool
	// Possible are the runtime types that the subgraph can mean by this type: its own implementers or
	// members. For an interface object: all implementers in the supergraph, which it can't tell apart.
	Possible TypeSet
	// Keys are the type's keys in this subgraph, in the order of the SDL.
	Keys []*Key
}

// Resolvable reports whether the subgraph answers _entities for the type by any key.
func (p *Presence) Resolvable() bool {
	for _, k := range p.Keys {
		if k.Resolvable {
			return true
		}
	}
	return false
}

// Key is one key of a type in one subgraph.
type Key struct {
	// Fields are the key's fields.
	Fields *FieldSet
	// Resolvable says whether the subgraph answers _entities by this key.
	Resolvable bool
	// extension marks keys of type extensions: their external fields are not really external.
	extension bool
}

// Field is one field of an object or interface type.
type Field struct {
	// Parent is the type that declares it.
	Parent *Type
	// Name is the field's name.
	Name string
	// Type is its type in the supergraph.
	Type *ast.Type
	// Base is the composite type at the bottom of Type; nil for leaves.
	Base *Type
	// Inaccessible marks a field that clients must not see.
	Inaccessible bool
	// In says how each subgraph knows the field, by subgraph; nil where it does not. For an object type whose
	// interface a subgraph knows as an interface object, the fields of that object count here.
	In []*Source
}

// Source is how one subgraph knows one field.
type Source struct {
	// Subgraph is the index in Supergraph.Subgraphs.
	Subgraph int
	// As is the type that the subgraph knows the field on: the field's parent, or an interface of it that is an
	// interface object there.
	As *Type
	// Type is the field's type in that subgraph.
	Type *ast.Type
	// Base is the composite type at the bottom of Type; nil for leaves.
	Base *Type
	// External marks a field that the subgraph can only answer below a field that provides it.
	External bool
	// Overridden marks a field that another subgraph has taken over for good, kept for keys and requires.
	Overridden bool
	// Label is the label of a progressive override that decides whether this source counts; empty for none.
	Label string
	// LabelValue is the verdict on Label for which this source counts.
	LabelValue bool
	// Requires are the fields of the parent that must be sent along; nil for none.
	Requires *FieldSet
	// Provides are the external fields below this one that the subgraph answers here; nil for none.
	Provides *FieldSet
	// Context are the arguments that the router fills from a context.
	Context []ContextArgument
}

// ContextArgument is an argument of a field that is filled from a value further up (@fromContext).
type ContextArgument struct {
	// Context is the full name of the context: the subgraph's name, two underscores, the context's name.
	Context string
	// Name is the argument's name.
	Name string
	// Type is the argument's type as SDL writes it.
	Type string
	// Selections are the selection on each type that sets the context; exactly one leaf is selected on each.
	Selections []ContextSelection
}

// ContextSelection is what a context argument reads on one type that sets the context.
type ContextSelection struct {
	// Type sets the context.
	Type *Type
	// Fields leads to the value.
	Fields *FieldSet
}
