package ratelimit

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/go-redis/redis_rate/v10"
	"github.com/redis/go-redis/v9"
)

// shared keeps buckets in Redis. While Redis does not answer, those of the process count.
type shared struct {
	client  redis.UniversalClient
	limiter *redis_rate.Limiter
	prefix  string
	timeout time.Duration
	memory  *memory
	// away is until when Redis is not asked, in Unix nanoseconds.
	away atomic.Int64
}

// pause is how long Redis is left alone after a failure.
const pause = time.Second

func newShared(cfg Config, memory *memory) (*shared, error) {
	options, err := redis.ParseURL(cfg.Redis)
	if err != nil {
		return nil, fmt.Errorf("rate_limit.redis: %w", err)
	}
	// A bucket that can't be reached in time is looked for in the process, not asked for once more.
	options.ContextTimeoutEnabled, options.MaxRetries = true, -1
	client := redis.NewClient(options)
	return &shared{
		client: client, limiter: redis_rate.NewLimiter(client), prefix: cmp.Or(cfg.Prefix, "agora"),
		timeout: cmp.Or(cfg.Timeout, 50*time.Millisecond), memory: memory,
	}, nil
}

func (s *shared) take(ctx context.Context, l limit, units int) (taken, error) {
	if until := s.away.Load(); until != 0 && time.Now().UnixNano() < until {
		return s.memory.take(ctx, l, units)
	}
	asking, cancel := context.WithTimeout(ctx, s.timeout)
	defer cancel()
	result, err := s.limiter.AllowN(asking, s.prefix+":"+l.name+":"+l.key, redis_rate.Limit{Rate: l.units, Burst: l.burst, Period: l.per}, units)
	switch {
	case err == nil:
		return taken{ok: result.Allowed > 0, left: result.Remaining, retryAfter: result.RetryAfter, reset: result.ResetAfter}, nil
	case errors.Is(ctx.Err(), context.Canceled):
		return taken{}, ctx.Err()
	}
	s.away.Store(time.Now().Add(pause).UnixNano())
	return s.memory.take(ctx, l, units)
}
