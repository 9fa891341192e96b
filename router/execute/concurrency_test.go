package execute

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/agora-supergraph/agora/router/plan"
	"github.com/agora-supergraph/agora/router/transport"
)

// marked answers each request from a world whose texts bear the request's mark, from buffers that are
// overwritten as soon as they are given back.
type marked struct{ requests atomic.Int64 }

// Send answers a fetch of widePlan.
func (m *marked) Send(ctx context.Context, req *transport.Request) (*transport.Response, error) {
	n := m.requests.Add(1)
	if n%41 == 0 {
		return nil, errors.New("unlucky")
	}
	resp, err := (&shop{mark: req.Header.Get("Mark"), users: 4, products: 6}).Send(ctx, req)
	if err != nil {
		return nil, err
	}
	if n%29 == 0 {
		resp.Body = resp.Body[:len(resp.Body)/2]
	}
	body := resp.Body
	resp.Free = func() {
		for i := range body {
			body[i] = '#'
		}
	}
	return resp, nil
}

// Subscribe is never called.
func (m *marked) Subscribe(context.Context, *transport.Request) (transport.Stream, error) {
	panic("no subscription here")
}

func TestNoByteOfAnotherRequestShows(t *testing.T) {
	x, p := wide(t, &marked{})
	var wg sync.WaitGroup
	for g := range 8 {
		wg.Go(func() {
			for i := range 40 {
				mark := fmt.Sprintf("<%c%d>", 'A'+g, i)
				resp := x.Execute(t.Context(), p, &Request{Headers: slices.Repeat([]http.Header{{"Mark": {mark}}}, len(x.cfg.Transports))})
				own := bytes.Count(resp.Body, []byte(mark))
				if all := bytes.Count(resp.Body, []byte("<")); own != all || bytes.IndexByte(resp.Body, '#') >= 0 {
					t.Errorf("%s: %d of %d marks are its own: %s", mark, own, all, resp.Body)
				}
				resp.Release()
			}
		})
	}
	wg.Wait()
}

// slow answers after a time that depends on the fetch, and keeps a log of what happened when.
type slow struct {
	took  map[string]time.Duration
	start time.Time
	mu    sync.Mutex
	log   []string
}

func (s *slow) note(what string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.log = append(s.log, fmt.Sprintf("%s %s", time.Since(s.start), what))
}

// Send answers a fetch.
func (s *slow) Send(ctx context.Context, req *transport.Request) (*transport.Response, error) {
	s.note("start " + req.Query)
	select {
	case <-ctx.Done():
		s.note("give up " + req.Query)
		return nil, ctx.Err()
	case <-time.After(s.took[req.Query]):
	}
	s.note("end " + req.Query)
	i := strings.TrimPrefix(req.Query, "f")
	return &transport.Response{Status: 200, Body: []byte(`{"data":{"x` + i + `":` + i + `}}`)}, nil
}

// Subscribe is never called.
func (s *slow) Subscribe(context.Context, *transport.Request) (transport.Stream, error) {
	panic("no subscription here")
}

func graph(t *testing.T) *plan.Plan {
	return parsePlan(t, `
supergraph a: A
fetch a {x0}
fetch a {x1}
fetch a after 0 {x2}
fetch a after 1 {x3}
fetch a after 2,3 {x4}
output {x0:Int x1:Int x2:Int x3:Int x4:Int}`)
}

func TestFetchesStartAsSoonAsTheirInputsAreThere(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &slow{start: time.Now(), took: map[string]time.Duration{
			"f0": time.Second, "f1": 3 * time.Second, "f2": 4 * time.Second, "f3": time.Second, "f4": time.Second,
		}}
		resp := New(Config{Transports: []transport.Transport{s}}).Execute(t.Context(), graph(t), &Request{})
		if got, want := string(resp.Body), `{"data":{"x0":0,"x1":1,"x2":2,"x3":3,"x4":4}}`; got != want {
			t.Errorf("response %s, want %s", got, want)
		}
		want := []string{
			"0s start f0", "0s start f1", "1s end f0", "1s start f2", "3s end f1", "3s start f3", "4s end f3",
			"5s end f2", "5s start f4", "6s end f4",
		}
		// The two roots start at the same time.
		slices.Sort(s.log[:2])
		if diff := cmp.Diff(want, s.log); diff != "" {
			t.Errorf("log (-want +got):\n%s", diff)
		}
	})
}

func TestADeadlineIsAnErrorOfTheFieldsConcerned(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &slow{start: time.Now(), took: map[string]time.Duration{"f1": time.Minute}}
		x := New(Config{Transports: []transport.Transport{s}, Timeout: time.Second})
		resp := x.Execute(t.Context(), graph(t), &Request{})
		if took := time.Since(s.start); took != time.Second {
			t.Errorf("took %v, want 1s", took)
		}
		want := `error {"message":"subgraph \"a\" did not answer in time","path":["x1"],"extensions":{"code":"GATEWAY_TIMEOUT","serviceName":"a"}}
error {"message":"subgraph \"a\" did not answer in time","path":["x3"],"extensions":{"code":"GATEWAY_TIMEOUT","serviceName":"a"}}
error {"message":"subgraph \"a\" did not answer in time","path":["x4"],"extensions":{"code":"GATEWAY_TIMEOUT","serviceName":"a"}}
data {"x0":0,"x1":null,"x2":2,"x3":null,"x4":null}
`
		if diff := cmp.Diff(want, readable(t, resp.Body)); diff != "" {
			t.Errorf("response (-want +got):\n%s", diff)
		}
	})
}

func TestACanceledRequestEndsItsSubgraphCalls(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &slow{start: time.Now(), took: map[string]time.Duration{"f0": time.Hour, "f1": time.Hour}}
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(2*time.Second, cancel)
		resp := New(Config{Transports: []transport.Transport{s}}).Execute(ctx, graph(t), &Request{})
		if took := time.Since(s.start); took != 2*time.Second {
			t.Errorf("took %v, want 2s", took)
		}
		if resp.Errors != 5 || resp.Code != transport.CodeCanceled {
			t.Errorf("response %s with %d errors, first %s", resp.Body, resp.Errors, resp.Code)
		}
	})
}

// panicking panics.
type panicking struct{ transport.Transport }

// Send panics.
func (panicking) Send(context.Context, *transport.Request) (*transport.Response, error) {
	panic("oops")
}

func TestAPanicOfATransportIsAnErrorOfItsFetch(t *testing.T) {
	resp := New(Config{Transports: []transport.Transport{panicking{}}}).Execute(t.Context(), graph(t), &Request{})
	if resp.Errors != 5 || bytes.Contains(resp.Body, []byte("oops")) {
		t.Errorf("response %s", resp.Body)
	}
}

func TestLimitsHold(t *testing.T) {
	p := parsePlan(t, `
supergraph a: A
fetch a {list{a b c d} text}
output {list:[<>{a:Int}] text:String}`)
	var items strings.Builder
	for i := range 1000 { // each another one: what is equal takes no room
		fmt.Fprintf(&items, `{"z":%d},`, i)
	}
	long := []byte(`{"data":{"list":[` + items.String() + `{}],"text":"` + strings.Repeat("x", 2000) + `"}}`)
	for name, cfg := range map[string]Config{
		"SUBREQUEST_RESPONSE_TOO_LARGE": {MaxAnswerBytes: 10_000},
		"RESPONSE_TOO_LARGE":            {MaxResponseBytes: 4000},
		"":                              {},
	} {
		cfg.Transports = []transport.Transport{fixed(long)}
		resp := New(cfg).Execute(t.Context(), p, &Request{})
		if resp.Code != name || len(resp.Body) > 20000 {
			t.Errorf("%+v: code %q, %d bytes", cfg, resp.Code, len(resp.Body))
		}
	}
	cfg := Config{Transports: []transport.Transport{fixed(long)}, MaxValues: 2000}
	if resp := New(cfg).Execute(t.Context(), p, &Request{}); resp.Code != transport.CodeTooLarge {
		t.Errorf("too many values: %.200s", resp.Body)
	}
	errs := []byte(`{"errors":[` + strings.Repeat(`{"message":"m","path":["list"]},`, 500) + `{"message":"last"}],"data":null}`)
	cfg = Config{Transports: []transport.Transport{fixed(errs)}, MaxErrors: 3}
	resp := New(cfg).Execute(t.Context(), p, &Request{})
	if !bytes.Contains(resp.Body, []byte(`498 more errors are left out`)) || resp.Errors != 4 {
		t.Errorf("%d errors: %s", resp.Errors, resp.Body)
	}
}
