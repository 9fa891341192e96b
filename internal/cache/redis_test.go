package cache

import (
	"cmp"
	"context"
	"crypto/rand"
	"fmt"
	"net"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
)

// testRedis is the server of tests with a prefix of their own, of which nothing is left behind them.
func testRedis(t testing.TB) Redis {
	t.Helper()
	url := cmp.Or(os.Getenv("AGORA_TEST_REDIS"), "redis://127.0.0.1:6379/0")
	options, err := redis.ParseURL(url)
	if err != nil {
		t.Fatalf("AGORA_TEST_REDIS: %v", err)
	}
	options.DialTimeout = time.Second
	client := redis.NewClient(options)
	if err := client.Ping(t.Context()).Err(); err != nil {
		t.Skipf("no Redis at %s (set AGORA_TEST_REDIS to one): %v", url, err)
	}
	cfg := Redis{URL: url, Prefix: "agora_test_" + strings.ToLower(rand.Text()[:10])}
	t.Cleanup(func() {
		ctx := context.Background()
		for keys := client.Scan(ctx, 0, cfg.Prefix+"*", 1000).Iterator(); keys.Next(ctx); {
			client.Del(ctx, keys.Val())
		}
		client.Close()
	})
	return cfg
}

// ownRedis is a server that a test may kill and start again.
type ownRedis struct {
	testing.TB
	folder, address string
	args            []string
	process         *exec.Cmd
}

func newRedis(t testing.TB, args ...string) *ownRedis {
	t.Helper()
	if _, err := exec.LookPath("redis-server"); err != nil {
		t.Skip("there is no redis-server to start and to kill")
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l.Close()
	r := &ownRedis{TB: t, folder: t.TempDir(), address: l.Addr().String(), args: args}
	r.start()
	t.Cleanup(r.kill)
	return r
}

func (r *ownRedis) start() {
	r.Helper()
	_, port, _ := net.SplitHostPort(r.address)
	r.process = exec.Command("redis-server", append([]string{"--bind", "127.0.0.1", "--port", port, "--dir", r.folder, "--save", "", "--appendonly", "no"}, r.args...)...)
	if err := r.process.Start(); err != nil {
		r.Fatal(err)
	}
	client := r.client()
	defer client.Close()
	r.until("the server answers", func() bool { return client.Ping(context.Background()).Err() == nil })
}

func (r *ownRedis) kill() {
	r.process.Process.Kill()
	r.process.Wait()
}

func (r *ownRedis) client() *redis.Client {
	return redis.NewClient(&redis.Options{Addr: r.address, DialTimeout: time.Second, MaxRetries: -1})
}

func (r *ownRedis) redis() Redis { return Redis{URL: "redis://" + r.address} }

func (r *ownRedis) until(what string, is func() bool) { waitUntil(r.TB, what, is) }

func waitUntil(t testing.TB, what string, is func() bool) {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); !is(); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("waited 20 s in vain until %s", what)
		}
	}
}

// slowPath is a way to a server that takes as long as one says.
type slowPath struct {
	address string
	delay   atomic.Int64
}

func newSlowPath(t testing.TB, to string) *slowPath {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &slowPath{address: l.Addr().String()}
	var running sync.WaitGroup
	var mu sync.Mutex
	var open []net.Conn
	copying := func(to, from net.Conn) {
		buffer := make([]byte, 64<<10)
		for {
			n, err := from.Read(buffer)
			time.Sleep(time.Duration(p.delay.Load()))
			if n > 0 {
				to.Write(buffer[:n])
			}
			if err != nil {
				to.Close()
				return
			}
		}
	}
	running.Go(func() {
		for {
			near, err := l.Accept()
			if err != nil {
				return
			}
			far, err := net.Dial("tcp", to)
			if err != nil {
				near.Close()
				continue
			}
			mu.Lock()
			open = append(open, near, far)
			mu.Unlock()
			running.Go(func() { copying(far, near) })
			running.Go(func() { copying(near, far) })
		}
	})
	t.Cleanup(func() {
		p.delay.Store(0)
		l.Close()
		mu.Lock()
		for _, c := range open {
			c.Close()
		}
		mu.Unlock()
		running.Wait()
	})
	return p
}

// truth is a database: a number under each key, which is its version too.
type truth struct {
	mu      sync.Mutex
	numbers map[string]int64
	loads   atomic.Int64
	// pause is how long a load takes.
	pause atomic.Int64
}

func newTruth(numbers map[string]int64) *truth { return &truth{numbers: numbers} }

func (d *truth) load(_ context.Context, keys []string) (map[string]Entry[int64], error) {
	d.loads.Add(1)
	d.mu.Lock()
	found := map[string]Entry[int64]{}
	for _, key := range keys {
		if n, ok := d.numbers[key]; ok {
			found[key] = Entry[int64]{Version: n, Value: n}
		}
	}
	d.mu.Unlock()
	time.Sleep(time.Duration(d.pause.Load()))
	return found, nil
}

// commit writes the next number under a key.
func (d *truth) commit(key string) int64 {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.numbers[key]++
	return d.numbers[key]
}

// opened is a cache that runs until the test ends.
func opened(t testing.TB, cfg Config) *Cache[int64] {
	t.Helper()
	cfg.Name = "numbers"
	c, err := New[int64](cfg)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- c.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
		c.Close()
	})
	waitUntil(t, "the cache is used", c.trusted)
	return c
}

// must is Get of one key that there is.
func must(t testing.TB, c *Cache[int64], d *truth, key string) int64 {
	t.Helper()
	found, err := c.Get(context.Background(), []string{key}, d.load)
	if err != nil {
		t.Error(err)
	}
	return found[key]
}

// each runs a test of what holds in memory and with Redis.
func each(t *testing.T, test func(t *testing.T, cfg Config)) {
	t.Run("memory", func(t *testing.T) { test(t, Config{Alone: true}) })
	t.Run("redis", func(t *testing.T) { test(t, Config{Redis: testRedis(t)}) })
}

func keysOf(n int) []string {
	keys := make([]string, n)
	for i := range keys {
		keys[i] = fmt.Sprint("key", i)
	}
	return keys
}

// campaign is a time that AGORA_CACHE_CAMPAIGN makes longer, by a factor.
func campaign(d time.Duration) time.Duration {
	factor, err := strconv.Atoi(os.Getenv("AGORA_CACHE_CAMPAIGN"))
	if err != nil {
		factor = 1
	}
	return d * time.Duration(factor)
}
