package inventory

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/agora-supergraph/agora/internal/database"
	"github.com/agora-supergraph/agora/internal/database/databasetest"
	"github.com/agora-supergraph/agora/internal/id"
)

// second is a location behind the main one, with some units of a variant.
func (s shop) second(variant string, units int64) string {
	s.Helper()
	l, err := s.SaveLocation(s.Context(), Location{Name: "Second " + variant, Rank: 1})
	if err != nil {
		s.Fatal(err)
	}
	s.adjust(variant, l.ID, units)
	return l.ID
}

func (s shop) adjust(variant, location string, delta int64) {
	s.Helper()
	if err := s.Adjust(s.Context(), Adjustment{Changes: []Adjust{{VariantID: variant, LocationID: location, Delta: delta}}, Reason: "RECEIVED", Key: id.New("key")}); err != nil {
		s.Fatal(err)
	}
}

// figures are what is on hand, reserved and sold at each location.
func (s shop) figures(variant string) string {
	s.Helper()
	var all []string
	for _, a := range s.level(variant).At {
		all = append(all, fmt.Sprint(a.OnHand, a.Reserved, a.Sold))
	}
	return strings.Join(all, ", ")
}

func TestUnitsComeFromOneLocationIfItHasThemAllAndElseFromSeveral(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, url string) {
		s, ctx := open(t, url), t.Context()
		v := s.stock(3)
		s.second(v, 5)
		if l := s.level(v); l.Available() != 8 {
			t.Errorf("%d are available, want 8", l.Available())
		}
		orders := make([]string, 4)
		for i, test := range []struct {
			quantity int64
			want     string
		}{
			{4, "3 0 0, 5 4 0"}, // only the second has so many
			{2, "3 2 0, 5 4 0"}, // the first has them, too
			{2, "3 3 0, 5 5 0"}, // one from each
			{1, "3 3 0, 5 5 0"}, // none left
		} {
			orders[i] = id.New(id.Order)
			_, err := s.Reserve(ctx, orders[i], []Line{{v, test.quantity}}, time.Minute)
			if got := s.figures(v); got != test.want || (err != nil) != (i == 3) {
				t.Errorf("after %d units: %s, %v, want %s", test.quantity, got, err, test.want)
			}
		}
		if _, err := s.Commit(ctx, orders[2]); err != nil {
			t.Error(err)
		}
		if _, err := s.Release(ctx, orders[0]); err != nil {
			t.Error(err)
		}
		if got := s.figures(v); got != "2 2 1, 4 0 1" {
			t.Errorf("after a sale and a release: %s", got)
		}
		s.clock.advance(time.Minute)
		if got := s.figures(v); got != "2 0 1, 4 0 1" {
			t.Errorf("after everything expired: %s", got)
		}
		if _, err := s.Restock(ctx, orders[2]); err != nil {
			t.Error(err)
		}
		if got := s.figures(v); got != "3 0 0, 5 0 0" {
			t.Errorf("after the sale was put back: %s", got)
		}
	})
}

func TestSomeUnitsOfASaleArePutBackOnceAndNeverMoreThanWereSold(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, url string) {
		s, ctx := open(t, url), t.Context()
		a, b := s.stock(5), s.stock(5)
		order := id.New(id.Order)
		if _, err := s.Reserve(ctx, order, []Line{{a, 3}, {b, 1}}, time.Minute); err != nil {
			t.Fatal(err)
		}
		restock := func(key string, lines ...Line) string {
			_, err := s.RestockLines(ctx, order, lines, key)
			return code(err)
		}
		if got := restock("early", Line{a, 1}); got != "ILLEGAL_TRANSITION" {
			t.Errorf("before the sale: %q", got)
		}
		if _, err := s.Commit(ctx, order); err != nil {
			t.Fatal(err)
		}
		for _, test := range []struct {
			key, want string
			quantity  int64
			onHand    int64
		}{
			{"one", "", 2, 4}, {"one", "", 2, 4}, {"one", "IDEMPOTENCY_KEY_REUSED", 1, 4}, {"two", "EXCEEDS_SOLD", 2, 4}, {"two", "", 1, 5}, {"three", "EXCEEDS_SOLD", 1, 5},
		} {
			if got := restock(test.key, Line{a, test.quantity}); got != test.want || s.level(a).OnHand != test.onHand {
				t.Errorf("%d with key %s: %q and %d on hand, want %q and %d", test.quantity, test.key, got, s.level(a).OnHand, test.want, test.onHand)
			}
		}
		if r, err := s.Restock(ctx, order); err != nil || r.State != restocked || s.level(b).OnHand != 5 || s.level(a).OnHand != 5 {
			t.Errorf("the rest: %+v, %v; %+v", r, err, s.level(a))
		}
		if got := restock("two", Line{a, 1}); got != "" {
			t.Errorf("a key of before: %q", got)
		}
	})
}

func TestAReservationIsExtendedWhileItIsHeldAndNeverShortened(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, url string) {
		s, ctx := open(t, url), t.Context()
		v, order := s.stock(1), id.New(id.Order)
		if _, err := s.Reserve(ctx, order, []Line{{v, 1}}, time.Minute); err != nil {
			t.Fatal(err)
		}
		if r, err := s.Extend(ctx, order, time.Second); err != nil || r.ExpiresUs != database.Micros(s.now().Add(time.Minute)) {
			t.Errorf("shortened: %+v, %v", r, err)
		}
		if r, err := s.Extend(ctx, order, time.Hour); err != nil || r.ExpiresUs != database.Micros(s.now().Add(time.Hour)) {
			t.Errorf("extended: %+v, %v", r, err)
		}
		s.clock.advance(time.Minute)
		if err := s.Sweep(ctx); err != nil || s.level(v).Available() != 0 {
			t.Errorf("after its first time: %+v, %v", s.level(v), err)
		}
		s.clock.advance(time.Hour)
		if _, err := s.Extend(ctx, order, time.Hour); code(err) != "RESERVATION_EXPIRED" {
			t.Errorf("after its time: %v", err)
		}
		sold := id.New(id.Order)
		if _, err := s.Reserve(ctx, sold, []Line{{v, 1}}, time.Minute); err != nil {
			t.Fatal(err)
		}
		if _, err := s.Commit(ctx, sold); err != nil {
			t.Fatal(err)
		}
		if _, err := s.Extend(ctx, sold, time.Hour); code(err) != "ILLEGAL_TRANSITION" {
			t.Errorf("after the sale: %v", err)
		}
	})
}

func TestLowStockIsToldOnCrossingsAloneAndByTheVariantsOwnThreshold(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, url string) {
		s, ctx := open(t, url), t.Context()
		v := s.stock(0)
		other := s.second(v, 0)
		if err := s.SetLowStock(ctx, v, 3); err != nil {
			t.Fatal(err)
		}
		for _, step := range []struct {
			location string
			delta    int64
		}{{MainLocation, 4}, {other, 4}, {MainLocation, -3}, {other, -1}, {other, -1}, {MainLocation, 1}, {MainLocation, -2}, {other, -2}, {other, 9}} {
			s.adjust(v, step.location, step.delta)
		}
		var told []string
		err := s.db.Read.SelectContext(ctx, &told, `SELECT data FROM outbox WHERE subject = $1 ORDER BY sequence`, v)
		for i := range told {
			told[i] = strings.Split(told[i], `,"version"`)[0]
		}
		want := []string{
			`{"status":"IN_STOCK","available":4`, `{"status":"LOW_STOCK","available":3`, `{"status":"IN_STOCK","available":4`,
			`{"status":"LOW_STOCK","available":2`, `{"status":"OUT_OF_STOCK","available":0`, `{"status":"IN_STOCK","available":9`,
		}
		if diff := cmp.Diff(want, told); diff != "" || err != nil {
			t.Errorf("%v %s", err, diff)
		}
		if err := s.SetLowStock(ctx, id.New(id.Variant), 3); code(err) != "NOT_FOUND" {
			t.Errorf("a variant that doesn't exist: %v", err)
		}
	})
}

func TestStaffKeepLocationsAndSeeWhatLiesWhere(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, url string) {
		s := open(t, url)
		v := s.stock(2)
		payload := func(field, input string, in object) string {
			got := s.ask(`mutation($i: `+input+`!) { p: `+field+`(input: $i) { location { name rank } userErrors { code field } } }`, object{"i": in}, "inventory:write")
			return fmt.Sprint(got["data"])
		}
		for _, test := range []struct{ got, want string }{
			{payload("locationCreate", "LocationInput", object{"name": "Lager Süd 📦", "rank": 2}), "map[p:map[location:map[name:Lager Süd 📦 rank:2] userErrors:[]]]"},
			{payload("locationCreate", "LocationInput", object{"name": "Lager Süd 📦", "rank": 3}), "map[p:map[location:<nil> userErrors:[map[code:INVALID_INPUT field:[input name]]]]]"},
			{payload("locationCreate", "LocationInput", object{"name": "", "rank": -1}), "map[p:map[location:<nil> userErrors:[map[code:INVALID_INPUT field:[input name]] map[code:INVALID_INPUT field:[input rank]]]]]"},
		} {
			if test.got != test.want {
				t.Errorf("got %s\nwant %s", test.got, test.want)
			}
		}
		got := s.ask(`{ locations { name } }`, nil, "inventory:read")
		if fmt.Sprint(got["data"]) != "map[locations:[map[name:Main warehouse] map[name:Lager Süd 📦]]]" {
			t.Errorf("locations: %v", got)
		}
		if got := s.ask(`{ locations { name } }`, nil); got["errors"] == nil {
			t.Errorf("locations for everybody: %v", got)
		}
		got = s.ask(`query($r: [_Any!]!) { _entities(representations: $r) { ... on ProductVariant { stockLevel { lowStockThreshold locations { location { name } onHand } } } } }`,
			object{"r": []any{object{"__typename": "ProductVariant", "id": v}}}, "inventory:read")
		if fmt.Sprint(got["data"]) != "map[_entities:[map[stockLevel:map[locations:[map[location:map[name:Main warehouse] onHand:2]] lowStockThreshold:5]]]]" {
			t.Errorf("stock level: %v", got)
		}
	})
}

func TestTheDatabaseItselfRefusesWhatCantBe(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, url string) {
		s, ctx := open(t, url), t.Context()
		v, order := s.stock(3), id.New(id.Order)
		if _, err := s.Reserve(ctx, order, []Line{{v, 2}}, time.Minute); err != nil {
			t.Fatal(err)
		}
		for _, statement := range []string{
			`UPDATE stock SET on_hand = 1`, `UPDATE stock SET reserved = 4`, `UPDATE stock SET reserved = -1`, `UPDATE stock SET sold = -1`,
			`UPDATE reservation_part SET restocked = 3`, `UPDATE reservation_part SET quantity = 0`, `UPDATE reservation SET state = 'LOST'`,
			`INSERT INTO reservation SELECT 'rsv', order_id, state, expires_us, created_us, updated_us FROM reservation`,
		} {
			err := s.db.Tx(ctx, func(tx *database.Tx) error {
				_, err := tx.ExecContext(ctx, statement)
				return err
			})
			if err == nil {
				t.Errorf("%s was carried out", statement)
			}
		}
	})
}

func TestTheMainLocationIsTheOneOfTheMigrations(t *testing.T) {
	s := open(t, databasetest.SQLite(t))
	if all, err := s.Locations(t.Context()); err != nil || len(all) != 1 || all[0].ID != MainLocation {
		t.Errorf("locations are %v, %v, want %s", all, err, MainLocation)
	}
}
