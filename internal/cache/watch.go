package cache

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"
	"golang.org/x/sync/errgroup"
)

// The rhythm of pings, how long a pong is worth from the ping on, and how long a subscription may be silent.
const (
	pingInterval = 25 * time.Millisecond
	trustLife    = 150 * time.Millisecond
	silence      = 2 * time.Second
)

func (s *shared) clock() int64 { return int64(time.Since(s.began)) }

// trusted reports whether the process has heard of all changes but the latest, and Redis answers in time.
func (s *shared) trusted() bool { return s.clock() < s.trustedTill.Load() }

// trip opens the breaker: the next ping that is answered in time closes it.
func (s *shared) trip() {
	s.trips.Add(1)
	s.trippedAt.Store(s.clock())
	s.trustedTill.Store(0)
}

// run keeps a subscription, until ctx ends.
func (s *shared) run(ctx context.Context) error {
	failed := false
	s.watched.Store(true)
	for {
		err := s.watch(ctx, func() {
			if failed {
				s.log.InfoContext(ctx, "cache: redis is back", "cache", s.prefix)
			}
			failed = false
		})
		s.trip()
		if ctx.Err() != nil {
			return nil
		}
		if !failed {
			s.log.WarnContext(ctx, "cache: redis is away, the database answers", "cache", s.prefix, "error", err)
		}
		failed = true
		select {
		case <-time.After(2 * pingInterval):
		case <-ctx.Done():
			return nil
		}
	}
}

// watch subscribes to changes and takes them in, until the subscription breaks.
func (s *shared) watch(ctx context.Context, ready func()) error {
	subscription := s.client.Subscribe(ctx, s.prefix)
	defer subscription.Close()
	if _, err := subscription.ReceiveTimeout(ctx, silence); err != nil {
		return fmt.Errorf("subscribe: %w", err)
	}
	epoch, err := s.readEpoch(ctx)
	if err != nil {
		return err
	}
	// Changes may have been missed before: what was kept is dropped, and all that is being read.
	s.runID.Store(&epoch)
	s.drop()
	ready()
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error { return s.ping(ctx, subscription) })
	g.Go(func() error { return s.receive(ctx, subscription) })
	g.Go(func() error { // receive waits for no context
		<-ctx.Done()
		return subscription.Close()
	})
	return g.Wait()
}

// ping keeps asking whether everything has come, once all is told that others must know.
func (s *shared) ping(ctx context.Context, subscription *redis.PubSub) error {
	ticker := time.NewTicker(pingInterval)
	defer ticker.Stop()
	for {
		if s.catchUp(ctx) {
			if err := subscription.Ping(ctx, strconv.FormatInt(s.clock(), 10)); err != nil {
				return fmt.Errorf("ping: %w", err)
			}
		}
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// receive takes in changes and pongs, in their order.
func (s *shared) receive(ctx context.Context, subscription *redis.PubSub) error {
	for ctx.Err() == nil {
		message, err := subscription.ReceiveTimeout(ctx, silence)
		if err != nil {
			return fmt.Errorf("receive: %w", err)
		}
		switch message := message.(type) {
		case *redis.Message:
			var versions map[string]int64
			if err := json.Unmarshal([]byte(message.Payload), &versions); err != nil {
				s.drop() // who knows what has changed
			}
			s.raise(versions)
		case *redis.Pong:
			s.trust(message.Payload)
		}
	}
	return ctx.Err()
}

// trust takes a pong for what it is worth, by when its ping was sent.
func (s *shared) trust(pinged string) {
	sent, err := strconv.ParseInt(pinged, 10, 64)
	if err != nil || sent < s.trippedAt.Load() || s.clock()-sent > int64(s.timeout) {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.untold) == 0 {
		s.trustedTill.Store(sent + int64(trustLife))
	}
}

var runLine = regexp.MustCompile(`(?m)^run_id:(\S+)`)

// readEpoch asks all masters who they are: after a restart or a failover the answer is another one.
func (s *shared) readEpoch(ctx context.Context) (string, error) {
	var mu sync.Mutex
	var runs []string
	ask := func(ctx context.Context, client *redis.Client) error {
		ctx, cancel := context.WithTimeout(ctx, silence)
		defer cancel()
		about, err := client.Info(ctx, "server").Result()
		found := runLine.FindStringSubmatch(about)
		if err == nil && found == nil {
			err = errors.New("it does not say its run_id")
		}
		if err != nil {
			return fmt.Errorf("info: %w", err)
		}
		mu.Lock()
		defer mu.Unlock()
		runs = append(runs, found[1][:min(len(found[1]), 8)])
		return nil
	}
	var err error
	switch client := s.client.(type) {
	case *redis.ClusterClient:
		err = client.ForEachMaster(ctx, ask)
	case *redis.Client:
		err = ask(ctx, client)
	}
	slices.Sort(runs)
	return strings.Join(runs, "."), err
}
