package router

import (
	"context"
	"errors"
	"sync"

	"github.com/agora-supergraph/agora/router/cost"
	"github.com/agora-supergraph/agora/router/operation"
	"github.com/agora-supergraph/agora/router/plan"
)

// planKey is what a plan depends on within one supergraph. Documents are cached before plans, so one text is one
// *Selected for as long as it is in use.
type planKey struct {
	selected *operation.Selected
	variant  operation.Variant
}

// shapeKey is equal for operations that plan the same, whatever their text.
type shapeKey struct {
	shape     string
	overrides operation.Bits
}

// planned is an operation with its plan, which it may share with others of the same shape; the operation has the
// values of its own literals.
type planned struct {
	operation *operation.Operation
	plan      *plan.Plan
	// cost prices it; nil if operations are not priced.
	cost *cost.Cost
}

// maxEntries bounds what a cache keeps: plans of large operations take some tens of kilobytes each.
const maxEntries = 4_000

// cache keeps what is expensive to make. Those who need a value that is being made wait for it; a failure is not
// kept. The zero value is ready.
type cache[K comparable, V any] struct {
	mu      sync.RWMutex
	entries map[K]*entry[V]
}

type entry[V any] struct {
	done  chan struct{}
	value V
	err   error
}

// get is the value of key, made by build if there is none.
func (c *cache[K, V]) get(ctx context.Context, key K, build func() (V, error)) (V, error) {
	c.mu.RLock()
	e, ok := c.entries[key]
	c.mu.RUnlock()
	if !ok {
		if e, ok = c.claim(key); !ok {
			c.fill(key, e, build)
		}
	}
	select {
	case <-e.done:
		return e.value, e.err
	default:
	}
	select {
	case <-e.done:
		return e.value, e.err
	case <-ctx.Done():
		var none V
		return none, ctx.Err()
	}
}

// claim is the entry of key, and whether somebody else made it: if not, the caller has to fill it.
func (c *cache[K, V]) claim(key K) (*entry[V], bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if e, ok := c.entries[key]; ok {
		return e, true
	}
	if c.entries == nil {
		c.entries = map[K]*entry[V]{}
	}
	for old := range c.entries { // any will do: what is in use comes back at the price of making it once more
		if len(c.entries) < maxEntries {
			break
		}
		delete(c.entries, old)
	}
	e := &entry[V]{done: make(chan struct{})}
	c.entries[key] = e
	return e, false
}

func (c *cache[K, V]) fill(key K, e *entry[V], build func() (V, error)) {
	e.err = errBroken
	defer close(e.done)
	defer func() {
		if e.err != nil { // also if build panicked
			c.mu.Lock()
			defer c.mu.Unlock()
			delete(c.entries, key)
		}
	}()
	e.value, e.err = build()
}

// errBroken is what those get who waited for a value whose making broke down.
var errBroken = errors.New("the operation could not be planned")
