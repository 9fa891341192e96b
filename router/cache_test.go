package router

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"github.com/agora-supergraph/agora/router/compose"
	"github.com/agora-supergraph/agora/router/serve"
	"github.com/agora-supergraph/agora/router/transport"
)

// catalogue is a supergraph of two subgraphs with enough fields for many shapes of operation.
func catalogue(t testing.TB, further string) string {
	t.Helper()
	const link = `extend schema @link(url: "https://specs.apollo.dev/federation/v2.9", import: ["@key", "@authenticated"]) `
	var fields strings.Builder
	for i := range 12 {
		fmt.Fprintf(&fields, " f%d(n: Int): String", i)
	}
	result, err := compose.Compose([]compose.Subgraph{
		{Name: "items", URL: "http://items/", SDL: link + `type Query { items(first: Int): [Item!]! secret: String @authenticated } type Item @key(fields: "id") { id: ID!` + fields.String() + ` similar: [Item!] ` + further + `}`},
		{Name: "stock", URL: "http://stock/", SDL: link + `type Item @key(fields: "id") { id: ID! inStock: Boolean count: Int warehouse: Warehouse } type Warehouse { city: String street: String }`},
	}, compose.Config{})
	if err != nil {
		t.Fatal(err)
	}
	return result.SDL
}

// shaped is the operation with a number: none has the shape of another one.
func shaped(n int) string {
	var b strings.Builder
	fmt.Fprintf(&b, "query Q%d { items(first: 10) { id alias%d: id", n, n)
	for i := range 12 {
		if n>>i&1 == 1 {
			fmt.Fprintf(&b, " f%d(n: 1)", i)
		}
	}
	b.WriteString(" inStock count warehouse { city street } similar { id inStock f1 f2 similar { id count f3 } } } }")
	return b.String()
}

func heap() int {
	for range 3 {
		runtime.GC()
	}
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int(m.HeapAlloc)
}

func planning(t testing.TB, cfg Config) *Router {
	t.Helper()
	cfg.Transports = map[string]transport.Transport{"items": nil, "stock": nil}
	r, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func ask(t testing.TB, r *Router, text string) {
	t.Helper()
	if _, refused := r.prepare(t.Context(), r.graph.Load(), &serve.Request{Query: text}); refused != nil {
		t.Fatalf("%s: %s", text, refused.Body)
	}
}

func (c *cache[K, V]) total() (bytes, entries int) {
	for i := range c.shards {
		bytes += c.shards[i].kept.Bytes()
		entries += c.shards[i].kept.Len()
	}
	return bytes, entries
}

func TestWeightsAreThoseOfTheHeap(t *testing.T) {
	r := planning(t, Config{Supergraph: catalogue(t, ""), CacheBytes: 1 << 30})
	ask(t, r, shaped(5000))
	before := heap()
	const n = 200
	for i := range n {
		ask(t, r, shaped(i))
	}
	grown := heap() - before
	g := r.graph.Load()
	weight, entries := g.plans.total()
	t.Logf("%d operations: %d bytes of heap each, weighed %d", entries, grown/n, weight/entries)
	if entries != n+1 || weight < grown/2 || weight > grown*2 {
		t.Errorf("%d entries weigh %d bytes, the heap has grown by %d", entries, weight, grown)
	}
	runtime.KeepAlive(r)
}

func TestPlansAreKeptWithinABoundOfBytes(t *testing.T) {
	const bound = 2 << 20
	r := planning(t, Config{Supergraph: catalogue(t, ""), CacheBytes: bound})
	before := heap()
	for i := range 400 {
		ask(t, r, shaped(i))
		ask(t, r, shaped(7)) // what is in use stays
	}
	g := r.graph.Load()
	plans, entries := g.plans.total()
	shapes, _ := g.shapes.total()
	if plans+shapes > bound || entries < 20 {
		t.Errorf("%d entries of %d and %d bytes", entries, plans, shapes)
	}
	if grown := heap() - before; grown > 2*bound {
		t.Errorf("the heap has grown by %d bytes", grown)
	}
	document, _ := g.documents.Document(shaped(7))
	selected, _ := document.Operation("")
	_, err := g.plans.get(t.Context(), planKey{selected, selected.Variant(nil, nil)}, func() (*planned, error) { return nil, errors.New("gone") })
	if err != nil {
		t.Error("the plan that was asked for all the time is gone")
	}
}

func TestAPlanIsFoundWithoutAllocation(t *testing.T) {
	r := planning(t, Config{Supergraph: catalogue(t, "")})
	ask(t, r, shaped(1))
	g := r.graph.Load()
	if n := testing.AllocsPerRun(100, func() { find(t, g, shaped1) }); n > 0 {
		t.Errorf("%v allocations", n)
	}
}

var shaped1 = shaped(1)

func find(t testing.TB, g *graph, text string) {
	document, _ := g.documents.Document(text)
	selected, _ := document.Operation("")
	if _, err := g.plans.get(t.Context(), planKey{selected, selected.Variant(nil, nil)}, nil); err != nil {
		t.Fatal(err)
	}
}

func BenchmarkPlanIsFound(b *testing.B) {
	r := planning(b, Config{Supergraph: catalogue(b, "")})
	for i := range 200 {
		ask(b, r, shaped(i))
	}
	g := r.graph.Load()
	b.ReportAllocs()
	b.ResetTimer()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			find(b, g, shaped1)
		}
	})
}

func BenchmarkPlanIsMade(b *testing.B) {
	r := planning(b, Config{Supergraph: catalogue(b, "")})
	b.ReportAllocs()
	for n := 0; b.Loop(); n++ {
		ask(b, r, shaped(n))
	}
}

func TestWhoMissesAtTheSameTimeWaitsForOne(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCache(1<<20, func(string, int) int { return 1 })
		var made atomic.Int32
		release := make(chan struct{})
		var all sync.WaitGroup
		for range 20 {
			all.Go(func() {
				v, err := c.get(t.Context(), "k", func() (int, error) {
					<-release
					return int(made.Add(1)), nil
				})
				if v != 1 || err != nil {
					t.Errorf("%d, %v", v, err)
				}
			})
		}
		synctest.Wait()
		impatient, cancel := context.WithCancel(t.Context())
		cancel()
		if _, err := c.get(impatient, "k", nil); !errors.Is(err, context.Canceled) {
			t.Errorf("who doesn't wait gets %v", err)
		}
		close(release)
		all.Wait()
		if _, err := c.get(t.Context(), "bad", func() (int, error) { return 0, errBroken }); err == nil {
			t.Error("no error")
		}
		if v, err := c.get(t.Context(), "bad", func() (int, error) { return 2, nil }); v != 2 || err != nil {
			t.Errorf("after a failure: %d, %v", v, err)
		}
	})
}

func TestWhatWasUsedOfLateIsPlannedBeforeANewSupergraphIsServed(t *testing.T) {
	r := planning(t, Config{Supergraph: catalogue(t, "gone: Int")})
	ask(t, r, shaped(3))
	ask(t, r, shaped(4))
	ask(t, r, `{ items { gone } }`)
	ask(t, r, `{ secret }`)
	if err := r.Load(catalogue(t, "more: Int")); err != nil {
		t.Fatal(err)
	}
	g := r.graph.Load()
	if _, entries := g.plans.total(); entries != 3 {
		t.Errorf("%d operations are planned, want all but the one that doesn't fit any more", entries)
	}
	if err := r.Load(catalogue(t, "")); err != nil {
		t.Fatal(err)
	}
	find(t, r.graph.Load(), shaped(4))
}
