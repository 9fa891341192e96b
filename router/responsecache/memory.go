package responsecache

import (
	"context"
	"math"
	"sync"
	"time"

	"github.com/hashicorp/golang-lru/v2/simplelru"
)

// memory keeps entries in the process. Its clock counts marks.
type memory struct {
	most     int
	observer Observer

	mu      sync.Mutex
	clock   int64
	bytes   int
	entries *simplelru.LRU[string, *entry]
	marks   map[string]int64
	// floor is the clock below which entries have ended, whatever their tags: that of the marks that were forgotten.
	floor   int64
	writers *simplelru.LRU[string, time.Time]
}

const (
	maxMarks   = 200_000
	maxWriters = 100_000
)

func newMemory(most int) *memory {
	m := &memory{most: most, observer: unobserved{}, marks: map[string]int64{}}
	// The sizes are above zero: there is no error.
	m.entries, _ = simplelru.NewLRU(math.MaxInt, func(key string, e *entry) { m.bytes -= len(key) + e.size() })
	m.writers, _ = simplelru.NewLRU[string, time.Time](maxWriters, nil)
	return m
}

func (m *memory) get(_ context.Context, keys, writers []string) found {
	now := time.Now()
	f := found{entries: make([]*entry, len(keys))}
	m.mu.Lock()
	defer m.unlock(m.bytes)
	f.clock = m.clock
	for _, name := range writers {
		until, ok := m.writers.Get(name)
		f.wrote = f.wrote || ok && now.Before(until)
	}
	for i, key := range keys {
		e, ok := m.entries.Get(key)
		switch {
		case !ok:
		case e.usable(now) && !m.ended(e):
			f.entries[i] = e
		default:
			m.entries.Remove(key)
		}
	}
	return f
}

func (m *memory) ended(e *entry) bool {
	if e.Born < m.floor {
		return true
	}
	for _, tag := range e.Tags {
		if m.marks[tag] > e.Born {
			return true
		}
	}
	return false
}

func (m *memory) put(_ context.Context, keys []string, entries []*entry) {
	m.mu.Lock()
	defer m.unlock(m.bytes)
	for i, e := range entries {
		size := len(keys[i]) + e.size()
		if m.ended(e) || size > m.most {
			continue
		}
		if old, ok := m.entries.Peek(keys[i]); ok {
			if old.Born > e.Born {
				continue
			}
			m.entries.Remove(keys[i])
		}
		m.entries.Add(keys[i], e)
		for m.bytes += size; m.bytes > m.most; {
			m.entries.RemoveOldest()
		}
	}
}

func (m *memory) mark(_ context.Context, tags []string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.clock++
	for _, tag := range tags {
		m.marks[tag] = m.clock
	}
	if len(m.marks) > maxMarks {
		m.floor = m.clock
		clear(m.marks)
	}
	return nil
}

func (m *memory) write(_ context.Context, writers []string, d time.Duration) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, name := range writers {
		m.writers.Add(name, time.Now().Add(d))
	}
}

// unlock ends what may have changed what is held, and tells of that.
func (m *memory) unlock(before int) {
	change := m.bytes - before
	m.mu.Unlock()
	if change != 0 {
		m.observer.Holds(change)
	}
}

// close gives back what is held: requests under way may go on, and keep nothing.
func (m *memory) close() error {
	m.mu.Lock()
	defer m.unlock(m.bytes)
	m.most = 0
	m.entries.Purge()
	return nil
}
