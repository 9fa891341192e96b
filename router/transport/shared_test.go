package transport

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
)

// sleepy answers after a second, with its request's body and header, and counts what is sent and given back.
type sleepy struct{ sent, freed atomic.Int32 }

func (s *sleepy) Send(ctx context.Context, req *Request) (*Response, error) {
	s.sent.Add(1)
	answer := strings.Clone(string(req.Body)) + req.Header.Get("Authorization")
	select {
	case <-ctx.Done():
		return nil, ctx.Err()
	case <-time.After(time.Second):
	}
	return &Response{Status: 200, Body: []byte(answer), Free: func() { s.freed.Add(1) }}, nil
}

func (s *sleepy) Subscribe(context.Context, *Request) (Stream, error) { return nil, errors.New("no") }

func TestIdenticalQueriesInFlightAreSentOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		below := &sleepy{}
		s := &Shared{Transport: below, IgnoreHeaders: []string{"Traceparent"}}
		ask := func(body, auth, trace string) {
			resp, err := s.Send(t.Context(), &Request{
				Body: []byte(body), Header: http.Header{"Authorization": {auth}, "Traceparent": {trace}},
			})
			if err != nil || string(resp.Body) != body+auth {
				t.Errorf("%s %s: %+v, %v", body, auth, resp, err)
				return
			}
			resp.Release()
		}
		var wg sync.WaitGroup
		for _, trace := range []string{"1", "2", "3"} {
			wg.Go(func() { ask("a", "x", trace) })
		}
		wg.Go(func() { ask("b", "x", "4") })
		wg.Go(func() { time.Sleep(time.Second / 2); ask("a", "y", "5") })
		wg.Wait()
		if sent, freed := below.sent.Load(), below.freed.Load(); sent != 3 || freed != 3 {
			t.Errorf("%d sent, %d given back, want 3 of each", sent, freed)
		}
		ask("a", "x", "6")
		if below.sent.Load() != 4 {
			t.Error("an answer was shared with a request that came after it")
		}
	})
}

func TestMutationsAreNeverShared(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		below := &sleepy{}
		s := &Shared{Transport: below}
		var wg sync.WaitGroup
		for range 3 {
			wg.Go(func() { _, _ = s.Send(t.Context(), &Request{Body: []byte("m"), Mutation: true}) })
		}
		wg.Wait()
		if below.sent.Load() != 3 {
			t.Errorf("%d sent, want 3", below.sent.Load())
		}
	})
}

func TestWhoeverGivesUpLeavesTheOthersAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		below := &sleepy{}
		s := &Shared{Transport: below}
		var wg sync.WaitGroup
		ask := func(after, patience time.Duration, want error) {
			wg.Go(func() {
				time.Sleep(after)
				ctx, cancel := context.WithTimeout(t.Context(), patience)
				defer cancel()
				resp, err := s.Send(ctx, &Request{Body: []byte("a")})
				if !errors.Is(err, want) {
					t.Errorf("after %v: %v, want %v", after, err, want)
				}
				if err == nil {
					resp.Release()
				}
			})
		}
		ask(0, 500*time.Millisecond, context.DeadlineExceeded) // leads, gives up
		ask(100*time.Millisecond, time.Minute, nil)            // leads then
		ask(200*time.Millisecond, time.Minute, nil)
		ask(600*time.Millisecond, 200*time.Millisecond, context.DeadlineExceeded)
		wg.Wait()
		synctest.Wait()
		if sent, freed := below.sent.Load(), below.freed.Load(); sent != 2 || freed != 1 {
			t.Errorf("%d sent, %d given back, want 2 and 1", sent, freed)
		}
	})
}
