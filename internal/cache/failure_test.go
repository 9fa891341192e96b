package cache

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// traffic is readers and writers of many keys, over several replicas, until stop: each answer is held against what was told
// by then.
type traffic struct {
	testing.TB
	d        *truth
	keys     []string
	replicas []*Cache[int64]
	mu       sync.Mutex
	// committed and told are when a version of a key was there, and when Changed had told of it.
	committed, told map[string][]time.Time
	// stale is how long after the commit of the next version each answer was asked for, and late after it was told.
	stale, late []time.Duration
	reads       atomic.Int64
	stop        chan struct{}
	wg          sync.WaitGroup
}

func newTraffic(t testing.TB, replicas ...*Cache[int64]) *traffic {
	tr := &traffic{TB: t, d: newTruth(map[string]int64{}), keys: keysOf(50), replicas: replicas, committed: map[string][]time.Time{}, told: map[string][]time.Time{}, stop: make(chan struct{})}
	for _, key := range tr.keys {
		tr.d.numbers[key] = 1
		tr.committed[key], tr.told[key] = make([]time.Time, 2), make([]time.Time, 2)
	}
	tr.wg.Go(tr.write)
	for _, c := range replicas {
		for range 2 {
			tr.wg.Go(func() { tr.read(c) })
		}
	}
	return tr
}

func (tr *traffic) going() bool {
	select {
	case <-tr.stop:
		return false
	case <-time.After(time.Millisecond):
		return true
	}
}

func (tr *traffic) write() {
	for tr.going() {
		key := tr.keys[rand.IntN(len(tr.keys))]
		note := func(in map[string][]time.Time) {
			tr.mu.Lock()
			defer tr.mu.Unlock()
			in[key] = append(in[key], time.Now())
		}
		version := tr.d.commit(key)
		note(tr.committed)
		tr.replicas[rand.IntN(len(tr.replicas))].Changed(tr.Context(), map[string]int64{key: version})
		note(tr.told)
	}
}

func (tr *traffic) read(c *Cache[int64]) {
	for tr.going() {
		keys := make([]string, 10)
		for i := range keys {
			keys[i] = tr.keys[rand.IntN(len(tr.keys))]
		}
		begun := time.Now()
		found, err := c.Get(tr.Context(), keys, tr.d.load)
		if err != nil {
			tr.Errorf("a read failed: %v", err)
		}
		tr.reads.Add(int64(len(keys)))
		tr.mu.Lock()
		for key, version := range found {
			tr.stale = append(tr.stale, passed(tr.committed[key], version+1, begun))
			tr.late = append(tr.late, passed(tr.told[key], version+1, begun))
		}
		tr.mu.Unlock()
	}
}

// passed is how long before an instant there was a version, if there was.
func passed(since []time.Time, version int64, at time.Time) time.Duration {
	if int(version) >= len(since) {
		return 0
	}
	return max(at.Sub(since[version]), 0)
}

// staleLimit is how long after a change was told the value before it may be shown.
const staleLimit = 250 * time.Millisecond

// end stops the traffic, and logs what the replicas did. It returns how long after a change was told the value before it
// was still shown.
func (tr *traffic) end(what string) (late time.Duration) {
	close(tr.stop)
	tr.wg.Wait()
	slices.Sort(tr.stale)
	var hits, all int64
	for _, c := range tr.replicas {
		s := c.Stats()
		hits, all = hits+s.Hits+s.SharedHits, all+s.Hits+s.SharedHits+s.Misses
	}
	tr.Logf("%s: %d reads, %d %% of keys cached, %d loads; stale after a commit for %v at most, p99 %v", what, tr.reads.Load(), 100*hits/max(all, 1), tr.d.loads.Load(),
		tr.stale[len(tr.stale)-1], tr.stale[len(tr.stale)*99/100])
	return slices.Max(tr.late)
}

func TestReplicasUnderLoadNeverShowAnOldValueForLongerThanTheLimit(t *testing.T) {
	cfg := Config{Redis: testRedis(t)}
	tr := newTraffic(t, opened(t, cfg), opened(t, cfg))
	time.Sleep(campaign(time.Second))
	if late := tr.end("changes under load"); late > staleLimit {
		t.Errorf("a value was shown %v after its change was told", late)
	}
}

func TestARedisThatIsFlushedKilledAndComesBackWithOldDataFailsNoReadAndShowsNothingOld(t *testing.T) {
	server := newRedis(t)
	cfg := Config{Redis: server.redis()}
	a, b := opened(t, cfg), opened(t, cfg)
	tr := newTraffic(t, a, b)
	client := server.client()
	defer client.Close()
	rest := func() { time.Sleep(campaign(150 * time.Millisecond)) }
	rest()
	if err := client.FlushAll(t.Context()).Err(); err != nil {
		t.Error(err)
	}
	rest()
	if err := client.Save(t.Context()).Err(); err != nil { // what it comes back with
		t.Error(err)
	}
	rest()
	server.kill()
	waitUntil(t, "the breakers are open", func() bool { return a.Stats().Open && b.Stats().Open })
	rest()
	server.start()
	back := server.client()
	defer back.Close()
	if n, err := back.DBSize(t.Context()).Result(); err != nil || n == 0 {
		t.Errorf("the server came back with %d keys, want those of before (%v)", n, err)
	}
	waitUntil(t, "the breakers are closed", func() bool { return a.trusted() && b.trusted() && a.Stats().Untold == 0 && b.Stats().Untold == 0 })
	before := a.Stats().Hits
	rest()
	waitUntil(t, "the cache is used again", func() bool { return a.Stats().Hits > before })
	if late := tr.end("flushed, killed, restarted"); late > staleLimit {
		t.Errorf("a value was shown %v after its change was told", late)
	}
	wants := maps.Clone(tr.d.numbers)
	for _, c := range tr.replicas {
		for key, want := range wants {
			waitUntil(t, fmt.Sprint(key, " is right in the end"), func() bool { return must(t, c, tr.d, key) == want })
		}
	}
}

func TestASlowRedisIsLeftAloneAndCostsHardlyMoreThanOneTimeout(t *testing.T) {
	server := newRedis(t)
	path := newSlowPath(t, server.address)
	cfg := Config{Redis: Redis{URL: "redis://" + path.address}}
	a := opened(t, cfg)
	b := opened(t, Config{Redis: server.redis()}) // another replica, whose way is not slow
	tr := newTraffic(t, a, b)
	time.Sleep(campaign(100 * time.Millisecond))
	path.delay.Store(int64(300 * time.Millisecond))
	waitUntil(t, "the breaker is open", func() bool { return a.Stats().Open })
	slow := time.Now()
	for range 20 {
		must(t, a, tr.d, "unknown")
	}
	t.Logf("20 reads past a slow Redis take %v", time.Since(slow))
	time.Sleep(campaign(100 * time.Millisecond))
	path.delay.Store(0)
	waitUntil(t, "the breaker is closed", a.trusted)
	tr.end("slow")
	// What a writes cannot be told while its way is slow: b shows it once it is.
	for key, want := range tr.d.numbers {
		for _, c := range tr.replicas {
			waitUntil(t, fmt.Sprint(key, " is right in the end"), func() bool { return must(t, c, tr.d, key) == want })
		}
	}
}
