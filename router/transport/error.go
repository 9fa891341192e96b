package transport

import "fmt"

// Error is a failure of a transport that clients are told of, by its code and message; the reason behind it
// is for the log.
type Error struct {
	// Code is the error's extensions.code.
	Code string
	// Message is for people; it holds no addresses and no secrets.
	Message string
	// Err is the reason; may be nil.
	Err error
}

// Error returns message and reason.
func (e *Error) Error() string {
	if e.Err == nil {
		return e.Message
	}
	return fmt.Sprintf("%s: %v", e.Message, e.Err)
}

// Unwrap returns the reason.
func (e *Error) Unwrap() error { return e.Err }

// The codes of failures, as other routers name them.
const (
	// CodeHTTP is for a subgraph that can't be reached, or answers with a status that is no success and no
	// GraphQL response.
	CodeHTTP = "SUBREQUEST_HTTP_ERROR"
	// CodeTimeout is for a subgraph that doesn't answer in time.
	CodeTimeout = "GATEWAY_TIMEOUT"
	// CodeCanceled is for a request whose client has gone.
	CodeCanceled = "REQUEST_CANCELED"
	// CodeMalformed is for an answer that is no GraphQL response.
	CodeMalformed = "SUBREQUEST_MALFORMED_RESPONSE"
	// CodeTooLarge is for an answer beyond the limit.
	CodeTooLarge = "SUBREQUEST_RESPONSE_TOO_LARGE"
)
