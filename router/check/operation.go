package check

import (
	"github.com/agora-supergraph/agora/router/operation"
	"github.com/agora-supergraph/agora/router/supergraph"
)

// Document is one operation of a client, with the fragments that it uses.
type Document struct {
	// File is where the operation stands, as ReadDocuments found it.
	File string `json:"file"`
	// Client is whose operation it is, if the manifest says so.
	Client string `json:"client,omitempty"`
	// ID is its key in a manifest; empty for an operation of a .graphql file.
	ID string `json:"id,omitempty"`
	// Operation is its name; empty if it is anonymous.
	Operation string `json:"operation,omitempty"`
	// Text is what is validated.
	Text string `json:"-"`

	lines []segment
}

// segment says that the lines of a text from Line on stand in a file from FileLine on.
type segment struct {
	line     int
	file     string
	fileLine int
}

// Operation is what is wrong with an operation.
type Operation struct {
	Document
	// Errors are those of the schema that refuses it; none if only its answers change.
	Errors []Problem `json:"errors,omitempty"`
	// Changes are the breaking changes of what it uses.
	Changes []Change `json:"changes,omitempty"`
}

// Problem is an error of validation, with its place in the file.
type Problem struct {
	// Message is the one that a client of the router gets.
	Message string `json:"message"`
	// File is that of the operation or of a fragment that it uses.
	File string `json:"file"`
	// Line and Column count from 1, in characters; for a manifest they count in the operation's text.
	Line   int `json:"line,omitempty"`
	Column int `json:"column,omitempty"`
}

// unbounded lets every operation pass that is valid: what clients may ask is another matter.
var unbounded = operation.Limits{Tokens: -1, Depth: -1, Fields: -1}

func validate(sg *supergraph.Supergraph, d Document) []Problem {
	_, errs := operation.Parse(sg, d.Text, unbounded)
	var problems []Problem
	for _, e := range errs {
		p := Problem{Message: e.Message, File: d.File}
		if len(e.Locations) > 0 {
			p.File, p.Line, p.Column = d.place(e.Locations[0])
		}
		problems = append(problems, p)
	}
	return problems
}

// place finds the file of a place in the text.
func (d Document) place(l operation.Location) (file string, line, column int) {
	file, line = d.File, l.Line
	for _, s := range d.lines {
		if s.line <= l.Line {
			file, line = s.file, s.fileLine+l.Line-s.line
		}
	}
	return file, line, l.Column
}
