package products

import (
	"encoding/json"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/agora-supergraph/agora/internal/database/databasetest"
	"github.com/agora-supergraph/agora/internal/id"
)

const createMutation = `mutation($i: ProductCreateInput!) { productCreate(input: $i) {
	product { id slug name status version priceRange { min { minorUnits currency } max { minorUnits } } variants { id sku options { name value } price { minorUnits } weightGrams } }
	userErrors { code message field } } }`

const updateMutation = `mutation($id: ID!, $i: ProductUpdateInput!, $v: Int) { productUpdate(id: $id, input: $i, expectedVersion: $v) {
	product { id slug name status version category { slug } } userErrors { code message field } } }`

const priceMutation = `mutation($i: VariantPriceSetInput!) { variantPriceSet(input: $i) {
	variant { price { minorUnits currency } product { version priceRange { min { minorUnits } max { minorUnits } } } } userErrors { code message field } } }`

// input is one of a product that can be created.
func input(key string) data {
	return data{
		"name": "Crème Kettle", "description": "A kettle for tests.", "categoryId": categoryID("Novels"), "idempotencyKey": key,
		"variants": []any{
			data{"sku": "T-1-" + key, "name": "Red", "price": data{"minorUnits": 1000, "currency": "EUR"}, "options": []any{data{"name": "Colour", "value": "Red"}}, "weightGrams": 10},
			data{"sku": "T-2-" + key, "name": "Blue", "price": data{"minorUnits": 3000, "currency": "EUR"}, "options": []any{data{"name": "Colour", "value": "Blue"}}},
		},
	}
}

// with is an input with something else at a path.
func with(in data, path string, value any) data {
	raw, err := json.Marshal(in)
	if err != nil {
		panic(err)
	}
	var out data
	if err := json.Unmarshal(raw, &out); err != nil {
		panic(err)
	}
	at, keys := any(out), strings.Split(path, ".")
	for _, key := range keys[:len(keys)-1] {
		if list, ok := at.([]any); ok {
			at = list[key[0]-'0']
		} else {
			at = at.(data)[key]
		}
	}
	at.(data)[keys[len(keys)-1]] = value
	return out
}

// create makes a product that is for sale and returns it as createMutation does.
func (s shop) create(in data) data {
	s.Helper()
	payload := s.get(createMutation, data{"i": in}, scopeWrite)["productCreate"].(data)
	if payload["product"] == nil {
		s.Fatalf("create %v: %v", in, payload["userErrors"])
	}
	product := payload["product"].(data)
	s.get(updateMutation, data{"id": product["id"], "i": data{"status": "ACTIVE"}}, scopeWrite)
	return product
}

// refusals are the codes and fields of a payload's user errors.
func refusalsOf(payload any) string {
	var all []string
	for _, e := range dig(payload, "userErrors").([]any) {
		var field []string
		if list, ok := dig(e, "field").([]any); ok {
			for _, f := range list {
				field = append(field, f.(string))
			}
		}
		all = append(all, fmt.Sprintf("%s %s", dig(e, "code"), strings.Join(field, ".")))
	}
	return strings.Join(all, ", ")
}

func TestInputsThatCannotBeAreRefusedWithTheirField(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, url string) {
		s := open(t, url, 30)
		s.create(with(input("first"), "slug", "taken"))
		long := strings.Repeat("é", 201)
		tests := []struct {
			name, path string
			value      any
			want       string
		}{
			{"no name", "name", " ", "INVALID_INPUT input.name"},
			{"long name", "name", long, "INVALID_INPUT input.name"},
			{"name of the longest", "name", long[2:], ""},
			{"NUL in the name", "name", "a\x00b", "INVALID_INPUT input.name"},
			{"name of two lines", "name", "a\nb", "INVALID_INPUT input.name"},
			{"name in another script", "name", "قهوة 珈琲 ☕", ""},
			{"long description", "description", strings.Repeat("x", 10_001), "INVALID_INPUT input.description"},
			{"description of lines", "description", "a\nb\tc", ""},
			{"slug with a space", "slug", "a b", "INVALID_INPUT input.slug"},
			{"slug of capitals", "slug", "Kettle", "INVALID_INPUT input.slug"},
			{"slug taken", "slug", "taken", "SLUG_TAKEN input.slug"},
			{"category that doesn't exist", "categoryId", "cat_'; DROP TABLE category; --", "NOT_FOUND input.categoryId"},
			{"category with NUL", "categoryId", "\x00", "NOT_FOUND input.categoryId"},
			{"no key", "idempotencyKey", "", "INVALID_INPUT input.idempotencyKey"},
			{"long key", "idempotencyKey", strings.Repeat("k", 256), "INVALID_INPUT input.idempotencyKey"},
			{"no variants", "variants", []any{}, "INVALID_INPUT input.variants"},
			{"SKU taken", "variants.1.sku", "T-1-first", "SKU_TAKEN input.variants.1.sku"},
			{"SKU twice", "variants.1.sku", "T-1-SKU twice", "INVALID_INPUT input.variants.1.sku"},
			{"SKU with NUL", "variants.0.sku", "a\x00", "INVALID_INPUT input.variants.0.sku"},
			{"SKU that is an id", "variants.0.sku", id.New(id.Variant), "INVALID_INPUT input.variants.0.sku"},
			{"price of nothing", "variants.0.price.minorUnits", 0, "INVALID_PRICE input.variants.0.price.minorUnits"},
			{"negative price", "variants.0.price.minorUnits", -1, "INVALID_PRICE input.variants.0.price.minorUnits"},
			{"price beyond all", "variants.0.price.minorUnits", "9223372036854775807", "INVALID_PRICE input.variants.0.price.minorUnits"},
			{"no currency", "variants.0.price.currency", "euro", "INVALID_PRICE input.variants.0.price.currency, INVALID_PRICE input.variants.1.price.currency"},
			{"two currencies", "variants.1.price.currency", "USD", "INVALID_PRICE input.variants.1.price.currency"},
			{"negative weight", "variants.0.weightGrams", -1, "INVALID_INPUT input.variants.0.weightGrams"},
			{"option without a value", "variants.1.options", []any{data{"name": "Size", "value": ""}}, "INVALID_INPUT input.variants.1.options.0.value"},
			{"option twice", "variants.1.options", []any{data{"name": "Size", "value": "S"}, data{"name": "Size", "value": "M"}}, "INVALID_INPUT input.variants.1.options.1.name"},
		}
		for _, test := range tests {
			key := strings.ReplaceAll(test.name, " ", "-")
			payload := s.get(createMutation, data{"i": with(input(key), test.path, test.value)}, scopeWrite)["productCreate"]
			if got := refusalsOf(payload); got != test.want {
				t.Errorf("%s: %q, want %q", test.name, got, test.want)
			}
		}
		if got := code(s.ask(createMutation, data{"i": input("k")})); got != "FORBIDDEN" {
			t.Errorf("without the scope: %q, want FORBIDDEN", got)
		}
	})
}

func TestACommandWithTheSameKeyHappensOnce(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, url string) {
		s := open(t, url, 1)
		var wg sync.WaitGroup
		answers := make([]data, 20)
		for i := range answers {
			wg.Go(func() { answers[i] = s.get(createMutation, data{"i": input("same")}, scopeWrite) })
		}
		wg.Wait()
		for _, a := range answers[1:] {
			if diff := cmp.Diff(answers[0], a); diff != "" {
				t.Errorf("two answers to one key:\n%s", diff)
			}
		}
		other := s.get(createMutation, data{"i": with(input("same"), "name", "Other")}, scopeWrite)["productCreate"]
		if got := refusalsOf(other); got != "IDEMPOTENCY_KEY_REUSED input.idempotencyKey" {
			t.Errorf("the key with another name: %q", got)
		}
	})
}

func TestOneOfManyWritersWithTheSameVersionWins(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, url string) {
		s := open(t, url, 1)
		product := s.create(input("race"))
		version := 2 // 1 and its activation
		for round := range 3 {
			var mu sync.Mutex
			outcomes := map[string]int{}
			var wg sync.WaitGroup
			for i := range 12 {
				wg.Go(func() {
					payload := s.get(updateMutation, data{"id": product["id"], "v": version + round, "i": data{"description": fmt.Sprint(i, " in round ", round)}}, scopeWrite)
					mu.Lock()
					defer mu.Unlock()
					outcomes[refusalsOf(payload["productUpdate"])]++
				})
			}
			wg.Wait()
			if diff := cmp.Diff(map[string]int{"": 1, "VERSION_CONFLICT expectedVersion": 11}, outcomes); diff != "" {
				t.Errorf("round %d:\n%s", round, diff)
			}
		}
	})
}

func TestRacesForASlugOrASKUHaveOneWinnerAndGeneratedSlugsDiffer(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, url string) {
		s := open(t, url, 1)
		race := func(path string, value any) map[string]int {
			var mu sync.Mutex
			var wg sync.WaitGroup
			outcomes := map[string]int{}
			for i := range 8 {
				wg.Go(func() {
					in := input(fmt.Sprint(path, i))
					if path != "" {
						in = with(in, path, value)
					}
					payload := s.get(createMutation, data{"i": in}, scopeWrite)["productCreate"]
					mu.Lock()
					defer mu.Unlock()
					outcomes[refusalsOf(payload)]++
				})
			}
			wg.Wait()
			return outcomes
		}
		tests := []struct {
			path  string
			value any
			want  map[string]int
		}{
			{"slug", "wanted", map[string]int{"": 1, "SLUG_TAKEN input.slug": 7}},
			{"variants.0.sku", "WANTED", map[string]int{"": 1, "SKU_TAKEN input.variants.0.sku": 7}},
			{"", nil, map[string]int{"": 8}},
		}
		for _, test := range tests {
			if diff := cmp.Diff(test.want, race(test.path, test.value)); diff != "" {
				t.Errorf("race for %q:\n%s", test.path, diff)
			}
		}
	})
}

func TestAProductIsFoundByTheSlugsThatItHad(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, url string) {
		s := open(t, url, 1)
		product, other := s.create(input("a")), s.create(with(input("b"), "slug", "chosen"))
		rename := func(p data, name string) any {
			return dig(s.get(updateMutation, data{"id": p["id"], "i": data{"name": name}}, scopeWrite), "productUpdate.product.slug")
		}
		steps := []struct{ got, want any }{
			{product["slug"], "creme-kettle"},
			{rename(product, "Steel Kettle"), "steel-kettle"},
			{rename(other, "Steel Kettle"), "chosen"}, // a slug that was chosen stays
			{s.create(with(input("c"), "name", "Steel Kettle"))["slug"], "steel-kettle-2"},
			{s.create(input("d"))["slug"], "creme-kettle-2"}, // what a product had is not given to another
			{rename(product, "Crème Kettle"), "creme-kettle"},
			{s.create(with(input("e"), "name", "☕"))["slug"], "product"},
		}
		for i, step := range steps {
			if step.got != step.want {
				t.Errorf("step %d: slug %v, want %v", i, step.got, step.want)
			}
		}
		got := s.get(`{ old: product(slug: "steel-kettle") { id slug } none: product(slug: "steel") { id } }`, nil)
		want := data{"old": data{"id": product["id"], "slug": "creme-kettle"}, "none": nil}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Error(diff)
		}
	})
}

func TestAPriceIsSetOnceAndMovesThePriceRange(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, url string) {
		s := open(t, url, 1)
		product := s.create(input("p"))
		variant := product["variants"].([]any)[0].(data)["id"]
		set := func(key string, minorUnits any, currency string, variant any) string {
			payload := s.get(priceMutation, data{"i": data{"variantId": variant, "idempotencyKey": key, "price": data{"minorUnits": minorUnits, "currency": currency}}}, scopeWrite)["variantPriceSet"].(data)
			raw, _ := json.Marshal(payload["variant"])
			return refusalsOf(payload) + string(raw)
		}
		priced := func(price, low, high, version int) string {
			return fmt.Sprintf(`{"price":{"currency":"EUR","minorUnits":%d},"product":{"priceRange":{"max":{"minorUnits":%d},"min":{"minorUnits":%d}},"version":%d}}`, price, high, low, version)
		}
		steps := []struct{ name, got, want string }{
			{"cheaper", set("k1", 500, "EUR", variant), priced(500, 500, 3000, 3)},
			{"again", set("k1", 500, "EUR", variant), priced(500, 500, 3000, 3)},
			{"the same price", set("k2", 500, "EUR", variant), priced(500, 500, 3000, 3)},
			{"dearer than the other", set("k3", "9000", "EUR", variant), priced(9000, 3000, 9000, 4)},
			{"the key for another price", set("k3", 1, "EUR", variant), "IDEMPOTENCY_KEY_REUSED input.idempotencyKeynull"},
			{"another currency", set("k4", 1, "USD", variant), "INVALID_PRICE input.price.currencynull"},
			{"nothing", set("k5", 0, "EUR", variant), "INVALID_PRICE input.price.minorUnitsnull"},
			{"no variant", set("k6", 1, "EUR", "var_x\x00"), "NOT_FOUND input.variantIdnull"},
		}
		for _, step := range steps {
			if step.got != step.want {
				t.Errorf("%s: %s, want %s", step.name, step.got, step.want)
			}
		}
		var types []string
		if err := s.db.Read.Select(&types, `SELECT type FROM outbox WHERE subject = $1 ORDER BY sequence`, product["id"]); err != nil {
			t.Fatal(err)
		}
		const p, v = "agora.products.product.", "agora.products.variant."
		want := []string{p + "created.v1", v + "created.v1", v + "created.v1", p + "updated.v1", p + "updated.v1", v + "priced.v1", p + "updated.v1", v + "priced.v1"}
		if diff := cmp.Diff(want, types); diff != "" {
			t.Errorf("events:\n%s", diff)
		}
	})
}
