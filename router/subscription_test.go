package router_test

import (
	"context"
	"errors"
	"io"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/agora-supergraph/agora/router"
	"github.com/agora-supergraph/agora/router/compose"
	"github.com/agora-supergraph/agora/router/serve"
	"github.com/agora-supergraph/agora/router/transport"
)

// live is a subgraph whose events come by a channel: the newest stream gets them. It counts its streams.
type live struct {
	fixed
	events       chan string
	begun, ended atomic.Int32
	down         atomic.Bool
}

func (l *live) Subscribe(context.Context, *transport.Request) (transport.Stream, error) {
	if l.down.Load() {
		return nil, errors.New("down")
	}
	l.begun.Add(1)
	return &liveStream{l}, nil
}

type liveStream struct{ *live }

func (s *liveStream) Next(ctx context.Context) ([]byte, error) {
	select {
	case event := <-s.events:
		return []byte(event), nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func (s *liveStream) Close() error {
	s.ended.Add(1)
	return nil
}

func TestASubscriptionOutlivesTheSupergraphThatItBeganOn(t *testing.T) {
	users := &live{events: make(chan string)}
	const stars = `{"data":{"_entities":[{"stars":5}]}}`
	r, err := router.New(router.Config{
		Supergraph: composed(t),
		Transports: map[string]transport.Transport{"users": users, "reviews": fixed{answer: stars}, "ratings": fixed{answer: stars}},
	})
	if err != nil {
		t.Fatal(err)
	}
	sub, refused := r.Subscribe(t.Context(), &serve.Request{Query: `subscription { signedIn { name stars } }`, ID: "1"})
	if refused != nil {
		t.Fatalf("%s", refused.Body)
	}
	next := make(chan string)
	go func() {
		defer close(next)
		for {
			event, err := sub.Next(t.Context())
			if err != nil {
				if !errors.Is(err, io.EOF) {
					t.Errorf("Next: %v", err)
				}
				return
			}
			next <- string(event.Body)
			event.Release()
		}
	}()
	event := func(when string) {
		t.Helper()
		users.events <- `{"data":{"signedIn":` + ada + `}}`
		if got, want := <-next, strings.Replace(adasStars, `"me"`, `"signedIn"`, 1); got != want {
			t.Errorf("%s: got %s, want %s", when, got, want)
		}
	}
	load := func(sdl string) {
		t.Helper()
		if err := r.Load(sdl); err != nil {
			t.Fatal(err)
		}
	}
	event("at first")
	load(composed(t, compose.Subgraph{Name: "more", URL: "http://more", SDL: link + `type Query { more: Int }`}))
	eventually(t, func() bool { return users.begun.Load() == 2 && users.ended.Load() == 1 })
	event("planned anew")
	users.down.Store(true)
	load(composed(t))
	event("the old stream, as the subgraph takes no new one")
	load(strings.Replace(composed(t), "signedIn: User", "signedOut: User", 1))
	if got := <-next; !strings.Contains(got, "signedIn") || !strings.Contains(got, "GRAPHQL_VALIDATION_FAILED") {
		t.Errorf("no longer valid: got %s", got)
	}
	if got, more := <-next; more {
		t.Errorf("after its end: got %s", got)
	}
	if err := sub.Close(); err != nil {
		t.Error(err)
	}
	if begun, ended := users.begun.Load(), users.ended.Load(); begun != ended {
		t.Errorf("%d streams begun, %d ended", begun, ended)
	}
}

// eventually waits for what happens in another goroutine.
func eventually(t *testing.T, done func() bool) {
	t.Helper()
	for deadline := time.Now().Add(10 * time.Second); !done(); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("not within 10 s")
		}
	}
}
