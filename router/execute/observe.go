package execute

import (
	"context"
	"net/http"
	"time"

	"github.com/agora-supergraph/agora/router/plan"
)

// Observer is told of the fetches of one request: for traces, for explain --analyze, for the Playground. Its methods
// are called in the goroutine that executes the request, never two at a time. A request without an observer pays a nil
// check per fetch for it; one with an observer lets another goroutine wait for each subgraph, to tell when it answered.
//
// The event that a subscription's fetch answers with is no request, and is not observed; the fetches that complete it
// are.
type Observer interface {
	// FetchStarted is told of a request that is about to be sent. The transport gets the context that it returns, which
	// is ctx or one derived from it: a tracer puts its span there.
	FetchStarted(ctx context.Context, f Started) context.Context
	// FetchEnded is told of the same request once its answer has been read, or is known not to come.
	FetchEnded(f Ended)
}

// Started tells of one request to a subgraph that is about to be sent. A fetch is one request, unless its arguments
// come from contexts: then there is one for each combination of their values, one after the other.
type Started struct {
	Fetch *plan.Fetch
	// Subgraph is the subgraph's name; "introspection" for what the router answers itself.
	Subgraph string
	// Objects counts the objects that take the answer: entities as often as they occur in the response, but those once that
	// came in equal pieces of text. 1 for root fields.
	Objects int
	// Representations counts the entities that are sent: equal ones once. 0 for root fields.
	Representations int
	// Sent counts the bytes of the request's body.
	Sent int
}

// Ended tells how a request to a subgraph ended.
type Ended struct {
	Started
	// Began and Done are the times around the call of the transport.
	Began, Done time.Time
	// Received counts the bytes of the answer's body.
	Received int
	// Status is the HTTP status; 0 if there was no answer.
	Status int
	// Header is the answer's; may be nil.
	Header http.Header
	// Errors counts the errors that the response got by this request.
	Errors int
	// Err is the whole reason of a request that brought no answer, of which clients see only the kind.
	Err error
}

// observeStart tells the observer of a request that is ready to be sent.
func (s *state) observeStart(ctx context.Context, f *fetchState) {
	f.seen = Ended{Started: Started{Fetch: f.fetch, Subgraph: s.serviceName(f.fetch), Sent: len(f.body)}}
	f.observed = &f.seen
	for i := range f.represented {
		for _, o := range f.represented[i].objects {
			if o.sent >= 0 {
				f.observed.Objects++
			}
		}
		if f.fetch.Root == nil {
			f.observed.Representations += len(f.represented[i].sent)
		}
	}
	f.ctx = s.req.Observer.FetchStarted(ctx, f.observed.Started)
}

// observeEnd tells the observer of a request whose answer has been taken in; before counts the errors that the fetch
// had before it.
func (s *state) observeEnd(f *fetchState, before int) {
	ended := f.observed
	f.observed, f.ctx = nil, nil
	ended.Errors, ended.Err = f.errors-before, f.err
	if f.response != nil {
		ended.Received, ended.Status, ended.Header = len(f.response.Body), f.response.Status, f.response.Header
	}
	s.req.Observer.FetchEnded(*ended)
}
