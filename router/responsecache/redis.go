package responsecache

import (
	"cmp"
	"context"
	"fmt"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/redis/go-redis/v9"
)

// shared keeps entries in Redis. Its clock is Redis's own, in microseconds. Commands of one purpose go in one pipeline, each
// with a single key, so that a cluster takes them, too.
type shared struct {
	client  redis.UniversalClient
	prefix  string
	timeout time.Duration
	// away is until when Redis is not asked, in Unix nanoseconds.
	away atomic.Int64

	mu sync.Mutex
	// owed are the marks that Redis has not taken yet: until it has, what it holds of them is not believed.
	owed map[string]bool
	// owedAll says that they were too many: nothing is believed until everything has been marked.
	owedAll bool
}

const (
	// pause is how long Redis is left alone after a failure.
	pause   = time.Second
	maxOwed = 10_000
	// everything is a tag of every entry.
	everything = "*"
)

// marked sets a mark to Redis's clock; it stays for longer than any entry.
var marked = redis.NewScript(`local t = redis.call('TIME')
return redis.call('SET', KEYS[1], string.format('%.0f', t[1] * 1000000 + t[2]), 'PX', ARGV[1])`)

func newRedis(cfg Config) (*shared, error) {
	options, err := redis.ParseURL(cfg.Redis)
	if err != nil {
		return nil, fmt.Errorf("response_cache.redis: %w", err)
	}
	// What can't be reached in time is fetched, not asked for once more.
	options.ContextTimeoutEnabled, options.MaxRetries, options.DialerRetries = true, -1, 1
	return &shared{
		client: redis.NewClient(options), prefix: cmp.Or(cfg.Prefix, "agora") + ":response:",
		timeout: cmp.Or(cfg.Timeout, 50*time.Millisecond), owed: map[string]bool{},
	}, nil
}

// ask sends a pipeline, unless Redis is away. A missing key is no failure. The caller may have gone; what was invalidated
// or fetched is stored all the same.
func (s *shared) ask(ctx context.Context, fill func(redis.Pipeliner)) error {
	if until := s.away.Load(); until != 0 && time.Now().UnixNano() < until {
		return errUnreachable
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), s.timeout)
	defer cancel()
	p := s.client.Pipeline()
	fill(p)
	commands, err := p.Exec(ctx)
	for _, c := range commands {
		if c.Err() != nil && c.Err() != redis.Nil { //nolint:errorlint // it is never wrapped
			s.away.Store(time.Now().Add(pause).UnixNano())
			return fmt.Errorf("%w: %w", errUnreachable, c.Err())
		}
	}
	if err == redis.Nil { //nolint:errorlint // it is never wrapped
		return nil
	}
	return err
}

func (s *shared) get(ctx context.Context, keys, writers []string) found {
	f := found{entries: make([]*entry, len(keys))}
	if !s.settle(ctx) {
		return f
	}
	values := make([]*redis.StringCmd, len(keys))
	wrote := make([]*redis.IntCmd, len(writers))
	var clock *redis.TimeCmd
	err := s.ask(ctx, func(p redis.Pipeliner) {
		clock = p.Time(ctx)
		for i, key := range keys {
			values[i] = p.Get(ctx, s.prefix+"e:"+key)
		}
		for i, name := range writers {
			wrote[i] = p.Exists(ctx, s.prefix+"w:"+name)
		}
	})
	if err != nil {
		return f
	}
	f.clock = clock.Val().UnixMicro()
	for _, c := range wrote {
		f.wrote = f.wrote || c.Val() > 0
	}
	now := time.Now()
	for i, value := range values {
		b, err := value.Bytes()
		if err != nil {
			continue
		}
		if e, err := decode(b); err == nil && e.usable(now) {
			f.entries[i] = e
		}
	}
	s.dropEnded(ctx, f.entries)
	return f
}

// dropEnded removes entries that are older than one of their marks.
func (s *shared) dropEnded(ctx context.Context, entries []*entry) {
	asked := map[string]*redis.StringCmd{}
	err := s.ask(ctx, func(p redis.Pipeliner) {
		for _, e := range entries {
			if e == nil {
				continue
			}
			for _, tag := range append(e.Tags, everything) {
				if asked[tag] == nil {
					asked[tag] = p.Get(ctx, s.prefix+"m:"+tag)
				}
			}
		}
	})
	for i, e := range entries {
		if e == nil {
			continue
		}
		ended := err != nil
		for _, tag := range append(e.Tags, everything) {
			if at, err := asked[tag].Int64(); err == nil && at >= e.Born {
				ended = true
			}
		}
		if ended {
			entries[i] = nil
		}
	}
}

func (s *shared) put(ctx context.Context, keys []string, entries []*entry) {
	now := time.Now().UnixMilli()
	_ = s.ask(ctx, func(p redis.Pipeliner) { // what can't be kept is fetched again
		for i, e := range entries {
			b, err := e.encode()
			if err != nil || e.Born == 0 { // without a clock nobody could tell when it has ended
				continue
			}
			p.Set(ctx, s.prefix+"e:"+keys[i], b, time.Duration(e.Stale-now)*time.Millisecond)
		}
	})
}

func (s *shared) mark(ctx context.Context, tags []string) error {
	s.mu.Lock()
	for _, tag := range tags {
		s.owed[tag] = true
	}
	if len(s.owed) > maxOwed {
		s.owedAll = true
		clear(s.owed)
	}
	s.mu.Unlock()
	if !s.settle(ctx) {
		return errUnreachable
	}
	return nil
}

// settle writes the marks that are owed. As long as it can't, it returns false, and what Redis holds is not believed.
func (s *shared) settle(ctx context.Context) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.owed) == 0 && !s.owedAll {
		return true
	}
	err := s.ask(ctx, func(p redis.Pipeliner) {
		life := strconv.FormatInt((maxAge + time.Hour).Milliseconds(), 10)
		if s.owedAll {
			marked.Eval(ctx, p, []string{s.prefix + "m:" + everything}, life)
		}
		for tag := range s.owed {
			marked.Eval(ctx, p, []string{s.prefix + "m:" + tag}, life)
		}
	})
	if err != nil {
		return false
	}
	clear(s.owed)
	s.owedAll = false
	return true
}

func (s *shared) write(ctx context.Context, writers []string, d time.Duration) {
	// If it is lost, reads may be as old as anybody's.
	_ = s.ask(ctx, func(p redis.Pipeliner) {
		for _, name := range writers {
			p.Set(ctx, s.prefix+"w:"+name, "", d)
		}
	})
}

func (s *shared) close() error { return s.client.Close() }
