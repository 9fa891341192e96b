package operation

import (
	"fmt"

	"github.com/vektah/gqlparser/v2/gqlerror"

	"github.com/agora-supergraph/agora/router/operation/internal/validate"
	"github.com/agora-supergraph/agora/router/supergraph"
)

// Document is a parsed and valid GraphQL document. It is immutable and safe for concurrent use.
type Document struct {
	text     string
	selected []*Selected
}

// Text returns the text that the document was parsed from.
func (d *Document) Text() string { return d.text }

// Parse parses text and validates it against the API schema and the limits. Every error found is reported, as
// far as one does not hide another, each with its code and locations. The document is nil if there are errors.
func Parse(sg *supergraph.Supergraph, text string, limits Limits) (*Document, Errors) {
	doc, syntax := parse(text, limits)
	if syntax != nil {
		return nil, Errors{syntax}
	}
	config := validate.Config{
		MaxErrors:       bound(limits.Errors, defaultErrors),
		HideSuggestions: limits.HideSuggestions,
	}
	if found := validate.Document(sg.API, doc, config); len(found) > 0 {
		return nil, validationErrors(found)
	}
	// Only a valid document can be measured, and only one within limits can be merged in good time.
	if errs := exceeded(doc, limits); errs != nil {
		return nil, errs
	}
	found, done := validate.MergeFields(sg.API, doc, config, mergeBudget(limits))
	if len(found) > 0 {
		return nil, validationErrors(found)
	}
	if !done {
		return nil, Errors{{Message: "The operation is too complex to validate.", Code: CodeFields}}
	}
	d := &Document{text: text, selected: make([]*Selected, len(doc.Operations))}
	for i, def := range doc.Operations {
		d.selected[i] = newSelected(sg, def, limits)
	}
	return d, nil
}

// Operation chooses the operation to execute by the rules of GetOperation
// (https://spec.graphql.org/draft/#GetOperation()); an empty name is no name. The error is an *Error with
// CodeResolution.
func (d *Document) Operation(name string) (*Selected, error) {
	if name == "" {
		switch len(d.selected) {
		case 0:
			return nil, &Error{Message: "Must provide an operation.", Code: CodeResolution}
		case 1:
			return d.selected[0], nil
		}
		return nil, &Error{
			Message: "Must provide operation name if query contains multiple operations.", Code: CodeResolution,
		}
	}
	for _, s := range d.selected {
		if s.Name == name {
			return s, nil
		}
	}
	return nil, &Error{Message: fmt.Sprintf("Unknown operation named %q.", name), Code: CodeResolution}
}

// Operations returns all operations of the document in its order.
func (d *Document) Operations() []*Selected { return d.selected }

func validationErrors(found gqlerror.List) Errors {
	errs := make(Errors, len(found))
	for i, e := range found {
		errs[i] = &Error{Message: e.Message, Locations: locations(e), Code: CodeValidation}
	}
	return errs
}

func locations(e *gqlerror.Error) []Location {
	out := make([]Location, len(e.Locations))
	for i, l := range e.Locations {
		out[i] = Location{Line: l.Line, Column: l.Column}
	}
	return out
}
