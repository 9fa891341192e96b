package inventory

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/agora-supergraph/agora/internal/cache"
	"github.com/agora-supergraph/agora/internal/database/databasetest"
	"github.com/agora-supergraph/agora/internal/id"
	"github.com/agora-supergraph/agora/internal/identity"
)

// openCached is open with lookups cached in memory.
func openCached(t *testing.T, url string) shop {
	c := &clock{}
	c.micros.Store(time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC).UnixMicro())
	s, err := New(t.Context(), Config{Database: url, Now: c.now, Cache: cache.Config{Alone: true}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		shop{s, t, c}.audit()
		s.Close()
	})
	return shop{s, t, c}
}

// shown is what a shopper is told of variants, and what is true.
func (s shop) shown(variants []string) (shown, is string) {
	s.Helper()
	told, err := s.levelsFor(s.Context(), variants)
	if err != nil {
		s.Fatal(err)
	}
	true, err := s.Levels(s.Context(), variants)
	if err != nil {
		s.Fatal(err)
	}
	for _, v := range variants {
		shown += fmt.Sprintf("%s %d of %d\n", told[v].band(), told[v].Available(), told[v].Version)
		is += fmt.Sprintf("%s %d of %d\n", true[v].band(), true[v].Available(), true[v].Version)
	}
	return shown, is
}

func TestShoppersAreToldWhatIsAvailableAtEveryInstantWhateverHappensToIt(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, url string) {
		s := openCached(t, url)
		variants := []string{s.stock(20), s.stock(3), id.New(id.Variant)}
		cellar, err := s.SaveLocation(t.Context(), Location{Name: "Cellar", Rank: 3})
		if err != nil {
			t.Fatal(err)
		}
		var orders []string
		order := func() string {
			if len(orders) == 0 {
				return "none"
			}
			return orders[rand.IntN(len(orders))]
		}
		steps := []func(){
			func() {
				orders = append(orders, id.New(id.Order))
				s.Reserve(t.Context(), orders[len(orders)-1], []Line{{variants[rand.IntN(2)], 1 + rand.Int64N(4)}}, time.Duration(1+rand.IntN(60))*time.Second)
			},
			func() { s.clock.advance(time.Duration(rand.IntN(20)) * time.Second) },
			func() { s.Commit(t.Context(), order()) },
			func() { s.Release(t.Context(), order()) },
			func() { s.Restock(t.Context(), order()) },
			func() { s.Extend(t.Context(), order(), time.Minute) },
			func() { s.SetLowStock(t.Context(), variants[rand.IntN(3)], rand.Int64N(9)) },
			func() { s.Receive(t.Context(), []Line{{variants[rand.IntN(3)], rand.Int64N(3)}}, "more") },
			func() {
				s.Adjust(t.Context(), Adjustment{Key: id.New("key"), Reason: "CORRECTION", Changes: []Adjust{{VariantID: variants[rand.IntN(2)], LocationID: cellar.ID, Delta: rand.Int64N(5) - 2}}})
			},
			func() { s.Sweep(t.Context()) },
		}
		for range 200 {
			step := rand.IntN(len(steps))
			steps[step]()
			if shown, is := s.shown(variants); shown != is {
				t.Fatalf("behind step %d shoppers are told\n%s, and it is\n%s", step, shown, is)
			}
		}
		s.Sweep(t.Context()) // for the audit
		if n := s.CacheStats(); n.Hits < 100 {
			t.Errorf("%+v: hardly anything was cached", n)
		}
	})
}

func TestAvailabilityThatIsKnownTakesNoStatementButForThoseWhoMustKnow(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, url string) {
		s := openCached(t, url)
		var variants []string
		for range 50 {
			variants = append(variants, s.stock(9))
		}
		reads := databasetest.CountReads(t, s.db, url)
		for range 3 {
			if _, err := s.variants(t.Context(), append(variants, "nothing", id.New(id.Variant))); err != nil {
				t.Fatal(err)
			}
		}
		if n := reads.Load(); n != 3 { // all of them, and each time one that nobody knows
			t.Errorf("%d statements, want 3", n)
		}
		for _, who := range []identity.Identity{{Service: "orders"}, {Subject: "usr_x", Scopes: []string{"inventory:read"}}} {
			before := reads.Load()
			if _, err := s.variants(identity.With(t.Context(), who), variants); err != nil || reads.Load() != before+1 {
				t.Errorf("%+v: %d statements, want 1 (%v)", who, reads.Load()-before, err)
			}
		}
	})
}
