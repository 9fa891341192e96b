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
	// full is, for each bucket, when it will be full again, as time since made.
	full *lru.Cache[bucket, time.Duration]
	made time.Time
}

// bucket names a bucket: a rule's, of one caller.
type bucket struct{ rule, key string }

func newMemory(most int) (*memory, error) {
	full, err := lru.New[bucket, time.Duration](most)
	return &memory{full: full, made: time.Now()}, err
}

// take is the generic cell rate algorithm (ITU-T I.371, virtual scheduling): a bucket is the instant at which it will
// be full; units move it by the time that it takes to fill them.
func (m *memory) take(_ context.Context, l limit, units int) (taken, error) {
	now := time.Since(m.made)
	unit := l.per / time.Duration(l.units)
	m.mu.Lock()
	defer m.mu.Unlock()
	key := bucket{l.name, l.key}
	full, ok := m.full.Get(key)
	if !ok || full < now {
		full = now
	}
	next := full + time.Duration(units)*unit
	capacity := time.Duration(l.burst) * unit
	wait := next - now - capacity
	if wait > 0 || units > l.burst { // so many that their time may be no number
		return taken{left: left(capacity, full-now, unit), retryAfter: wait, reset: full - now}, nil
	}
	m.full.Add(key, next)
	return taken{ok: true, left: left(capacity, next-now, unit), reset: next - now}, nil
}

func left(capacity, used, unit time.Duration) int { return int((capacity - used) / max(1, unit)) }
