package router_test

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"github.com/agora-supergraph/agora/router"
	"github.com/agora-supergraph/agora/router/auth"
	"github.com/agora-supergraph/agora/router/headers"
	"github.com/agora-supergraph/agora/router/serve"
	"github.com/agora-supergraph/agora/router/transport"
)

// door is a subgraph that tells who asked, once it is let.
type door struct {
	fixed
	asked atomic.Int32
	open  chan struct{}
}

// Send answers with the header that names the caller.
func (d *door) Send(ctx context.Context, req *transport.Request) (*transport.Response, error) {
	d.asked.Add(1)
	if d.open != nil {
		select {
		case <-d.open:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
	body := fmt.Sprintf(`{"data":{"me":{"__typename":"User","id":"1","name":"%s %s"}}}`, req.Header.Get("Who"), req.Variables)
	return &transport.Response{Status: 200, Body: []byte(strings.ReplaceAll(body, "{}", ""))}, nil
}

func sharing(t *testing.T, d *door) *router.Router {
	t.Helper()
	r, err := router.New(router.Config{
		Supergraph: composed(t), ShareRequests: true,
		Transports: map[string]transport.Transport{"users": d, "reviews": d},
		Headers:    headers.Config{All: headers.Rules{Request: []headers.RequestRule{{Propagate: "Who"}}}},
	})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func asks(who, query string) *serve.Request {
	return &serve.Request{Query: query, ID: "1", Header: http.Header{"Who": {who}}, Claims: &auth.Claims{Issuer: "i", Subject: who}}
}

func TestIdenticalQueriesInFlightAreExecutedOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := &door{open: make(chan struct{})}
		r := sharing(t, d)
		var all sync.WaitGroup
		for _, who := range []string{"ada", "bob"} {
			for range 30 {
				all.Go(func() {
					answer := r.Execute(t.Context(), asks(who, `{ me { name } }`))
					if want := `{"data":{"me":{"name":"` + who + ` "}}}`; string(answer.Body) != want {
						t.Errorf("%s gets %s", who, answer.Body)
					}
					answer.Release()
				})
			}
		}
		synctest.Wait()
		close(d.open)
		all.Wait()
		if n := d.asked.Load(); n != 2 {
			t.Errorf("the subgraph was asked %d times by two identities", n)
		}
	})
}

func TestWhoDoesNotSeeTheSameSharesNothing(t *testing.T) {
	d := &door{}
	r := sharing(t, d)
	var all sync.WaitGroup
	for i := range 8 {
		all.Go(func() {
			for range 200 {
				who := fmt.Sprint("caller", i%4)
				answer := r.Execute(t.Context(), asks(who, `{ me { name } }`))
				if !strings.Contains(string(answer.Body), who+" ") {
					t.Errorf("%s gets %s", who, answer.Body)
				}
				answer.Release()
			}
		})
	}
	all.Wait()
}

func TestALeaderThatGoesAwayDoesNotFailWhoFollows(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := &door{open: make(chan struct{})}
		r := sharing(t, d)
		leading, leave := context.WithCancel(t.Context())
		var all sync.WaitGroup
		all.Go(func() { r.Execute(leading, asks("ada", `{ me { name } }`)).Release() })
		synctest.Wait()
		all.Go(func() {
			answer := r.Execute(t.Context(), asks("ada", `{ me { name } }`))
			if string(answer.Body) != `{"data":{"me":{"name":"ada "}}}` {
				t.Errorf("who follows gets %s", answer.Body)
			}
		})
		impatient, giveUp := context.WithCancel(t.Context())
		all.Go(func() {
			if answer := r.Execute(impatient, asks("ada", `{ me { name } }`)); answer.Outcome != serve.Unavailable {
				t.Errorf("who gives up gets %s", answer.Body)
			}
		})
		synctest.Wait()
		giveUp()
		leave()
		synctest.Wait()
		close(d.open)
		all.Wait()
		if n := d.asked.Load(); n != 1 {
			t.Errorf("asked %d times", n)
		}
	})
}

func TestAnExecutionEndsWhenNobodyWaitsForIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := &door{open: make(chan struct{})}
		r := sharing(t, d)
		ctx, leave := context.WithCancel(t.Context())
		var all sync.WaitGroup
		for range 2 {
			all.Go(func() { r.Execute(ctx, asks("ada", `{ me { name } }`)).Release() })
		}
		synctest.Wait()
		leave()
		all.Wait() // the door stays shut
	})
}
