package supergraph

import "github.com/vektah/gqlparser/v2/ast"

// Supergraph is a loaded supergraph. It is immutable and safe for concurrent use.
type Supergraph struct {
	// API is the schema that clients see.
	API *ast.Schema
	// Objects are the names of all object types, by ObjectID, the inaccessible ones and those of introspection
	// included.
	Objects []string
	// Subgraphs in the order of their join__Graph names.
	Subgraphs []Subgraph
	// Types are the object, interface and union types, the inaccessible ones and those of introspection
	// included, in name order.
	Types []*Type
	// Query, Mutation and Subscription are the root types; nil where the supergraph has none.
	Query, Mutation, Subscription *Type

	objects      map[string]ObjectID
	types        map[string]*Type
	byObject     []*Type // by ObjectID
	apiPossible  map[string]TypeSet
	enumValues   map[string]map[string]struct{}
	requirements map[[2]string]*Requirement
	labels       []string
	contexts     bool
	fieldSets    int
	selected     int
}

// Subgraph is one subgraph of a supergraph.
type Subgraph struct {
	// Name is the name given at composition, such as "users".
	Name string
	// URL is the routing URL; may be empty.
	URL string
}

// Object returns the number of an object type by its name, or NoObject.
func (s *Supergraph) Object(name string) ObjectID {
	if id, ok := s.objects[name]; ok {
		return id
	}
	return NoObject
}

// ObjectOf is Object for a name in a buffer. It does not allocate.
func (s *Supergraph) ObjectOf(name []byte) ObjectID {
	if id, ok := s.objects[string(name)]; ok {
		return id
	}
	return NoObject
}

// Type returns a composite type by its name, or nil.
func (s *Supergraph) Type(name string) *Type { return s.types[name] }

// ObjectType returns the object type of a number.
func (s *Supergraph) ObjectType(id ObjectID) *Type { return s.byObject[id] }

// Possible returns the runtime types that a client may meet where a composite type of the API schema is
// promised: over the whole supergraph, without inaccessible object types. It is empty for other names.
func (s *Supergraph) Possible(typeName string) TypeSet { return s.apiPossible[typeName] }

// EnumValues returns the values of an enum of the API schema, or nil for other names. The map must not be
// changed.
func (s *Supergraph) EnumValues(enum string) map[string]struct{} { return s.enumValues[enum] }

// Requirement returns what a caller must prove to see a field of the API schema, or nil for nothing. Equal
// requirements of different fields are the same pointer.
func (s *Supergraph) Requirement(typeName, field string) *Requirement {
	return s.requirements[[2]string{typeName, field}]
}

// Labels returns the labels of progressive overrides, sorted.
func (s *Supergraph) Labels() []string { return s.labels }

// Contexts reports whether any field takes an argument from a context.
func (s *Supergraph) Contexts() bool { return s.contexts }

// FieldSets counts the field sets of the supergraph: their IDs are below it.
func (s *Supergraph) FieldSets() int { return s.fieldSets }
