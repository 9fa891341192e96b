package cache

import "sync/atomic"

// Stats are what a cache has done since it was made, and how it is.
type Stats struct {
	// Hits are the keys that the process had, and SharedHits those that Redis had.
	Hits, SharedHits int64
	// Misses are the keys that were loaded, Loads how often that took a load.
	Misses, Loads int64
	// Joined are the keys that others were reading already; Waits is how often a load in another process was waited for.
	Joined, Waits int64
	// Refused are the values that were not kept: something newer was there, or nobody could tell.
	Refused int64
	// StoodIn are the keys that were shown behind their time, since they could not be loaded.
	StoodIn int64
	// Trips is how often the breaker was opened.
	Trips int64
	// Open says that the breaker is open: every read goes to the database.
	Open bool
	// Untold is how many changes other processes have not been told of.
	Untold int
	// Entries is how many entries the process keeps.
	Entries int
}

type counts struct {
	hits, shared, misses, loads, joined, waits, refused, stoodIn atomic.Int64
}

// Stats returns the numbers of now. They are zero for a cache that keeps nothing.
func (c *Cache[V]) Stats() Stats {
	if c == nil {
		return Stats{}
	}
	s := Stats{
		Hits: c.counts.hits.Load(), SharedHits: c.counts.shared.Load(), Misses: c.counts.misses.Load(), Loads: c.counts.loads.Load(),
		Joined: c.counts.joined.Load(), Waits: c.counts.waits.Load(), Refused: c.counts.refused.Load(), StoodIn: c.counts.stoodIn.Load(),
		Open: !c.trusted(), Entries: c.memory.EstimatedSize(),
	}
	if c.shared != nil {
		s.Trips = c.shared.trips.Load()
		c.shared.mu.Lock()
		s.Untold = len(c.shared.untold)
		c.shared.mu.Unlock()
	}
	return s
}
