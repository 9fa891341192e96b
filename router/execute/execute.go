// Package execute carries out query plans: in come a plan and the raw JSON of the variables, out come the
// bytes of the response.
//
// The pipeline, a file a step:
//
//	schedule.go   starts each fetch as soon as the fetches it depends on have ended
//	context.go    asks in rounds where arguments come from contexts
//	represent.go  walks to the objects of an entity fetch and writes their representations into the body
//	distinct.go   finds those that are equal to one that is sent already, before they are written
//	answer.go     takes a subgraph's answer apart: data, errors, or what to report in their place
//	read.go       scans data once, straight into the slots of the objects concerned
//	carry.go      turns a subgraph's errors into the client's terms
//	write.go      writes the response in one walk over the plan's Output, with null propagation on the way
//	defer.go      goes on after the first part of an answer; deliver.go writes the others
//	observe.go    tells who wants to know of each request
//
// Values are words of a pooled arena without pointers (arena.go); leaves are byte ranges of the answers, which
// live until the response is written. Nothing is decoded that nobody looks at, nothing is allocated per value.
// All of a request's state is touched by one goroutine alone: others only wait for subgraphs.
//
// Execution and errors follow the GraphQL specification, October 2021, sections 6.4 and 7.1.
package execute

import (
	"context"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"github.com/agora-supergraph/agora/router/plan"
	"github.com/agora-supergraph/agora/router/transport"
)

// Config configures an Executor. The zero value of each field but Transports is useful.
type Config struct {
	// Transports reach the subgraphs, by their index in Supergraph.Subgraphs.
	Transports []transport.Transport
	// Introspection answers __schema and __type; needed only for plans that ask them.
	Introspection transport.Transport
	// Timeout bounds the execution of one query or mutation, and of each event of a subscription. Zero means
	// that only the timeouts of the transports and of the context hold.
	Timeout time.Duration
	// MaxErrors bounds the errors of one response; one more says how many are missing. Zero means 100.
	MaxErrors int
	// MaxAnswerBytes bounds one subgraph's answer. Zero means 64 MiB.
	MaxAnswerBytes int
	// MaxResponseBytes bounds the response. Zero means 256 MiB.
	MaxResponseBytes int
	// MaxDepth bounds the nesting of a subgraph's JSON. Zero means 200.
	MaxDepth int
	// MaxValues bounds the values that one request holds at a time, 8 bytes each. Zero means 32 Mi.
	MaxValues int
	// MaxContexts bounds the requests that one fetch may take for arguments from contexts: one for each combination
	// of their values. Zero means 100.
	MaxContexts int
	// SubgraphErrors says how much of a subgraph's errors clients see.
	SubgraphErrors ErrorPolicy
	// Logger is told what clients are not: why a subgraph has not answered, and what of its errors is redacted. Nil for
	// nobody.
	Logger *slog.Logger
}

// ErrorPolicy says how much of a subgraph's errors clients see. The zero value shows all but locations.
type ErrorPolicy struct {
	// Redact replaces messages by "Subgraph error" and leaves out all extensions but code and serviceName.
	Redact bool
	// OmitServiceName leaves out extensions.serviceName.
	OmitServiceName bool
	// MaxPaths bounds how often an error of one entity is repeated for the places that asked for it. Zero
	// means 8.
	MaxPaths int
}

// Executor executes plans. It is safe for concurrent use.
type Executor struct {
	cfg Config
	// states are those that no request uses.
	states sync.Pool
}

// New returns an Executor.
func New(cfg Config) *Executor {
	orDefault(&cfg.MaxErrors, 100)
	orDefault(&cfg.MaxAnswerBytes, 64<<20)
	orDefault(&cfg.MaxResponseBytes, 256<<20)
	orDefault(&cfg.MaxDepth, 200)
	orDefault(&cfg.MaxContexts, 100)
	orDefault(&cfg.MaxValues, 32<<20)
	orDefault(&cfg.SubgraphErrors.MaxPaths, 8)
	return &Executor{cfg: cfg}
}

func orDefault(v *int, d int) {
	if *v <= 0 {
		*v = d
	}
}

// Request is what one client's request adds to a plan.
type Request struct {
	// Variables is the raw JSON of the values, by the index in Plan.Variables; coerced, valid JSON. A nil value
	// was not given and is left out, unless the plan has a literal for it.
	Variables [][]byte
	// Headers are sent to the subgraphs, by their index in Supergraph.Subgraphs; nil for none.
	Headers []http.Header
	// Answered is told the headers of each subgraph's answer, in the request's goroutine. Nil for nobody.
	Answered Answered
	// ID is the request's, for the log.
	ID string
	// Format is how the parts of an answer to an operation with @defer are written.
	Format Format
	// Observer is told of the fetches; nil for nobody.
	Observer Observer
}

// Answered takes the headers of subgraphs' answers.
type Answered interface {
	// Add takes those of one answer; failed says that none came.
	Add(subgraph int, header http.Header, failed bool)
}

// header is that for a subgraph by its index, or for the router's own introspection.
func (r *Request) header(subgraph int) http.Header {
	if subgraph < 0 || subgraph >= len(r.Headers) {
		return nil
	}
	return r.Headers[subgraph]
}

// Execute answers a query or mutation. It always returns a response; what went wrong is in its errors.
// Nothing that Execute started outlives it.
func (x *Executor) Execute(ctx context.Context, p *plan.Plan, req *Request) *Response {
	if x.cfg.Timeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, x.cfg.Timeout)
		defer cancel()
	}
	s := x.begin(p, req)
	s.run(ctx)
	return s.finish()
}
