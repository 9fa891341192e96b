// Package operation turns the text of a GraphQL request into the normal form that the planner reads.
//
// In come a document, an operation name and the values that a plan depends on; out comes an Operation:
// validated against the API schema, fragments inlined, equal response keys merged, type conditions
// resolved to sets of object types, @skip and @include decided, fields that the caller may not see marked.
//
// Two decisions make everything behind this package simpler. Conditions are decided here, by value: a plan
// is made (and cached) per combination of the booleans that @skip and @include really use, so neither plans
// nor the executor know conditions, dependent fetches of a skipped field vanish by themselves, and every
// plan has the fewest requests for the values at hand. @defer is decided the same way: a fragment that is not
// deferred, by its condition or because the client takes its answer as a whole, is a fragment like others, and the
// fields of one that is carry what they are delivered with. Authorisation works the same way: a plan belongs to
// the verdicts on the operation's own requirements, not to a caller.
package operation

import "github.com/agora-supergraph/agora/router/supergraph"

// Kind is the kind of an operation.
type Kind uint8

// The three kinds of operation.
const (
	Query Kind = iota
	Mutation
	Subscription
)

// Operation is one operation in normal form. It is immutable once built and shared by all requests that
// plan the same.
type Operation struct {
	Kind Kind
	// Name is the operation's name in the document; empty for an anonymous one.
	Name string
	// Variables are the variables that values are given for, in order of declaration, followed by the
	// literals that were lifted out of the text. Plans refer to them by index.
	Variables []Variable
	// Selections are the root fields.
	Selections []*Field
	// Defers are the uses of @defer that are in force, parents before what is within them; nil if the answer is to
	// come as a whole.
	Defers []*Defer
}

// Variable is one value that a request brings along.
type Variable struct {
	// Name is the name without the dollar sign; unique in the operation.
	Name string
	// Type is the variable's type as SDL writes it, such as "[ID!]!".
	Type string
	// Literal is the JSON of a literal that was lifted out of the operation's text. Nil for a variable
	// that the client declared.
	Literal []byte
}

// Field is one response key of a selection set, for the runtime types that it applies to.
//
// Within one selection set, the fields that apply to one runtime type stand in the order of the
// specification's CollectFields for that type, and no two of them have the same response key. One response
// key may stand several times for disjoint types, with other fields, arguments or selections.
type Field struct {
	// ResponseKey is the alias, or the name.
	ResponseKey string
	// Name is the field's name in the schema: also __typename, __schema and __type.
	Name string
	// Arguments are those given, in order of name. Values hold no literals that could be lifted.
	Arguments []Argument
	// Types are the runtime types of the parent object that this field is selected for. Never empty, always
	// within the possible types of the parent selection's type.
	Types supergraph.TypeSet
	// Selections is the merged sub-selection; empty for leaves.
	Selections []*Field
	// Denied marks a field that the caller may not see: it completes to null with an error and is never
	// fetched. Its Selections are empty.
	Denied bool
	// Deferred says which uses of @defer the field is delivered with: with whichever is delivered first. None means with
	// its parent's selection set, or at once; one that is within another one of them is left out.
	Deferred []DeferredBy
}

// Argument is one argument of a field.
type Argument struct {
	Name  string
	Value Value
}

// Value is an argument's value: a variable, or a literal that holds variables somewhere inside or can't be
// lifted. Exactly one of the members is meaningful, by Kind.
type Value struct {
	Kind ValueKind
	// Variable is the index in Operation.Variables, for ValueVariable.
	Variable int
	// Literal is the GraphQL text of a scalar, enum value or null, for ValueLiteral.
	Literal string
	// List are the items, for ValueList.
	List []Value
	// Object are the fields in the order of the text, for ValueObject.
	Object []Argument
}

// ValueKind says what a Value is.
type ValueKind uint8

// The kinds of values.
const (
	ValueVariable ValueKind = iota
	ValueLiteral
	ValueList
	ValueObject
)
