package operation

import (
	"errors"
	"strings"

	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"
	"github.com/vektah/gqlparser/v2/parser"
)

// parse reads the text. What gqlparser accepts beyond the grammar (an empty document, variables of fragments) is
// refused here, so that no later phase meets it.
func parse(text string, limits Limits) (*ast.QueryDocument, *Error) {
	tokens := bound(limits.Tokens, defaultTokens)
	if tokens == unlimited {
		tokens = 0
	}
	doc, err := parser.ParseQueryWithTokenLimit(&ast.Source{Input: text}, tokens)
	if err != nil {
		return nil, parseError(err)
	}
	if len(doc.Operations) == 0 && len(doc.Fragments) == 0 {
		return nil, syntaxError("Unexpected <EOF>.", nil)
	}
	for _, fragment := range doc.Fragments {
		if len(fragment.VariableDefinition) > 0 {
			return nil, syntaxError(`Expected "on", found "(".`, fragment.Position)
		}
	}
	return doc, nil
}

func syntaxError(message string, at *ast.Position) *Error {
	location := Location{Line: 1, Column: 1}
	if at != nil {
		location = Location{Line: at.Line, Column: at.Column}
	}
	return &Error{Message: "Syntax Error: " + message, Locations: []Location{location}, Code: CodeParse}
}

func parseError(err error) *Error {
	var e *gqlerror.Error
	if !errors.As(err, &e) {
		return &Error{Message: "Syntax Error: " + err.Error(), Code: CodeParse}
	}
	// The parser has no type for this error.
	if strings.HasPrefix(e.Message, "exceeded token limit") {
		return &Error{Message: "The document has more tokens than allowed: " + e.Message + ".", Code: CodeTokens}
	}
	return &Error{Message: "Syntax Error: " + e.Message, Locations: locations(e), Code: CodeParse}
}
