package products

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/agora-supergraph/agora/internal/database"
	"github.com/agora-supergraph/agora/internal/page"
	"github.com/agora-supergraph/agora/subgraphs/products/catalogue"
)

// The sizes of the benchmarks' catalogue: a small one that is made for each run, and the one whose figures count, in a
// file that AGORA_BENCH_CATALOGUE names and that is made once, which takes minutes.
const (
	benchProducts     = 2_000
	benchProductsKept = 100_000
)

// BenchmarkCatalogue asks a large catalogue in one SQLite file, as shoppers do.
func BenchmarkCatalogue(b *testing.B) {
	url := "sqlite:" + filepath.Join(b.TempDir(), "bench.db")
	size := benchProducts
	if kept := os.Getenv("AGORA_BENCH_CATALOGUE"); kept != "" {
		url, size = "sqlite:"+kept, benchProductsKept
	}
	s := open(b, url, 1)
	s.stuff(b, size)
	list := `query($q: String, $after: String, $filter: ProductFilter, $sort: ProductSort) {
		products(query: $q, first: 20, after: $after, filter: $filter, sort: $sort) { edges { node { name slug priceRange { min { amount } } variants { sku } } } pageInfo { endCursor } } }`
	facets := `query($q: String) { products(query: $q, first: 20) { totalCount facets { key values { value count } } edges { node { name } } } }`
	newest := data{"by": "NEWEST"}
	for _, bench := range []struct {
		name, query string
		v           data
	}{
		{"product page", `{ product(slug: "meridian-pour-over-kettle") { name category { name ancestors { name } } variants { sku price { amount } } } }`, nil},
		{"rare word", list, data{"q": "gooseneck 1500"}},
		{"two words", list, data{"q": "copper pan"}},
		{"SKU", list, data{"q": "BRW-001-700"}},
		{"prefix of a frequent word", list, data{"q": "wat"}},
		{"frequent word", list, data{"q": "bicycle"}},
		{"frequent word by price", list, data{"q": "bicycle", "sort": data{"by": "PRICE"}}},
		{"frequent word with facets", facets, data{"q": "bicycle"}},
		{"two words with facets", facets, data{"q": "copper pan"}},
		{"browse page 1", list, data{"sort": newest}},
		{"browse page 500", list, data{"sort": newest, "after": s.cursorAfter(b, nil, "NEWEST", 500*20)}},
		{"search page 1", list, data{"q": "the"}},
		{"search page 500", list, data{"q": "the", "after": s.cursorAfter(b, "the", "RELEVANCE", 500*20)}},
		{"category by price", list, data{"sort": data{"by": "PRICE"}, "filter": data{"categoryIds": []any{categoryID("Kitchen")}}}},
		{"colour", list, data{"sort": newest, "filter": data{"options": []any{data{"name": "Colour", "values": []any{"Moss"}}}}}},
		{"everything with facets", facets, nil},
	} {
		b.Run(bench.name, func(b *testing.B) {
			for b.Loop() {
				s.get(bench.query, bench.v)
			}
		})
	}
}

// stuff stores n products without telling anybody: events would take half the time.
func (s shop) stuff(b *testing.B, n int) {
	b.Helper()
	var all []*newProduct
	for i, p := range catalogue.Generate(n) {
		all = append(all, seeded(p, i))
	}
	missing, err := s.missing(b.Context(), all)
	if err != nil {
		b.Fatal(err)
	}
	for batch := range slices.Chunk(missing, 2000) {
		err := s.db.Tx(b.Context(), func(tx *database.Tx) error {
			t, err := s.seedCategories(b.Context(), tx)
			for _, p := range batch {
				err = errors.Join(err, write(b.Context(), tx, t, p))
			}
			return err
		})
		if err != nil {
			b.Fatal(err)
		}
	}
}

// cursorAfter is the cursor behind the n-th product of a list.
func (s shop) cursorAfter(b *testing.B, query any, sort string, n int) string {
	v := data{"q": query, "first": page.Max, "sort": data{"by": sort}}
	for range n / page.Max {
		v["after"] = dig(s.get(pageQuery, v), "products.pageInfo.endCursor")
	}
	return v["after"].(string)
}
