package cache

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// Loads begin and end at any time between commits, in two replicas: whoever has been told of a version is never shown an
// older one, however late a load comes that has read the older one, and in the end everybody sees the last.
func TestALateLoadNeverBringsBackWhatIsOlderThanWhatWasTold(t *testing.T) {
	each(t, func(t *testing.T, cfg Config) {
		replicas := []*Cache[int64]{opened(t, cfg)}
		if !cfg.Alone {
			replicas = append(replicas, opened(t, cfg))
			for _, c := range replicas {
				c.shared.leaseLife = time.Millisecond // a load that is held back here is none to wait for
			}
		}
		round := 0
		rapid.Check(t, func(t *rapid.T) {
			round++
			r := &race{T: t, d: newTruth(map[string]int64{}), replicas: replicas, key: fmt.Sprint("round", round)}
			if rapid.Bool().Draw(t, "exists") {
				r.d.numbers[r.key] = 1
			}
			t.Repeat(map[string]func(*rapid.T){"read": r.read, "finish": r.finish, "commit": r.commit})
			for len(r.held) > 0 {
				r.finish(t)
			}
			r.running.Wait()
			for _, c := range replicas {
				for deadline := time.Now().Add(5 * time.Second); ; time.Sleep(time.Millisecond) {
					got, want := r.get(c, r.d.load), r.d.numbers[r.key]
					if got == want {
						break
					}
					if time.Now().After(deadline) {
						t.Fatalf("in the end a replica shows %d, want %d", got, want)
					}
				}
			}
		})
	})
}

// race is one key, with loads of it that have read and are held back.
type race struct {
	*rapid.T
	d        *truth
	replicas []*Cache[int64]
	key      string
	held     []chan struct{}
	running  sync.WaitGroup
}

func (r *race) replica(t *rapid.T) *Cache[int64] {
	return r.replicas[rapid.IntRange(0, len(r.replicas)-1).Draw(t, "replica")]
}

// told is the version that a replica has been told of.
func (r *race) told(c *Cache[int64]) int64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.floors[r.key].version
}

func (r *race) get(c *Cache[int64], load Load[int64]) int64 {
	told := r.told(c)
	found, err := c.Get(context.Background(), []string{r.key}, load)
	if err != nil || found[r.key] < told {
		r.Errorf("a replica that was told of %d shows %d (%v)", told, found[r.key], err)
	}
	return found[r.key]
}

// read begins to read; if that takes a load, it is held back once it has read.
func (r *race) read(t *rapid.T) {
	c, release, reading := r.replica(t), make(chan struct{}), make(chan struct{})
	var once sync.Once
	r.running.Go(func() {
		r.get(c, func(ctx context.Context, keys []string) (map[string]Entry[int64], error) {
			found, err := r.d.load(ctx, keys)
			once.Do(func() { close(reading) })
			<-release
			return found, err
		})
		once.Do(func() { close(reading) })
	})
	select {
	case <-reading:
	case <-time.After(5 * time.Millisecond): // it waits for another load
	}
	r.held = append(r.held, release)
}

// finish lets one of those go on that are held back.
func (r *race) finish(t *rapid.T) {
	if len(r.held) == 0 {
		t.Skip()
	}
	n := rapid.IntRange(0, len(r.held)-1).Draw(t, "which")
	close(r.held[n])
	r.held = append(r.held[:n], r.held[n+1:]...)
}

func (r *race) commit(t *rapid.T) {
	c := r.replica(t)
	c.Changed(context.Background(), map[string]int64{r.key: r.d.commit(r.key)})
	if rapid.Bool().Draw(t, "read at once") {
		if got, want := r.get(c, r.d.load), r.d.numbers[r.key]; got != want && r.told(c) == want {
			t.Errorf("who has just written %d is shown %d", want, got)
		}
	}
}
