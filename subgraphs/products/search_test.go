package products

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/agora-supergraph/agora/internal/database/databasetest"
	"github.com/agora-supergraph/agora/subgraphs/products/catalogue"
	"github.com/agora-supergraph/agora/subgraphs/products/words"
)

const searchQuery = `query($q: String, $n: Int, $filter: ProductFilter, $sort: ProductSort) {
	products(query: $q, first: $n, filter: $filter, sort: $sort) { totalCount edges { score node { name } } } }`

// The corpus is testdata/search.txt: lines that begin with "? " are queries, the lines below each the products found,
// with their relevance, the best eight of them. One file for both engines.
func TestTheGoldenCorpusFindsTheSameProductsOnBothEngines(t *testing.T) {
	path := filepath.Join("testdata", "search.txt")
	corpus, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	databasetest.Each(t, func(t *testing.T, url string) {
		s := open(t, url, len(catalogue.Products()))
		var out strings.Builder
		for _, line := range strings.Split(string(corpus), "\n") {
			if strings.HasPrefix(line, "#") {
				fmt.Fprintln(&out, line)
			}
			query, ok := strings.CutPrefix(line, "? ")
			if !ok {
				continue
			}
			found := s.get(searchQuery, data{"q": query, "n": 8})["products"].(data)
			fmt.Fprintf(&out, "\n? %s\n", query)
			for _, edge := range found["edges"].([]any) {
				fmt.Fprintf(&out, "%v %s\n", dig(edge, "score"), dig(edge, "node.name"))
			}
			fmt.Fprintf(&out, "= %v\n", found["totalCount"])
		}
		if *rewrite {
			if err := os.WriteFile(path, []byte(out.String()), 0o644); err != nil {
				t.Fatal(err)
			}
			return
		}
		if diff := cmp.Diff(string(corpus), out.String()); diff != "" {
			t.Errorf("%s (-want +got):\n%s", path, diff)
		}
	})
}

// TestBothEnginesAnswerRandomSearchesAlike asks both the same: words and beginnings of words of the catalogue, in pairs,
// in all orders and with filters.
func TestBothEnginesAnswerRandomSearchesAlike(t *testing.T) {
	n := len(catalogue.Products())
	postgres, sqlite := open(t, databasetest.Postgres(t), n), open(t, databasetest.SQLite(t), n)
	var vocabulary []string
	for _, p := range catalogue.Products() {
		vocabulary = append(vocabulary, words.Split(p.Name+" "+p.Description+" "+p.Variants[0].SKU)...)
	}
	r := rand.New(rand.NewPCG(2, 7))
	sorts := []string{"RELEVANCE", "PRICE", "NAME", "NEWEST"}
	for range 150 {
		w := vocabulary[r.IntN(len(vocabulary))]
		query := w[:max(1, r.IntN(len(w)+1))]
		if r.IntN(2) == 0 {
			query = vocabulary[r.IntN(len(vocabulary))] + " " + query
		}
		variables := data{"q": query, "n": 30, "sort": data{"by": sorts[r.IntN(4)], "reverse": r.IntN(2) == 0}}
		switch r.IntN(4) {
		case 0:
			variables["filter"] = data{"price": data{"currency": "EUR", "minMinorUnits": r.IntN(5000), "maxMinorUnits": 5000 + r.IntN(20000)}}
		case 1:
			variables["filter"] = data{"options": []any{data{"name": "Colour", "values": []any{"Indigo", "Moss", "Black"}}}}
		case 2:
			variables["filter"] = data{"categoryIds": []any{categoryID("Kitchen"), categoryID("Outdoor"), categoryID("Novels")}}
		}
		if diff := cmp.Diff(sqlite.get(searchQuery, variables), postgres.get(searchQuery, variables)); diff != "" {
			t.Errorf("%v (-sqlite +postgres):\n%s", variables, diff)
		}
	}
}

func TestTextThatNoIndexLikesIsSearchedLikeAnyOther(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, url string) {
		s := open(t, url, 60)
		queries := []string{
			`"`, `'`, `name:kettle`, `kettle OR 1=1`, `kettle*`, `"kettle`, `kettle" AND "`, `NEAR(a b)`, `^kettle`, `{name sku}: x`, `-kettle`,
			`'); DROP TABLE product; --`, `\`, `kettle:*A`, `a & b | !c`, `<-> <2>`, "kettle\x00", "\x00", "k\ufffdttle", "\U0001F600", "\u202Eelttek",
			"ｋｅｔｔｌｅ", "קומקום", "غلاية", strings.Repeat("kettle ", 28), strings.Repeat("é", 200), "%", "_", "$1", ";",
		}
		for _, q := range queries {
			if out := s.ask(searchQuery, data{"q": q, "n": 5}); out["errors"] != nil {
				t.Errorf("search for %q: %v", q, out["errors"])
			}
		}
		if got := dig(s.get(searchQuery, data{"n": 5}), "products.totalCount"); got != 60.0 {
			t.Errorf("%v products after all that, want 60", got)
		}
	})
}
