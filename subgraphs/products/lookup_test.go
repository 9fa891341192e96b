package products

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/agora-supergraph/agora/internal/cache"
	"github.com/agora-supergraph/agora/internal/database/databasetest"
	"github.com/agora-supergraph/agora/internal/event"
	"github.com/agora-supergraph/agora/internal/id"
	"github.com/agora-supergraph/agora/internal/identity"
	"github.com/agora-supergraph/agora/internal/subgraph"
	"github.com/agora-supergraph/agora/subgraphs/products/catalogue"
	"github.com/agora-supergraph/agora/subgraphs/products/feed"
)

// openCached opens a service on a database that open has filled, with lookups cached.
func openCached(t testing.TB, url string, now func() time.Time, cfg cache.Config) shop {
	t.Helper()
	s, err := New(t.Context(), Config{Database: url, Now: now, Cache: cfg})
	if err != nil {
		t.Fatal(err)
	}
	queries := databasetest.CountReads(t, s.db, url)
	server := subgraph.New(subgraph.Config{Name: "products", Schema: s.Schema(), Verifier: &identity.Verifier{Secret: testSecret}})
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- s.cache.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
		s.Close()
	})
	return shop{s, t, server, queries}
}

// wholePage is a product page, as the router asks it of this subgraph.
const wholePage = `query($slug: String!, $sku: String!, $r: [_Any!]!) {
	product(slug: $slug) { id slug name description status version updatedAt priceRange { min { amount currency } max { amount } }
		category { name slug parent { name } ancestors { slug } } variants { id sku name weightGrams price { amount } compareAt { amount } options { name value } product { name } } }
	variant(sku: $sku) { id price { amount } product { slug variants { sku } } }
	_entities(representations: $r) { __typename ... on Product { name priceRange { min { amount } } variants { sku } } ... on ProductVariant { sku price { amount } product { name } } ... on Category { name } } }`

// wholePageOf are the variables of wholePage for a product.
func wholePageOf(slug, sku string, others ...string) data {
	reps := []any{data{"__typename": "ProductVariant", "sku": sku}, data{"__typename": "Product", "slug": slug}, data{"__typename": "Category", "id": categoryID("Novels")}}
	for _, other := range others {
		kind := map[string]string{"prod": "Product", "var": "ProductVariant"}[id.Prefix(other)]
		if kind == "" {
			kind = "Product"
		}
		reps = append(reps, data{"__typename": kind, "id": other})
	}
	return data{"slug": slug, "sku": sku, "r": reps}
}

func TestAProductPageThatIsKnownTakesNoStatement(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, url string) {
		plain := open(t, url, 20)
		s := openCached(t, url, nil, cache.Config{Alone: true})
		for round := range 2 {
			for _, p := range catalogue.Generate(20) {
				slug, sku := slugOf(p.Name), p.Variants[0].SKU
				variables := wholePageOf(slug, sku, id.Derived(id.Product, slug), id.Derived(id.Variant, sku))
				before := s.queries.Load()
				got := s.get(wholePage, variables)
				if n := s.queries.Load() - before; round == 1 && n != 0 || n > 4 {
					t.Errorf("round %d: %d statements", round, n)
				}
				if diff := cmp.Diff(plain.get(wholePage, variables), got); diff != "" {
					t.Fatal(diff)
				}
			}
		}
		before := s.queries.Load()
		s.get(wholePage, wholePageOf(slugOf(catalogue.Products()[0].Name), "x"), "some:scope") // a service
		if s.queries.Load() == before {
			t.Error("a service is answered by the cache")
		}
	})
}

func TestReferencesThatCannotBeAreNotFoundInTheCacheEither(t *testing.T) {
	url := databasetest.SQLite(t)
	plain := open(t, url, 3)
	s := openCached(t, url, nil, cache.Config{Alone: true})
	p := catalogue.Products()[0]
	slug, sku := slugOf(p.Name), p.Variants[0].SKU
	productID, variantID := id.Derived(id.Product, slug), id.Derived(id.Variant, sku)
	for range 2 {
		for _, hostile := range []string{"", "categories", "slug:" + slug, "sku:" + sku, variantID, productID, "\x00", strings.Repeat("x", 10_000), "a:b", "_"} {
			variables := data{"slug": hostile, "sku": hostile, "r": []any{
				data{"__typename": "Product", "slug": hostile},
				data{"__typename": "ProductVariant", "sku": hostile},
				data{"__typename": "Product", "id": hostile},
				data{"__typename": "ProductVariant", "id": hostile},
			}}
			if diff := cmp.Diff(plain.get(wholePage, variables), s.get(wholePage, variables)); diff != "" {
				t.Errorf("%.40q:\n%s", hostile, diff)
			}
		}
	}
}

// Whatever happens to products, a shopper who is answered by the cache sees at every instant what one sees who is not.
func TestShoppersSeeEveryChangeAtOnceAndScheduledPricesAtTheirInstant(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, url string) {
		var now atomic.Int64
		now.Store(time.Now().UnixMicro())
		clock := func() time.Time { return time.UnixMicro(now.Load()) }
		open(t, url, 4)
		s := openCached(t, url, clock, cache.Config{Alone: true})
		plain := openCached(t, url, clock, cache.Config{})
		first := s.create(with(input("a"), "name", "Phantom Kettle"))
		productID, variant := first["id"].(string), first["variants"].([]any)[0].(data)
		pages := []data{
			wholePageOf("phantom-kettle", variant["sku"].(string), productID, variant["id"].(string)),
			wholePageOf("spectre", "SPECTRE-1", productID), wholePageOf(slugOf(catalogue.Products()[1].Name), "IMPORTED-1"),
		}
		compare := func(step string) {
			t.Helper()
			for _, variables := range pages {
				if diff := cmp.Diff(plain.get(wholePage, variables), s.get(wholePage, variables)); diff != "" {
					t.Fatalf("behind %s:\n%s", step, diff)
				}
			}
		}
		update := func(change data) {
			s.get(updateMutation, data{"id": productID, "i": change}, scopeWrite)
			compare(fmt.Sprint(change))
		}
		compare("nothing")
		for _, change := range []data{{"status": "ACTIVE"}, {"name": "Spectre"}, {"description": "Pale"}, {"status": "ARCHIVED"}, {"status": "ACTIVE"}} {
			update(change)
		}
		for i := range 3 {
			price := func(n int) data { return data{"minorUnits": n, "currency": "EUR"} }
			s.get(`mutation($i: VariantPriceSetInput!) { variantPriceSet(input: $i) { userErrors { message } } }`,
				data{"i": data{"variantId": variant["id"], "price": price(1000 + i), "idempotencyKey": fmt.Sprint("set", i)}}, scopeWrite)
			compare("a price")
			s.get(`mutation($i: VariantPriceScheduleInput!) { variantPriceSchedule(input: $i) { userErrors { message } } }`,
				data{"i": data{"variantId": variant["id"], "idempotencyKey": fmt.Sprint("plan", i), "prices": []any{
					data{"price": price(700 + i), "compareAt": price(2000), "from": clock().Add(time.Minute).Format(time.RFC3339Nano)},
					data{"price": price(500 + i), "from": clock().Add(2 * time.Minute).Format(time.RFC3339Nano)},
				}}}, scopeWrite)
			compare("a plan")
			for _, after := range []time.Duration{time.Minute - time.Microsecond, time.Microsecond, 30 * time.Second, time.Minute} {
				now.Add(after.Microseconds())
				before := s.queries.Load()
				s.get(wholePage, pages[0])
				if n := s.queries.Load() - before; after == time.Microsecond && n > 0 {
					t.Errorf("%d statements to see a price that begins", n)
				}
				compare(fmt.Sprint("waiting ", after))
				if rand.IntN(2) == 0 {
					if err := s.settleDue(t.Context()); err != nil {
						t.Fatal(err)
					}
					compare("settling")
				}
			}
		}
		file := `{"slug": "spectre-2", "name": "Imported", "description": "By a file.", "status": "ACTIVE", "category": "new-things:New Things", "currency": "EUR", "variants": [{"sku": "IMPORTED-1", "name": "One", "price": "9.99"}]}`
		if result, refused, err := s.imported(file, feed.JSONL, ImportConfig{}); err != nil || result.Created != 1 {
			t.Fatalf("import: %+v %q %v", result, refused, err)
		}
		compare("an import")
	})
}

func TestACommandBesideARunningShopIsHeardByItsEvents(t *testing.T) {
	url := databasetest.SQLite(t)
	open(t, url, 2)
	s := openCached(t, url, nil, cache.Config{Alone: true})
	bus := &event.Local{}
	s.Subscribe(bus)
	command := openCached(t, url, nil, cache.Config{})
	variables := wholePageOf("novelty", "NOVEL-1")
	if s.get(wholePage, variables)["product"] != nil {
		t.Fatal("it is there already")
	}
	file := `{"slug": "novelty", "name": "Novelty", "description": "New.", "status": "ACTIVE", "category": "new-things:New Things", "currency": "EUR", "variants": [{"sku": "NOVEL-1", "name": "One", "price": "9.99"}]}`
	if _, refused, err := command.imported(file, feed.JSONL, ImportConfig{}); err != nil || refused != nil {
		t.Fatal(refused, err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	relayed := make(chan error, 1)
	go func() { relayed <- s.outbox.Relay(ctx, bus, s.log) }()
	var diff string
	for deadline := time.Now().Add(20 * time.Second); time.Now().Before(deadline); time.Sleep(10 * time.Millisecond) {
		if diff = cmp.Diff(command.get(wholePage, variables), s.get(wholePage, variables)); diff == "" {
			break
		}
	}
	cancel()
	if err := <-relayed; diff != "" {
		t.Error(diff, err)
	}
}

// BenchmarkAProductPage is one after the other of 100 products, with a cache and without.
func BenchmarkAProductPage(b *testing.B) {
	for name, cfg := range map[string]cache.Config{"cached": {Alone: true}, "not cached": {}} {
		for engine, url := range map[string]string{"sqlite": databasetest.SQLite(b), "postgres": databasetest.Postgres(b)} {
			b.Run(name+" on "+engine, func(b *testing.B) {
				open(b, url, 100)
				s := openCached(b, url, nil, cfg)
				products := catalogue.Generate(100)
				read := func(i int) {
					p := products[i%len(products)]
					s.get(wholePage, wholePageOf(slugOf(p.Name), p.Variants[0].SKU))
				}
				for i := range products {
					read(i)
				}
				b.ResetTimer()
				before := s.queries.Load()
				for i := range b.N {
					read(i)
				}
				b.ReportMetric(float64(s.queries.Load()-before)/float64(b.N), "statements/op")
			})
		}
	}
}
