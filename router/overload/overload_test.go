package overload

import (
	"context"
	"errors"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

func TestTheLeastImportantOperationsAreRefusedFirst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, err := New(Config{Enabled: true, Min: 20, Max: 20, Priorities: []Priority{
			{Operations: []string{"Checkout*"}, Level: "very_high"}, {Kinds: []string{"query"}, Level: "low"},
		}})
		if err != nil {
			t.Fatal(err)
		}
		var checkouts, searches, most, running atomic.Int32
		var wg sync.WaitGroup
		ask := func(op Operation, passed *atomic.Int32) {
			place, err := l.Enter(t.Context(), op)
			if err != nil {
				if !errors.Is(err, ErrOverloaded) {
					t.Error(err)
				}
				return
			}
			now := running.Add(1)
			if now > most.Load() {
				most.Store(now)
			}
			time.Sleep(200 * time.Millisecond)
			running.Add(-1)
			passed.Add(1)
			place.Leave(true)
		}
		// Twenty places of 200 ms each are 100 operations a second; 60 checkouts and 400 searches come.
		for i := range 2000 {
			if i%20 < 3 {
				wg.Go(func() { ask(Operation{"CheckoutCart", "mutation", ""}, &checkouts) })
			} else {
				wg.Go(func() { ask(Operation{"Search", "query", ""}, &searches) })
			}
			time.Sleep(time.Second / 460)
		}
		wg.Wait()
		if most.Load() > 20 {
			t.Errorf("%d operations ran at a time, with twenty places", most.Load())
		}
		if checkouts.Load() < 225 || searches.Load() > 1700/5 {
			t.Errorf("%d of 300 checkouts passed, and %d of 1700 searches", checkouts.Load(), searches.Load())
		}
		if !l.Busy() {
			t.Error("nobody is told that the router is busy")
		}
	})
}

func TestWhoGoesLeavesTheQueue(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, err := New(Config{Min: 1, Max: 1, MaxWait: time.Minute})
		if err != nil {
			t.Fatal(err)
		}
		place, err := l.Enter(t.Context(), Operation{})
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if _, err := l.Enter(ctx, Operation{}); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("error %v, want that of the context", err)
		}
		place.Leave(false)
		if _, err := l.Enter(t.Context(), Operation{}); err != nil {
			t.Errorf("after a place was left: %v", err)
		}
	})
}

func TestRulesThatCannotWorkAreRefused(t *testing.T) {
	_, err := New(Config{Min: 10, Max: 5, Priorities: []Priority{{Level: "urgent"}, {Level: "low", Operations: []string{"[a"}}}})
	for _, want := range []string{"min 10 is above max 5", `level "urgent"`, `"[a" is no pattern`} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("no word of %q in %v", want, err)
		}
	}
}
