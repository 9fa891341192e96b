package products

import (
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/agora-supergraph/agora/internal/database/databasetest"
	"github.com/agora-supergraph/agora/subgraphs/products/feed"
)

const addVariantMutation = `mutation($i: VariantCreateInput!) { variantCreate(input: $i) {
	variant { id sku status price { minorUnits } product { version priceRange { min { minorUnits } max { minorUnits } } variants { sku } } } userErrors { code message field } } }`

const variantMutation = `mutation($id: ID!, $i: VariantUpdateInput!, $v: Int) { variantUpdate(id: $id, input: $i, expectedVersion: $v) {
	variant { id name status weightGrams options { name value } product { version priceRange { min { minorUnits } max { minorUnits } } } } userErrors { code message field } } }`

// green is a variant that may be added to the product of input, of a green of its own.
func green(productID any, key string) data {
	return data{"productId": productID, "idempotencyKey": key, "variant": data{
		"sku": "T-3-" + key, "name": "Green", "price": data{"minorUnits": 500, "currency": "EUR"}, "options": []any{data{"name": "Colour", "value": "Green " + key}},
	}}
}

// skusOf are the SKUs of the variants that somebody sees of a product.
func (s shop) skusOf(productID any, scopes ...string) string {
	s.Helper()
	var skus []string
	for _, v := range dig(s.get(`query($id: ID!) { product(id: $id) { variants { sku } } }`, data{"id": productID}, scopes...), "product.variants").([]any) {
		skus = append(skus, dig(v, "sku").(string))
	}
	return strings.Join(skus, " ")
}

// found reports whether a search finds a product by its name.
func (s shop) found(query, name string) bool {
	s.Helper()
	return strings.Contains(fmt.Sprint(names(s.get(pageQuery, data{"q": query})["products"])), name)
}

func TestAVariantIsAddedOnceAndFoundPricedAndCounted(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, url string) {
		s := open(t, url, 5)
		product := s.create(input("v"))
		for range 2 {
			got := s.get(addVariantMutation, data{"i": green(product["id"], "k")}, scopeWrite)["variantCreate"].(data)
			if r := refusalsOf(got); r != "" || dig(got, "variant.product.version") != 3.0 || dig(got, "variant.product.priceRange.min.minorUnits") != 500.0 {
				t.Fatalf("%s %v", r, got)
			}
		}
		if got := s.skusOf(product["id"]); got != "T-1-v T-2-v T-3-k" {
			t.Errorf("a shopper sees %s", got)
		}
		if !s.found("green", "Crème Kettle") || !s.found("T-3-k", "Crème Kettle") {
			t.Error("the search does not find the product by its new variant")
		}
		if kept, counted := s.recounted(); !cmp.Equal(kept, counted) {
			t.Errorf("counts (-anew +kept):\n%s", cmp.Diff(counted, kept))
		}
		tests := []struct {
			name, want string
			in         data
		}{
			{"the key for another variant", "IDEMPOTENCY_KEY_REUSED input.idempotencyKey", with(green(product["id"], "k"), "variant.name", "Other")},
			{"a SKU that is taken", "SKU_TAKEN input.variant.sku", with(green(product["id"], "a"), "variant.sku", "T-1-v")},
			{"another currency", "INVALID_PRICE input.variant.price.currency", with(green(product["id"], "b"), "variant.price.currency", "USD")},
			{"a price of nothing", "INVALID_PRICE input.variant.price.minorUnits", with(green(product["id"], "c"), "variant.price.minorUnits", 0)},
			{"a product that is not there", "NOT_FOUND input.productId", green("prod_x", "d")},
			{"an old version", "VERSION_CONFLICT input.expectedVersion", with(green(product["id"], "e"), "expectedVersion", 2)},
		}
		for _, test := range tests {
			payload := s.get(addVariantMutation, data{"i": test.in}, scopeWrite)["variantCreate"]
			if got := refusalsOf(payload); got != test.want {
				t.Errorf("%s: %q, want %q", test.name, got, test.want)
			}
		}
		if got := code(s.ask(addVariantMutation, data{"i": green(product["id"], "f")})); got != "FORBIDDEN" {
			t.Errorf("without the scope: %q, want FORBIDDEN", got)
		}
	})
}

func TestAnArchivedVariantIsGoneForShoppersAndComesBack(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, url string) {
		s := open(t, url, 5)
		product := s.create(input("v"))
		red, blue := dig(product["variants"].([]any)[0], "id"), dig(product["variants"].([]any)[1], "id")
		change := func(id any, in data, version any) string {
			t.Helper()
			payload := s.get(variantMutation, data{"id": id, "i": in, "v": version}, scopeWrite)["variantUpdate"].(data)
			if r := refusalsOf(payload); r != "" {
				return r
			}
			p := dig(payload, "variant.product")
			return fmt.Sprint(dig(payload, "variant.status"), " from ", dig(p, "priceRange.min.minorUnits"), " version ", dig(p, "version"))
		}
		archived, restored := data{"status": "ARCHIVED"}, data{"status": "ACTIVE"}
		sees := func(name, want string) {
			t.Helper()
			if got := s.skusOf(product["id"]); got != want {
				t.Errorf("%s: a shopper sees %q, want %q", name, got, want)
			}
			if kept, counted := s.recounted(); !cmp.Equal(kept, counted) {
				t.Errorf("%s: counts (-anew +kept):\n%s", name, cmp.Diff(counted, kept))
			}
		}
		steps := []struct{ name, got, want string }{
			{"an old version", change(red, archived, 1), "VERSION_CONFLICT expectedVersion"},
			{"archived", change(red, archived, 2), "ARCHIVED from 3000 version 3"},
			{"archived again", change(red, archived, nil), "ARCHIVED from 3000 version 3"},
			{"the last one", change(blue, archived, nil), "INVALID_INPUT input.status"},
			{"no such variant", change("var_x", archived, nil), "NOT_FOUND id"},
		}
		for _, step := range steps {
			if step.got != step.want {
				t.Errorf("%s: %s, want %s", step.name, step.got, step.want)
			}
		}
		sees("archived", "T-2-v")
		if got := s.skusOf(product["id"], scopeWrite); got != "T-1-v T-2-v" {
			t.Errorf("staff see %s", got)
		}
		if s.found("red", "Crème Kettle") || s.found("T-1-v", "Crème Kettle") || !s.found("blue", "Crème Kettle") {
			t.Error("the search does not follow")
		}
		const one = `query($id: ID!) { variant(sku: "T-1-v") { id } _entities(representations: [{__typename: "ProductVariant", id: $id}]) { __typename } }`
		if got := s.get(one, data{"id": red}); dig(got, "variant") != nil || got["_entities"].([]any)[0] != nil {
			t.Errorf("an archived variant is shown: %v", got)
		}
		if got := change(red, restored, nil); got != "ACTIVE from 1000 version 4" {
			t.Errorf("restored: %s", got)
		}
		sees("restored", "T-1-v T-2-v")
		if !s.found("red", "Crème Kettle") {
			t.Error("the search does not find what came back")
		}
		change(red, archived, nil)
		s.imported(strings.NewReplacer("POT-R", "T-1-v", "POT-B", "T-2-v", "\npot,", "\ncreme-kettle,").Replace(pots), feed.CSV, ImportConfig{})
		if got := s.skusOf(product["id"], scopeWrite); !strings.HasPrefix(got, "T-1-v T-2-v") {
			t.Errorf("after an import: %s", got)
		}
	})
}

func TestAVariantIsChangedInWhatIsGiven(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, url string) {
		s := open(t, url, 5)
		product := s.create(input("v"))
		red := dig(product["variants"].([]any)[0], "id")
		change := func(in data) string {
			payload := s.get(variantMutation, data{"id": red, "i": in}, scopeWrite)["variantUpdate"].(data)
			if r := refusalsOf(payload); r != "" {
				return r
			}
			v := payload["variant"]
			return fmt.Sprintf("%v%v%v", dig(v, "name"), dig(v, "options"), dig(v, "weightGrams"))
		}
		size := []any{data{"name": "Size", "value": "Große"}}
		steps := []struct{ name, got, want string }{
			{"nothing", change(data{}), "Red[map[name:Colour value:Red]]10"},
			{"a name", change(data{"name": "Rot"}), "Rot[map[name:Colour value:Red]]10"},
			{"no weight", change(data{"weightGrams": nil}), "Rot[map[name:Colour value:Red]]<nil>"},
			{"options", change(data{"options": size, "weightGrams": 7}), "Rot[map[name:Size value:Große]]7"},
			{"options twice", change(data{"options": append(size, size...)}), "INVALID_INPUT input.options.1.name"},
			{"a negative weight", change(data{"weightGrams": -1}), "INVALID_INPUT input.weightGrams"},
			{"an empty name", change(data{"name": ""}), "INVALID_INPUT input.name"},
		}
		for _, step := range steps {
			if step.got != step.want {
				t.Errorf("%s: %s, want %s", step.name, step.got, step.want)
			}
		}
		if !s.found("große", "Crème Kettle") || s.found("red", "Crème Kettle") {
			t.Error("the search does not follow the options")
		}
		if kept, counted := s.recounted(); !cmp.Equal(kept, counted) {
			t.Errorf("counts (-anew +kept):\n%s", cmp.Diff(counted, kept))
		}
	})
}

func TestOfManyVariantsWithOneSKUAtOnceOneIsAdded(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, url string) {
		s := open(t, url, 1)
		product, other := s.create(input("a")), s.create(input("b"))
		var mu sync.Mutex
		outcomes := map[string]int{}
		var wg sync.WaitGroup
		for i := range 8 {
			wg.Go(func() {
				in := with(green([]any{product["id"], other["id"]}[i%2], fmt.Sprint(i)), "variant.sku", "ONE")
				got := refusalsOf(s.get(addVariantMutation, data{"i": in}, scopeWrite)["variantCreate"])
				mu.Lock()
				defer mu.Unlock()
				outcomes[got]++
			})
		}
		wg.Wait()
		if diff := cmp.Diff(map[string]int{"": 1, "SKU_TAKEN input.variant.sku": 7}, outcomes); diff != "" {
			t.Error(diff)
		}
	})
}
