package main

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"
)

// spoilNetwork makes the way to one service or store after the other slow, chopped, cut, reset and dead.
func (c *cluster) spoilNetwork(ctx context.Context) (string, error) {
	lines := maps.Clone(c.services)
	for name, s := range map[string]*store{"postgres": c.postgres, "nats": c.nats, "redis": c.redis} {
		lines[name] = s.line
	}
	names := slices.Sorted(maps.Keys(lines))
	c.random.Shuffle(len(names), func(i, j int) { names[i], names[j] = names[j], names[i] })
	phases := 0
	begun := time.Now()
	for wait(ctx, c.pulse(4*time.Second)) {
		name := names[phases/len(toxics)%len(names)]
		c.watch.breaks(name)
		mend, err := lines[name].spoil(toxics[phases%len(toxics)])
		if err != nil {
			return "", err
		}
		wait(ctx, c.pulse(4*time.Second))
		mend()
		c.watch.breaks()
		phases++
	}
	return fmt.Sprintf("network to each of %v spoilt, %d times in %d ways in %.0fs", names, phases, min(phases, len(toxics)), time.Since(begun).Seconds()), nil
}
