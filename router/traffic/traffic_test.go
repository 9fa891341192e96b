package traffic

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/agora-supergraph/agora/router/transport"
)

// subgraph is a transport whose nth call is answered by answer(n), from 1.
type subgraph struct {
	answer func(ctx context.Context, n int, req *transport.Request) (*transport.Response, error)
	calls  atomic.Int32
	// underWay and most count calls at a time.
	underWay, most atomic.Int32
	released       atomic.Int32
}

func (s *subgraph) Send(ctx context.Context, req *transport.Request) (*transport.Response, error) {
	now := s.underWay.Add(1)
	defer s.underWay.Add(-1)
	for most := s.most.Load(); now > most && !s.most.CompareAndSwap(most, now); most = s.most.Load() {
	}
	resp, err := s.answer(ctx, int(s.calls.Add(1)), req)
	if resp != nil {
		resp.Free = func() { s.released.Add(1) }
	}
	return resp, err
}

func (s *subgraph) Subscribe(context.Context, *transport.Request) (transport.Stream, error) {
	return nil, nil
}

func status(code int) (*transport.Response, error) {
	return &transport.Response{Status: code, Body: []byte("{}")}, nil
}

var errReset = &transport.Error{Code: transport.CodeHTTP, Message: "could not be reached", Err: errors.New("connection reset")}

func query() *transport.Request {
	body := []byte(`{"query":"{a}","variables":{"x":1}}`)
	return &transport.Request{Query: "{a}", Body: body, Variables: body[26:33]}
}

func TestAFailedQueryIsRepeatedAndAMutationNever(t *testing.T) {
	for _, test := range []struct {
		name     string
		first    func() (*transport.Response, error)
		mutation bool
		want     int32
	}{
		{"an unavailable subgraph", func() (*transport.Response, error) { return status(http.StatusServiceUnavailable) }, false, 2},
		{"a broken connection", func() (*transport.Response, error) { return nil, errReset }, false, 2},
		{"a mutation", func() (*transport.Response, error) { return nil, errReset }, true, 1},
		{"an error of the subgraph's own", func() (*transport.Response, error) { return status(http.StatusInternalServerError) }, false, 1},
		{"a timeout", func() (*transport.Response, error) {
			return nil, &transport.Error{Code: transport.CodeTimeout, Message: "did not answer in time", Err: context.DeadlineExceeded}
		}, false, 1},
		{"an answer that is none", func() (*transport.Response, error) {
			return nil, &transport.Error{Code: transport.CodeMalformed, Message: "no HTTP"}
		}, false, 1},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := &subgraph{answer: func(_ context.Context, n int, _ *transport.Request) (*transport.Response, error) {
					if n == 1 {
						return test.first()
					}
					return status(http.StatusOK)
				}}
				req := query()
				req.Mutation = test.mutation
				_, _ = Guard(s, Config{Retry: Retry{Attempts: 3}}, Events{}).Send(t.Context(), req)
				if got := s.calls.Load(); got != test.want {
					t.Errorf("%d calls, want %d", got, test.want)
				}
			})
		})
	}
}

func TestTheLastAnswerIsGivenWhenAttemptsAreUsedUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &subgraph{answer: func(context.Context, int, *transport.Request) (*transport.Response, error) {
			return status(http.StatusBadGateway)
		}}
		resp, err := Guard(s, Config{Retry: Retry{Attempts: 3}}, Events{}).Send(t.Context(), query())
		if err != nil || resp.Status != http.StatusBadGateway {
			t.Fatalf("answer %v, error %v", resp, err)
		}
		if s.calls.Load() != 3 || s.released.Load() != 2 {
			t.Errorf("%d calls, %d answers released: want 3 and 2", s.calls.Load(), s.released.Load())
		}
	})
}

func TestRetriesEndWithTheRequest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &subgraph{answer: func(context.Context, int, *transport.Request) (*transport.Response, error) { return nil, errReset }}
		ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
		defer cancel()
		_, err := Guard(s, Config{Retry: Retry{Attempts: 10, Delay: 40 * time.Millisecond}}, Events{}).Send(ctx, query())
		if !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("error %v, want the deadline's", err)
		}
		if s.calls.Load() > 3 {
			t.Errorf("%d calls in 50 ms with pauses of 20 ms and more", s.calls.Load())
		}
	})
}

func TestAnOverloadedSubgraphDoesNotGetTheDoubleLoad(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &subgraph{answer: func(context.Context, int, *transport.Request) (*transport.Response, error) {
			time.Sleep(100 * time.Millisecond)
			return status(http.StatusServiceUnavailable)
		}}
		g := Guard(s, Config{Retry: Retry{Attempts: 2, Budget: 10}}, Events{})
		var wg sync.WaitGroup
		for range 200 {
			wg.Go(func() { _, _ = g.Send(t.Context(), query()) })
		}
		wg.Wait()
		if got := s.calls.Load(); got > 230 {
			t.Errorf("200 queries made %d calls, with a budget of 10 percent", got)
		}
	})
}

func TestALateAnswerIsOvertakenByAHedge(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &subgraph{answer: func(ctx context.Context, n int, req *transport.Request) (*transport.Response, error) {
			if n > 1 {
				return &transport.Response{Status: 200, Body: []byte(`"second"`)}, nil
			}
			<-ctx.Done()
			time.Sleep(time.Millisecond) // still reading its request
			if string(req.Body) != string(query().Body) || string(req.Variables) != `{"x":1}` {
				t.Errorf("the first attempt's request became %s, %s", req.Body, req.Variables)
			}
			return nil, ctx.Err()
		}}
		req := query()
		resp, err := Guard(s, Config{Hedge: Hedge{After: 10 * time.Millisecond}}, Events{}).Send(t.Context(), req)
		copy(req.Body, strings.Repeat("#", len(req.Body))) // the caller uses its bytes for the next request
		if err != nil || string(resp.Body) != `"second"` {
			t.Fatalf("answer %v, error %v", resp, err)
		}
		synctest.Wait()
		time.Sleep(time.Second)
	})
}

func TestABrokenSubgraphIsNotAskedForAWhile(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		healthy := false
		s := &subgraph{answer: func(context.Context, int, *transport.Request) (*transport.Response, error) {
			if healthy {
				return status(http.StatusOK)
			}
			return nil, errReset
		}}
		var states []string
		g := Guard(s, Config{Breaker: Breaker{FailurePercent: 50, MinRequests: 10, Open: time.Second}}, Events{
			Breaker: func(state State) { states = append(states, state.String()) },
		})
		for range 30 {
			_, _ = g.Send(t.Context(), query())
		}
		_, err := g.Send(t.Context(), query())
		var refused *transport.Error
		if !errors.As(err, &refused) || refused.Code != CodeBreakerOpen || s.calls.Load() != 10 {
			t.Fatalf("after %d calls: %v", s.calls.Load(), err)
		}
		if _, err := g.Subscribe(t.Context(), query()); !errors.As(err, &refused) {
			t.Errorf("a subscription is started: %v", err)
		}
		healthy = true
		time.Sleep(1001 * time.Millisecond)
		for range 3 {
			if _, err := g.Send(t.Context(), query()); err != nil {
				t.Fatalf("after the pause: %v", err)
			}
		}
		if got := strings.Join(states, " "); got != "open half-open closed" {
			t.Errorf("states %s", got)
		}
	})
}

func TestClientsThatGoDoNotOpenTheBreaker(t *testing.T) {
	s := &subgraph{answer: func(ctx context.Context, _ int, _ *transport.Request) (*transport.Response, error) {
		return nil, &transport.Error{Code: transport.CodeCanceled, Message: "was not waited for", Err: context.Canceled}
	}}
	g := Guard(s, Config{Breaker: Breaker{FailurePercent: 10, MinRequests: 2}}, Events{})
	for range 20 {
		_, _ = g.Send(t.Context(), query())
	}
	if s.calls.Load() != 20 {
		t.Errorf("%d calls of 20: the breaker has opened", s.calls.Load())
	}
}

func TestASubgraphGetsNoMoreRequestsAtATimeThanItShould(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &subgraph{answer: func(context.Context, int, *transport.Request) (*transport.Response, error) {
			time.Sleep(10 * time.Millisecond)
			return status(http.StatusOK)
		}}
		g := Guard(s, Config{Concurrency: Concurrency{Max: 4, MaxWait: 25 * time.Millisecond}}, Events{})
		var wg sync.WaitGroup
		var full atomic.Int32
		for range 40 {
			wg.Go(func() {
				var refused *transport.Error
				if _, err := g.Send(t.Context(), query()); errors.As(err, &refused) && refused.Code == CodeOverloaded {
					full.Add(1)
				} else if err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		if s.most.Load() != 4 || full.Load() == 0 || s.calls.Load()+full.Load() != 40 {
			t.Errorf("%d at a time, %d answered, %d refused", s.most.Load(), s.calls.Load(), full.Load())
		}
	})
}

func TestATransportThatPanicsGivesItsSlotBackAndCountsAsFailure(t *testing.T) {
	s := &subgraph{answer: func(context.Context, int, *transport.Request) (*transport.Response, error) { panic("broken") }}
	var state State
	g := Guard(s, Config{Retry: Retry{Attempts: 2}, Breaker: Breaker{FailurePercent: 50, MinRequests: 3}, Concurrency: Concurrency{Max: 1, MaxWait: time.Nanosecond}}, Events{
		Breaker: func(to State) { state = to },
	})
	for range 3 {
		func() {
			defer func() {
				if recover() == nil {
					t.Error("the panic is lost: its request would go on")
				}
			}()
			_, _ = g.Send(t.Context(), query())
		}()
	}
	if s.calls.Load() != 3 || state.String() != "open" {
		t.Errorf("%d calls, breaker %s: want 3 and open", s.calls.Load(), state)
	}
}

func TestAQueryThatIsAnsweredAtOnceAllocatesNothing(t *testing.T) {
	answer := &transport.Response{Status: http.StatusOK}
	s := &subgraph{answer: func(context.Context, int, *transport.Request) (*transport.Response, error) { return answer, nil }}
	free := testing.AllocsPerRun(100, func() { _, _ = s.Send(t.Context(), nil) })
	g := Guard(s, Config{Retry: Retry{Attempts: 3}, Breaker: Breaker{FailurePercent: 50}, Concurrency: Concurrency{Max: 10}}, Events{})
	req := query()
	if got := testing.AllocsPerRun(100, func() { _, _ = g.Send(t.Context(), req) }); got > free {
		t.Errorf("%v allocations, the transport alone has %v", got, free)
	}
}

func TestWithoutPoliciesTheTransportIsItself(t *testing.T) {
	s := &subgraph{}
	if Guard(s, Config{}, Events{}) != transport.Transport(s) {
		t.Error("a transport without policies is wrapped")
	}
}
