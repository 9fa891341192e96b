// Package plan makes query plans: which subgraphs are asked for what, in which order, and how their
// answers become the client's.
//
// In comes an operation in normal form and the supergraph; out comes an immutable Plan, shared by all
// requests of that shape: a DAG of fetches, the Shapes into which answers are merged, and the Output by
// which the response is written. All decisions are made here: the executor follows indexes and never asks a
// name, a map or a flag.
//
// Slots. Every position of the merged response has a Shape that gives each of its values a slot number; an
// object at run time is a run of words, one per slot. A fetch carries a Selection that maps the keys of its
// answer to slots, at every depth, so an answer is scanned once, straight into place, and merging is nothing
// but writing into objects that exist already.
package plan

import (
	"github.com/agora-supergraph/agora/router/operation"
	"github.com/agora-supergraph/agora/router/supergraph"
)

// Plan answers one operation.
type Plan struct {
	Kind operation.Kind
	// Fetches are in an order in which every fetch stands behind those it depends on.
	Fetches []*Fetch
	// Root is the shape of the response's data object.
	Root *Shape
	// Output writes the response's data: all of it, or the first part.
	Output *Output
	// Deferred are the fragments that are delivered later, each behind the one that it is within; Increments is what
	// they hold. Nil for an answer that comes as a whole.
	Deferred   []*Deferred
	Increments []*Increment
	// Variables are the operation's, in its order.
	Variables []operation.Variable
	// Supergraph gives names to object types and subgraphs.
	Supergraph *supergraph.Supergraph
}

// Introspection is the subgraph number of fetches that the router answers itself: __schema and __type.
const Introspection = -1

// Fetch is one request to one subgraph. It may start as soon as the fetches it depends on have ended.
// Exactly one of Root and Entities is set.
type Fetch struct {
	// ID is the index in Plan.Fetches.
	ID int
	// Subgraph is the index in Supergraph.Subgraphs, or Introspection.
	Subgraph int
	// DependsOn are the IDs of the fetches whose ends this one waits for, ascending. The root fields of a
	// mutation are ordered by them, too.
	DependsOn []int
	// Deferred says that the first part of the answer doesn't wait for it.
	Deferred bool
	// Kind is Mutation or Subscription for the root fields of such operations, else Query.
	Kind operation.Kind
	// Query is the operation's text as sent, minified.
	Query string
	// OperationName is the name of the operation in Query; may be empty.
	OperationName string
	// Envelope is the start of the request's JSON body, up to and including the opening brace of the
	// variables object: {"query":"…","operationName":"…","variables":{
	Envelope []byte
	// Variables are the client's variables and lifted literals that Query uses.
	Variables []VariableRef
	// Contexts are the variables that take their values from further up in the response. Where the objects that
	// are sent have different values, each combination of values takes a request of its own.
	Contexts []Context
	// Root is set for a request of root fields. Its Path is empty, or leads to objects of the query type further
	// down, such as those in a mutation's payload: each of them takes the whole answer, and without any the
	// request is not sent.
	Root *Target
	// Entities is set for a request of _entities: one element for each aliased _entities field.
	Entities []*Entities
	// Reasons say, for people, why the fetch exists: the fields of the operation and the requires it serves.
	Reasons []string
}

// VariableRef passes one value on to a subgraph.
type VariableRef struct {
	// Name is the variable's name in Fetch.Query, without the dollar sign.
	Name string
	// Index is the index in Plan.Variables.
	Index int
}

// Context is a variable whose value comes from an object above those that are sent (@fromContext).
type Context struct {
	// Name is the variable's name in Fetch.Query, without the dollar sign.
	Name string
	// NonNull says that objects without a value can't be sent.
	NonNull bool
	// Sources are where the value may stand, nearest first: the first whose object is there and of its Types
	// counts. Without any, the value is null.
	Sources []ContextSource
}

// ContextSource is where the value of a context stands.
type ContextSource struct {
	// Depth counts the steps of the target's path that lead from the root object to the object concerned.
	Depth int
	// Path leads from there to the value.
	Path []Step
}

// Entities is one _entities field of a fetch: representations of objects found at any number of places,
// sent once each, and the selection that each of them gets.
type Entities struct {
	// Key is the response key of the _entities field: its alias, or "_entities".
	Key string
	// Variable is the name of the variable that takes the representations, without the dollar sign.
	Variable string
	// Representations say how to write the representation of an object, by its runtime type. The first
	// whose Types hold the object's type counts; an object without one is not sent.
	Representations []Representation
	// Targets are the places whose objects are sent, and that take the answers.
	Targets []*Target
}

// Target is a place in the response, and how an answer is read into its objects.
type Target struct {
	// Path leads from the root object to the objects concerned, through lists of any depth. Empty for the
	// root object.
	Path []Step
	// Selection reads the answer into the objects.
	Selection *Selection
	// Representations are the slots, per Entities.Representations, in the objects of this place: the same
	// representation may stand in other slots at another place. Parallel to Entities.Representations; nil for
	// a root fetch.
	Representations [][]RepresentationField
}

// Step goes from an object to the value in one of its slots.
type Step struct {
	Slot int
	// Types are the runtime types of the object that the step is taken for; nil means all.
	Types supergraph.TypeSet
}

// Representation is the form in which objects of some types are sent to a subgraph.
type Representation struct {
	// Types are the runtime types of the objects; nil means all, known or not.
	Types supergraph.TypeSet
	// TypeName is sent as __typename: an object type's name, or that of the interface if the subgraph knows it
	// as an interface object. Empty means the object's own runtime type.
	TypeName string
}

// RepresentationField is one field of a representation, or of an object within it.
type RepresentationField struct {
	// Name is the field's name as the subgraph knows it.
	Name string
	// Slot holds the value.
	Slot int
	// Types are the runtime types of the object that the field is sent for; nil means all.
	Types supergraph.TypeSet
	// Key marks a field of the key: if it is null or missing, the object is not sent at all.
	// A requires field is sent as null, unless NonNull.
	Key bool
	// NonNull marks a field whose type is non-null in the subgraph: if it is null or missing, no
	// representation is sent, since the subgraph could only fail on it.
	NonNull bool
	// TypeName writes the runtime type's name of the object that the field stands in, instead of a slot: the
	// __typename of an abstract value within a field set.
	TypeName bool
	// Fields are the selection within an object or a list of objects, of any depth; nil for a leaf.
	Fields []RepresentationField
}

// Shape is the layout of the objects at one position of the merged response: one slot for each value that any
// fetch writes or reads there, over all runtime types.
type Shape struct {
	// ID numbers the shapes of a plan from 0.
	ID int
	// Slots, by slot number. Slot 0 is always the runtime type.
	Slots []Slot
}

// TypeSlot is the slot of the runtime type in every shape. It holds an ObjectID, not a string.
const TypeSlot = 0

// Slot is one value of a shape.
type Slot struct {
	// ResponseKey is the client's response key, for error paths; empty for a value that only keys and
	// requires need.
	ResponseKey string
	// Name is the field's name in the schema, and Lists the depth of lists in its type: for people, and to tell
	// what is wrong with a value.
	Name  string
	Lists int
	// Shape is the layout of the objects in this slot, directly or in lists; nil for leaves.
	Shape *Shape
}

// Selection reads JSON objects of an answer into objects of a shape.
type Selection struct {
	Shape *Shape
	// Type is the runtime type of the objects where the subgraph can only mean one; NoObject where it is read
	// from __typename, or can't be known (an interface object).
	Type supergraph.ObjectID
	// Types are those that a __typename may tell; nil means all, or that none is read.
	Types supergraph.TypeSet
	// Fields are in the order in which the subgraph is expected to answer. Keys that are not listed are skipped.
	Fields []SelectionField
	// Alone says that nobody else reads into the objects of this position, so that objects of equal text are the same;
	// see Compile.
	Alone bool
}

// SelectionField reads one key.
type SelectionField struct {
	// Key is the response key in the subgraph's answer, and Quoted is how it stands there: "key":
	Key    string
	Quoted Quoted
	// Slot takes the value. For TypeSlot, the value is a __typename.
	Slot int
	// RunSlot takes the text of the run that the field belongs to; zero if it belongs to none. Run is the length of
	// the one that begins with it, and Leaf how its value is checked.
	RunSlot, Run int
	Leaf         Leaf
	// Selection reads the objects of the value, directly or in lists; nil for leaves.
	Selection *Selection
}

// Output writes the objects of one position, as the client asked for them and as the API schema types them.
type Output struct {
	// Types are the object types that clients may see at this position; an object of any other type is null to
	// them. Nil means all (a position with one static object type).
	// An object whose type isn't known (NoObject: it comes from an interface object, and nobody was asked) is
	// visible, and has the fields whose Types are nil or hold all of these.
	Types supergraph.TypeSet
	// Known says that subgraphs were asked for the runtime types: an object that has none all the same is null,
	// since what the client asked of it can't be told.
	Known bool
	// Fields in the order of the response. Several may have one key, for disjoint types.
	Fields []OutputField
}

// OutputField writes one response key.
type OutputField struct {
	// Key is the response key.
	Key string
	// Encoded is the key as it is written, with what separates it from the field before: ,"key": with room up to
	// EncodedRoom at least.
	Encoded []byte
	// Slot holds the value. TypeSlot writes the runtime type's name.
	Slot int
	// RunSlot holds the text of this field and the next Run-1, if they can be written in one piece. Zero for none.
	RunSlot, Run int
	// Types are the runtime types that have the field; nil means all.
	Types supergraph.TypeSet
	// NonNull says for each level of lists, outermost first, and at last for the innermost value, whether null
	// is forbidden there. Its length is the depth of lists + 1.
	NonNull []bool
	// Leaf is how the innermost value is checked and written; Composite for objects.
	Leaf Leaf
	// Enum are the values that clients may see, for LeafEnum; any other is null to them.
	Enum map[string]struct{}
	// Output writes the objects, for Composite.
	Output *Output
	// Denied marks a field that the caller may not see: null, with an error at its path.
	Denied bool
	// Coordinate is Type.field of the schema, for error messages.
	Coordinate string
}

// EncodedRoom is how many bytes OutputField.Encoded has room for at least: to copy as many always is quicker than to copy
// as many as there are.
const EncodedRoom = 16

// Leaf says how a leaf value is checked.
type Leaf uint8

// The kinds of leaves. LeafAny is a custom scalar: any JSON value, written as it came.
const (
	Composite Leaf = iota
	LeafAny
	LeafInt
	LeafFloat
	LeafString
	LeafBoolean
	LeafID
	LeafEnum
)
