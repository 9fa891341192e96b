// Package report holds what composition has to say about its input: errors and hints, each with a code, a message, a
// schema coordinate and the places in the subgraphs' SDL that it concerns, and how both are written for people (source
// excerpts with carets) and for programs (the JSON document of rover).
//
// The codes and levels are those of Apollo Federation's composition
// (https://www.apollographql.com/docs/graphos/reference/federation/errors), because they are what users search for.
package report

import "strings"

// Point is a token in a source: Line and Column count from 1, Start and End are its offsets; all in characters, not bytes.
type Point struct {
	Line, Column int
	Start, End   int
}

// Node is a piece of SDL that an error or a hint concerns.
type Node struct {
	// Subgraph names the subgraph whose SDL this is.
	Subgraph string
	// File is the subgraph's SDL file, or empty where it was not given.
	File string
	// Source is the subgraph's whole SDL.
	Source string
	// Start is the first and End the last token of the piece.
	Start, End Point
}

// Error is one reason why the subgraphs do not compose.
type Error struct {
	// Code says what kind of error this is; clients may act on it.
	Code Code
	// Message says what is wrong and, where that is known, how to mend it.
	Message string
	// Coordinate is the schema coordinate concerned, for instance "Product.price", or empty.
	Coordinate string
	// Nodes are the places concerned.
	Nodes []Node
}

// Error implements error as "[CODE] message".
func (e *Error) Error() string { return "[" + string(e.Code) + "] " + e.Message }

// Errors are all errors of one composition.
type Errors []*Error

// Error implements error: one line (or more, if a message has more) an error.
func (es Errors) Error() string {
	lines := make([]string, len(es))
	for i, e := range es {
		lines[i] = e.Error()
	}
	return strings.Join(lines, "\n")
}

// Unwrap gives errors.Is and errors.As access to each error.
func (es Errors) Unwrap() []error {
	all := make([]error, len(es))
	for i, e := range es {
		all[i] = e
	}
	return all
}

// Hint is a remark about subgraphs that do compose.
type Hint struct {
	// Code says what kind of hint this is.
	Code HintCode
	// Message says what was found and what composition made of it.
	Message string
	// Coordinate is the schema coordinate concerned, or empty.
	Coordinate string
	// Nodes are the places concerned.
	Nodes []Node
}

// Level is the severity of the hint, a property of its code.
func (h Hint) Level() Level { return hintLevels[h.Code] }
