// Package store keeps values by a hash, within a bound of bytes: the table behind the caches of the request path.
//
// Who looks a value up takes no lock and allocates nothing; to put one in costs the same however many there are. When the
// bound is reached, a hand goes around the values in the order of their arrival and drops those that were not used since
// it last came by ("clock", a cheap kin of dropping what was used least recently).
package store

import (
	"container/list"
	"iter"
	"sync/atomic"
)

// Store keeps values. Get may be called at any time; of all else, the callers see to it that one runs at a time.
type Store[T any] struct {
	// buckets are the heads of chains; a power of two.
	buckets      []atomic.Pointer[Entry[T]]
	weight, most int
	// ring is in the order of arrival; hand is what is looked at next, nil for the front.
	ring list.List
	hand *list.Element
}

// Entry is a value that is, or was, kept. It never changes.
type Entry[T any] struct {
	// Value is what was put in.
	Value  T
	hash   uint64
	weight int
	used   atomic.Bool
	next   atomic.Pointer[Entry[T]]
	at     *list.Element
}

// bytesPerBucket is about the weight of a small value: chains are short.
const (
	bytesPerBucket = 8 << 10
	minBuckets     = 16
	maxBuckets     = 1 << 16
)

// New returns an empty store for values of so many bytes in all.
func New[T any](bytes int) *Store[T] {
	n := minBuckets
	for n < maxBuckets && n*bytesPerBucket < bytes {
		n *= 2
	}
	return &Store[T]{buckets: make([]atomic.Pointer[Entry[T]], n), most: bytes}
}

func (s *Store[T]) bucket(hash uint64) *atomic.Pointer[Entry[T]] {
	// The callers' shards take the lower bits.
	return &s.buckets[(hash>>32)&uint64(len(s.buckets)-1)]
}

// Get returns the value with a hash, or nil.
func (s *Store[T]) Get(hash uint64) *Entry[T] {
	e := s.bucket(hash).Load()
	for e != nil && e.hash != hash {
		e = e.next.Load()
	}
	return e
}

// Use says that the value was of use, which spares it once.
func (e *Entry[T]) Use() {
	if !e.used.Load() {
		e.used.Store(true)
	}
}

// Used reports whether the value was of use since the hand last came by.
func (e *Entry[T]) Used() bool { return e.used.Load() }

// Keep puts a value in, in the place of one with the same hash. One that weighs more than the bound is not kept.
func (s *Store[T]) Keep(hash uint64, value T, weight int) {
	if weight > s.most {
		return
	}
	if old := s.Get(hash); old != nil {
		s.drop(old)
	}
	for s.weight+weight > s.most && s.ring.Len() > 0 {
		at := s.hand
		if at == nil {
			at = s.ring.Front()
		}
		s.hand = at.Next()
		if old := at.Value.(*Entry[T]); !old.used.Swap(false) {
			s.drop(old)
		}
	}
	e := &Entry[T]{Value: value, hash: hash, weight: weight}
	e.at = s.ring.PushBack(e)
	s.weight += weight
	head := s.bucket(hash)
	e.next.Store(head.Load())
	head.Store(e)
}

// drop takes an entry out. Who stands at it meanwhile finds the way on.
func (s *Store[T]) drop(e *Entry[T]) {
	link := s.bucket(e.hash)
	for link.Load() != e {
		link = &link.Load().next
	}
	link.Store(e.next.Load())
	if s.hand == e.at {
		s.hand = e.at.Next()
	}
	s.ring.Remove(e.at)
	s.weight -= e.weight
}

// All are the entries, in the order of arrival.
func (s *Store[T]) All() iter.Seq[*Entry[T]] {
	return func(yield func(*Entry[T]) bool) {
		for at := s.ring.Front(); at != nil; at = at.Next() {
			if !yield(at.Value.(*Entry[T])) {
				return
			}
		}
	}
}

// Len counts the entries.
func (s *Store[T]) Len() int { return s.ring.Len() }

// Bytes is what the entries weigh.
func (s *Store[T]) Bytes() int { return s.weight }

// Most is the bound.
func (s *Store[T]) Most() int { return s.most }
