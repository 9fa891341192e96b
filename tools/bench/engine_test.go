package main

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/agora-supergraph/agora/router"
	"github.com/agora-supergraph/agora/router/serve"
	"github.com/agora-supergraph/agora/router/transport"
	"github.com/agora-supergraph/agora/tools/bench/internal/shop"
)

// The benchmarks here measure the router on the workloads of a run without what a run has around it: no sockets, no
// other processes.

// inProcess is a subgraph that costs nothing: its answers are kept.
type inProcess struct{ *shop.Service }

// Send answers a request.
func (s inProcess) Send(_ context.Context, req *transport.Request) (*transport.Response, error) {
	return &transport.Response{Status: 200, Body: s.Answer(req.Body)}, nil
}

// Start answers a request without another goroutine, as the transport over HTTP does.
func (s inProcess) Start(_ context.Context, req *transport.Request) transport.Pending {
	return ready{s.Answer(req.Body)}
}

// Subscribe is never called.
func (s inProcess) Subscribe(context.Context, *transport.Request) (transport.Stream, error) {
	panic("no subscription here")
}

type ready struct{ answer []byte }

// Receive returns the answer.
func (r ready) Receive(context.Context) (*transport.Response, error) {
	return &transport.Response{Status: 200, Body: r.answer}, nil
}

// nobody answers that there is no data.
type nobody struct{ transport.Transport }

// Send answers a request.
func (nobody) Send(context.Context, *transport.Request) (*transport.Response, error) {
	return &transport.Response{Status: 200, Body: []byte(`{"data":null}`)}, nil
}

func shopRouter(b *testing.B, subgraph func(name string) transport.Transport) *router.Router {
	b.Helper()
	composed, err := shop.Compose(func(name string) string { return "http://" + name })
	if err != nil {
		b.Fatal(err)
	}
	cfg := router.Config{Supergraph: composed.SDL, Transports: map[string]transport.Transport{}}
	for _, name := range shop.Names {
		cfg.Transports[name] = subgraph(name)
	}
	r, err := router.New(cfg)
	if err != nil {
		b.Fatal(err)
	}
	return r
}

// least runs a benchmark and reports the least that an operation has taken besides the mean: what a busy machine
// disturbs least.
func least(b *testing.B, op func(n int)) {
	b.Helper()
	b.ReportAllocs()
	shortest := time.Duration(math.MaxInt64)
	for n := 0; b.Loop(); n++ {
		began := time.Now()
		op(n)
		shortest = min(shortest, time.Since(began))
	}
	b.ReportMetric(float64(shortest), "least-ns/op")
}

// BenchmarkWorkload executes the fixed workloads, planned before.
func BenchmarkWorkload(b *testing.B) {
	r := shopRouter(b, func(name string) transport.Transport {
		service, err := shop.Subgraph(name)
		if err != nil {
			b.Fatal(err)
		}
		return inProcess{service}
	})
	oracle, err := shop.Oracle()
	if err != nil {
		b.Fatal(err)
	}
	for _, w := range workloads() {
		if !w.fixed || w.delay > 0 {
			continue
		}
		b.Run(w.name, func(b *testing.B) {
			req := &serve.Request{Query: w.operation(0)}
			answer := r.Execute(b.Context(), req)
			v := &verifier{oracle: oracle, body: w.body(), fixed: true}
			if err := v.every(0, answer.Body); err != nil {
				b.Fatal(err)
			}
			answer.Release()
			least(b, func(int) { r.Execute(b.Context(), req).Release() })
		})
	}
}

// BenchmarkMiss goes from the text to the plan of operations that no cache has seen: the wide one, and the shapes of
// workload c.
func BenchmarkMiss(b *testing.B) {
	numbered := func(n int) string {
		return strings.Replace(wide, "users {", fmt.Sprintf("n%d: users {", n), 1)
	}
	for _, test := range []struct {
		name string
		text func(n int) string
	}{{"a", numbered}, {"c", func(n int) string { return distinct(uint64(n)) }}} {
		b.Run(test.name, func(b *testing.B) {
			r := shopRouter(b, func(string) transport.Transport { return nobody{} })
			least(b, func(n int) {
				answer := r.Execute(b.Context(), &serve.Request{Query: test.text(n), Variables: json.RawMessage("{}")})
				answer.Release()
			})
		})
	}
}
