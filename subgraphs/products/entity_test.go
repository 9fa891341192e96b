package products

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/agora-supergraph/agora/internal/database/databasetest"
	"github.com/agora-supergraph/agora/internal/id"
	"github.com/agora-supergraph/agora/subgraphs/products/catalogue"
)

const entitiesQuery = `query($r: [_Any!]!) { _entities(representations: $r) { __typename
	... on Product { id name } ... on ProductVariant { sku product { name } } ... on Category { name } } }`

func TestReferencesByAnyKeyAreAnsweredInOrderAndNullForWhatIsNotThere(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, url string) {
		s := open(t, url, 3)
		first := catalogue.Products()[0]
		slug, sku := slugOf(first.Name), first.Variants[0].SKU
		productID := id.Derived(id.Product, slug)
		reps := []any{
			data{"__typename": "Product", "slug": slug},
			data{"__typename": "Product", "id": "nobody\x00"},
			data{"__typename": "ProductVariant", "sku": sku},
			data{"__typename": "Product", "id": productID},
			data{"__typename": "ProductVariant", "id": id.Derived(id.Variant, sku)},
			data{"__typename": "ProductVariant", "sku": "'; --"},
			data{"__typename": "Category", "id": categoryID("Novels")},
			data{"__typename": "Product", "slug": slug},
			data{"__typename": "Category", "id": "cat_none"},
		}
		product := data{"__typename": "Product", "id": productID, "name": first.Name}
		variant := data{"__typename": "ProductVariant", "sku": sku, "product": data{"name": first.Name}}
		want := []any{product, nil, variant, product, variant, nil, data{"__typename": "Category", "name": "Novels"}, product, nil}
		if diff := cmp.Diff(want, s.get(entitiesQuery, data{"r": reps})["_entities"]); diff != "" {
			t.Error(diff)
		}
	})
}

func TestShoppersSeeWhatIsActiveAndStaffEverything(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, url string) {
		s := open(t, url, 3)
		product := s.create(with(input("v"), "name", "Phantom Kettle"))
		sku := product["variants"].([]any)[0].(data)["sku"]
		query := fmt.Sprintf(`query($r: [_Any!]!) {
			product(slug: "phantom-kettle") { name } variant(sku: %q) { name } list: products(query: "phantom") { totalCount }
			category(slug: "novels") { products(filter: {options: [{name: "Colour", values: ["Red"]}]}) { totalCount } } _entities(representations: $r) { __typename } }`, sku)
		reps := data{"r": []any{data{"__typename": "Product", "id": product["id"]}, data{"__typename": "ProductVariant", "sku": sku}}}
		all := data{
			"product": data{"name": "Phantom Kettle"}, "variant": data{"name": "Red"}, "list": data{"totalCount": 1.0}, "category": data{"products": data{"totalCount": 1.0}},
			"_entities": []any{data{"__typename": "Product"}, data{"__typename": "ProductVariant"}},
		}
		none := data{
			"product": nil, "variant": nil, "list": data{"totalCount": 0.0}, "category": data{"products": data{"totalCount": 0.0}},
			"_entities": []any{nil, nil},
		}
		for _, status := range []string{"ACTIVE", "DRAFT", "ARCHIVED", "ACTIVE"} {
			s.get(updateMutation, data{"id": product["id"], "i": data{"status": status}}, scopeWrite)
			shopper := none
			if status == "ACTIVE" {
				shopper = all
			}
			if diff := cmp.Diff(shopper, s.get(query, reps)); diff != "" {
				t.Errorf("a shopper, %s:\n%s", status, diff)
			}
			if diff := cmp.Diff(all, s.get(query, reps, scopeWrite)); diff != "" {
				t.Errorf("staff, %s:\n%s", status, diff)
			}
			filter := `query($s: [ProductStatus!]) { products(query: "phantom", filter: {statuses: $s}) { totalCount } }`
			if got := dig(s.get(filter, data{"s": []any{status}}, scopeWrite), "products.totalCount"); got != 1.0 {
				t.Errorf("staff find %v products that are %s, want 1", got, status)
			}
		}
	})
}

func TestTheCategoryTreeIsWalkedInAllDirections(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, url string) {
		s := open(t, url, 1)
		got := s.get(`{ leaf: category(slug: "hand-tools") { parent { slug parent { slug } } ancestors { slug } children { slug } }
			root: category(slug: "garden") { ancestors { slug } children { slug } } none: category(slug: "'\\u0000") { slug } categories { name } }`, nil)
		want := data{
			"leaf": data{"parent": data{"slug": "garden", "parent": nil}, "ancestors": []any{data{"slug": "garden"}}, "children": []any{}},
			"root": data{"ancestors": []any{}, "children": []any{data{"slug": "hand-tools"}, data{"slug": "pots-planters"}, data{"slug": "seeds"}}},
			"none": nil,
		}
		roots := []any{}
		for _, name := range strings.Split("Audio Bicycles Books Coffee_&_Tea Garden Home Kitchen Lighting Outdoor Sports Stationery Toys", " ") {
			roots = append(roots, data{"name": strings.ReplaceAll(name, "_", " ")})
		}
		want["categories"] = roots
		if diff := cmp.Diff(want, got); diff != "" {
			t.Error(diff)
		}
	})
}

func TestProductTakesOneKeyAndWhatCannotExistIsNotFound(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, url string) {
		s := open(t, url, 1)
		for _, args := range []string{``, `(id: "a", slug: "b")`, `(id: null)`} {
			if got := code(s.ask(`{ product`+args+` { id } }`, nil)); got != "BAD_USER_INPUT" {
				t.Errorf("product%s: %q", args, got)
			}
		}
		got := s.get(`query($x: String!, $y: ID!) { a: product(slug: $x) { id } b: product(id: $y) { id } c: variant(sku: $x) { id } }`, data{"x": "\x00\"'", "y": "\x00"})
		if diff := cmp.Diff(data{"a": nil, "b": nil, "c": nil}, got); diff != "" {
			t.Error(diff)
		}
	})
}

// What a list of products takes must not depend on how many they are.
func TestStatementsDoNotGrowWithTheList(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, url string) {
		s := open(t, url, 120)
		var byID, bySKU []any
		for _, p := range catalogue.Generate(100) {
			byID = append(byID, data{"__typename": "Product", "id": id.Derived(id.Product, slugOf(p.Name))}, data{"__typename": "Product", "slug": slugOf(p.Name)})
			bySKU = append(bySKU, data{"__typename": "ProductVariant", "sku": p.Variants[0].SKU}, data{"__typename": "ProductVariant", "id": id.Derived(id.Variant, p.Variants[0].SKU)})
		}
		page := `edges { node { name priceRange { min { amount } } category { name parent { name } ancestors { slug } children { id } } variants { sku options { value } product { name variants { sku } category { name } } } } }`
		tests := []struct {
			name, query string
			v           data
			want        int64
		}{
			{"a page", `{ products(first: 100) { edges { node { name priceRange { max { amount } } } } } }`, nil, 1},
			{"with variants", `{ products(first: 100) { edges { node { variants { sku product { slug } } } } } }`, nil, 2},
			{"with prices in lists", `{ products(first: 100) { edges { node { variants { listPrice(currency: "USD") { price { amount } } other: listPrice(currency: "EUR", channel: "web") { list { name } } } } } } }`, nil, 3},
			{"references with prices in lists", `query($r: [_Any!]!) { _entities(representations: $r) { ... on ProductVariant { price { amount } listPrice(currency: "EUR") { price { amount } } } } }`, data{"r": bySKU}, 2},
			{"with everything", `{ products(first: 100) { ` + page + ` } }`, nil, 3},
			{"a search with everything", `{ products(query: "the", first: 100) { ` + page + ` } }`, nil, 4},
			{"of a category", `{ category(slug: "kitchen") { products(first: 100) { ` + page + ` } } }`, nil, 4},
			{"with a count", `{ products(first: 100) { totalCount edges { cursor } } }`, nil, 2},
			{"with facets", `{ products { facets { key } } }`, nil, 5},
			{"a search with facets", `{ products(query: "the") { totalCount facets { key } } }`, nil, 5},
			{"200 references to products", entitiesQuery, data{"r": byID}, 1},
			{"200 references to variants with their products", entitiesQuery, data{"r": bySKU}, 2},
			{"200 references to products with variants", `query($r: [_Any!]!) { _entities(representations: $r) { ... on Product { variants { sku } category { name } } } }`, data{"r": byID}, 3},
			{"the whole tree", `{ categories { name children { name parent { name } ancestors { name } } } }`, nil, 1},
			{"a product page", `{ product(slug: "halden-chef-s-knife") { name } other: product(slug: "halden-chefs-knife") { name category { ancestors { name } } variants { sku } } }`, nil, 4},
		}
		for _, test := range tests {
			before := s.queries.Load()
			s.get(test.query, test.v)
			if got := s.queries.Load() - before; got != test.want {
				t.Errorf("%s takes %d statements, want %d", test.name, got, test.want)
			}
		}
	})
}
