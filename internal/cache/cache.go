// Package cache keeps what a service's database would answer, so that reading it again takes no statement: in the
// process (otter), and behind that in a Redis that all replicas of the service share. It is a hint and never decides
// anything: whoever must know asks the database.
//
// Get reads many keys: those that the process has, then one MGET, then one load of what is left, which goes into both
// levels by one pipeline. A key is loaded once at a time in a process, and once at a time among processes as far as a
// short lease can see to that. Keys of which there is nothing are kept as well, for a short time.
//
// Every entry has the version of what it shows. Whoever changes something calls Changed behind the commit, with the new
// version: what is older is gone, from then on nothing older gets in (a mark in its place, compared by a script in
// Redis, outlives every load), and the other processes hear of it by Redis's publish and subscribe. Heard is for
// events that tell of the same change: they count where the process that made it died before it could say so.
//
// Where a load fails, what the process has of its keys is shown for a while although its time is up, but for what changes by
// itself: its time is there for changes that nobody has told of, and those that are told of end it in an outage as well.
//
// What a process keeps is used only as long as it is sure to have heard of all changes but the latest: it sends pings
// through its subscription, and the pong of one that was sent at some instant comes behind all that was published
// before. With no such pong of the last 150 ms, or once a command fails or takes more than 50 ms, neither level is
// used and every read goes to the database, until Redis answers in time again. That is the breaker, and it bounds how
// old an answer can be. Entries that a Redis had before it was restarted are never used: their keys begin with the
// identity of the server's run. Changes that could not be told are told before the cache is used again.
package cache

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/maypok86/otter/v2"

	"github.com/agora-supergraph/agora/internal/event"
)

// Config says what is cached where. The zero value caches nothing.
type Config struct {
	// Name is what is cached, such as products: keys begin with it.
	Name string
	// Alone says that no other process changes what is cached: then no Redis is needed, and memory is enough.
	Alone bool
	// Redis is how other processes with the same database are told of changes.
	Redis Redis
	// Entries is how many entries the process keeps. Zero means 10,000.
	Entries int
	// TTL is how long entries are kept, a tenth more or less. Zero means 5 min. What the process has is shown for 10 min
	// longer while it can't be loaded.
	TTL time.Duration
	// NegativeTTL is how long it is kept that there is nothing. Zero means 10 s.
	NegativeTTL time.Duration
	// Now is the clock that Entry.Until goes by. Nil means time.Now.
	Now func() time.Time
	// Log is told when Redis goes and comes back. Nil means slog.Default().
	Log *slog.Logger
}

// Entry is what a load finds under a key.
type Entry[V any] struct {
	// Version grows with every change of the value, from 1.
	Version int64
	Value   V
	// Until is when the value changes by itself. The zero time is never.
	Until time.Time
}

// Load reads keys from where the truth is. What is left out does not exist. It may return more than it was asked for.
type Load[V any] func(ctx context.Context, keys []string) (map[string]Entry[V], error)

// Cache is the cache of one kind of values, which are shared by all who get them and must not be changed. Nil is a cache
// that keeps nothing. It is safe for concurrent use.
type Cache[V any] struct {
	cfg    Config
	memory *otter.Cache[string, *item[V]]
	shared *shared
	counts counts

	mu      sync.Mutex
	floors  map[string]floor
	pruned  time.Time
	flights map[string]*flight[V]
	// generation grows when everything is dropped: what was begun before is not kept.
	generation uint64
}

// item is an entry with what is known about it; there may be nothing under the key.
type item[V any] struct {
	version int64
	// until is in microseconds, by Config.Now.
	until int64
	none  bool
	// stands says that it may be shown behind until, for standIn, if the truth can't be asked: it does not change by itself
	// by then.
	stands bool
	value  V
}

// standIn is how long behind its time an entry is shown while its load fails.
const standIn = 10 * time.Minute

// floor is the version from which on an entry may be kept, as long as it takes that no load can be on its way that began
// before.
type floor struct {
	version int64
	until   time.Time
}

// floorLife is how long floors are kept, and marks in Redis; maxLoad is how long a load may take, or what it brings isn't
// kept.
const (
	floorLife = time.Minute
	maxLoad   = floorLife / 2
)

// New returns a cache, or nil if the configuration caches nothing.
func New[V any](cfg Config) (*Cache[V], error) {
	if !cfg.Alone && cfg.Redis.URL == "" {
		return nil, nil
	}
	cfg.TTL, cfg.NegativeTTL = cmp.Or(cfg.TTL, 5*time.Minute), cmp.Or(cfg.NegativeTTL, 10*time.Second)
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.Log == nil {
		cfg.Log = slog.Default()
	}
	c := &Cache[V]{cfg: cfg, floors: map[string]floor{}, flights: map[string]*flight[V]{}}
	var err error
	c.memory, err = otter.New(&otter.Options[string, *item[V]]{
		MaximumSize: cmp.Or(cfg.Entries, 10_000),
		Executor:    func(task func()) { task() }, // no goroutines that nobody waits for
	})
	if err == nil && cfg.Redis.URL != "" {
		c.shared, err = newShared(cfg, c.drop, c.raise)
	}
	if err == nil {
		c.measure()
	}
	return c, err
}

// Run listens for changes in other processes until ctx ends. With a Redis, nothing is cached before and behind it.
func (c *Cache[V]) Run(ctx context.Context) error {
	if c == nil || c.shared == nil {
		return nil
	}
	return c.shared.run(ctx)
}

// Close closes the connections to Redis.
func (c *Cache[V]) Close() error {
	if c == nil || c.shared == nil {
		return nil
	}
	return c.shared.client.Close()
}

// Get returns the values of keys, by key; those without a value are left out. An error is one of load's, or ctx's.
func (c *Cache[V]) Get(ctx context.Context, keys []string, load Load[V]) (map[string]V, error) {
	found := make(map[string]V, len(keys))
	if c == nil {
		entries, err := load(ctx, keys)
		for key, e := range entries {
			found[key] = e.Value
		}
		return found, err
	}
	missing := c.remembered(keys, func(key string, i *item[V]) { i.into(found, key) })
	c.counts.hits.Add(int64(len(keys) - len(missing)))
	for len(missing) > 0 {
		own, others := c.join(missing)
		if own != nil {
			if err := c.fly(ctx, own, load); err != nil {
				return nil, err
			}
			own.into(found, own.keys)
		}
		missing = nil
		for f, keys := range others {
			select {
			case <-f.done:
			case <-ctx.Done():
				return nil, ctx.Err()
			}
			switch {
			case errors.Is(f.err, errAbandoned):
				missing = append(missing, keys...)
			case f.err != nil:
				return nil, f.err
			}
			f.into(found, keys)
		}
	}
	return found, nil
}

// into puts the value of an item into a map, if there is one.
func (i *item[V]) into(found map[string]V, key string) {
	if !i.none {
		found[key] = i.value
	}
}

// remembered passes on what the process has of keys, and returns the others.
func (c *Cache[V]) remembered(keys []string, found func(key string, i *item[V])) (missing []string) {
	if !c.trusted() {
		return keys
	}
	now := c.cfg.Now().UnixMicro()
	for _, key := range keys {
		if i, ok := c.memory.GetIfPresent(key); ok && now < i.until {
			found(key, i)
		} else {
			missing = append(missing, key)
		}
	}
	return missing
}

// trusted reports whether what is cached can be used.
func (c *Cache[V]) trusted() bool { return c.shared == nil || c.shared.trusted() }

// Changed says that things have changed, and that their versions are these now: nothing older is kept or comes back. Call
// it behind the commit. Other processes are told before it returns, or, if Redis does not take it, as soon as it does;
// then the error is ErrUntold, with which there is nothing to do.
func (c *Cache[V]) Changed(ctx context.Context, versions map[string]int64) error {
	if c == nil || len(versions) == 0 {
		return nil
	}
	c.raise(versions)
	if c.shared == nil {
		return nil
	}
	if err := c.shared.tell(ctx, versions); err != nil {
		return fmt.Errorf("%w: %w", ErrUntold, err)
	}
	return nil
}

// ErrUntold says that other processes have not been told of a change yet.
var ErrUntold = errors.New("tell of changes")

// Heard is Changed for who has heard of a change by an event: it does nothing about changes that this process knows of.
// With an error the event must come again.
func (c *Cache[V]) Heard(ctx context.Context, versions map[string]int64) error {
	if c == nil {
		return nil
	}
	unknown := map[string]int64{}
	c.mu.Lock()
	for key, version := range versions {
		if c.floors[key].version < version {
			unknown[key] = version
		}
	}
	c.mu.Unlock()
	return c.Changed(ctx, unknown)
}

// Hearing is the handler of events that calls Heard. A bus that keeps events brings one again that Redis did not take; one
// within the process would let all others wait for that, although the cache tells by itself.
func Hearing(bus event.Bus, heard event.Handler) event.Handler {
	if _, keeps := bus.(event.Keeper); keeps {
		return heard
	}
	return func(ctx context.Context, d event.Delivery) error {
		if err := heard(ctx, d); !errors.Is(err, ErrUntold) {
			return err
		}
		return nil
	}
}

// raise drops what is older than some versions, and sees to it that it stays away.
func (c *Cache[V]) raise(versions map[string]int64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	now := time.Now()
	for key, version := range versions {
		if f := c.floors[key]; f.version <= version {
			c.floors[key] = floor{version, now.Add(floorLife)}
		}
		if i, ok := c.memory.GetIfPresent(key); ok && i.version < version {
			c.memory.Invalidate(key)
		}
		delete(c.flights, key) // who asks from now on does not join a load that began before
	}
	if now.Sub(c.pruned) > floorLife/4 {
		c.pruned = now
		for key, f := range c.floors {
			if now.After(f.until) {
				delete(c.floors, key)
			}
		}
	}
}

// drop forgets everything but the floors, and what is being loaded.
func (c *Cache[V]) drop() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.generation++
	c.memory.InvalidateAll()
	clear(c.flights)
}

// keep puts an item into memory, unless it is older than what is known. It reports whether it did, or something as new is
// there.
func (c *Cache[V]) keep(generation uint64, key string, i *item[V]) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if generation != c.generation || i.version < c.floors[key].version {
		return false
	}
	if have, ok := c.memory.GetIfPresent(key); ok && have.version > i.version {
		return false
	}
	c.memory.Set(key, i)
	return true
}

// fresh is the item of an entry that was just loaded, or of none.
func (c *Cache[V]) fresh(e Entry[V], exists bool) *item[V] {
	now := c.cfg.Now()
	if !exists {
		return &item[V]{none: true, until: now.Add(jittered(c.cfg.NegativeTTL)).UnixMicro()}
	}
	until := now.Add(jittered(c.cfg.TTL))
	stands := e.Until.IsZero() || e.Until.After(until.Add(standIn))
	if !e.Until.IsZero() && e.Until.Before(until) {
		until = e.Until
	}
	return &item[V]{version: e.Version, until: until.UnixMicro(), stands: stands, value: e.Value}
}

// jittered is a time up to a tenth shorter or longer, so that what came together doesn't go together.
func jittered(d time.Duration) time.Duration { return d - d/10 + rand.N(d/5+1) }
