package products

import (
	"context"
	"encoding/json"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/agora-supergraph/agora/internal/database"
	"github.com/agora-supergraph/agora/internal/database/databasetest"
	"github.com/agora-supergraph/agora/internal/event"
)

// clock is a clock that a test sets.
type clock struct{ micros atomic.Int64 }

func (s shop) clock() *clock {
	c := &clock{}
	c.micros.Store(database.Micros(time.Now().Truncate(time.Hour)))
	s.now = func() time.Time { return database.Time(c.micros.Load()) }
	return c
}

func (c *clock) after(d time.Duration) string {
	return database.Time(c.micros.Load()).Add(d).Format(time.RFC3339Nano)
}
func (c *clock) pass(d time.Duration) { c.micros.Add(d.Microseconds()) }

func eur(minorUnits int) data { return data{"minorUnits": minorUnits, "currency": "EUR"} }

const scheduleMutation = `mutation($i: VariantPriceScheduleInput!) { variantPriceSchedule(input: $i) { variant { price { minorUnits } listPrices { price { minorUnits } } product { version } } userErrors { code message field } } }`

const shownQuery = `query($sku: String!, $slug: String!, $list: ProductFilter) {
	variant(sku: $sku) { price { minorUnits } compareAt { minorUnits } product { priceRange { min { minorUnits } max { minorUnits } } } }
	product(slug: $slug) { priceRange { min { minorUnits } } variants { price { minorUnits } } }
	products(query: "creme kettle", filter: $list) { edges { node { slug priceRange { min { minorUnits } } variants { price { minorUnits } } } } } }`

// shown is what a shopper sees of the prices of the product that input makes, in every place.
func (s shop) shown(key string) string {
	got := s.get(shownQuery, data{"sku": "T-1-" + key, "slug": "creme-kettle"})
	variant := got["variant"].(data)
	low := dig(variant, "product.priceRange.min.minorUnits")
	edges := dig(got, "products.edges").([]any)
	for _, seen := range []any{dig(got, "product.priceRange.min.minorUnits"), dig(edges[0], "node.priceRange.min.minorUnits")} {
		if seen != low {
			s.Errorf("the product's price range begins at %v in one place, at %v in another", low, seen)
		}
	}
	for _, list := range []any{dig(got, "product.variants"), dig(edges[0], "node.variants")} {
		if seen := dig(list.([]any)[0], "price.minorUnits"); seen != dig(variant, "price.minorUnits") {
			s.Errorf("the variant costs %v in one place, %v in another", dig(variant, "price.minorUnits"), seen)
		}
	}
	return fmt.Sprint(dig(variant, "price.minorUnits"), " compared with ", dig(variant, "compareAt.minorUnits"), ", from ", low, " to ", dig(variant, "product.priceRange.max.minorUnits"))
}

func TestAScheduledPriceBeginsByTheClockWithoutAnybodyAtWork(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, url string) {
		s := open(t, url, 1)
		clock := s.clock()
		variant := s.create(input("s"))["variants"].([]any)[0].(data)["id"]
		sale := []any{
			data{"from": clock.after(time.Hour), "price": eur(700), "compareAt": eur(1000)},
			data{"from": clock.after(3 * time.Hour), "price": eur(1200)},
			data{"from": clock.after(2 * time.Hour), "price": eur(4000)},
		}
		schedule := data{"i": data{"variantId": variant, "idempotencyKey": "k", "expectedVersion": 2, "prices": sale}}
		if got := refusalsOf(s.get(scheduleMutation, schedule, scopeWrite)["variantPriceSchedule"]); got != "" {
			t.Fatal(got)
		}
		const before, first, second, third = "1000 compared with <nil>, from 1000 to 3000", "700 compared with 1000, from 700 to 3000", "4000 compared with <nil>, from 3000 to 4000", "1200 compared with <nil>, from 1200 to 3000"
		steps := []struct {
			pass time.Duration
			want string
		}{{0, before}, {time.Hour - time.Microsecond, before}, {time.Microsecond, first}, {time.Hour - time.Microsecond, first}, {time.Microsecond, second}, {2 * time.Hour, third}}
		for i, step := range steps {
			clock.pass(step.pass)
			if got := s.shown("s"); got != step.want {
				t.Errorf("step %d: %s, want %s", i, got, step.want)
			}
			if i == 2 || i == 5 { // the work that follows changes nothing of what is shown
				if err := s.settleDue(t.Context()); err != nil {
					t.Fatal(err)
				}
				if got := s.shown("s"); got != step.want {
					t.Errorf("step %d, settled: %s, want %s", i, got, step.want)
				}
			}
		}
		if got := refusalsOf(s.get(scheduleMutation, schedule, scopeWrite)["variantPriceSchedule"]); got != "" {
			t.Errorf("the same command when its prices are in the past: %s", got)
		}
		var priced []string
		if err := s.db.Read.Select(&priced, `SELECT data FROM outbox WHERE type = 'agora.products.variant.priced.v1' ORDER BY sequence`); err != nil || len(priced) != 2 {
			t.Errorf("%d events tell of 2 settled prices: %v (%v)", len(priced), priced, err)
		}
		filter := data{"price": data{"currency": "EUR", "minMinorUnits": 1200, "maxMinorUnits": 1200}}
		if got := s.get(shownQuery, data{"sku": "", "slug": "", "list": filter})["products"].(data)["edges"].([]any); len(got) != 1 {
			t.Errorf("%d products cost 12 euros, want 1", len(got))
		}
	})
}

func TestAPriceThatIsSetEndsTheOneThatHasBegunAndKeepsThoseToCome(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, url string) {
		s := open(t, url, 1)
		clock := s.clock()
		variant := s.create(input("s"))["variants"].([]any)[0].(data)["id"]
		prices := []any{data{"from": clock.after(time.Hour), "price": eur(700)}, data{"from": clock.after(3 * time.Hour), "price": eur(800)}}
		s.get(scheduleMutation, data{"i": data{"variantId": variant, "idempotencyKey": "k", "prices": prices}}, scopeWrite)
		clock.pass(2 * time.Hour)
		s.get(priceMutation, data{"i": data{"variantId": variant, "idempotencyKey": "k", "price": eur(900), "compareAt": eur(950)}}, scopeWrite)
		if got, want := s.shown("s"), "900 compared with 950, from 900 to 3000"; got != want {
			t.Errorf("%s, want %s", got, want)
		}
		clock.pass(time.Hour)
		if got, want := s.shown("s"), "800 compared with <nil>, from 800 to 3000"; got != want {
			t.Errorf("%s, want %s", got, want)
		}
	})
}

func TestPricesThatCannotBeScheduledAreRefusedByField(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, url string) {
		s := open(t, url, 1)
		clock := s.clock()
		variant := s.create(input("s"))["variants"].([]any)[0].(data)["id"]
		price := data{"from": clock.after(time.Hour), "price": eur(700)}
		in := data{"variantId": variant, "idempotencyKey": "k", "prices": []any{price}}
		many := make([]any, maxScheduled+1)
		for i := range many {
			many[i] = data{"from": clock.after(time.Duration(i+1) * time.Hour), "price": eur(1)}
		}
		tests := []struct {
			name, path string
			value      any
			want       string
		}{
			{"in the past", "prices.0.from", clock.after(0), "INVALID_INPUT input.prices.0.from"},
			{"twice the same instant", "prices", []any{price, price}, "INVALID_INPUT input.prices.1.from"},
			{"too many", "prices", many, "INVALID_INPUT input.prices"},
			{"another currency", "prices.0.price.currency", "USD", "INVALID_PRICE input.prices.0.price.currency"},
			{"nothing", "prices.0.price.minorUnits", 0, "INVALID_PRICE input.prices.0.price.minorUnits"},
			{"compared with less", "prices.0.compareAt", eur(700), "INVALID_PRICE input.prices.0.compareAt.minorUnits"},
			{"no such variant", "variantId", "'; --", "NOT_FOUND input.variantId"},
			{"another version", "expectedVersion", 1, "VERSION_CONFLICT input.expectedVersion"},
		}
		for i, test := range tests {
			got := s.get(scheduleMutation, data{"i": with(with(in, test.path, test.value), "idempotencyKey", fmt.Sprint(i))}, scopeWrite)
			if refused := refusalsOf(got["variantPriceSchedule"]); refused != test.want {
				t.Errorf("%s: %q, want %q", test.name, refused, test.want)
			}
		}
		if got := code(s.ask(scheduleMutation, data{"i": in})); got != "FORBIDDEN" {
			t.Errorf("without the scope: %q, want FORBIDDEN", got)
		}
	})
}

const (
	listCreateMutation = `mutation($i: PriceListCreateInput!) { priceListCreate(input: $i) { priceList { id version validUntil } userErrors { code message field } } }`
	listUpdateMutation = `mutation($id: ID!, $i: PriceListUpdateInput!, $v: Int) { priceListUpdate(id: $id, input: $i, expectedVersion: $v) { priceList { version } userErrors { code message field } } }`
	listPricesMutation = `mutation($i: PriceListPricesSetInput!) { priceListPricesSet(input: $i) { priceList { version } userErrors { code message field } } }`
)

// list makes a price list and returns its id.
func (s shop) list(key string, in data) string {
	in["name"], in["idempotencyKey"] = key, key
	got := s.get(listCreateMutation, data{"i": in}, scopeWrite)
	if refused := refusalsOf(got["priceListCreate"]); refused != "" {
		s.Fatal(refused)
	}
	return dig(got, "priceListCreate.priceList.id").(string)
}

func TestAPriceListShowsInItsCurrencyChannelAndWindow(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, url string) {
		s := open(t, url, 1)
		clock := s.clock()
		variant := s.create(input("l"))["variants"].([]any)[0].(data)["id"]
		put := func(list string, minorUnits int, currency string, from any) {
			price := data{"variantId": variant, "from": from, "price": data{"minorUnits": minorUnits, "currency": currency}}
			got := s.get(listPricesMutation, data{"i": data{"listId": list, "idempotencyKey": fmt.Sprint(list, minorUnits), "prices": []any{price}}}, scopeWrite)
			if refused := refusalsOf(got["priceListPricesSet"]); refused != "" {
				t.Fatal(refused)
			}
		}
		dollars := s.list("dollars", data{"currency": "USD"})
		put(dollars, 1100, "USD", nil)
		put(dollars, 1300, "USD", clock.after(5*time.Hour))
		put(s.list("outlet", data{"currency": "EUR", "channel": "outlet"}), 600, "EUR", nil)
		put(s.list("week", data{"currency": "EUR", "validFrom": clock.after(time.Hour), "validUntil": clock.after(2 * time.Hour)}), 900, "EUR", nil)
		query := `query($sku: String!) { variant(sku: $sku) { price { minorUnits }
			usd: listPrice(currency: "USD", channel: "web") { ...p } eur: listPrice(currency: "EUR") { ...p } outlet: listPrice(currency: "EUR", channel: "outlet") { ...p } gbp: listPrice(currency: "GBP") { ...p } } }
			fragment p on ListPrice { price { minorUnits } list { name } }`
		price := func(name string) string {
			got, _ := json.Marshal(dig(s.get(query, data{"sku": "T-1-l"}), "variant."+name))
			return string(got)
		}
		shown := func(minorUnits int, list string) string {
			return fmt.Sprintf(`{"list":%s,"price":{"minorUnits":%d}}`, list, minorUnits)
		}
		steps := []struct {
			pass time.Duration
			usd  int
			eur  string
		}{
			{0, 1100, shown(1000, "null")},
			{time.Hour, 1100, shown(900, `{"name":"week"}`)},
			{time.Hour, 1100, shown(1000, "null")},
			{3 * time.Hour, 1300, shown(1000, "null")},
		}
		for i, step := range steps {
			clock.pass(step.pass)
			got := []string{price("usd"), price("eur"), price("outlet"), price("gbp"), price("price")}
			want := []string{shown(step.usd, `{"name":"dollars"}`), step.eur, shown(600, `{"name":"outlet"}`), "null", `{"minorUnits":1000}`}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("step %d:\n%s", i, diff)
			}
		}
		staff := `query($sku: String!) { variant(sku: $sku) { listPrices { list { name } price { minorUnits } } } priceLists { name } }`
		if got := len(dig(s.get(staff, data{"sku": "T-1-l"}, scopeWrite), "variant.listPrices").([]any)); got != 4 {
			t.Errorf("staff see %d prices in lists, want 4", got)
		}
		if got := code(s.ask(staff, data{"sku": "T-1-l"})); got != "FORBIDDEN" {
			t.Errorf("a shopper asks for all prices: %q, want FORBIDDEN", got)
		}
	})
}

func TestPriceListsChangeByVersionAndRefuseWhatCannotBe(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, url string) {
		s := open(t, url, 1)
		clock := s.clock()
		variant := s.create(input("l"))["variants"].([]any)[0].(data)["id"]
		list := s.list("sale", data{"currency": "EUR"})
		create := func(change data) string {
			in := data{"name": "x", "currency": "EUR", "idempotencyKey": fmt.Sprint(change)}
			for k, v := range change {
				in[k] = v
			}
			return refusalsOf(s.get(listCreateMutation, data{"i": in}, scopeWrite)["priceListCreate"])
		}
		update := func(version any, in data) string {
			return refusalsOf(s.get(listUpdateMutation, data{"id": list, "v": version, "i": in}, scopeWrite)["priceListUpdate"])
		}
		put := func(version any, list string, price data) string {
			in := data{"listId": list, "idempotencyKey": fmt.Sprint(version, list, price), "expectedVersion": version, "prices": []any{price}}
			return refusalsOf(s.get(listPricesMutation, data{"i": in}, scopeWrite)["priceListPricesSet"])
		}
		steps := []struct{ name, got, want string }{
			{"no currency", create(data{"currency": "euro"}), "INVALID_INPUT input.currency"},
			{"no channel", create(data{"channel": "'; --"}), "INVALID_INPUT input.channel"},
			{"ends before it begins", create(data{"validUntil": clock.after(-time.Hour)}), "INVALID_INPUT input.validUntil"},
			{"renamed", update(1, data{"name": "Sale 🛍️"}), ""},
			{"an old version", update(1, data{"name": "Other"}), "VERSION_CONFLICT expectedVersion"},
			{"the same again", update(2, data{"name": "Sale 🛍️"}), ""},
			{"a price", put(2, list, data{"variantId": variant, "price": eur(5)}), ""},
			{"a price by an old version", put(2, list, data{"variantId": variant, "price": eur(6)}), "VERSION_CONFLICT input.expectedVersion"},
			{"in another currency", put(3, list, data{"variantId": variant, "price": data{"minorUnits": 1, "currency": "USD"}}), "INVALID_PRICE input.prices.0.price.currency"},
			{"of no variant", put(3, list, data{"variantId": "var_x", "price": eur(5)}), "NOT_FOUND input.prices.0.variantId"},
			{"compared with nothing", put(3, list, data{"variantId": variant, "compareAt": eur(5)}), "INVALID_PRICE input.prices.0.compareAt"},
			{"no such list", put(nil, "prl_'", data{"variantId": variant, "price": eur(5)}), "NOT_FOUND input.listId"},
			{"taken out", put(3, list, data{"variantId": variant}), ""},
		}
		for _, step := range steps {
			if step.got != step.want {
				t.Errorf("%s: %q, want %q", step.name, step.got, step.want)
			}
		}
		got := dig(s.get(`{ variant(sku: "T-1-l") { listPrice(currency: "EUR") { price { minorUnits } } } }`, nil), "variant.listPrice.price.minorUnits")
		if got != 1000.0 {
			t.Errorf("a variant that was taken out of a list costs %v there, want 1000", got)
		}
	})
}

func TestRunForgetsOldIdempotencyKeys(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, url string) {
		s := open(t, url, 1)
		s.create(input("old"))
		keys := func() (n int) {
			if err := s.db.Read.Get(&n, `SELECT COUNT(*) FROM idempotency`); err != nil {
				t.Fatal(err)
			}
			return n
		}
		if keys() != 1 {
			t.Errorf("%d keys are kept, want 1", keys())
		}
		later := time.Now().Add(keyLife + time.Minute)
		s.now = func() time.Time { return later }
		done := make(chan error)
		ctx, cancel := context.WithCancel(t.Context())
		go func() { done <- s.Run(ctx, &event.Local{Log: s.log}) }()
		for keys() > 0 {
			time.Sleep(10 * time.Millisecond)
		}
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
}
