package operation

import (
	"errors"
	"strings"

	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"
	"github.com/vektah/gqlparser/v2/lexer"
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
		return nil, parseError(text, err)
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

func parseError(text string, err error) *Error {
	var e *gqlerror.Error
	if !errors.As(err, &e) {
		return &Error{Message: "Syntax Error: " + err.Error(), Code: CodeParse}
	}
	// The parser has no type for this error.
	if strings.HasPrefix(e.Message, "exceeded token limit") {
		return &Error{Message: "The document has more tokens than allowed: " + e.Message + ".", Code: CodeTokens}
	}
	// The parser reports a token that can't be read as unexpected; the lexer knows what is wrong with it.
	if strings.Contains(e.Message, "<Invalid>") {
		if found := lexicalError(text); found != nil {
			e = found
		}
	}
	return &Error{
		Message:   "Syntax Error: " + strings.TrimSuffix(e.Message, ".") + ".",
		Locations: locations(e), Code: CodeParse,
	}
}

func lexicalError(text string) *gqlerror.Error {
	l := lexer.New(&ast.Source{Input: text})
	for {
		token, err := l.ReadToken()
		var e *gqlerror.Error
		if errors.As(err, &e) {
			return e
		}
		if err != nil || token.Kind == lexer.EOF {
			return nil
		}
	}
}
