package transport

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"sync/atomic"
	"testing"
	"testing/synctest"
)

// ticking is a subgraph whose events come by a channel: it counts the streams that were begun and ended.
type ticking struct {
	events        chan string
	begun, closed atomic.Int32
}

func (s *ticking) Send(context.Context, *Request) (*Response, error) { return nil, io.EOF }

func (s *ticking) Subscribe(_ context.Context, req *Request) (Stream, error) {
	s.begun.Add(1)
	return &tickingStream{s, req.Header.Get("Authorization")}, nil
}

type tickingStream struct {
	*ticking
	who string
}

func (s *tickingStream) Next(ctx context.Context) ([]byte, error) {
	select {
	case event, ok := <-s.events:
		if !ok {
			return nil, io.EOF
		}
		return []byte(s.who + event), nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func (s *tickingStream) Close() error {
	s.closed.Add(1)
	return nil
}

func asked(who, trace string) *Request {
	return &Request{Body: []byte(`{"query":"subscription{n}"}`), Header: http.Header{"Authorization": {who}, "Traceparent": {trace}}}
}

func open(t *testing.T, s *Shared, who, trace string) Stream {
	t.Helper()
	stream, err := s.Subscribe(t.Context(), asked(who, trace))
	if err != nil {
		t.Fatal(err)
	}
	return stream
}

func next(t *testing.T, s Stream) string {
	t.Helper()
	event, err := s.Next(t.Context())
	if err != nil {
		return code(err)
	}
	return string(event)
}

func TestIdenticalSubscriptionsHaveOneStream(t *testing.T) {
	below := &ticking{events: make(chan string)}
	s := &Shared{Transport: below, IgnoreHeaders: []string{"Traceparent"}}
	first, second := open(t, s, "ann:", "1"), open(t, s, "ann:", "2")
	if n := below.begun.Load(); n != 1 {
		t.Fatalf("%d streams, want 1", n)
	}
	below.events <- "1"
	if a, b := next(t, first), next(t, second); a != "ann:1" || b != "ann:1" {
		t.Errorf("got %q and %q", a, b)
	}
	if err := first.Close(); err != nil || below.closed.Load() != 0 {
		t.Errorf("the stream ended with the first of two, %v", err)
	}
	below.events <- "2"
	if got := next(t, second); got != "ann:2" {
		t.Errorf("after the other one left: got %q", got)
	}
	_ = second.Close()
	if n := below.closed.Load(); n != 1 {
		t.Errorf("%d streams ended, want 1", n)
	}
	third := open(t, s, "ann:", "3")
	if n := below.begun.Load(); n != 2 {
		t.Errorf("%d streams after all had left, want 2", n)
	}
	close(below.events)
	if got := next(t, third); got != "EOF" {
		t.Errorf("got %q, want the end", got)
	}
	_ = third.Close()
}

func TestWhoIsAnotherGetsAStreamOfTheirOwn(t *testing.T) {
	below := &ticking{events: make(chan string)}
	s := &Shared{Transport: below}
	ann, bob := open(t, s, "ann:", ""), open(t, s, "bob:", "")
	defer ann.Close()
	defer bob.Close()
	if n := below.begun.Load(); n != 2 {
		t.Fatalf("%d streams, want 2", n)
	}
	go func() { below.events <- "1"; below.events <- "2" }()
	for range 1 {
		if got := next(t, bob); got != "bob:1" && got != "bob:2" {
			t.Errorf("bob got %q", got)
		}
	}
	if got := next(t, ann); got != "ann:1" && got != "ann:2" {
		t.Errorf("ann got %q", got)
	}
}

func TestWhoReadsTooSlowlyIsCutOffOrLosesTheOldest(t *testing.T) {
	for _, drop := range []bool{false, true} {
		t.Run(fmt.Sprint("drop oldest ", drop), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				below := &ticking{events: make(chan string)}
				s := &Shared{Transport: below, Subscriptions: SubscriptionConfig{Backlog: 2, DropOldest: drop}}
				slow, quick := open(t, s, "", ""), open(t, s, "", "")
				for i := range 4 {
					below.events <- fmt.Sprint(i)
					if got := next(t, quick); got != fmt.Sprint(i) {
						t.Errorf("the quick one: got %q, want %d", got, i)
					}
				}
				synctest.Wait()
				want := []string{"0", "1", CodeSlowSubscriber}
				if drop {
					want = []string{"2", "3"}
				}
				for _, w := range want {
					if got := next(t, slow); got != w {
						t.Errorf("the slow one: got %q, want %q", got, w)
					}
				}
				_, _ = slow.Close(), quick.Close()
			})
		})
	}
}

func TestAStreamThatBreaksOffIsOpenedAgain(t *testing.T) {
	var served atomic.Int32
	server := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		n := served.Add(1)
		if n == 2 {
			http.Error(w, "starting", http.StatusServiceUnavailable)
			return
		}
		w.Header().Set("Content-Type", "text/event-stream")
		_, _ = fmt.Fprintf(w, "event: next\ndata: {\"n\":%d}\n\n", n)
		if n == 3 {
			_, _ = io.WriteString(w, "event: complete\ndata:\n\n")
		}
	})
	cfg := SubscriptionConfig{Protocol: SSE, Reconnect: Reconnect{Delay: 1}}
	s, err := dial(t, HTTPConfig{URL: server.URL, Subscriptions: cfg}).Subscribe(t.Context(), query("{}"))
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if got := fmt.Sprint(events(t, s)); got != `[{"n":1} {"n":3} EOF]` {
		t.Errorf("got %s", got)
	}
	served.Store(3)
	cfg.Reconnect.For = -1
	s, err = dial(t, HTTPConfig{URL: server.URL, Subscriptions: cfg}).Subscribe(t.Context(), query("{}"))
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if got := fmt.Sprint(events(t, s)); got != `[{"n":4} `+CodeHTTP+`]` {
		t.Errorf("off: got %s", got)
	}
}
