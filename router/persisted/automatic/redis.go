package automatic

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/agora-supergraph/agora/router/persisted/manifest"
)

// Redis shares documents between routers, with the process's own memory before it. Redis away is the same as knowing nothing
// more than the memory does: requests never wait longer than Timeout for it, and after a failure not at all for a while.
type Redis struct {
	// Client is the connection.
	Client redis.UniversalClient
	// Memory is the level before it. Nil means none.
	Memory *Memory
	// Prefix begins the keys; the hash follows. Empty means "agora:apq:".
	Prefix string
	// TTL is how long a document is kept after it was last sent as a text. Zero means 24 h.
	TTL time.Duration
	// Timeout bounds a command. Zero means 100 ms.
	Timeout time.Duration
	// Logger is told when Redis goes and comes back. Nil discards.
	Logger *slog.Logger

	// away is until when Redis is not asked, in Unix nanoseconds; zero while it answers.
	away atomic.Int64
}

var _ Store = (*Redis)(nil)

// pause is how long Redis is left alone after a failure.
const pause = time.Second

// Get asks the memory, then Redis.
func (r *Redis) Get(ctx context.Context, hash string) (string, bool) {
	if r.Memory != nil {
		if text, ok := r.Memory.Get(ctx, hash); ok {
			return text, true
		}
	}
	var text string
	r.try(ctx, "get", func(ctx context.Context) (err error) {
		text, err = r.Client.Get(ctx, r.key(hash)).Result()
		return err
	})
	// Others may write to this Redis: what does not have the hash is none of ours.
	if text == "" || manifest.SHA256(text) != hash {
		return "", false
	}
	if r.Memory != nil {
		r.Memory.Put(ctx, hash, text)
	}
	return text, true
}

// Put keeps a text in both.
func (r *Redis) Put(ctx context.Context, hash, text string) {
	if r.Memory != nil {
		r.Memory.Put(ctx, hash, text)
	}
	r.try(ctx, "set", func(ctx context.Context) error {
		return r.Client.Set(ctx, r.key(hash), text, cmp.Or(r.TTL, 24*time.Hour)).Err()
	})
}

func (r *Redis) key(hash string) string { return cmp.Or(r.Prefix, "agora:apq:") + hash }

// try runs a command unless Redis has just failed.
func (r *Redis) try(ctx context.Context, command string, run func(ctx context.Context) error) {
	until := r.away.Load()
	if until != 0 && time.Now().UnixNano() < until {
		return
	}
	bounded, cancel := context.WithTimeout(ctx, cmp.Or(r.Timeout, 100*time.Millisecond))
	defer cancel()
	err := run(bounded)
	switch {
	case err == nil || errors.Is(err, redis.Nil):
		if until != 0 && r.away.CompareAndSwap(until, 0) {
			r.log(ctx, slog.LevelInfo, "automatic persisted queries: redis is back")
		}
	case ctx.Err() != nil: // the client has gone: that says nothing of Redis
	case r.away.CompareAndSwap(until, time.Now().Add(pause).UnixNano()) && until == 0:
		r.log(ctx, slog.LevelWarn, "automatic persisted queries: redis is away, memory goes on", slog.String("command", command), slog.Any("error", err))
	}
}

func (r *Redis) log(ctx context.Context, level slog.Level, message string, attrs ...slog.Attr) {
	if r.Logger != nil {
		r.Logger.LogAttrs(ctx, level, message, attrs...)
	}
}
