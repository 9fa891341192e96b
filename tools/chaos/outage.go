package main

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"syscall"
	"time"

	"github.com/redis/go-redis/v9"
)

// shock is how long what was broken by a killed process counts as broken: the time of its start, and more.
const shock = 3 * time.Second

// killing kills processes at random, one at a time.
func killing(c *cluster, ctx context.Context) (string, error) {
	wait(ctx, c.length/10)
	killed := 0
	for wait(ctx, time.Second+time.Duration(c.random.Int64N(int64(2*time.Second)))) {
		pids := c.found()
		if len(pids) == 0 {
			continue
		}
		pid := pids[c.random.IntN(len(pids))]
		c.watch.breaks(runs(pid))
		if syscall.Kill(pid, syscall.SIGKILL) == nil {
			killed++
		}
		wait(ctx, shock)
		c.watch.breaks()
	}
	return fmt.Sprintf("kill -9 of a process, %d times", killed), nil
}

// rolling has one process after the other end as an update would, and waits for the next one to be ready.
func rolling(c *cluster, ctx context.Context) (string, error) {
	wait(ctx, c.length/10)
	restarted := 0
	for rounds := 0; ctx.Err() == nil && (rounds == 0 || c.length > time.Minute); rounds++ {
		for _, pid := range c.found() {
			name := runs(pid)
			c.watch.breaks(name)
			if err := syscall.Kill(pid, syscall.SIGTERM); err != nil {
				return "", err
			}
			if err := c.ready(context.WithoutCancel(ctx), []int{pid}); err != nil {
				return "", err
			}
			restarted++
			c.watch.breaks()
			if !wait(ctx, time.Second) {
				break
			}
		}
	}
	return fmt.Sprintf("rolling restart, %d processes", restarted), nil
}

// pulse is how long something is broken, and how long it is whole then: often enough in a campaign to compare both.
func (c *cluster) pulse(longest time.Duration) time.Duration { return min(c.length/6, longest) }

// restartPostgres has the server end at once, as in a power cut, and start again.
func (c *cluster) restartPostgres(ctx context.Context) (string, error) {
	restarts := 0
	var longest time.Duration
	for wait(ctx, c.pulse(10*time.Second)) {
		c.watch.breaks("postgres")
		begun := time.Now()
		if err := c.postgres.stop(); err != nil {
			return "", err
		}
		if err := c.postgres.start(); err != nil {
			return "", err
		}
		longest = max(longest, time.Since(begun))
		wait(ctx, shock)
		c.watch.breaks()
		restarts++
	}
	return fmt.Sprintf("Postgres restarted %d times by -m immediate, away for %.1fs at most", restarts, longest.Seconds()), nil
}

// stopNATS takes the bus away for a minute at a time.
func (c *cluster) stopNATS(ctx context.Context) (string, error) {
	away, times, err := c.outage(ctx, "nats", c.nats)
	return fmt.Sprintf("NATS away for %.0fs, %d times", away.Seconds(), times), err
}

// outage stops a store for a minute at a time.
func (c *cluster) outage(ctx context.Context, name string, s *store) (away time.Duration, times int, err error) {
	for wait(ctx, c.pulse(time.Minute)) {
		c.watch.breaks(name)
		begun := time.Now()
		if err := s.stop(); err != nil {
			return 0, 0, err
		}
		wait(ctx, c.pulse(time.Minute))
		away = max(away, time.Since(begun))
		if err := s.start(); err != nil {
			return 0, 0, err
		}
		wait(ctx, shock)
		c.watch.breaks()
		times++
	}
	return away, times, nil
}

// stopRedis empties it again and again, and takes it away for a minute at a time, while the price of what people look at
// changes: no answer may be missing, or show an old price.
func (c *cluster) stopRedis(ctx context.Context) (string, error) {
	client := redis.NewClient(&redis.Options{Addr: c.redis.at})
	defer client.Close()
	var flushed int
	var prices repricing
	var busy sync.WaitGroup
	busy.Go(func() {
		for wait(ctx, time.Second) {
			if client.FlushAll(ctx).Err() == nil {
				flushed++
			}
		}
	})
	busy.Go(func() { prices = c.reprice(ctx) })
	away, times, err := c.outage(ctx, "redis", c.redis)
	busy.Wait()
	if prices.old > 0 {
		err = errors.Join(err, fmt.Errorf("%d answers show an old price", prices.old))
	}
	return fmt.Sprintf("Redis flushed %d times, away for %.0fs, %d times; %d prices changed, looked at %d times, %d old", flushed, away.Seconds(), times, prices.changed, prices.looks, prices.old), err
}

// repricing is what became of new prices.
type repricing struct{ changed, looks, old int }

// stale is after what time nobody may be shown an old price any more.
const stale = time.Second

// reprice changes a price every few seconds, and looks a moment later what it is.
func (c *cluster) reprice(ctx context.Context) (r repricing) {
	price := 10_000
	for wait(ctx, time.Second) {
		price++
		data, err := c.market.asStaff(ctx).send(ctx, priceQuery, map[string]any{"i": map[string]any{
			"variantId": c.shown["variant"], "price": map[string]any{"minorUnits": price, "currency": "EUR"}, "idempotencyKey": fmt.Sprint("price ", price),
		}})
		if err != nil || text(data, "variantPriceSet.variant.id") == "" || !wait(ctx, stale) {
			continue
		}
		r.changed++
		for range 10 { // each may be of another router and another replica
			data, err := client{url: c.url}.send(ctx, pageQuery, c.shown)
			if err != nil {
				continue // the watch tells
			}
			r.looks++
			if number(data, "product.variants.0.price.minorUnits") != price {
				r.old++
			}
		}
	}
	return r
}
