// Package transport carries GraphQL requests to subgraphs: over HTTP, or to a subgraph in the same process.
//
// In comes a Request whose bytes the executor has written; out come the bytes of the subgraph's answer, which
// nobody decodes here. A transport knows connections, timeouts and the limits of what it reads; it knows
// nothing of plans.
package transport

import (
	"context"
	"net/http"
)

// Request is one GraphQL request to a subgraph. Its bytes belong to the caller and are valid until the call
// returns.
type Request struct {
	// Query is the operation's text. It is the same string for every request of a plan's fetch, so that a
	// subgraph in process may cache what it parsed by it.
	Query string
	// OperationName may be empty.
	OperationName string
	// Variables is the JSON object of the variables: a part of Body.
	Variables []byte
	// Body is the whole JSON body of a POST: {"query":…,"operationName":…,"variables":{…}}.
	Body []byte
	// Header are the headers to send besides those of the protocol; nil for none.
	Header http.Header
	// Mutation is true if the operation is one: it is never sent twice.
	Mutation bool
}

// Response is a subgraph's answer.
type Response struct {
	// Status is the HTTP status; 200 from a subgraph in process.
	Status int
	// Header are the answer's headers; may be nil.
	Header http.Header
	// Body is the answer's body. It is valid until Release.
	Body []byte
	// Free gives Body back to the transport's pool; nil if it has none.
	Free func()
}

// Release gives the body back. Nobody may touch it afterwards.
func (r *Response) Release() {
	if r.Free != nil {
		r.Free()
		r.Free = nil
	}
	r.Body = nil
}

// Transport reaches one subgraph. It is safe for concurrent use.
type Transport interface {
	// Send sends a query or mutation and waits for the whole answer. A status other than 200 is no error here:
	// the body may still be a GraphQL response.
	Send(ctx context.Context, req *Request) (*Response, error)
	// Subscribe starts a subscription.
	Subscribe(ctx context.Context, req *Request) (Stream, error)
}

// Starter is a Transport that can send a request and leave the waiting for later, so that one goroutine may have several
// requests in flight.
type Starter interface {
	Transport
	// Start sends a query if that needs no waiting, and returns what its answer is received from; else nil: Send is
	// to be called then. The request's bytes must stay valid until Receive returns.
	Start(ctx context.Context, req *Request) Pending
}

// Pending is a request in flight.
type Pending interface {
	// Receive waits for the whole answer, as Send does. It must be called once, in any goroutine. What has come while
	// nobody received is not late.
	Receive(ctx context.Context) (*Response, error)
}

// Stream is a running subscription.
type Stream interface {
	// Next waits for the next event: the JSON of a GraphQL response, valid until the next call. It returns
	// io.EOF once the subgraph has completed the subscription.
	Next(ctx context.Context) ([]byte, error)
	// Close ends the subscription, also at the subgraph.
	Close() error
}
