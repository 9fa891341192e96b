package products

import (
	"context"
	"fmt"
	"strings"

	"github.com/agora-supergraph/agora/internal/database"
	"github.com/agora-supergraph/agora/internal/id"
	"github.com/agora-supergraph/agora/subgraphs/products/words"
)

// maxSlug bounds slugs, in bytes; one made of a name is shorter, so that a number fits behind it.
const (
	maxSlug     = 100
	maxSlugName = 80
)

// slugOf is the slug that a name makes: its words of ASCII letters and digits, folded; empty if it has none.
func slugOf(name string) string {
	slug := ""
	for _, w := range words.Split(name) {
		if strings.Trim(w, "abcdefghijklmnopqrstuvwxyz0123456789") != "" {
			continue
		}
		if slug != "" {
			w = "-" + w
		}
		if len(slug)+len(w) > maxSlugName {
			break
		}
		slug += w
	}
	return slug
}

// validSlug reports whether s is of words of a to z and digits, joined by hyphens.
func validSlug(s string) bool {
	if s == "" || len(s) > maxSlug {
		return false
	}
	for _, word := range strings.Split(s, "-") {
		if word == "" || strings.Trim(word, "abcdefghijklmnopqrstuvwxyz0123456789") != "" {
			return false
		}
	}
	return true
}

// follows reports whether a slug was made of a name, and not chosen.
func follows(slug, name string) bool {
	base := slugOf(name)
	number, ok := strings.CutPrefix(slug, base+"-")
	return slug == base || ok && strings.Trim(number, "0123456789") == ""
}

// slugTries is how many numbers are tried behind a slug that is taken.
const slugTries = 50

// freeSlug is a slug of the name that no product has or had, but for the product n itself.
func freeSlug(ctx context.Context, tx *database.Tx, name string, n int64) (string, error) {
	base := slugOf(name)
	if base == "" {
		base = "product"
	}
	candidates := []string{base}
	for i := 2; i <= slugTries; i++ {
		candidates = append(candidates, fmt.Sprintf("%s-%d", base, i))
	}
	list, args := database.In([]any{n}, candidates)
	var taken []string
	if err := tx.SelectContext(ctx, &taken, `SELECT slug FROM product_slug WHERE product_n <> $1 AND slug IN `+list, args...); err != nil {
		return "", fmt.Errorf("look for a free slug: %w", err)
	}
	is := map[string]bool{}
	for _, slug := range taken {
		is[slug] = true
	}
	for _, slug := range candidates {
		if !is[slug] {
			return slug, nil
		}
	}
	_, random, _ := strings.Cut(id.New(id.Product), "_")
	return base + "-" + random[len(random)-12:], nil
}

// takeSlug keeps a slug for a product, for good.
func takeSlug(ctx context.Context, tx *database.Tx, slug string, n int64) error {
	_, err := tx.ExecContext(ctx, `
		INSERT INTO product_slug (slug, product_n) SELECT $1, $2
		WHERE NOT EXISTS (SELECT 1 FROM product_slug WHERE slug = $3 AND product_n = $4)`, slug, n, slug, n)
	if err != nil {
		return fmt.Errorf("take slug %s: %w", slug, err)
	}
	tx.Note(touched{slugKey + slug, knownVersion})
	return nil
}
