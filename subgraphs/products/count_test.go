package products

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/agora-supergraph/agora/internal/batch"
	"github.com/agora-supergraph/agora/internal/database/databasetest"
	"github.com/agora-supergraph/agora/subgraphs/products/feed"
)

// recounted are the counts, and what they would be if everything were counted anew.
func (s shop) recounted() (kept, counted []string) {
	s.Helper()
	const fresh = `SELECT status || ' ' || category_id || ' ' || facet || ' ' || name || ' ' || value || ' ' || COUNT(*) FROM (
		SELECT p.status, p.category_id, 'price' AS facet, p.currency AS name, %s AS value FROM product p
		UNION ALL SELECT p.status, p.category_id, 'option', o.name, o.value
		FROM (SELECT DISTINCT product_n, name, value FROM variant_option) o JOIN product p ON p.n = o.product_n
	) f GROUP BY status, category_id, facet, name, value ORDER BY 1`
	q := &statement{}
	q.band()
	if err := s.db.Read.Select(&counted, fmt.Sprintf(fresh, q.text.String())); err != nil {
		s.Fatal(err)
	}
	err := s.db.Read.Select(&kept, `SELECT status || ' ' || category_id || ' ' || facet || ' ' || name || ' ' || value || ' ' || n FROM facet_count WHERE n <> 0 ORDER BY 1`)
	if err != nil {
		s.Fatal(err)
	}
	return kept, counted
}

func TestTheCountsKeptAreThoseOfCountingAnew(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, url string) {
		s := open(t, url, 30)
		product := s.create(input("c"))
		variant := product["variants"].([]any)[0].(data)["id"]
		file := strings.ReplaceAll(pots, "\npot,", "\ncreme-kettle,")
		steps := []struct {
			name string
			do   func()
		}{
			{"a new product", func() {}},
			{"another status", func() {
				s.get(updateMutation, data{"id": product["id"], "i": data{"status": "ARCHIVED"}}, scopeWrite)
			}},
			{"another category", func() {
				s.get(updateMutation, data{"id": product["id"], "i": data{"categoryId": categoryID("Notebooks"), "name": "Other"}}, scopeWrite)
			}},
			{"another band of prices", func() {
				s.get(priceMutation, data{"i": data{"variantId": variant, "idempotencyKey": "k", "price": eur(99)}}, scopeWrite)
			}},
			{"a file", func() { s.imported(pots, feed.CSV, ImportConfig{}) }},
			{"a file with other options and variants", func() { s.imported(strings.ReplaceAll(pots, "Colour", "Color"), feed.CSV, ImportConfig{}) }},
			{"a file that adds variants", func() {
				s.imported(strings.NewReplacer("POT-", "NEW-", "LID", "NEWLID").Replace(file), feed.CSV, ImportConfig{})
			}},
		}
		for _, step := range steps {
			step.do()
			kept, counted := s.recounted()
			if diff := cmp.Diff(counted, kept); diff != "" {
				t.Errorf("%s (-anew +kept):\n%s", step.name, diff)
			}
		}
	})
}

// What is kept of a search must not outlive a change, whoever made it.
func TestASearchShowsAChangeAtOnceEvenIfItsAnswerIsKept(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, url string) {
		s, other := open(t, url, 40), open(t, url, 40)
		generation, err := s.generation(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		l := &listing{s: s.Service, searched: true}
		q := (&statement{}).sql(`SELECT 1`)
		s.memo.put(generation, fmt.Sprintf("%T %s %q", []int{}, q.text.String(), q.args), []int{7})
		kept := func() int {
			s.Helper()
			rows, err := selected[int](batch.With(t.Context(), newLoads(s.Service)), l, q)
			if err != nil {
				t.Fatal(err)
			}
			return rows[0]
		}
		if got := kept(); got != 7 {
			t.Errorf("an answer that is kept is asked for again: %d, want 7", got)
		}
		other.create(input("m"))
		if got := kept(); got != 1 {
			t.Errorf("behind a change by another replica the old answer is given: %d, want 1", got)
		}
	})
}
