package serve

import (
	"context"
	"encoding/json"
	"net/http"
	"time"

	"github.com/agora-supergraph/agora/router/auth"
)

// Request is one GraphQL request as the client sent it: well-formed JSON of the right kinds, nothing more is
// checked. Its bytes belong to the package; they are valid until Execute returns or, for a subscription,
// until it is closed.
type Request struct {
	// Query is the document's text. It is empty only if Extensions or DocumentID are there to say which
	// document is meant, and Config.DocumentIDs is set; an engine that finds the text may set it.
	Query string
	// OperationName picks an operation of the document; empty if the client gave none.
	OperationName string
	// DocumentID identifies a persisted document: documentId of the specification's appendix, or one of its other ways;
	// see DocumentIDs. Mostly empty.
	DocumentID string
	// Variables is a JSON object, or nil. No name occurs twice in it.
	Variables json.RawMessage
	// Extensions is a JSON object, or nil.
	Extensions json.RawMessage
	// Header are the client's headers. On a WebSocket these are the headers of the handshake, with the
	// Authorization of connection_init, and others that it may hold. They must not be changed.
	Header http.Header
	// Claims say who is asking; nil is anonymous.
	Claims *auth.Claims
	// Address is the client's IP address.
	Address string
	// Client is the program that sends the request, as it calls itself.
	Client Client
	// ID names the request in logs, and towards subgraphs. Never empty.
	ID string
	// Began is when the engine was asked; zero if nobody has looked at the clock.
	Began time.Time
	// Renewed is set for a subscription that has been let in already, and goes on under another configuration: it counts
	// toward no rate limit.
	Renewed bool
	// QueryOnly is set for GET: a mutation is to be refused with the Outcome MutationByGET.
	QueryOnly bool
	// Published is set by an engine that finds the document among those that an operator has published: its names are no
	// client's invention.
	Published bool
	// Increments says in which form the client takes the parts of an answer to an operation with @defer. The zero value
	// is none: it takes the answer as a whole.
	Increments IncrementFormat

	// Files are files that Variables refer to by their tokens: of a mutation only, or the request is to be refused. Mostly
	// nil.
	Files []File

	// ids is Config.DocumentIDs.
	ids *DocumentIDs
	// alternative is an id that counts if there is neither a text, nor a documentId, nor Apollo's extension.
	alternative string
}

// Engine answers GraphQL requests. It is safe for concurrent use.
//
// ctx ends when the client has gone, when Config.Timeout is over or when the router has drained for
// too long. The methods never return nil, nil.
type Engine interface {
	// Execute answers a query or a mutation. It refuses a subscription with the Outcome StreamRequired.
	Execute(ctx context.Context, req *Request) *Response
	// Subscribe starts a subscription. The Response is nil then. Of an operation that is no subscription,
	// or of one that is refused, the Response is the answer and the Subscription is nil.
	Subscribe(ctx context.Context, req *Request) (Subscription, *Response)
}

// Subscription is a running subscription. Next is called by one goroutine; Close by the same one, once, after the last
// Next.
type Subscription interface {
	// Next waits for the next event, for as long as ctx; what has come is answered within the context of Subscribe. It
	// returns io.EOF when the subscription has completed; any other error ends it too, and is told to the client as
	// INTERNAL_SERVER_ERROR. A Response whose Outcome is not Executed is the last one. The end of ctx may end it.
	Next(ctx context.Context) (*Response, error)
	// Close ends the subscription, also towards the subgraph.
	Close() error
}

// Response is one GraphQL response.
type Response struct {
	// Body is the whole response as JSON. It is valid until Free.
	Body []byte
	// Outcome decides the status code.
	Outcome Outcome
	// Header are headers to add to the HTTP response; nil for none. On streams they are left out. The map, but not its values,
	// is valid until Free.
	Header http.Header
	// Operation describes the operation for the access log.
	Operation Operation
	// Free gives Body and Header back to their pools; nil if there are none.
	Free func()
	// Rest are the parts of the answer that follow Body, which is then the first one; nil if it is the whole answer.
	// Only for requests whose Increments ask for it.
	Rest Increments
}

// IncrementFormat is a form of incremental delivery.
type IncrementFormat uint8

const (
	// WholeAnswer is no incremental delivery.
	WholeAnswer IncrementFormat = iota
	// PendingIDs is that of the specification's proposal, with pending, incremental and completed.
	PendingIDs
	// LabelledPaths is its earlier form of August 2022: parts come with path and label.
	LabelledPaths
)

// Increments are the parts of an answer after the first one. Next and Close are called by one goroutine; Close once,
// after the last Next.
type Increments interface {
	// Next waits for the next part. It returns io.EOF when there is none.
	Next() (*Response, error)
	// Close ends what is still running for other parts.
	Close()
}

// Operation is what the access log says about an operation. Each member may be empty: of a document that
// does not parse nothing is known.
type Operation struct {
	// Name is the operation's name in the document.
	Name string
	// Kind is "query", "mutation" or "subscription".
	Kind string
	// Code is the extensions.code of the response's first error.
	Code string
	// Cost is what the operation was estimated to cost; 0 if operations are not priced.
	Cost float64
	// Trace is the id of the trace that the operation is a part of; empty if it is not traced.
	Trace string
	// Fetches counts the requests to subgraphs, and Subgraphs is for how long any of them was under way; 0 if nobody has
	// watched.
	Fetches   int
	Subgraphs time.Duration
}

// Release gives body and header back. Nobody may touch them afterwards.
func (r *Response) Release() {
	if r.Free != nil {
		r.Free()
		r.Free = nil
	}
	r.Body, r.Header = nil, nil
}

// Outcome says how far a request came.
type Outcome uint8

// The outcomes. The status is that of application/graphql-response+json; a client that wants
// application/json gets 200 for RequestError, as the specification asks for, and the same for the rest.
const (
	// Executed: the operation ran, the body has a data entry, be it null. 200.
	Executed Outcome = iota
	// RequestError: the document does not parse or validate, names no operation, or the variables don't
	// fit; the body has no data entry. 400.
	RequestError
	// MutationByGET: 405.
	MutationByGET
	// StreamRequired: a subscription where the client accepts no stream. 406.
	StreamRequired
	// Unauthenticated: the request needs a token as a whole. 401.
	Unauthenticated
	// Forbidden: the caller may not make this request as a whole. 403.
	Forbidden
	// NotFound: a persisted document that is not known. 404.
	NotFound
	// TooManyRequests: the caller is over its limit; Response.Header may hold Retry-After. 429.
	TooManyRequests
	// Unavailable: the router can't take the request now. 503.
	Unavailable
	// Internal: something is broken on our side. 500.
	Internal
	// BadRequest is a RequestError that is 400 for every media type.
	BadRequest
	// TextNeeded asks the client to send the document's text instead of its id. 200, as the clients of automatic persisted
	// queries expect it.
	TextNeeded

	outcomes
)

// statuses are the HTTP status codes by Outcome.
var statuses = [outcomes]int{
	Executed:        http.StatusOK,
	RequestError:    http.StatusBadRequest,
	MutationByGET:   http.StatusMethodNotAllowed,
	StreamRequired:  http.StatusNotAcceptable,
	Unauthenticated: http.StatusUnauthorized,
	Forbidden:       http.StatusForbidden,
	NotFound:        http.StatusNotFound,
	TooManyRequests: http.StatusTooManyRequests,
	Unavailable:     http.StatusServiceUnavailable,
	Internal:        http.StatusInternalServerError,
	BadRequest:      http.StatusBadRequest,
	TextNeeded:      http.StatusOK,
}
