package cache

import (
	"context"
	"errors"
	"maps"
	"slices"
	"time"
)

// flight is a read of keys that several may wait for.
type flight[V any] struct {
	keys       []string
	generation uint64
	epoch      string
	began      time.Time
	// items and err are set when done is closed.
	items map[string]*item[V]
	err   error
	done  chan struct{}
}

// into puts the values of some keys into a map.
func (f *flight[V]) into(found map[string]V, keys []string) {
	for _, key := range keys {
		if i := f.items[key]; i != nil {
			i.into(found, key)
		}
	}
}

// errAbandoned says that a flight ended because the one who led it went away: those who wait try again.
var errAbandoned = errors.New("the read was abandoned")

// maxJoin is how old a flight may be that is joined by who can't be sure to hear of changes.
const maxJoin = 100 * time.Millisecond

// join sorts keys into those that others read already, and those that are the caller's: it must fly them.
func (c *Cache[V]) join(keys []string) (own *flight[V], others map[*flight[V]][]string) {
	trusted := c.trusted()
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, key := range keys {
		f := c.flights[key]
		switch {
		case f != nil && f == own: // the key is there twice
		case f != nil && (trusted || time.Since(f.began) < maxJoin):
			if others == nil {
				others = map[*flight[V]][]string{}
			}
			others[f] = append(others[f], key)
			c.counts.joined.Add(1)
		default:
			if own == nil {
				own = &flight[V]{generation: c.generation, began: time.Now(), items: map[string]*item[V]{}, done: make(chan struct{})}
				if c.shared != nil {
					own.epoch = c.shared.epoch()
				}
			}
			own.keys = append(own.keys, key)
			c.flights[key] = own
		}
	}
	return own, others
}

// fly reads the keys of a flight, and tells those who wait.
func (c *Cache[V]) fly(ctx context.Context, f *flight[V], load Load[V]) error {
	f.err = errAbandoned // also if load panics
	defer func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		for _, key := range f.keys {
			if c.flights[key] == f {
				delete(c.flights, key)
			}
		}
		close(f.done)
	}()
	err := c.read(ctx, f, load)
	if err == nil || ctx.Err() == nil {
		f.err = err
	}
	return err
}

// read finds the items of a flight: in memory, where they may have come to in the meantime, in Redis, or by loading.
func (c *Cache[V]) read(ctx context.Context, f *flight[V], load Load[V]) error {
	left := c.remembered(f.keys, func(key string, i *item[V]) { f.items[key] = i })
	if c.shared == nil || len(left) == 0 || !c.shared.trusted() {
		return c.load(ctx, f, left, load)
	}
	if left = c.recall(ctx, f, left); len(left) == 0 {
		return nil
	}
	mine, leased := c.shared.lease(ctx, f.epoch, left)
	if len(mine) > 0 {
		if err := c.load(ctx, f, mine, load); err != nil {
			return err
		}
	}
	pause := 4 * time.Millisecond
	for deadline := time.Now().Add(c.shared.leaseLife); len(leased) > 0 && time.Now().Before(deadline) && c.shared.trusted(); pause *= 2 {
		c.counts.waits.Add(1)
		select {
		case <-time.After(pause):
		case <-ctx.Done():
			return ctx.Err()
		}
		leased = c.recall(ctx, f, leased)
	}
	return c.load(ctx, f, leased, load)
}

// recall finds what Redis has of keys, and returns the others.
func (c *Cache[V]) recall(ctx context.Context, f *flight[V], keys []string) (left []string) {
	texts, err := c.shared.read(ctx, f.epoch, keys)
	if err != nil {
		return keys
	}
	now := c.cfg.Now().UnixMicro()
	for n, key := range keys {
		i, ok := decode[V](texts[n])
		if !ok || i.until <= now || !c.keep(f.generation, key, i) {
			left = append(left, key)
			continue
		}
		f.items[key] = i
		c.counts.shared.Add(1)
	}
	return left
}

// load reads keys where the truth is, and puts what it finds into both levels.
func (c *Cache[V]) load(ctx context.Context, f *flight[V], keys []string, load Load[V]) error {
	if len(keys) == 0 {
		return nil
	}
	c.counts.loads.Add(1)
	c.counts.misses.Add(int64(len(keys)))
	began := time.Now()
	entries, err := load(ctx, keys)
	switch {
	case err != nil && ctx.Err() == nil && c.standIn(f, keys):
		return nil
	case err != nil:
		return err
	}
	all := slices.Collect(maps.Keys(entries))
	for _, key := range keys {
		if _, ok := entries[key]; !ok {
			all = append(all, key)
		}
	}
	keepable := c.trusted() && time.Since(began) < maxLoad
	fills := map[string]*item[V]{}
	for _, key := range all {
		e, exists := entries[key]
		i := c.fresh(e, exists)
		f.items[key] = i
		if keepable && c.keep(f.generation, key, i) {
			fills[key] = i
		} else {
			c.counts.refused.Add(1)
		}
	}
	if c.shared != nil && len(fills) > 0 {
		c.fill(ctx, f.epoch, fills)
	}
	return nil
}

// standIn takes what the process has of keys although its time is up, if it has all of them.
func (c *Cache[V]) standIn(f *flight[V], keys []string) bool {
	if !c.trusted() {
		return false
	}
	now := c.cfg.Now().UnixMicro()
	for _, key := range keys {
		i, ok := c.memory.GetIfPresent(key)
		if !ok || !i.stands || now >= i.until+standIn.Microseconds() {
			return false
		}
		f.items[key] = i
	}
	c.counts.stoodIn.Add(int64(len(keys)))
	return true
}

// fill puts items into Redis.
func (c *Cache[V]) fill(ctx context.Context, epoch string, items map[string]*item[V]) {
	now := c.cfg.Now().UnixMicro()
	texts := make(map[string]fill, len(items))
	for key, i := range items {
		text, err := i.encode()
		if life := time.Duration(i.until-now) * time.Microsecond; err == nil && life >= time.Millisecond {
			texts[key] = fill{i.version, text, life}
		}
	}
	c.shared.fill(ctx, epoch, texts)
}
