package execute

import (
	"context"
	"errors"
	"net"
	"net/http"
	"strconv"

	"github.com/agora-supergraph/agora/router/transport"
)

// failure is why a fetch brought nothing, in the client's terms.
type failure struct {
	code string
	// message follows the name of the subgraph.
	message string
}

var (
	unreachable     = failure{transport.CodeHTTP, "could not be reached"}
	timedOut        = failure{transport.CodeTimeout, "did not answer in time"}
	canceled        = failure{transport.CodeCanceled, "was not waited for: the request was canceled"}
	tooLarge        = failure{transport.CodeTooLarge, "answered more than the router accepts"}
	notJSON         = failure{transport.CodeMalformed, "answered what is no GraphQL response"}
	noData          = failure{transport.CodeMalformed, "answered neither data nor errors"}
	wrongCount      = failure{transport.CodeMalformed, "answered another number of entities than it was asked for"}
	misaligned      = failure{transport.CodeMalformed, "answered a list or object that differs from another subgraph's"}
	tooManyContexts = failure{"SUBREQUEST_CONTEXT_LIMIT", "would have to be asked once for each of too many values of a context"}
	misfit          = failure{transport.CodeMalformed, "answered an object of another type than it was asked for"}
)

// failureOf tells what clients may know of an error of a transport.
func failureOf(err error) failure {
	var known *transport.Error
	var timeout net.Error
	switch {
	case errors.As(err, &known):
		return failure{known.Code, known.Message}
	case errors.Is(err, context.Canceled):
		return canceled
	case errors.Is(err, context.DeadlineExceeded), errors.As(err, &timeout) && timeout.Timeout():
		return timedOut
	}
	return unreachable
}

func statusFailure(status int) failure {
	return failure{transport.CodeHTTP, "answered HTTP status " + strconv.Itoa(status) + " " + http.StatusText(status)}
}

// fail records that a fetch brought nothing, as one error, and explains the nulls that this leaves.
func (s *state) fail(f *fetchState, why failure) {
	s.reportFailure(f, why)
	s.explainAll(f)
}

// reportFailure records an error about a whole fetch. Its path is that of all places concerned: the field, if
// it is one, else the closest position that holds them all.
func (s *state) reportFailure(f *fetchState, why failure) {
	message := "subgraph " + strconv.Quote(s.serviceName(f.fetch)) + " " + why.message
	s.report(f, message, s.scope(f), why.code)
	s.logFailure(f, why)
}

// explainAll marks everything that a fetch should have brought and hasn't.
func (s *state) explainAll(f *fetchState) {
	for i := range f.represented {
		s.explainEntities(f, i)
	}
}

func (s *state) explainEntities(f *fetchState, i int) {
	for _, o := range f.represented[i].objects {
		s.arena.explain(f.targets(i)[o.target].Selection, o.base)
	}
}

// withdrawAll takes back what was read of an answer that proved broken. Objects from mark on are that answer's.
func (s *state) withdrawAll(f *fetchState, mark int) {
	for i := range f.represented {
		s.withdrawEntities(f, i, mark)
	}
}

func (s *state) withdrawEntities(f *fetchState, i, mark int) {
	for _, o := range f.represented[i].objects {
		if o.sent >= 0 {
			s.arena.withdraw(f.targets(i)[o.target].Selection, o.base, mark)
		}
	}
}
