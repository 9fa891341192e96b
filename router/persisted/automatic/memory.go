package automatic

import (
	"container/list"
	"context"
	"strings"
	"sync"
)

// Memory keeps what was used last, in the process. The zero value is ready.
type Memory struct {
	// MaxBytes bounds the texts, with what it takes to find them. Zero means 32 MiB. A text above a sixteenth of that is not
	// kept.
	MaxBytes int

	mu      sync.Mutex
	bytes   int
	entries map[string]*list.Element
	// used has the entry that was used last in front.
	used list.List
}

var _ Store = (*Memory)(nil)

type entry struct{ hash, text string }

// overhead is about what an entry takes besides its strings.
const overhead = 200

func (e entry) weight() int { return len(e.hash) + len(e.text) + overhead }

func (m *Memory) most() int {
	if m.MaxBytes == 0 {
		return 32 << 20
	}
	return m.MaxBytes
}

// Get returns a text. It does not allocate.
func (m *Memory) Get(_ context.Context, hash string) (string, bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	e, ok := m.entries[hash]
	if !ok {
		return "", false
	}
	m.used.MoveToFront(e)
	return e.Value.(entry).text, true
}

// Put keeps a text, and forgets those that were not used for longest.
func (m *Memory) Put(_ context.Context, hash, text string) {
	// The strings may be parts of a request that is far larger.
	e := entry{strings.Clone(hash), strings.Clone(text)}
	if e.weight() > m.most()/16 {
		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if known, ok := m.entries[hash]; ok {
		m.used.MoveToFront(known)
		return
	}
	if m.entries == nil {
		m.entries = map[string]*list.Element{}
	}
	m.entries[e.hash] = m.used.PushFront(e)
	for m.bytes += e.weight(); m.bytes > m.most(); {
		last := m.used.Back()
		old := m.used.Remove(last).(entry)
		delete(m.entries, old.hash)
		m.bytes -= old.weight()
	}
}
