package serve

import "net/http"

// The codes of this package's own errors, as extensions.code.
const (
	CodeBadRequest         = "BAD_REQUEST"
	CodeBatchingNotEnabled = "BATCHING_NOT_ENABLED"
	CodeConflict           = "CONFLICT"
	CodeCSRF               = "CSRF_ERROR"
	CodeForbidden          = "FORBIDDEN"
	CodeHeadersTooLarge    = "HEADERS_TOO_LARGE"
	CodeInternal           = "INTERNAL_SERVER_ERROR"
	CodeMethodNotAllowed   = "METHOD_NOT_ALLOWED"
	CodeNotAcceptable      = "NOT_ACCEPTABLE"
	CodeNotFound           = "NOT_FOUND"
	CodePayloadTooLarge    = "PAYLOAD_TOO_LARGE"
	// CodePersistedQueryNotSupported makes Apollo's clients send the document's text.
	CodePersistedQueryNotSupported = "PERSISTED_QUERY_NOT_SUPPORTED"
	CodeRequestTimeout             = "REQUEST_TIMEOUT"
	CodeTooManyOperations          = "TOO_MANY_OPERATIONS"
	CodeTooManySockets             = "TOO_MANY_SOCKETS"
	CodeUnauthenticated            = "UNAUTHENTICATED"
	CodeUnavailable                = "SERVICE_UNAVAILABLE"
	CodeUnsupportedMediaType       = "UNSUPPORTED_MEDIA_TYPE"
)

// refusal is an error that is answered before, or instead of, the engine. Its status holds whatever media
// type the client accepts: the request was not well-formed GraphQL over HTTP, or not permitted.
type refusal struct {
	status  int
	code    string
	message string
}

func badRequest(message string) *refusal {
	return &refusal{http.StatusBadRequest, CodeBadRequest, message}
}

// Refuse makes a response that holds one error and no data: message is for people, code for programs.
func Refuse(outcome Outcome, code, message string) *Response {
	return &Response{
		Body:      errorBody(code, message),
		Outcome:   outcome,
		Operation: Operation{Code: code},
	}
}

// errorBody is a GraphQL response with one error.
func errorBody(code, message string) []byte {
	b := append(make([]byte, 0, 96+len(message)), `{"errors":[{"message":`...)
	b = appendString(b, message)
	b = append(b, `,"extensions":{"code":`...)
	b = appendString(b, code)
	return append(b, `}}]}`...)
}
