package products

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/agora-supergraph/agora/internal/database"
	"github.com/agora-supergraph/agora/internal/database/databasetest"
	"github.com/agora-supergraph/agora/subgraphs/products/feed"
)

// choice are options, as pairs of name and value.
func choice(pairs ...string) []any {
	options := []any{}
	for i := 0; i < len(pairs); i += 2 {
		options = append(options, data{"name": pairs[i], "value": pairs[i+1]})
	}
	return options
}

func TestNoTwoVariantsForSaleOfAProductHaveTheSameOptions(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, url string) {
		s := open(t, url, 5)
		both := with(with(input("twice"), "variants.0.options", choice("Colour", "Red", "Size", "L")), "variants.1.options", choice("Size", "L", "Colour", "Red"))
		if got := refusalsOf(s.get(createMutation, data{"i": both}, scopeWrite)["productCreate"]); got != "OPTIONS_TAKEN input.variants.1.options" {
			t.Errorf("a product with two that are the same: %q", got)
		}
		s.create(with(with(input("none"), "variants.0.options", choice()), "variants.1.options", choice())) // their names tell them apart
		product := s.create(input("v"))
		red, blue := dig(product["variants"].([]any)[0], "id"), dig(product["variants"].([]any)[1], "id")
		add := func(key, colour string) string {
			return refusalsOf(s.get(addVariantMutation, data{"i": with(green(product["id"], key), "variant.options", choice("Colour", colour))}, scopeWrite)["variantCreate"])
		}
		change := func(id any, in data) string {
			return refusalsOf(s.get(variantMutation, data{"id": id, "i": in}, scopeWrite)["variantUpdate"])
		}
		for _, step := range []struct{ name, got, want string }{
			{"a new one like another", add("a", "Blue"), "OPTIONS_TAKEN input.variant.options"},
			{"made like another", change(red, data{"options": choice("Colour", "Blue")}), "OPTIONS_TAKEN input.options"},
			{"the same as before", change(red, data{"options": choice("Colour", "Red"), "name": "Deep red"}), ""},
			{"archived", change(red, data{"status": "ARCHIVED"}), ""},
			{"like one that is archived", add("b", "Red"), ""},
			{"back, while another is like it", change(red, data{"status": "ACTIVE"}), "OPTIONS_TAKEN input.status"},
			{"back with others", change(red, data{"status": "ACTIVE", "options": choice("Colour", "Crimson")}), ""},
			{"what is free by that", change(blue, data{"options": choice("Colour", "Blue", "Size", "L")}), ""},
			{"and taken", add("c", "Blue"), ""},
		} {
			if step.got != step.want {
				t.Errorf("%s: %q, want %q", step.name, step.got, step.want)
			}
		}
		// Behind the commands stands the database.
		err := s.db.Tx(t.Context(), func(tx *database.Tx) error {
			_, err := tx.ExecContext(t.Context(), `UPDATE variant SET options_key = (SELECT options_key FROM variant WHERE id = $1) WHERE id = $2`, red, blue)
			return err
		})
		if !database.IsUnique(err) {
			t.Errorf("the database takes two of them: %v", err)
		}
	})
}

func TestVariantsOfBeforeThatAreTheSameMayStayAndNoneIsAdded(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, url string) {
		s := open(t, url, 1)
		product := s.create(input("v"))
		red, blue := dig(product["variants"].([]any)[0], "id"), dig(product["variants"].([]any)[1], "id")
		err := s.db.Tx(t.Context(), func(tx *database.Tx) error {
			_, err := tx.ExecContext(t.Context(), `UPDATE variant SET options_key = NULL, options = (SELECT options FROM variant WHERE id = $1) WHERE product_n = (SELECT product_n FROM variant WHERE id = $1)`, red)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		change := func(in data) string {
			return refusalsOf(s.get(variantMutation, data{"id": blue, "i": in}, scopeWrite)["variantUpdate"])
		}
		if got := change(data{"name": "Red as well"}); got != "" {
			t.Errorf("another name: %s", got)
		}
		if got := refusalsOf(s.get(addVariantMutation, data{"i": with(green(product["id"], "a"), "variant.options", choice("Colour", "Red"))}, scopeWrite)["variantCreate"]); got != "OPTIONS_TAKEN input.variant.options" {
			t.Errorf("a third one: %q", got)
		}
		if got := change(data{"options": choice("Colour", "Blue")}); got != "" {
			t.Errorf("told apart: %s", got)
		}
	})
}

func TestAnImportRefusesByLineVariantsThatCannotBeToldApart(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, url string) {
		s := open(t, url, 1)
		header := pots[:strings.Index(pots, "\n")+1]
		pot := func(sku, colour string) string {
			return "pot,Pot,A pot.,ACTIVE,kitchen:Kitchen > pots:Pots,EUR,,," + sku + ",Some,21.00,,900,Colour," + colour + "\n"
		}
		for _, step := range []struct {
			name, file string
			want       []string
		}{
			{"two of the file", pot("A", "Red") + pot("B", "Red"), []string{"line 3: options: the variant A of the product has the same options"}},
			{"two that differ", pot("A", "Red") + pot("B", "Blue"), nil},
			{"one like another that is there", pot("C", "Blue"), []string{"line 2: options: want some that no other variant of the product has: B has the same"}},
			{"two that exchange theirs", pot("A", "Blue") + pot("B", "Red"), nil},
			{"round with a third", pot("A", "Red") + pot("B", "Green") + pot("C", "Blue"), nil},
		} {
			_, refused, err := s.imported(header+step.file, feed.CSV, ImportConfig{})
			if diff := cmp.Diff(step.want, refused); err != nil || diff != "" {
				t.Errorf("%s: %v (-want +got)\n%s", step.name, err, diff)
			}
		}
		var keys, variants int
		s.db.Read.Get(&keys, `SELECT COUNT(DISTINCT options_key) FROM variant WHERE sku IN ('A', 'B', 'C')`)
		s.db.Read.Get(&variants, `SELECT COUNT(*) FROM variant WHERE sku IN ('A', 'B', 'C')`)
		if keys != 3 || variants != 3 {
			t.Errorf("%d variants have %d keys", variants, keys)
		}
	})
}
