package inventory

import (
	"math/rand/v2"
	"os"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/agora-supergraph/agora/internal/database"
	"github.com/agora-supergraph/agora/internal/database/databasetest"
	"github.com/agora-supergraph/agora/internal/id"
)

// tries is how often something is tried: few times in every run of the tests, and many where AGORA_CAMPAIGN is set.
func tries(few, many int) int {
	if os.Getenv("AGORA_CAMPAIGN") != "" {
		return many
	}
	return few
}

func TestCartsOverScarceVariantsAreReservedWholeAndNeverWaitForEachOther(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, url string) {
		s, ctx := open(t, url), t.Context()
		variants := make([]string, 20)
		for i := range variants {
			variants[i] = s.stock(10)
		}
		var reserved, refused atomic.Int64
		var wg sync.WaitGroup
		for range 16 {
			wg.Go(func() {
				for range tries(6, 250) {
					lines := make([]Line, 0, 6)
					for _, i := range rand.Perm(len(variants))[:1+rand.IntN(6)] {
						lines = append(lines, Line{variants[i], 1 + rand.Int64N(2)})
					}
					order := id.New(id.Order)
					r, err := s.Reserve(ctx, order, lines, time.Hour)
					switch {
					case code(err) == "INSUFFICIENT_STOCK":
						refused.Add(1)
						continue
					case err != nil || len(r.Lines) != len(lines):
						t.Errorf("%d lines: %+v, %v", len(lines), r, err)
						continue
					}
					reserved.Add(1)
					if rand.IntN(3) > 0 { // most go away again, so that it stays scarce and not empty
						if _, err := s.Release(ctx, order); err != nil {
							t.Error(err)
						}
					}
				}
			})
		}
		wg.Wait()
		if s.db.Dialect == database.Postgres {
			var deadlocks int
			if err := s.db.Read.GetContext(ctx, &deadlocks, `SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()`); err != nil || deadlocks != 0 {
				t.Errorf("%d deadlocks, %v", deadlocks, err)
			}
		}
		t.Logf("%d carts reserved, %d refused", reserved.Load(), refused.Load())
	})
}

func TestTwoLinesOfOneVariantAreCountedTogether(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, url string) {
		s := open(t, url)
		v := s.stock(3)
		if _, err := s.Reserve(t.Context(), id.New(id.Order), []Line{{v, 2}, {v, 2}}, time.Hour); code(err) != "INSUFFICIENT_STOCK" {
			t.Errorf("2 and 2 of 3 units: %v", err)
		}
		if _, err := s.Reserve(t.Context(), id.New(id.Order), []Line{{v, 2}, {v, 1}}, time.Hour); err != nil {
			t.Errorf("2 and 1 of 3 units: %v", err)
		}
	})
}

// ACIDRain's first attack: more checkouts at once than there are units.
func TestNoRaceTakesMoreThanThereIs(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, url string) {
		s, ctx := open(t, url), t.Context()
		for range tries(3, 200) {
			v := s.stock(1)
			var sold atomic.Int64
			var wg sync.WaitGroup
			for range 8 {
				wg.Go(func() {
					order := id.New(id.Order)
					if _, err := s.Reserve(ctx, order, []Line{{v, 1}}, time.Hour); err != nil {
						return
					}
					if _, err := s.Commit(ctx, order); err == nil {
						sold.Add(1)
					}
				})
			}
			wg.Wait()
			if l := s.level(v); sold.Load() != 1 || l.Sold != 1 || l.OnHand != 0 {
				t.Errorf("%d orders have the last unit: %+v", sold.Load(), l)
			}
		}
	})
}
