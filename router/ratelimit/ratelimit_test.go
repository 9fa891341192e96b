package ratelimit

import (
	"context"
	"fmt"
	"math"
	"net"
	"net/http"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/redis/go-redis/v9"
)

func newLimiter(t *testing.T, cfg Config) *Limiter {
	t.Helper()
	l, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	return l
}

var anna = Caller{Client: "partner", Address: "203.0.113.7", Subject: "u1"}

func TestUnitsComeBackEvenly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLimiter(t, Config{Rules: []Rule{{Name: "r", By: "address", Units: 60, Per: time.Minute, Burst: 10}}})
		for i := range 10 {
			if v := l.Take(t.Context(), anna, 1); v.Rule != "" {
				t.Fatalf("request %d of a burst of 10 is refused", i+1)
			}
		}
		v := l.Take(t.Context(), anna, 1)
		if v.Rule != "r" || v.RetryAfter != time.Second {
			t.Fatalf("verdict %+v, want refused by r for 1 s", v)
		}
		time.Sleep(v.RetryAfter)
		if v := l.Take(t.Context(), anna, 1); v.Rule != "" {
			t.Error("refused after the time that it was told to wait")
		}
		time.Sleep(time.Minute)
		if v := l.Take(t.Context(), anna, 10); v.Rule != "" {
			t.Error("a full bucket refuses what it holds")
		}
	})
}

func TestTheHeadersTellWhereAClientStands(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLimiter(t, Config{Rules: []Rule{
			{Name: "by-address", By: "address", Units: 100, Per: time.Minute},
			{Name: "by-client", By: "client", Units: 1000, Per: time.Hour, Clients: map[string]int{"partner": 10}},
		}})
		v := l.Take(t.Context(), anna, 3.2)
		got := fmt.Sprint(told(v)["Ratelimit-Policy"], told(v)["Ratelimit"])
		if want := `["by-address";q=100;w=60 "by-client";q=10;w=3600] ["by-address";r=96;t=3 "by-client";r=6;t=1440]`; got != want {
			t.Errorf("headers %s\nwant %s", got, want)
		}
		if v := l.Take(t.Context(), anna, 7); v.Rule != "by-client" || told(v).Get("Retry-After") != "360" {
			t.Errorf("verdict %+v", v)
		}
		if v := l.Take(t.Context(), anna, 101); v.Rule != "by-address" || v.RetryAfter != 0 || told(v).Get("Retry-After") != "" {
			t.Errorf("more than a bucket ever holds: %+v", v)
		}
	})
}

func TestCallersAreBoundByWhatTheyHave(t *testing.T) {
	for _, test := range []struct {
		by          string
		one, other  Caller
		together    bool
		description string
	}{
		{"address", Caller{Address: "203.0.113.7"}, Caller{Address: "203.0.113.8"}, false, "two addresses"},
		{"address", Caller{Address: "2001:db8::1"}, Caller{Address: "2001:db8::ffff:2"}, true, "two addresses of one IPv6 network"},
		{"address", Caller{Address: "203.0.113.7"}, Caller{Address: "::ffff:203.0.113.7"}, true, "one address written in two ways"},
		{"client", Caller{Client: "a"}, Caller{Client: "b"}, false, "two clients"},
		{"subject", Caller{Subject: "u1", Address: "203.0.113.7"}, Caller{Subject: "u1", Address: "203.0.113.8"}, true, "one user at two places"},
		{"client", Caller{}, Caller{}, false, "those who have shown no key"},
	} {
		t.Run(test.description, func(t *testing.T) {
			l := newLimiter(t, Config{Rules: []Rule{{Name: "r", By: test.by, Units: 1, Per: time.Hour}}})
			first, second := l.Take(t.Context(), test.one, 1), l.Take(t.Context(), test.other, 1)
			if first.Rule != "" || (second.Rule != "") != test.together {
				t.Errorf("verdicts %q and %q", first.Rule, second.Rule)
			}
		})
	}
}

func TestMoreThanABucketEverHoldsIsRefusedHoweverMuchItIs(t *testing.T) {
	l := newLimiter(t, Config{Rules: []Rule{{Name: "r", By: "client", Units: 1, Per: time.Hour}}})
	for _, units := range []float64{2, 1e6, 2.6e6, 3e6, 1e9, math.MaxInt32, math.Inf(1)} {
		if v := l.Take(t.Context(), anna, units); v.Rule != "r" || v.RetryAfter != 0 {
			t.Errorf("%g units: %+v", units, v)
		}
	}
	if v := l.Take(t.Context(), anna, 1); v.Rule != "" {
		t.Errorf("what was refused has taken units: %+v", v)
	}
}

func TestForgottenBucketsAreThoseNotUsedForLongest(t *testing.T) {
	l := newLimiter(t, Config{MaxBuckets: 2, Rules: []Rule{{Name: "r", By: "client", Units: 1, Per: time.Hour}}})
	for _, client := range []string{"a", "b", "a", "c"} { // a was used after b
		l.Take(t.Context(), Caller{Client: client}, 1)
	}
	if l.Take(t.Context(), Caller{Client: "a"}, 1).Rule == "" {
		t.Error("a bucket that is in use was forgotten")
	}
}

// redisURL is that of a Redis for tests; the test is skipped without one.
func redisURL(t *testing.T) string {
	t.Helper()
	url := os.Getenv("AGORA_TEST_REDIS")
	if url == "" {
		url = "redis://127.0.0.1:6379/0"
	}
	options, err := redis.ParseURL(url)
	if err != nil {
		t.Fatal(err)
	}
	client := redis.NewClient(options)
	defer client.Close()
	if err := client.Ping(t.Context()).Err(); err != nil {
		t.Skip("no Redis: ", err)
	}
	return url
}

func TestRoutersShareBucketsByRedis(t *testing.T) {
	cfg := Config{Redis: redisURL(t), Timeout: 5 * time.Second, Prefix: fmt.Sprintf("test-%d", time.Now().UnixNano()), Rules: []Rule{{Name: "r", By: "client", Units: 50, Per: time.Hour}}}
	a, b := newLimiter(t, cfg), newLimiter(t, cfg)
	t.Cleanup(func() {
		a.store.(*shared).client.Del(context.Background(), "rate:"+cfg.Prefix+":r:partner")
	})
	var passed atomic.Int32
	var wg sync.WaitGroup
	for i := range 100 {
		wg.Go(func() {
			if l := []*Limiter{a, b}[i%2]; l.Take(context.Background(), anna, 1).Rule == "" {
				passed.Add(1)
			}
		})
	}
	wg.Wait()
	if passed.Load() != 50 {
		t.Errorf("%d of 100 requests passed at two routers, want 50", passed.Load())
	}
}

func TestWithoutRedisEachRouterGoesOnByItself(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0") // takes connections, never answers
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	l := newLimiter(t, Config{Redis: "redis://" + listener.Addr().String(), Rules: []Rule{{Name: "r", By: "client", Units: 5, Per: time.Hour}}})
	passed := 0
	for range 20 {
		if l.Take(t.Context(), anna, 1).Rule == "" {
			passed++
		}
	}
	if passed != 5 {
		t.Errorf("%d of 20 requests passed, want 5", passed)
	}
}

func TestRulesThatCannotWorkAreRefused(t *testing.T) {
	_, err := New(Config{Rules: []Rule{
		{Name: "a b", By: "moon"}, {Name: "x", By: "client", Units: 1}, {Name: "x", By: "address", Units: 1, Clients: map[string]int{"a": 1}},
	}})
	if err == nil {
		t.Fatal("accepted")
	}
	for _, want := range []string{`name "a b"`, `by "moon"`, "units", `name "x" is taken`, "clients belong to rules by client"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("no word of %q in %v", want, err)
		}
	}
	if _, err := New(Config{Redis: "nonsense"}); err == nil || !strings.Contains(err.Error(), "rate_limit.redis") {
		t.Errorf("a URL that is none: %v", err)
	}
}

func told(v Verdict) http.Header {
	header := http.Header{}
	v.AddTo(header)
	return header
}
