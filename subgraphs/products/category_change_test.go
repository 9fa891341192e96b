package products

import (
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/agora-supergraph/agora/internal/cache"
	"github.com/agora-supergraph/agora/internal/database/databasetest"
)

const (
	addCategoryMutation = `mutation($i: CategoryCreateInput!) { categoryCreate(input: $i) { category { id slug version ancestors { name } } userErrors { code message field } } }`
	categoryMutation    = `mutation($id: ID!, $i: CategoryUpdateInput!, $v: Int) { categoryUpdate(id: $id, input: $i, expectedVersion: $v) {
		category { slug name version ancestors { name } } userErrors { code message field } } }`
	dropCategoryMutation = `mutation($id: ID!, $v: Int) { categoryDelete(id: $id, expectedVersion: $v) { deletedCategoryId userErrors { code message field } } }`
)

// category makes one and returns its id.
func (s shop) category(name string, parent any) string {
	s.Helper()
	payload := s.get(addCategoryMutation, data{"i": data{"name": name, "parentId": parent, "idempotencyKey": name}}, scopeWrite)["categoryCreate"]
	if r := refusalsOf(payload); r != "" {
		s.Fatal(r)
	}
	return dig(payload, "category.id").(string)
}

// placed is what became of a category, in a word.
func placed(payload any) string {
	if r := refusalsOf(payload); r != "" {
		return r
	}
	var above []string
	for _, a := range dig(payload, "category.ancestors").([]any) {
		above = append(above, dig(a, "name").(string))
	}
	return fmt.Sprint(strings.Join(append(above, dig(payload, "category.slug").(string)), "/"), " version ", dig(payload, "category.version"))
}

func TestStaffMakeMoveRenameAndDeleteCategories(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, url string) {
		s := open(t, url, 5)
		add := func(in data) string {
			return placed(s.get(addCategoryMutation, data{"i": in}, scopeWrite)["categoryCreate"])
		}
		tea := s.category("Tea & Herbs", nil)
		green := s.category("Green", tea)
		s.create(input("novel"))
		change := func(id string, in data, version any) string {
			return placed(s.get(categoryMutation, data{"id": id, "i": in, "v": version}, scopeWrite)["categoryUpdate"])
		}
		drop := func(id string) string {
			payload := s.get(dropCategoryMutation, data{"id": id}, scopeWrite)["categoryDelete"]
			return refusalsOf(payload) + fmt.Sprint(dig(payload, "deletedCategoryId") == any(id))
		}
		steps := []struct{ name, got, want string }{
			{"below another", add(data{"name": "Sencha", "parentId": green, "idempotencyKey": "1"}), "Tea & Herbs/Green/sencha version 1"},
			{"again", add(data{"name": "Sencha", "parentId": green, "idempotencyKey": "1"}), "Tea & Herbs/Green/sencha version 1"},
			{"of the same name", add(data{"name": "Sencha", "idempotencyKey": "2"}), "sencha-2 version 1"},
			{"the key for another", add(data{"name": "Other", "idempotencyKey": "2"}), "IDEMPOTENCY_KEY_REUSED input.idempotencyKey"},
			{"a slug that is taken", add(data{"name": "x", "slug": "sencha", "idempotencyKey": "3"}), "SLUG_TAKEN input.slug"},
			{"a slug that is none", add(data{"name": "x", "slug": "A b", "idempotencyKey": "4"}), "INVALID_INPUT input.slug"},
			{"no name", add(data{"name": " ", "idempotencyKey": "5"}), "INVALID_INPUT input.name"},
			{"a parent that is not there", add(data{"name": "x", "parentId": "cat_x", "idempotencyKey": "6"}), "NOT_FOUND input.parentId"},
			{"renamed", change(green, data{"name": "Grün"}, 1), "Tea & Herbs/green version 2"},
			{"an old version", change(green, data{"name": "Gelb"}, 1), "VERSION_CONFLICT expectedVersion"},
			{"nothing new", change(green, data{"name": "Grün", "parentId": tea}, nil), "Tea & Herbs/green version 2"},
			{"below itself", change(tea, data{"parentId": green}, nil), "INVALID_INPUT input.parentId"},
			{"a root", change(green, data{"parentId": nil}, nil), "green version 3"},
			{"back", change(green, data{"parentId": tea, "slug": "gruen"}, nil), "Tea & Herbs/gruen version 4"},
			{"no such category", change("cat_x", data{"name": "x"}, nil), "NOT_FOUND id"},
			{"deleted with children", drop(green), "CATEGORY_NOT_EMPTY idfalse"},
			{"deleted with products", drop(categoryID("Novels")), "CATEGORY_NOT_EMPTY idfalse"},
			{"deleted", drop(dig(s.get(`{ category(slug: "sencha") { id } }`, nil), "category.id").(string)), "true"},
			{"deleted when it is empty", drop(green), "true"},
			{"deleted twice", drop(green), "NOT_FOUND idfalse"},
		}
		for _, step := range steps {
			if step.got != step.want {
				t.Errorf("%s: %s, want %s", step.name, step.got, step.want)
			}
		}
		for _, query := range []string{addCategoryMutation, categoryMutation, dropCategoryMutation} {
			if got := code(s.ask(query, data{"id": tea, "i": data{"name": "x", "idempotencyKey": "x"}})); got != "FORBIDDEN" && got != "GRAPHQL_VALIDATION_FAILED" {
				t.Errorf("without the scope: %q, want FORBIDDEN", got)
			}
		}
		var types []string
		if err := s.db.Read.Select(&types, `SELECT type FROM outbox WHERE subject = $1 ORDER BY sequence`, green); err != nil || len(types) != 5 || types[4] != "agora.products.category.deleted.v1" {
			t.Errorf("events %v, %v", types, err)
		}
	})
}

func TestAProductIsFoundByTheNewNameOfItsCategoryAndOfThoseAbove(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, url string) {
		s := open(t, url, 5)
		above := s.category("Zirkel", nil)
		within := s.category("Quader", above)
		s.create(with(input("c"), "categoryId", within))
		s.get(categoryMutation, data{"id": above, "i": data{"name": "Kugel"}}, scopeWrite)
		if err := s.reindexDue(t.Context()); err != nil {
			t.Fatal(err)
		}
		if !s.found("kugel", "Crème Kettle") || s.found("zirkel", "Crème Kettle") {
			t.Error("the search does not follow the name of a category above")
		}
		s.get(categoryMutation, data{"id": within, "i": data{"parentId": nil}}, scopeWrite)
		if err := s.reindexDue(t.Context()); err != nil {
			t.Fatal(err)
		}
		if s.found("kugel", "Crème Kettle") || !s.found("quader", "Crème Kettle") {
			t.Error("the search does not follow a category that was moved")
		}
		var left int
		if err := s.db.Read.Get(&left, `SELECT COUNT(*) FROM category_reindex`); err != nil || left != 0 {
			t.Errorf("%d categories are still to be indexed, %v", left, err)
		}
	})
}

// Each move alone is legal; together they would make a cycle.
func TestMovesAtOnceNeverMakeACycle(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, url string) {
		s := open(t, url, 1)
		for round := range 10 {
			a, b := s.category(fmt.Sprint("A", round), nil), s.category(fmt.Sprint("B", round), nil)
			outcomes := make([]string, 2)
			var wg sync.WaitGroup
			for i, pair := range [][2]string{{a, b}, {b, a}} {
				wg.Go(func() {
					outcomes[i] = refusalsOf(s.get(categoryMutation, data{"id": pair[0], "i": data{"parentId": pair[1]}}, scopeWrite)["categoryUpdate"])
				})
			}
			wg.Wait()
			if (outcomes[0] == "") == (outcomes[1] == "") {
				t.Errorf("round %d: %q", round, outcomes)
			}
		}
	})
}

// A product that comes into a category while it is deleted either keeps it or is told that it is not there.
func TestNoProductIsLeftInACategoryThatIsDeleted(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, url string) {
		s := open(t, url, 1)
		for round := range 10 {
			id := s.category(fmt.Sprint("C", round), nil)
			var created, dropped string
			var wg sync.WaitGroup
			wg.Go(func() {
				created = refusalsOf(s.get(createMutation, data{"i": with(input(fmt.Sprint(round)), "categoryId", id)}, scopeWrite)["productCreate"])
			})
			wg.Go(func() {
				dropped = refusalsOf(s.get(dropCategoryMutation, data{"id": id}, scopeWrite)["categoryDelete"])
			})
			wg.Wait()
			got := created + "|" + dropped
			if got != "|CATEGORY_NOT_EMPTY id" && got != "NOT_FOUND input.categoryId|" {
				t.Errorf("round %d: %s", round, got)
			}
		}
	})
}

func TestShoppersSeeAChangedCategoryAtOnce(t *testing.T) {
	url := databasetest.SQLite(t)
	open(t, url, 1)
	s := openCached(t, url, nil, cache.Config{Alone: true})
	id := s.category("Alt", nil)
	see := func() any { return s.get(`{ categories { name } }`, nil)["categories"] }
	see()
	s.get(categoryMutation, data{"id": id, "i": data{"name": "Neu"}}, scopeWrite)
	if got := fmt.Sprint(see()); !strings.Contains(got, "Neu") || strings.Contains(got, "Alt]") {
		t.Errorf("renamed: %s", got)
	}
	s.get(dropCategoryMutation, data{"id": id}, scopeWrite)
	if got := see(); cmp.Equal(got, nil) || strings.Contains(fmt.Sprint(got), "Neu") {
		t.Errorf("deleted: %v", got)
	}
}
