package cache

import (
	"context"

	"github.com/agora-supergraph/agora/internal/telemetry"
)

// measure has the numbers of the cache read whenever metrics are.
func (c *Cache[V]) measure() {
	total := func(name, help string, of func(s Stats) int64) {
		telemetry.Total(name, help, c.cfg.Name, func() int64 { return of(c.Stats()) })
	}
	gauge := func(name, help string, of func(s Stats) int) {
		telemetry.Count(name, help, c.cfg.Name, func(context.Context) (int64, error) { return int64(of(c.Stats())), nil })
	}
	total("cache_hits_total", "Keys that the process had.", func(s Stats) int64 { return s.Hits })
	total("cache_shared_hits_total", "Keys that Redis had.", func(s Stats) int64 { return s.SharedHits })
	total("cache_misses_total", "Keys that were loaded.", func(s Stats) int64 { return s.Misses })
	total("cache_loads_total", "Loads of keys, of one or many, from where the truth is.", func(s Stats) int64 { return s.Loads })
	total("cache_joined_total", "Keys that somebody was loading already.", func(s Stats) int64 { return s.Joined })
	total("cache_refused_total", "Values that were not kept, since something newer was there or nobody could tell.", func(s Stats) int64 { return s.Refused })
	total("cache_stood_in_total", "Keys that were shown behind their time, since they could not be loaded.", func(s Stats) int64 { return s.StoodIn })
	total("cache_breaker_trips_total", "How often the cache was put out of use, since Redis did not answer in time.", func(s Stats) int64 { return s.Trips })
	gauge("cache_breaker_open", "1 while every read goes to the database, else 0.", func(s Stats) int {
		if s.Open {
			return 1
		}
		return 0
	})
	gauge("cache_untold_changes", "Changes that other processes have not been told of.", func(s Stats) int { return s.Untold })
	gauge("cache_entries", "Entries that the process keeps.", func(s Stats) int { return s.Entries })
}
