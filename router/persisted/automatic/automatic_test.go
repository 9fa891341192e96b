package automatic

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/redis/go-redis/v9"

	"github.com/agora-supergraph/agora/router/persisted/manifest"
)

func TestMemoryKeepsWhatIsUsedWithinItsBound(t *testing.T) {
	m := &Memory{MaxBytes: 20_000}
	text := func(i int) string { return fmt.Sprintf("{a%0500d}", i) }
	for i := range 100 {
		m.Put(t.Context(), fmt.Sprint(i), text(i))
		if got, ok := m.Get(t.Context(), "0"); !ok || got != text(0) {
			t.Fatalf("after %d: what is used all the time is gone", i)
		}
		if m.bytes > 20_000 || len(m.entries) != m.used.Len() {
			t.Fatalf("after %d: %d bytes, %d entries, %d in the list", i, m.bytes, len(m.entries), m.used.Len())
		}
	}
	if _, ok := m.Get(t.Context(), "99"); !ok {
		t.Error("the last one is not there")
	}
	if _, ok := m.Get(t.Context(), "1"); ok {
		t.Error("the second one is still there")
	}
	m.Put(t.Context(), "large", strings.Repeat("x", 2000))
	if _, ok := m.Get(t.Context(), "large"); ok {
		t.Error("one text may take more than a sixteenth")
	}
}

func start(t *testing.T) (*miniredis.Miniredis, *redis.Client) {
	server := miniredis.RunT(t)
	client := redis.NewClient(&redis.Options{Addr: server.Addr(), MaxRetries: -1})
	t.Cleanup(func() { _ = client.Close() })
	return server, client
}

func TestRoutersShareWhatOneOfThemHasLearnt(t *testing.T) {
	server, client := start(t)
	one, other := &Redis{Client: client, Memory: &Memory{}}, &Redis{Client: client, Memory: &Memory{}}
	hash := manifest.SHA256("{a}")
	if _, ok := other.Get(t.Context(), hash); ok {
		t.Error("known before anybody put it there")
	}
	one.Put(t.Context(), hash, "{a}")
	if text, ok := other.Get(t.Context(), hash); !ok || text != "{a}" {
		t.Errorf("Get = %q, %v", text, ok)
	}
	if ttl := server.TTL("agora:apq:" + hash); ttl != 24*time.Hour {
		t.Errorf("TTL = %s", ttl)
	}
	server.FlushAll()
	if _, ok := other.Get(t.Context(), hash); !ok {
		t.Error("the memory does not have what was read")
	}
	if err := server.Set("agora:apq:"+manifest.SHA256("{b}"), "{forged}"); err != nil {
		t.Fatal(err)
	}
	if text, ok := other.Get(t.Context(), manifest.SHA256("{b}")); ok {
		t.Errorf("a text of another hash is given: %s", text)
	}
}

func TestRedisAwayIsTheSameAsNotFoundAndIsLeftAloneForAWhile(t *testing.T) {
	server, client := start(t)
	var log bytes.Buffer
	r := &Redis{Client: client, Memory: &Memory{}, Logger: slog.New(slog.NewTextHandler(&log, nil))}
	server.SetError("LOADING")
	for range 3 {
		if _, ok := r.Get(t.Context(), manifest.SHA256("{x}")); ok {
			t.Error("found in a Redis that does not answer")
		}
		r.Put(t.Context(), manifest.SHA256("{a}"), "{a}")
	}
	if text, ok := r.Get(t.Context(), manifest.SHA256("{a}")); !ok || text != "{a}" {
		t.Errorf("the memory has %q, %v", text, ok)
	}
	if n := strings.Count(log.String(), "redis is away"); n != 1 {
		t.Errorf("logged %d times: %s", n, log.String())
	}
	server.SetError("")
	r.Put(t.Context(), manifest.SHA256("{b}"), "{b}")
	if server.Exists("agora:apq:" + manifest.SHA256("{b}")) {
		t.Error("Redis is asked right after it failed")
	}
	r.away.Store(1) // the pause is over
	r.Put(t.Context(), manifest.SHA256("{b}"), "{b}")
	if !server.Exists("agora:apq:"+manifest.SHA256("{b}")) || !strings.Contains(log.String(), "redis is back") {
		t.Errorf("Redis is not used again: %s", log.String())
	}
}

func TestAClientThatHasGoneSaysNothingOfRedis(t *testing.T) {
	_, client := start(t)
	r := &Redis{Client: client}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, _ = r.Get(ctx, "a")
	if r.away.Load() != 0 {
		t.Error("Redis counts as away")
	}
}
