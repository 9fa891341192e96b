package ratelimit

import (
	"context"
	"sync"
	"time"

	lru "github.com/hashicorp/golang-lru/v2"
)

// memory keeps buckets in the process.
type memory struct {
	mu sync.Mutex
	// full is, for each bucket, the time at which it will be full again.
	full *lru.Cache[bucket, time.Time]
}

// bucket names a bucket: a rule's, of one caller.
type bucket struct{ rule, key string }

func newMemory(most int) (*memory, error) {
	full, err := lru.New[bucket, time.Time](most)
	return &memory{full: full}, err
}

// take is the generic cell rate algorithm (ITU-T I.371, virtual scheduling): a bucket is the instant at which it will
// be full; units move it by the time that it takes to fill them.
func (m *memory) take(_ context.Context, l limit, units int) (taken, error) {
	now := time.Now()
	unit := l.per / time.Duration(l.units)
	m.mu.Lock()
	defer m.mu.Unlock()
	key := bucket{l.name, l.key}
	full, ok := m.full.Get(key)
	if !ok || full.Before(now) {
		full = now
	}
	next := full.Add(time.Duration(units) * unit)
	capacity := time.Duration(l.burst) * unit
	wait := next.Sub(now) - capacity
	if wait > 0 {
		return taken{left: left(capacity, full.Sub(now), unit), retryAfter: wait, reset: full.Sub(now)}, nil
	}
	m.full.Add(key, next)
	return taken{ok: true, left: left(capacity, next.Sub(now), unit), reset: next.Sub(now)}, nil
}

func left(capacity, used, unit time.Duration) int { return int((capacity - used) / max(1, unit)) }
