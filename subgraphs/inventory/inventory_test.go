package inventory

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/agora-supergraph/agora/internal/database/databasetest"
	"github.com/agora-supergraph/agora/internal/id"
	"github.com/agora-supergraph/agora/internal/identity"
	"github.com/agora-supergraph/agora/internal/subgraph"
)

// clock is a time that tests set.
type clock struct{ micros atomic.Int64 }

func (c *clock) now() time.Time          { return time.UnixMicro(c.micros.Load()) }
func (c *clock) advance(d time.Duration) { c.micros.Add(d.Microseconds()) }

// shop is a service under test.
type shop struct {
	*Service
	*testing.T
	clock *clock
}

func open(t *testing.T, url string) shop {
	c := &clock{}
	c.micros.Store(time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC).UnixMicro())
	s, err := New(t.Context(), Config{Database: url, Now: c.now})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		shop{s, t, c}.audit()
		s.Close()
	})
	return shop{s, t, c}
}

func (s shop) stock(quantity int64) string {
	s.Helper()
	variant := id.New(id.Variant)
	if err := s.Receive(s.Context(), []Line{{variant, quantity}}, "first"); err != nil {
		s.Fatal(err)
	}
	return variant
}

func (s shop) level(variant string) Level {
	s.Helper()
	levels, err := s.Levels(s.Context(), []string{variant})
	if err != nil {
		s.Fatal(err)
	}
	return levels[variant]
}

// audit checks that the books add up.
func (s shop) audit() {
	books, err := s.Audit(context.Background())
	if err != nil || len(books.Broken) > 0 {
		s.Errorf("audit: %v %q", err, books.Broken)
	}
}

func code(err error) string {
	var r refusals
	if errors.As(err, &r) {
		return r[0].Code
	}
	if err != nil {
		return err.Error()
	}
	return ""
}

func TestAReservationHoldsUnitsUntilItIsCommittedOrReleased(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, url string) {
		s, ctx := open(t, url), t.Context()
		v := s.stock(10)
		if _, err := s.Reserve(ctx, "a", []Line{{v, 3}}, time.Minute); err != nil {
			t.Fatal(err)
		}
		if _, err := s.Reserve(ctx, "b", []Line{{v, 4}}, time.Minute); err != nil {
			t.Fatal(err)
		}
		if _, err := s.Commit(ctx, "a"); err != nil {
			t.Fatal(err)
		}
		if _, err := s.Release(ctx, "b"); err != nil {
			t.Fatal(err)
		}
		l := s.level(v)
		if l.OnHand != 7 || l.Reserved != 0 || l.Sold != 3 {
			t.Errorf("balance is %+v, want 7 on hand, 0 reserved, 3 sold", l)
		}
	})
}

func TestCommandsAreIdempotentAndIllegalOnesAreRefused(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, url string) {
		s, ctx := open(t, url), t.Context()
		v := s.stock(10)
		steps := []struct {
			name string
			do   func() (*Reservation, error)
			want string
		}{
			{"commit before reserve", func() (*Reservation, error) { return s.Commit(ctx, "o") }, "NOT_FOUND"},
			{"reserve", func() (*Reservation, error) { return s.Reserve(ctx, "o", []Line{{v, 2}}, time.Minute) }, ""},
			{"reserve again", func() (*Reservation, error) { return s.Reserve(ctx, "o", []Line{{v, 1}, {v, 1}}, time.Minute) }, ""},
			{"reserve other lines", func() (*Reservation, error) { return s.Reserve(ctx, "o", []Line{{v, 3}}, time.Minute) }, "IDEMPOTENCY_KEY_REUSED"},
			{"restock what is held", func() (*Reservation, error) { return s.Restock(ctx, "o") }, "ILLEGAL_TRANSITION"},
			{"commit", func() (*Reservation, error) { return s.Commit(ctx, "o") }, ""},
			{"commit again", func() (*Reservation, error) { return s.Commit(ctx, "o") }, ""},
			{"release what is sold", func() (*Reservation, error) { return s.Release(ctx, "o") }, "ILLEGAL_TRANSITION"},
			{"restock", func() (*Reservation, error) { return s.Restock(ctx, "o") }, ""},
			{"restock again", func() (*Reservation, error) { return s.Restock(ctx, "o") }, ""},
		}
		for _, step := range steps {
			if _, err := step.do(); code(err) != step.want {
				t.Errorf("%s: %q, want %q", step.name, code(err), step.want)
			}
		}
		if l := s.level(v); l.OnHand != 10 || l.Reserved != 0 || l.Sold != 0 {
			t.Errorf("balance is %+v, want all 10 back", l)
		}
	})
}

func TestAllLinesAreReservedOrNone(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, url string) {
		s := open(t, url)
		plenty, scarce := s.stock(100), s.stock(1)
		_, err := s.Reserve(t.Context(), "o", []Line{{plenty, 5}, {scarce, 1}, {scarce, 1}}, time.Minute)
		var refused refusals
		if !errors.As(err, &refused) || len(refused) != 1 {
			t.Fatalf("two lines of one variant whose sum is too much: %v, want one refusal", err)
		}
		want := Refusal{Code: "INSUFFICIENT_STOCK", Message: "2 wanted, 1 available", VariantID: scarce, Available: 1}
		if diff := cmp.Diff(want, *refused[0]); diff != "" {
			t.Error(diff)
		}
		if l := s.level(plenty); l.Reserved != 0 {
			t.Errorf("%d units stay reserved for a refused order", l.Reserved)
		}
	})
}

func TestExpiryIsDecidedByTheClockAndNotByTheSweeper(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, url string) {
		s, ctx := open(t, url), t.Context()
		v := s.stock(2)
		if _, err := s.Reserve(ctx, "slow", []Line{{v, 2}}, time.Minute); err != nil {
			t.Fatal(err)
		}
		s.clock.advance(time.Minute)
		if got := s.level(v).Available(); got != 2 {
			t.Errorf("%d available after the expiry, want 2", got)
		}
		if _, err := s.Reserve(ctx, "quick", []Line{{v, 1}}, time.Minute); err != nil {
			t.Errorf("reserve what an expired reservation held: %v", err)
		}
		if _, err := s.Commit(ctx, "slow"); code(err) != "RESERVATION_EXPIRED" {
			t.Errorf("commit after the expiry: %v", err)
		}
		if _, err := s.Release(ctx, "slow"); err != nil {
			t.Errorf("release after the expiry: %v", err)
		}
		s.clock.advance(time.Minute)
		if err := s.Sweep(ctx); err != nil {
			t.Fatal(err)
		}
		if l := s.level(v); l.Reserved != 0 {
			t.Errorf("%d reserved after the sweep", l.Reserved)
		}
	})
}

func TestAVariantSellsExactlyWhatThereIsUnderConcurrency(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, url string) {
		s := open(t, url)
		a, b := s.stock(20), s.stock(20)
		var sold, refused atomic.Int64
		var wg sync.WaitGroup
		for i := range 100 {
			wg.Go(func() {
				lines := []Line{{a, 1}, {b, 1}}
				if i%2 == 0 {
					lines[0], lines[1] = lines[1], lines[0]
				}
				order := id.New(id.Order)
				if _, err := s.Reserve(t.Context(), order, lines, time.Minute); code(err) == "INSUFFICIENT_STOCK" {
					refused.Add(1)
				} else if err != nil {
					t.Error(err)
				} else if _, err := s.Commit(t.Context(), order); err != nil {
					t.Error(err)
				} else {
					sold.Add(1)
				}
			})
		}
		wg.Wait()
		if sold.Load() != 20 || refused.Load() != 80 {
			t.Errorf("sold %d and refused %d, want 20 and 80", sold.Load(), refused.Load())
		}
		if l := s.level(a); l.OnHand != 0 || l.Sold != 20 || l.Reserved != 0 {
			t.Errorf("balance is %+v", l)
		}
	})
}

func TestExactlyOneOfExpiryAndCommitWins(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, url string) {
		s, ctx := open(t, url), t.Context()
		n := tries(40, 10_000)
		v := s.stock(int64(n))
		for i := range n {
			order := id.New(id.Order)
			if _, err := s.Reserve(ctx, order, []Line{{v, 1}}, time.Second); err != nil {
				t.Fatal(err)
			}
			if i%2 == 0 {
				s.clock.advance(time.Second)
			}
			var committed error
			var wg sync.WaitGroup
			wg.Go(func() { _, committed = s.Commit(ctx, order) })
			wg.Go(func() { _ = s.Sweep(ctx) })
			wg.Wait()
			r, err := s.reservations(ctx, "order_id", []string{order})
			if err != nil {
				t.Fatal(err)
			}
			if won := r[0].State == "COMMITTED"; won != (committed == nil) || won == (i%2 == 0) {
				t.Errorf("try %d: the reservation is %s and commit said %v", i, r[0].State, committed)
			}
		}
	})
}

// ask sends an operation as the service orders would, with some scopes.
func (s shop) ask(query string, variables map[string]any, scopes ...string) map[string]any {
	s.Helper()
	secret := []byte("0123456789abcdef0123456789abcdef")
	server := subgraph.New(subgraph.Config{Name: "inventory", Schema: s.Schema(), Verifier: &identity.Verifier{Secret: secret}})
	token, err := identity.ServiceToken(secret, "orders", scopes...)
	if err != nil {
		s.Fatal(err)
	}
	vars, err := json.Marshal(variables)
	if err != nil {
		s.Fatal(err)
	}
	header := http.Header{"Authorization": {"Bearer " + token}}
	var out map[string]any
	if err := json.Unmarshal(server.Serve(s.Context(), &subgraph.Request{Query: query, Variables: vars, Header: header}), &out); err != nil {
		s.Fatal(err)
	}
	return out
}

func TestReferencesToManyVariantsAreAnsweredInOrder(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, url string) {
		s := open(t, url)
		many, few, unknown := s.stock(50), s.stock(2), id.New(id.Variant)
		reps := []map[string]any{}
		for _, v := range []string{many, unknown, few} {
			reps = append(reps, map[string]any{"__typename": "ProductVariant", "id": v, "weightGrams": 2500})
		}
		got := s.ask(`query($r: [_Any!]!) { _entities(representations: $r) { ... on ProductVariant {
			availability { status maxPurchasable } shippingEstimate(countryCode: "FR") { cost { amount } days } } } }`, map[string]any{"r": reps})
		shipping := map[string]any{"cost": map[string]any{"amount": "13.90"}, "days": 4.0}
		variant := func(status string, most float64) any {
			return map[string]any{"availability": map[string]any{"status": status, "maxPurchasable": most}, "shippingEstimate": shipping}
		}
		want := map[string]any{"data": map[string]any{"_entities": []any{variant("IN_STOCK", 50), variant("OUT_OF_STOCK", 0), variant("LOW_STOCK", 2)}}}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Error(diff)
		}
	})
}

func TestStockIsAdjustedByStaffOnceAndNeverBelowZero(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, url string) {
		s := open(t, url)
		v := s.stock(5)
		adjust := func(key string, delta int, from any, scopes ...string) string {
			got := s.ask(`mutation($i: StockAdjustInput!) { stockAdjust(input: $i) { variants { stockLevel { onHand } } userErrors { code available field } } }`,
				map[string]any{"i": map[string]any{"idempotencyKey": key, "reason": "CORRECTION", "changes": []any{map[string]any{"variantId": v, "delta": delta, "changeFromQuantity": from}}}}, scopes...)
			raw, _ := json.Marshal(got["data"])
			return string(raw)
		}
		staff := []string{"inventory:write", "inventory:read"}
		tests := []struct {
			name, got, want string
		}{
			{"without the scope", adjust("k0", 1, nil), `null`},
			{"first", adjust("k1", -2, 5, staff...), `{"stockAdjust":{"userErrors":[],"variants":[{"stockLevel":{"onHand":3}}]}}`},
			{"again", adjust("k1", -2, 5, staff...), `{"stockAdjust":{"userErrors":[],"variants":[{"stockLevel":{"onHand":3}}]}}`},
			{"the key for something else", adjust("k1", -1, nil, staff...), `{"stockAdjust":{"userErrors":[{"available":null,"code":"IDEMPOTENCY_KEY_REUSED","field":null}],"variants":null}}`},
			{"stale", adjust("k2", -1, 5, staff...), `{"stockAdjust":{"userErrors":[{"available":null,"code":"STALE_QUANTITY","field":["input","changes","0"]}],"variants":null}}`},
			{"below zero", adjust("k3", -4, nil, staff...), `{"stockAdjust":{"userErrors":[{"available":3,"code":"WOULD_GO_NEGATIVE","field":["input","changes","0"]}],"variants":null}}`},
		}
		for _, test := range tests {
			if test.got != test.want {
				t.Errorf("%s: %s, want %s", test.name, test.got, test.want)
			}
		}
	})
}
