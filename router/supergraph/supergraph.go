package supergraph

import "github.com/vektah/gqlparser/v2/ast"

// Supergraph is a loaded supergraph. It is immutable and safe for concurrent use.
type Supergraph struct {
	// API is the schema that clients see.
	API *ast.Schema
	// Objects are the names of all object types, by ObjectID, the inaccessible ones included.
	Objects []string
	// Subgraphs in the order of their join__Graph names.
	Subgraphs []Subgraph

	objects map[string]ObjectID
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
