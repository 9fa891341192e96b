package responsecache_test

import (
	"cmp"
	"context"
	"crypto/rand"
	"os"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/redis/go-redis/v9"

	"github.com/agora-supergraph/agora/router/responsecache"
)

// onRedis is usual, kept in a Redis with a prefix of the test's own.
func onRedis(t testing.TB) responsecache.Config {
	t.Helper()
	url := cmp.Or(os.Getenv("AGORA_TEST_REDIS"), "redis://127.0.0.1:6379/0")
	options, err := redis.ParseURL(url)
	if err != nil {
		t.Fatalf("AGORA_TEST_REDIS: %v", err)
	}
	client := redis.NewClient(options)
	if err := client.Ping(t.Context()).Err(); err != nil {
		t.Skipf("no Redis at %s (AGORA_TEST_REDIS): %v", url, err)
	}
	cfg := usual()
	cfg.Redis, cfg.Prefix, cfg.Timeout = url, "test-"+rand.Text(), 5*time.Second
	t.Cleanup(func() {
		ctx := context.Background()
		for keys := client.Scan(ctx, 0, cfg.Prefix+":*", 1000).Iterator(); keys.Next(ctx); {
			client.Del(ctx, keys.Val())
		}
		if err := client.Close(); err != nil {
			t.Error(err)
		}
	})
	return cfg
}

func TestRoutersShareWhatTheyKeepAndWhatHasEnded(t *testing.T) {
	cfg := onRedis(t)
	one, two := open(t, cfg), open(t, cfg)
	ada := two.user("ada")
	one.anyone().expect(t, lampStock, isTen, "goods product 1", "stock _entities 1")
	two.anyone().expect(t, lampStock, isTen)
	ada.expect(t, `{ me { name } }`, `{"data":{"me":{"name":"I am ada"}}}`, "goods me")
	one.user("ada").expect(t, `{ me { name } }`, `{"data":{"me":{"name":"I am ada"}}}`)
	one.user("bob").expect(t, `{ me { name } }`, `{"data":{"me":{"name":"I am bob"}}}`, "goods me")
	one.names["1"], two.names["1"] = "Light", "Light"
	two.anyone().expect(t, lamp, isLight, "goods product 1")
	one.anyone().expect(t, lamp, isLight)
	one.user("bob").expect(t, rename, renamed, "goods rename 1")
	two.anyone().expect(t, lamp, isLight, "goods product 1")
	two.user("bob").expect(t, lamp, isLight, "goods product 1") // has written elsewhere
	ada.expect(t, lamp, isLight)
}

func TestAnswersAreThoseOfSubgraphsAlsoOverRedis(t *testing.T) {
	agree(t, 99, open(t, onRedis(t)), open(t, responsecache.Config{}))
}

func TestWithoutRedisSubgraphsAreAsked(t *testing.T) {
	cfg := usual()
	cfg.Redis = "redis://127.0.0.1:1"
	s := open(t, cfg)
	for range 3 {
		s.anyone().expect(t, lamp, isLamp, "goods product 1")
	}
	if err := s.cache.Invalidate(t.Context(), responsecache.Target{Kind: "type", Type: "Product"}); err == nil {
		t.Error("others were told")
	}
}

func TestWhatChangedWhileRedisWasAwayHasEndedWhenItIsBack(t *testing.T) {
	server := miniredis.RunT(t)
	cfg := usual()
	cfg.Redis, cfg.Timeout = "redis://"+server.Addr(), 5*time.Second
	s := open(t, cfg)
	c := s.anyone()
	c.expect(t, lamp, isLamp, "goods product 1")
	c.expect(t, lamp, isLamp)
	server.SetError("away")
	c.expect(t, rename, renamed, "goods rename 1")
	c.expect(t, lamp, isLight, "goods product 1")
	server.SetError("")
	time.Sleep(1100 * time.Millisecond) // Redis is left alone for a second
	c.expect(t, lamp, isLight, "goods product 1")
	c.expect(t, lamp, isLight)
}
