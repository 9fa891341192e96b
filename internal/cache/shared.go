package cache

import (
	"cmp"
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/logging"
	"github.com/redis/go-redis/v9/maintnotifications"
)

// Redis says where Redis is.
type Redis struct {
	// URL is redis://user:password@host:6379/0, or rediss:// with TLS. For a cluster the scheme is redis+cluster or
	// rediss+cluster, and more nodes may be named by ?addr=host:port&addr=….
	URL string
	// TLS is how connections with TLS are made. Nil is as the URL says.
	TLS *tls.Config
	// Prefix begins all keys and channels. Empty means agora.
	Prefix string
	// Timeout bounds a command; one that takes longer opens the breaker. Zero means 50 ms.
	Timeout time.Duration
}

// shared is the level that processes share. It knows nothing of what is cached.
type shared struct {
	client  redis.UniversalClient
	cluster bool
	prefix  string
	timeout time.Duration
	// leaseLife is for how long one process loads a key that others wait for.
	leaseLife time.Duration
	log       *slog.Logger
	// drop forgets what the process keeps, and raise what is older than some versions.
	drop  func()
	raise func(map[string]int64)

	// began is what times count from, in nanoseconds.
	began time.Time
	// trustedTill is until when what is cached can be used; trippedAt is when the breaker was opened last.
	trustedTill, trippedAt atomic.Int64
	trips                  atomic.Int64
	// watched says that the process listens.
	watched atomic.Bool
	// runID is the identity of Redis's run.
	runID atomic.Pointer[string]

	mu sync.Mutex
	// untold are changes that Redis did not take yet.
	untold map[string]int64
}

func newShared(cfg Config, drop func(), raise func(map[string]int64)) (*shared, error) {
	client, cluster, err := connect(cfg.Redis)
	if err != nil {
		return nil, fmt.Errorf("cache.redis: %w", err)
	}
	s := &shared{
		client: client, cluster: cluster, prefix: cmp.Or(cfg.Redis.Prefix, "agora") + ":" + cfg.Name, timeout: cmp.Or(cfg.Redis.Timeout, 50*time.Millisecond),
		leaseLife: 100 * time.Millisecond, log: cfg.Log, drop: drop, raise: raise, began: time.Now(), untold: map[string]int64{},
	}
	s.runID.Store(new(string))
	return s, nil
}

// connect makes a client, which connects when it is used. Commands end with their contexts, and are tried once.
func connect(cfg Redis) (client redis.UniversalClient, cluster bool, err error) {
	logging.Disable() // what matters is said once, by watch
	scheme, rest, _ := strings.Cut(cfg.URL, "+cluster://")
	if rest != "" {
		options, err := redis.ParseClusterURL(scheme + "://" + rest)
		if err != nil {
			return nil, true, err
		}
		options.ContextTimeoutEnabled, options.MaxRetries, options.DialerRetries, options.DialTimeout = true, -1, 1, time.Second
		options.MaintNotificationsConfig = &maintnotifications.Config{Mode: maintnotifications.ModeDisabled}
		if options.TLSConfig != nil && cfg.TLS != nil {
			options.TLSConfig = cfg.TLS
		}
		return redis.NewClusterClient(options), true, nil
	}
	options, err := redis.ParseURL(cfg.URL)
	if err != nil {
		return nil, false, err
	}
	options.ContextTimeoutEnabled, options.MaxRetries, options.DialerRetries, options.DialTimeout = true, -1, 1, time.Second
	options.MaintNotificationsConfig = &maintnotifications.Config{Mode: maintnotifications.ModeDisabled}
	if options.TLSConfig != nil && cfg.TLS != nil {
		options.TLSConfig = cfg.TLS
	}
	return redis.NewClient(options), false, nil
}

// epoch is the identity of Redis's run.
func (s *shared) epoch() string { return *s.runID.Load() }

// key is that of an entry. What belongs to it has the same slot of a cluster.
func (s *shared) key(epoch, key string) string { return s.prefix + ":" + epoch + ":{" + key + "}" }

// try runs commands in time, or opens the breaker. A caller that goes away says nothing of Redis.
func (s *shared) try(ctx context.Context, run func(ctx context.Context) error) error {
	bounded, cancel := context.WithTimeout(context.WithoutCancel(ctx), s.timeout)
	defer cancel()
	err := run(bounded)
	if err != nil && !errors.Is(err, redis.Nil) {
		s.trip()
		return err
	}
	return nil
}

// read returns the texts of keys; an empty one for what is not there.
func (s *shared) read(ctx context.Context, epoch string, keys []string) ([]string, error) {
	texts := make([]string, len(keys))
	err := s.try(ctx, func(ctx context.Context) error {
		if s.cluster { // its keys are on many nodes
			pipe := s.client.Pipeline()
			gets := make([]*redis.StringCmd, len(keys))
			for n, key := range keys {
				gets[n] = pipe.Get(ctx, s.key(epoch, key))
			}
			_, err := pipe.Exec(ctx)
			for n, get := range gets {
				texts[n] = get.Val()
			}
			return err
		}
		names := make([]string, len(keys))
		for n, key := range keys {
			names[n] = s.key(epoch, key)
		}
		values, err := s.client.MGet(ctx, names...).Result()
		for n, value := range values {
			texts[n], _ = value.(string)
		}
		return err
	})
	return texts, err
}

// lease sorts keys into those that the caller is to load, and those that another process is loading.
func (s *shared) lease(ctx context.Context, epoch string, keys []string) (mine, leased []string) {
	taken := make([]*redis.BoolCmd, len(keys))
	err := s.try(ctx, func(ctx context.Context) error {
		pipe := s.client.Pipeline()
		for n, key := range keys {
			taken[n] = pipe.SetNX(ctx, s.key(epoch, key)+":lease", 1, s.leaseLife)
		}
		_, err := pipe.Exec(ctx)
		return err
	})
	for n, key := range keys {
		if err != nil || taken[n].Val() {
			mine = append(mine, key)
		} else {
			leased = append(leased, key)
		}
	}
	return mine, leased
}

// fill is an entry on its way to Redis.
type fill struct {
	version int64
	text    []byte
	life    time.Duration
}

// putScript puts an entry where nothing newer is, and ends the lease.
const putScript = `redis.call('DEL', KEYS[2])
if redis.call('GETRANGE', KEYS[1], 0, 15) > ARGV[1] then return 0 end
redis.call('SET', KEYS[1], ARGV[1] .. ARGV[2], 'PX', ARGV[3])
return 1`

// fill puts entries into Redis.
func (s *shared) fill(ctx context.Context, epoch string, fills map[string]fill) {
	s.try(ctx, func(ctx context.Context) error {
		pipe := s.client.Pipeline()
		for key, f := range fills {
			name := s.key(epoch, key)
			pipe.Eval(ctx, putScript, []string{name, name + ":lease"}, versionText(f.version), f.text, f.life.Milliseconds())
		}
		_, err := pipe.Exec(ctx)
		return err
	})
}

// markScript puts a mark where something older is, or nothing.
const markScript = `if redis.call('GETRANGE', KEYS[1], 0, 15) >= ARGV[1] then return 0 end
redis.call('SET', KEYS[1], ARGV[1] .. 'm', 'PX', ARGV[2])
return 1`

// tell says what has changed, or keeps it until it can be said.
func (s *shared) tell(ctx context.Context, versions map[string]int64) error {
	err := errAway
	if s.reachable(ctx) {
		err = s.publish(ctx, versions)
	}
	if err != nil {
		s.mu.Lock()
		defer s.mu.Unlock()
		for key, version := range versions {
			s.untold[key] = max(s.untold[key], version)
		}
	}
	return err
}

// reachable reports whether Redis is worth a try. In a process that changes things and doesn't listen, such as a command,
// it always is.
func (s *shared) reachable(ctx context.Context) bool {
	if s.watched.Load() {
		return s.trusted()
	}
	if s.epoch() != "" {
		return true
	}
	epoch, err := s.readEpoch(ctx)
	if err == nil {
		s.runID.Store(&epoch)
	}
	return err == nil
}

// errAway is why nothing is said to a Redis that doesn't answer.
var errAway = errors.New("redis is away")

// publish marks entries, and then tells the other processes. Marks come first: who has heard finds nothing old in Redis.
func (s *shared) publish(ctx context.Context, versions map[string]int64) error {
	message, err := json.Marshal(versions)
	if err != nil {
		return err
	}
	epoch := s.epoch()
	return s.try(ctx, func(ctx context.Context) error {
		pipe := s.client.Pipeline()
		for key, version := range versions {
			pipe.Eval(ctx, markScript, []string{s.key(epoch, key)}, versionText(version), floorLife.Milliseconds())
		}
		if s.cluster { // its nodes answer side by side
			if _, err := pipe.Exec(ctx); err != nil {
				return err
			}
		}
		pipe.Publish(ctx, s.prefix, message)
		_, err := pipe.Exec(ctx)
		return err
	})
}

// catchUp tells what could not be told. It reports whether nothing is left.
func (s *shared) catchUp(ctx context.Context) bool {
	s.mu.Lock()
	versions := make(map[string]int64, len(s.untold))
	for key, version := range s.untold {
		versions[key] = version
	}
	s.mu.Unlock()
	if len(versions) == 0 {
		return true
	}
	if s.publish(ctx, versions) != nil {
		return false
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for key, version := range versions {
		if s.untold[key] == version {
			delete(s.untold, key)
		}
	}
	return len(s.untold) == 0
}
