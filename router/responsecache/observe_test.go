package responsecache_test

import (
	"fmt"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/agora-supergraph/agora/router/responsecache"
)

// ledger is an Observer that writes down what it is told.
type ledger struct {
	mu     sync.Mutex
	lines  []string
	stored map[string]bool
	held   int
}

func (l *ledger) note(format string, args ...any) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.lines = append(l.lines, fmt.Sprintf(format, args...))
}

func (l *ledger) LookedUp(subgraph string, hits, stale, misses int, direct bool) {
	l.note("%s: %d hits, %d stale, %d misses, direct %v", subgraph, hits, stale, misses, direct)
}

func (l *ledger) Stored(subgraph string, bytes int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.stored[subgraph] = l.stored[subgraph] || bytes > 0
}

func (l *ledger) Invalidated(subgraph string) {
	l.note("%s: invalidated", subgraph)
}

func (l *ledger) Holds(bytes int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.held += bytes
}

func TestAnObserverLearnsWhatIsFoundKeptAndEnded(t *testing.T) {
	s := open(t, usual())
	l := &ledger{stored: map[string]bool{}}
	s.cache.Observe(l)
	c := s.anyone()
	c.ask(`{ product(id: "2") { stock } }`)
	c.ask(`{ products { stock } }`)
	c.ask(`{ products { stock } }`)
	if err := s.cache.Invalidate(t.Context(), responsecache.Target{Kind: "type", Subgraph: "stock", Type: "Product"}); err != nil {
		t.Fatal(err)
	}
	c.ask(`{ products { stock } }`)
	want := []string{
		"goods: 0 hits, 0 stale, 1 misses, direct false", "stock: 0 hits, 0 stale, 1 misses, direct false",
		"goods: 0 hits, 0 stale, 1 misses, direct false", "stock: 1 hits, 0 stale, 2 misses, direct false",
		"goods: 1 hits, 0 stale, 0 misses, direct false", "stock: 3 hits, 0 stale, 0 misses, direct false",
		"stock: invalidated",
		"goods: 1 hits, 0 stale, 0 misses, direct false", "stock: 0 hits, 0 stale, 3 misses, direct false",
	}
	if diff := cmp.Diff(want, l.lines); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	if !l.stored["goods"] || !l.stored["stock"] || l.held == 0 {
		t.Errorf("stored %v, %d bytes held", l.stored, l.held)
	}
	if err := s.cache.Close(); err != nil {
		t.Fatal(err)
	}
	if l.held != 0 {
		t.Errorf("%d bytes held by a closed cache", l.held)
	}
}
