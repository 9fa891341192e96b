package products

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/agora-supergraph/agora/internal/database/databasetest"
	"github.com/agora-supergraph/agora/subgraphs/products/feed"
)

// injections are texts that would do something where text is taken for more than that.
var injections = []string{
	`'; DROP TABLE product; --`, `' OR '1'='1`, `" OR ""="`, `\'; --`, `$1`, `%s%n`, `%' --`, `a) UNION SELECT id FROM product --`,
	`kettle" OR name : "x`, `x & !y | z:*`, `<script>alert(1)</script>`, "\x00", `{"$gt": ""}`, `../../../etc/passwd`,
}

// Every string argument of the schema stands here once, as one that may hold anything.
func TestInjectionsInEveryArgumentChangeNothing(t *testing.T) {
	operations := []struct{ name, query string }{
		{"product", `query($x: ID, $s: String) { product(id: $x) { id } other: product(slug: $s) { id } }`},
		{"variant", `query($s: String!) { variant(sku: $s) { id } }`},
		{"listPrice", `query($c: CurrencyCode!) { variant(sku: "BKC-001-HARDBA") { listPrice(currency: $c) { price { amount } } } }`},
		{"channel", `query($s: String!) { variant(sku: "BKC-001-HARDBA") { listPrice(currency: "EUR", channel: $s) { price { amount } } } }`},
		{"category", `query($s: String!) { category(slug: $s) { id } }`},
		{"search", `query($s: String!) { products(query: $s) { totalCount facets { key } edges { node { id } } } }`},
		{"after", `query($s: String!) { products(after: $s) { totalCount } }`},
		{"before", `query($s: String!) { products(before: $s) { totalCount } category(slug: "books") { products(after: $s) { totalCount } } }`},
		{"categoryIds", `query($x: ID!) { products(filter: {categoryIds: [$x]}) { totalCount facets { key } } }`},
		{"price", `query($c: CurrencyCode!) { products(filter: {price: {currency: $c}}) { totalCount facets { key } } }`},
		{"options", `query($s: String!) { products(query: "the", filter: {options: [{name: $s, values: [$s]}, {name: "Format", values: [$s]}]}) { totalCount facets { key } } }`},
		{"entities", `query($s: String!) { _entities(representations: [{__typename: "Product", id: $s}, {__typename: "Product", slug: $s}, {__typename: "ProductVariant", id: $s}, {__typename: "ProductVariant", sku: $s}, {__typename: "Category", id: $s}]) { __typename } }`},
		{"productUpdate", `mutation($x: ID!, $s: String!) { productUpdate(id: $x, input: {name: $s, description: $s, categoryId: $x}) { userErrors { code } } }`},
		{"productCreate", `mutation($x: ID!, $s: String!, $c: CurrencyCode!) { productCreate(input: {name: "n", description: "d", slug: $s, categoryId: $x, idempotencyKey: $s, variants: [{sku: $s, name: $s, price: {minorUnits: 1, currency: $c}, options: [{name: $s, value: $s}]}]}) { userErrors { code } } }`},
		{"variantPriceSet", `mutation($x: ID!, $s: String!) { variantPriceSet(input: {variantId: $x, idempotencyKey: $s, price: {minorUnits: 1, currency: "EUR"}}) { userErrors { code } } }`},
		{"variantPriceSchedule", `mutation($x: ID!, $s: String!) { variantPriceSchedule(input: {variantId: $x, idempotencyKey: $s, prices: []}) { userErrors { code } } }`},
		{"priceListCreate", `mutation($s: String!, $c: CurrencyCode!) { priceListCreate(input: {name: $s, currency: $c, channel: $s, idempotencyKey: $s}) { userErrors { code } } }`},
		{"priceListUpdate", `mutation($x: ID!, $s: String!) { priceListUpdate(id: $x, input: {name: $s}) { userErrors { code } } }`},
		{"priceListPricesSet", `mutation($x: ID!, $s: String!) { priceListPricesSet(input: {listId: $x, idempotencyKey: $s, prices: [{variantId: $x}]}) { userErrors { code } } }`},
	}
	databasetest.Each(t, func(t *testing.T, url string) {
		s := open(t, url, 3)
		before := s.exported(feed.JSONL)
		for _, o := range operations {
			for _, text := range injections {
				variables := data{}
				for name, declared := range map[string]string{"s": "$s:", "x": "$x:", "c": "$c:"} {
					if strings.Contains(o.query, declared) {
						variables[name] = text
					}
				}
				if got := code(s.ask(o.query, variables, scopeWrite)); got != "" && got != "BAD_USER_INPUT" {
					t.Errorf("%s with %q: %s", o.name, text, got)
				}
			}
		}
		if diff := cmp.Diff(before, s.exported(feed.JSONL)); diff != "" {
			t.Errorf("the catalogue has changed:\n%s", diff)
		}
		var lists int
		if err := s.db.Read.Get(&lists, `SELECT COUNT(*) FROM price_list`); err != nil || lists != 0 {
			t.Errorf("%d price lists (%v)", lists, err)
		}
	})
}

func TestNamesInAnyScriptAreKeptFoundAndListed(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, url string) {
		s := open(t, url, 1)
		for i, test := range []struct{ name, query, slug string }{
			{"קומקום ירוק", "קומק", "product"},
			{"غلاية الشاي", "الشاي", "product-2"},
			{"Чайник Эмаль", "чайник", "product-3"},
			{"Ünïcødé Kännchen 🫖", "unicode kannchen", "unicode-kannchen"},
			{"Ｆｕｌｌ Ｗｉｄｔｈ", "full width", "full-width"},
			{"e\u0301clair", "éclair", "eclair"},
			{"茶 壶", "茶", "product-4"},
		} {
			product := s.create(with(input(fmt.Sprint("u", i)), "name", test.name))
			if product["name"] != test.name || product["slug"] != test.slug {
				t.Errorf("%q is kept as %q with the slug %q, want %q", test.name, product["name"], product["slug"], test.slug)
			}
			got := s.get(pageQuery, data{"q": test.query})["products"]
			if diff := cmp.Diff([]string{test.name}, names(got)); diff != "" {
				t.Errorf("search for %q:\n%s", test.query, diff)
			}
		}
	})
}

func TestReferencesThatCannotBeAreClearErrors(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, url string) {
		s := open(t, url, 1)
		many := make([]any, maxBatch+1)
		for i := range many {
			many[i] = data{"__typename": "Product", "id": fmt.Sprint(i)}
		}
		for _, test := range []struct {
			name string
			reps []any
		}{
			{"too many", many},
			{"no type", []any{data{"id": "x"}}},
			{"no such type", []any{data{"__typename": "Nothing", "id": "x"}}},
			{"no key", []any{data{"__typename": "Product", "name": "x"}}},
			{"a number for a type", []any{data{"__typename": 1}}},
			{"a list for a key", []any{data{"__typename": "Product", "id": []any{1}}}},
			{"null for a key", []any{data{"__typename": "Product", "id": nil}}},
			{"no object", []any{"x"}},
		} {
			out := s.ask(entitiesQuery, data{"r": test.reps})
			errs, _ := out["errors"].([]any)
			if len(errs) == 0 || code(out) == "INTERNAL" {
				t.Errorf("%s: %.300v", test.name, out)
			}
		}
	})
}
