package operation

import (
	"strconv"
	"strings"

	"github.com/agora-supergraph/agora/router/operation/internal/rawjson"
)

// The codes of errors that this package reports, as clients find them in extensions.code.
const (
	CodeParse      = "GRAPHQL_PARSE_FAILED"
	CodeValidation = "GRAPHQL_VALIDATION_FAILED"
	CodeResolution = "OPERATION_RESOLUTION_FAILURE"
	CodeInput      = "BAD_USER_INPUT"
	// CodeTokens and those that follow name the limit that an operation exceeds.
	CodeTokens     = "MAX_TOKENS_LIMIT"
	CodeDepth      = "MAX_DEPTH_LIMIT"
	CodeAliases    = "MAX_ALIASES_LIMIT"
	CodeRootFields = "MAX_ROOT_FIELDS_LIMIT"
	CodeFields     = "MAX_FIELDS_LIMIT"
)

// Error is one request error: the operation was not executed because of it.
type Error struct {
	// Message is for people; it names what is wrong and where.
	Message string
	// Locations are the places in the operation's text; may be empty.
	Locations []Location
	// Code is extensions.code.
	Code string
}

// Location is a place in the operation's text. Both numbers count from 1, columns in characters.
type Location struct {
	Line, Column int
}

// Error returns the message and the first location.
func (e *Error) Error() string {
	if len(e.Locations) == 0 {
		return e.Message
	}
	l := e.Locations[0]
	return strconv.Itoa(l.Line) + ":" + strconv.Itoa(l.Column) + ": " + e.Message
}

// AppendJSON appends the error as the specification's errors list holds it
// (https://spec.graphql.org/draft/#sec-Errors.Error-Result-Format).
func (e *Error) AppendJSON(dst []byte) []byte {
	dst = append(dst, `{"message":`...)
	dst = rawjson.AppendString(dst, e.Message)
	for i, l := range e.Locations {
		if i == 0 {
			dst = append(dst, `,"locations":[`...)
		} else {
			dst = append(dst, ',')
		}
		dst = append(dst, `{"line":`...)
		dst = strconv.AppendInt(dst, int64(l.Line), 10)
		dst = append(dst, `,"column":`...)
		dst = strconv.AppendInt(dst, int64(l.Column), 10)
		dst = append(dst, '}')
	}
	if len(e.Locations) > 0 {
		dst = append(dst, ']')
	}
	if e.Code != "" {
		dst = append(dst, `,"extensions":{"code":`...)
		dst = rawjson.AppendString(dst, e.Code)
		dst = append(dst, '}')
	}
	return append(dst, '}')
}

// MarshalJSON is AppendJSON for encoding/json.
func (e *Error) MarshalJSON() ([]byte, error) { return e.AppendJSON(nil), nil }

// Errors are all request errors of one request, in the order in which they were found. Never empty where it is
// not nil.
type Errors []*Error

// Error joins the messages.
func (e Errors) Error() string {
	lines := make([]string, len(e))
	for i, err := range e {
		lines[i] = err.Error()
	}
	return strings.Join(lines, "\n")
}

// AppendJSON appends the errors as a JSON list.
func (e Errors) AppendJSON(dst []byte) []byte {
	dst = append(dst, '[')
	for i, err := range e {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = err.AppendJSON(dst)
	}
	return append(dst, ']')
}
