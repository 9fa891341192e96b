package traffic

import (
	"cmp"
	"context"
	"errors"
	"math"
	"net/http"
	"time"

	"github.com/failsafe-go/failsafe-go"
	"github.com/failsafe-go/failsafe-go/budget"
	"github.com/failsafe-go/failsafe-go/bulkhead"
	"github.com/failsafe-go/failsafe-go/circuitbreaker"
	"github.com/failsafe-go/failsafe-go/hedgepolicy"
	"github.com/failsafe-go/failsafe-go/retrypolicy"

	"github.com/agora-supergraph/agora/router/transport"
)

func (r Retry) policy(events Events, b budget.Budget) failsafe.Policy[*transport.Response] {
	delay, most := cmp.Or(r.Delay, 20*time.Millisecond), cmp.Or(r.MaxDelay, time.Second)
	policy := retrypolicy.NewBuilder[*transport.Response]().
		HandleIf(repeatable).
		WithMaxAttempts(r.Attempts).
		WithJitterFactor(0.5).
		WithBudget(b).
		ReturnLastFailure().
		OnRetry(func(e failsafe.ExecutionEvent[*transport.Response]) {
			if failed := e.LastResult(); failed != nil {
				failed.Release()
			}
			if events.Repeated != nil {
				events.Repeated(false)
			}
		})
	if most > delay {
		policy = policy.WithBackoff(delay, most)
	} else {
		policy = policy.WithDelay(delay)
	}
	return policy.Build()
}

// counted is a budget, with what a policy tells it of each execution.
type counted interface {
	budget.Budget
	RecordExecution()
	ReleaseExecution()
}

// percent is a budget. A few requests are always allowed: with few under way, a share of them would be none.
func percent(n int) counted {
	return budget.NewBuilder().WithMaxRate(float64(n) / 100).WithMinConcurrency(3).Build().(counted)
}

func (h Hedge) policy(events Events) failsafe.Policy[*transport.Response] {
	return hedgepolicy.NewBuilderWithDelay[*transport.Response](h.After).
		CancelIf(func(resp *transport.Response, err error) bool { return !repeatable(resp, err) }).
		WithMaxHedges(1).
		WithBudget(percent(cmp.Or(h.Budget, 10))).
		OnHedge(func(failsafe.ExecutionEvent[*transport.Response]) {
			if events.Repeated != nil {
				events.Repeated(true)
			}
		}).
		Build()
}

func (b Breaker) policy(events Events) circuitbreaker.CircuitBreaker[*transport.Response] {
	return circuitbreaker.NewBuilder[*transport.Response]().
		HandleIf(broken).
		WithFailureRateThreshold(float64(b.FailurePercent)/100, uint(cmp.Or(b.MinRequests, 20)), cmp.Or(b.Window, 10*time.Second)).
		WithDelay(cmp.Or(b.Open, 5*time.Second)).
		WithSuccessThreshold(1).
		OnStateChanged(func(e circuitbreaker.StateChangedEvent) {
			if events.Breaker != nil {
				events.Breaker(e.NewState)
			}
		}).
		Build()
}

func (c Concurrency) wait() time.Duration {
	if c.MaxWait > 0 {
		return c.MaxWait
	}
	return math.MaxInt64 // as long as the context lets it
}

// repeatable says whether a query may succeed if it is sent once more: the subgraph did not take it, or broke off. One
// that ran out of time would run out of it again; a policy's own refusal is final.
func repeatable(resp *transport.Response, err error) bool {
	if err == nil {
		return unavailable(resp)
	}
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) || refused(err) {
		return false
	}
	var known *transport.Error
	return !errors.As(err, &known) || known.Code == transport.CodeHTTP
}

// broken says whether an answer speaks against the subgraph: a client that has gone does not.
func broken(resp *transport.Response, err error) bool {
	if err == nil {
		return unavailable(resp)
	}
	return !errors.Is(err, context.Canceled) && !refused(err)
}

func refused(err error) bool {
	return errors.Is(err, circuitbreaker.ErrOpen) || errors.Is(err, bulkhead.ErrFull) || errors.Is(err, failsafe.ErrExecutionCanceled)
}

func unavailable(resp *transport.Response) bool {
	switch resp.Status {
	case http.StatusTooManyRequests, http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		return true
	}
	return false
}
