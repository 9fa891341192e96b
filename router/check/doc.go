// Package check tells what a new supergraph breaks for the clients of an old one: in come two loaded supergraphs and
// optionally the clients' operations, out come the changes of the API schema, each breaking, dangerous or safe and with
// what to do about it, and which operations of which file break.
//
// Changes have the codes and severities of graphql-js's findBreakingChanges and findDangerousChanges
// (https://github.com/graphql/graphql-js, utilities/findBreakingChanges), where it has any; further ones are those that
// clients notice all the same: root types, @oneOf, @specifiedBy, deprecations, and what callers must prove to see a field.
// What is safe for every client is safe here and dangerous in graphql-js: a value added to an enum that clients only send,
// an interface that is new, and one that an interface gains. A default value that a required argument or input field loses
// is breaking here.
//
// Operations are validated against both API schemas. One breaks if the old one accepts it and the new one does not, or if
// it uses what changed in a way that validation can't see, such as a field that can be null now.
package check

import (
	"github.com/agora-supergraph/agora/router/supergraph"
)

// Result is what a check found.
type Result struct {
	// Changes are sorted by severity, the most severe first, then by coordinate.
	Changes []Change
	// Checked counts the operations that were valid before.
	Checked int
	// Broken are the operations that were valid and break, in the order of the documents.
	Broken []Operation
	// Invalid are the operations that the old schema refuses already.
	Invalid []Operation
}

// Breaks tells whether something breaks.
func (r *Result) Breaks() bool {
	return len(r.Broken) > 0 || len(r.Changes) > 0 && r.Changes[0].Severity == Breaking
}

// Count counts the changes of a severity.
func (r *Result) Count(s Severity) int {
	n := 0
	for _, c := range r.Changes {
		if c.Severity == s {
			n++
		}
	}
	return n
}

// Check compares two supergraphs as clients see them, and validates operations against both.
func Check(old, new *supergraph.Supergraph, operations []Document) *Result {
	r := &Result{Changes: Compare(old, new)}
	unseen := unseenByValidation(r.Changes)
	for _, d := range operations {
		was := validate(old, d)
		if len(was) > 0 {
			r.Invalid = append(r.Invalid, Operation{Document: d, Errors: was})
			continue
		}
		r.Checked++
		broken := Operation{Document: d, Errors: validate(new, d)}
		for _, coordinate := range used(old.API, d.Text) {
			broken.Changes = append(broken.Changes, unseen[coordinate]...)
		}
		if len(broken.Errors)+len(broken.Changes) > 0 {
			r.Broken = append(r.Broken, broken)
		}
	}
	return r
}
