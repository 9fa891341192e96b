package products

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/agora-supergraph/agora/internal/database"
)

// memo keeps what searches found that took long, such as for a word that most products have: it holds until a product
// changes, in whatever process. It is safe for concurrent use.
type memo struct {
	mu         sync.Mutex
	generation int64
	found      map[string]any
}

// What took less than memoFrom is not kept, and not more than maxMemo answers are: a page of products each at most.
const (
	memoFrom = 5 * time.Millisecond
	maxMemo  = 200
)

func (m *memo) get(generation int64, key string) (any, bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if generation != m.generation {
		return nil, false
	}
	found, ok := m.found[key]
	return found, ok
}

func (m *memo) put(generation int64, key string, found any) {
	m.mu.Lock()
	defer m.mu.Unlock()
	switch {
	case generation < m.generation:
		return
	case generation > m.generation || m.found == nil:
		m.generation, m.found = generation, map[string]any{}
	}
	for other := range m.found {
		if len(m.found) < maxMemo {
			break
		}
		delete(m.found, other) // any: the order of a map is random
	}
	m.found[key] = found
}

// selected runs a query of a list, unless it is known what it finds. The rows are shared: they must not be changed.
func selected[T any](ctx context.Context, l *listing, q *statement) ([]T, error) {
	var rows []T
	if l.counted() && l.within == "" && len(l.chosen) == 0 { // it is read off an index, page by page
		return rows, l.s.db.Read.SelectContext(ctx, &rows, q.text.String(), q.args...)
	}
	generation, err := sharedIn(ctx).generation(ctx)
	if err != nil {
		return nil, err
	}
	key := fmt.Sprintf("%T %s %q", rows, q.text.String(), q.args)
	if found, ok := l.s.memo.get(generation, key); ok {
		return found.([]T), nil
	}
	begun := time.Now()
	// Of a word that few have and one that all have the same plan is right for one of them at most.
	if err := l.s.db.Read.SelectContext(database.PlanEachTime(ctx), &rows, q.text.String(), q.args...); err != nil {
		return nil, err
	}
	if time.Since(begun) >= memoFrom {
		l.s.memo.put(generation, key, rows)
	}
	return rows, nil
}
