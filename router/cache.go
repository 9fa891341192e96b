package router

import (
	"cmp"
	"context"
	"errors"
	"hash/maphash"
	"slices"
	"sync"

	"github.com/agora-supergraph/agora/router/cost"
	"github.com/agora-supergraph/agora/router/internal/store"
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
	text      string
	operation *operation.Operation
	plan      *plan.Plan
	// cost prices it; nil if operations are not priced.
	cost *cost.Cost
}

const (
	defaultCacheBytes = 64 << 20
	// cacheShards is few: a shard has to hold the largest plan.
	cacheShards = 4
)

// cache keeps what is expensive to make, within a bound of bytes. A hit takes one hash, no lock and no allocation. Those who need
// a value that is being made wait for it; a failure is not kept.
type cache[K comparable, V any] struct {
	seed maphash.Seed
	// weigh says how many bytes a value takes, about.
	weigh  func(K, V) int
	shards [cacheShards]cacheShard[K, V]
}

type cacheShard[K comparable, V any] struct {
	kept *store.Store[entry[K, V]]

	// mu guards making, and what changes kept.
	mu     sync.Mutex
	making map[K]*making[V]
}

type entry[K comparable, V any] struct {
	key   K
	value V
}

// making is a value that is being made.
type making[V any] struct {
	done  chan struct{}
	value V
	err   error
}

// newCache returns an empty cache that keeps about so many bytes.
func newCache[K comparable, V any](bytes int, weigh func(K, V) int) *cache[K, V] {
	c := &cache[K, V]{seed: maphash.MakeSeed(), weigh: weigh}
	for i := range c.shards {
		s := &c.shards[i]
		s.kept, s.making = store.New[entry[K, V]](bytes/cacheShards), map[K]*making[V]{}
	}
	return c
}

// get is the value of key, made by build if there is none.
func (c *cache[K, V]) get(ctx context.Context, key K, build func() (V, error)) (V, error) {
	hash := maphash.Comparable(c.seed, key)
	s := &c.shards[hash%cacheShards]
	if e := s.kept.Get(hash); e != nil && e.Value.key == key {
		e.Use()
		return e.Value.value, nil
	}
	m, own := s.claim(hash, key)
	if own {
		c.fill(s, hash, key, m, build)
	}
	select {
	case <-m.done:
		return m.value, m.err
	case <-ctx.Done():
		var none V
		return none, ctx.Err()
	}
}

// claim is what is being made of key, and whether the caller has to make it.
func (s *cacheShard[K, V]) claim(hash uint64, key K) (m *making[V], own bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if e := s.kept.Get(hash); e != nil && e.Value.key == key {
		m = &making[V]{done: make(chan struct{}), value: e.Value.value}
		close(m.done)
		return m, false
	}
	if m = s.making[key]; m != nil {
		return m, false
	}
	// Those who wait get this error if build panics.
	m = &making[V]{done: make(chan struct{}), err: errBroken}
	s.making[key] = m
	return m, true
}

func (c *cache[K, V]) fill(s *cacheShard[K, V], hash uint64, key K, m *making[V], build func() (V, error)) {
	defer close(m.done)
	defer func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		delete(s.making, key)
		if m.err == nil {
			s.kept.Keep(hash, entry[K, V]{key, m.value}, c.weigh(key, m.value))
		}
	}()
	m.value, m.err = build()
}

// recent are at most so many entries: those that were used before those that weren't, the last to come first.
func (c *cache[K, V]) recent(most int) []entry[K, V] {
	type ranked struct {
		entry[K, V]
		rank int
	}
	var all []ranked
	for i := range c.shards {
		s := &c.shards[i]
		s.mu.Lock()
		rank := s.kept.Len()
		for e := range s.kept.All() {
			r := ranked{e.Value, rank}
			if !e.Used() {
				r.rank += 1 << 30
			}
			all = append(all, r)
			rank--
		}
		s.mu.Unlock()
	}
	slices.SortStableFunc(all, func(a, b ranked) int { return cmp.Compare(a.rank, b.rank) })
	list := make([]entry[K, V], 0, min(most, len(all)))
	for _, r := range all[:min(most, len(all))] {
		list = append(list, r.entry)
	}
	return list
}

// errBroken is what those get who waited for a value whose making broke down.
var errBroken = errors.New("the operation could not be planned")
