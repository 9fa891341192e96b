package cache

import (
	"context"
	"errors"
	"maps"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestKeysAreLoadedOnceTogetherAndSoIsThatThereIsNothing(t *testing.T) {
	each(t, func(t *testing.T, cfg Config) {
		d := newTruth(map[string]int64{"a": 1, "b": 2})
		c := opened(t, cfg)
		for range 3 {
			found, err := c.Get(t.Context(), []string{"a", "b", "none", "a"}, d.load)
			if diff := cmp.Diff(map[string]int64{"a": 1, "b": 2}, found); err != nil || diff != "" {
				t.Fatal(err, diff)
			}
		}
		if n := d.loads.Load(); n != 1 {
			t.Errorf("%d loads, want 1", n)
		}
	})
}

func TestWhatIsChangedIsReadAnewAndWhatComesToBeIsFound(t *testing.T) {
	each(t, func(t *testing.T, cfg Config) {
		d := newTruth(map[string]int64{"a": 1})
		c := opened(t, cfg)
		for want := int64(1); want < 5; want++ {
			for _, key := range []string{"a", "new"} {
				if want == 1 {
					d.numbers["new"] = 0
				}
				if got := must(t, c, d, key); got != d.numbers[key] {
					t.Errorf("%s = %d, want %d", key, got, d.numbers[key])
				}
				if err := c.Changed(t.Context(), map[string]int64{key: d.commit(key)}); err != nil {
					t.Error(err)
				}
			}
		}
	})
}

func TestNothingIsShownBeyondTheInstantAtWhichItChangesByItself(t *testing.T) {
	each(t, func(t *testing.T, cfg Config) {
		now := time.Now()
		cfg.Now = func() time.Time { return now }
		until := now.Add(90 * time.Second)
		loads := 0
		load := func(context.Context, []string) (map[string]Entry[int64], error) {
			loads++
			return map[string]Entry[int64]{"a": {Version: 1, Value: int64(loads), Until: until}}, nil
		}
		c := opened(t, cfg)
		for i, after := range []time.Duration{0, 89 * time.Second, 90 * time.Second, 90 * time.Second} {
			now = until.Add(-90 * time.Second).Add(after)
			found, err := c.Get(t.Context(), []string{"a"}, load)
			if want := []int64{1, 1, 2, 3}[i]; err != nil || found["a"] != want {
				t.Errorf("after %v: %d, want %d (%v)", after, found["a"], want, err)
			}
		}
	})
}

func TestWhatIsKnownStandsInForAWhileWhenItCannotBeLoaded(t *testing.T) {
	now := time.Now()
	changes := now.Add(time.Hour)
	c, err := New[string](Config{Name: "t", Alone: true, TTL: time.Minute, Now: func() time.Time { return now }})
	if err != nil {
		t.Fatal(err)
	}
	away := errors.New("the database is away")
	var down error
	load := func(_ context.Context, keys []string) (map[string]Entry[string], error) {
		return map[string]Entry[string]{"a": {Version: 1, Value: "a"}, "soon": {Version: 1, Value: "soon", Until: changes}}, down
	}
	get := func(keys ...string) (map[string]string, error) { return c.Get(t.Context(), keys, load) }
	if _, err := get("a", "soon", "nothing"); err != nil {
		t.Fatal(err)
	}
	now, down = now.Add(9*time.Minute), away
	if found, err := get("a"); err != nil || found["a"] != "a" {
		t.Errorf("%v, %v: want what was known", found, err)
	}
	for _, keys := range [][]string{{"a", "nothing"}, {"unknown"}, {"nothing"}} {
		if found, err := get(keys...); !errors.Is(err, away) {
			t.Errorf("%v: %v, %v: want the error, since not all of it is known", keys, found, err)
		}
	}
	if err := c.Changed(t.Context(), map[string]int64{"a": 2}); err != nil {
		t.Fatal(err)
	}
	if found, err := get("a"); !errors.Is(err, away) {
		t.Errorf("%v, %v: what has changed is shown", found, err)
	}
	now = changes.Add(-5 * time.Minute)
	down = nil
	if _, err := get("soon"); err != nil {
		t.Fatal(err)
	}
	now, down = changes.Add(time.Second), away
	if found, err := get("soon"); !errors.Is(err, away) {
		t.Errorf("%v, %v: it is shown beyond the instant at which it changes", found, err)
	}
	if n := c.Stats().StoodIn; n != 1 {
		t.Errorf("%d stood in, want 1", n)
	}
}

func TestAnErrorOfALoadIsForThoseWhoWaitedAndIsNotKept(t *testing.T) {
	each(t, func(t *testing.T, cfg Config) {
		d := newTruth(map[string]int64{"a": 1})
		c := opened(t, cfg)
		boom := errors.New("boom")
		if _, err := c.Get(t.Context(), []string{"a"}, func(context.Context, []string) (map[string]Entry[int64], error) { return nil, boom }); !errors.Is(err, boom) {
			t.Errorf("error = %v", err)
		}
		if got := must(t, c, d, "a"); got != 1 {
			t.Errorf("a = %d", got)
		}
	})
}

func TestALoadWhoseCallerGoesAwayIsTakenOverByWhoWaits(t *testing.T) {
	d := newTruth(map[string]int64{"a": 1})
	c := opened(t, Config{Alone: true})
	ctx, cancel := context.WithCancel(t.Context())
	begun := make(chan struct{})
	var wg sync.WaitGroup
	wg.Go(func() {
		_, err := c.Get(ctx, []string{"a"}, func(ctx context.Context, _ []string) (map[string]Entry[int64], error) {
			close(begun)
			<-ctx.Done()
			return nil, ctx.Err()
		})
		if !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
	})
	<-begun
	wg.Go(func() {
		if got := must(t, c, d, "a"); got != 1 {
			t.Errorf("a = %d", got)
		}
	})
	waitUntil(t, "the second reader waits", func() bool { return c.Stats().Joined == 1 })
	cancel()
	wg.Wait()
}

func TestAThousandReadersOfAColdKeyTakeOneLoad(t *testing.T) {
	each(t, func(t *testing.T, cfg Config) {
		d := newTruth(map[string]int64{"a": 7})
		d.pause.Store(int64(20 * time.Millisecond))
		replicas := []*Cache[int64]{opened(t, cfg)}
		if !cfg.Alone {
			replicas = append(replicas, opened(t, cfg))
		}
		var wg sync.WaitGroup
		for i := range 1000 {
			wg.Go(func() {
				if got := must(t, replicas[i%len(replicas)], d, "a"); got != 7 {
					t.Errorf("a = %d", got)
				}
			})
		}
		wg.Wait()
		opened := int64(0) // a breaker that a busy machine opens lets a load through
		for _, c := range replicas {
			opened += c.Stats().Trips
		}
		if n := d.loads.Load(); n > 1+opened {
			t.Errorf("%d loads, want 1 (%d breakers opened)", n, opened)
		}
	})
}

func TestAReplicaFindsWhatAnotherHasLoaded(t *testing.T) {
	cfg := Config{Redis: testRedis(t)}
	d := newTruth(map[string]int64{})
	keys := keysOf(100)
	for i, key := range keys {
		d.numbers[key] = int64(i + 1)
	}
	a, b := opened(t, cfg), opened(t, cfg)
	for _, c := range []*Cache[int64]{a, b} {
		found, err := c.Get(t.Context(), append(keys, "none"), d.load)
		if diff := cmp.Diff(d.numbers, found); err != nil || diff != "" {
			t.Fatal(err, diff)
		}
	}
	if n := d.loads.Load(); n != 1 && a.Stats().Trips+b.Stats().Trips == 0 {
		t.Errorf("%d loads, want 1: %+v", n, b.Stats())
	}
}

func TestWhoHearsOfAChangeByAnEventSaysItOnlyIfNobodyHas(t *testing.T) {
	cfg := Config{Redis: testRedis(t)}
	d := newTruth(map[string]int64{"a": 1})
	a, b := opened(t, cfg), opened(t, cfg)
	must(t, a, d, "a")
	must(t, b, d, "a")
	d.commit("a") // the process that did that has died before it could tell
	waitUntil(t, "the event is taken", func() bool { return a.Heard(t.Context(), map[string]int64{"a": 2}) == nil })
	for _, c := range []*Cache[int64]{a, b} {
		waitUntil(t, "the new value is there", func() bool { return must(t, c, d, "a") == 2 })
	}
	told := maps.Clone(a.floors)
	if err := a.Heard(t.Context(), map[string]int64{"a": 2}); err != nil || !cmp.Equal(told["a"].until, a.floors["a"].until) {
		t.Errorf("it is told again (%v)", err)
	}
}

func TestACacheThatKeepsNothingLoadsEachTime(t *testing.T) {
	c, err := New[int64](Config{})
	if c != nil || err != nil {
		t.Fatal(c, err)
	}
	d := newTruth(map[string]int64{"a": 1})
	for range 2 {
		if got := must(t, c, d, "a"); got != 1 {
			t.Error(got)
		}
	}
	if d.loads.Load() != 2 || c.Stats() != (Stats{}) || c.Run(t.Context()) != nil || c.Changed(t.Context(), map[string]int64{"a": 2}) != nil || c.Close() != nil {
		t.Error("it does something")
	}
}

func TestAURLThatIsNoneOfRedisIsRefused(t *testing.T) {
	for _, url := range []string{"http://x", "redis://%", "redis+cluster://%"} {
		if _, err := New[int64](Config{Redis: Redis{URL: url}}); err == nil {
			t.Errorf("%s is taken", url)
		}
	}
	if c, err := New[int64](Config{Redis: Redis{URL: "rediss+cluster://u:p@a:1?addr=b:2"}}); err != nil || !c.shared.cluster {
		t.Error(err)
	} else {
		c.Close()
	}
}
