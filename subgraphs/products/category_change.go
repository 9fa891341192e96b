package products

import (
	"context"
	"fmt"

	"github.com/agora-supergraph/agora/internal/database"
	"github.com/agora-supergraph/agora/internal/id"
	"github.com/agora-supergraph/agora/internal/idempotency"
	"github.com/agora-supergraph/agora/internal/identity"
	"github.com/agora-supergraph/agora/subgraphs/products/gen"
)

// The bounds of the tree, which is read as a whole.
const (
	maxCategories = 2_000
	maxDepth      = 10
)

// categoriesChanged says in a transaction that categories change: what is cached of them is dropped behind its commit.
// Called first, it has changes of the tree wait for each other: two moves could make a cycle that neither makes alone.
func categoriesChanged(ctx context.Context, tx *database.Tx) error {
	var generation int64
	if err := tx.GetContext(ctx, &generation, `UPDATE catalogue_generation SET last = last + 1 RETURNING last`); err != nil {
		return fmt.Errorf("count generation: %w", err)
	}
	tx.Note(touched{categoriesKey, generation})
	return nil
}

// createCategory makes a category and returns its id; a key that comes again gets the first one's.
func (s *Service) createCategory(ctx context.Context, input gen.CategoryCreateInput) (string, error) {
	if err := checkCategoryCreate(input).err(); err != nil {
		return "", err
	}
	key := idempotency.Key{Scope: identity.From(ctx).Actor(), Operation: "categoryCreate", Key: input.IdempotencyKey, Request: idempotency.Digest(input)}
	var answer string
	err := s.race(ctx, func(tx *database.Tx) error {
		return once(ctx, tx, key, &answer, func() (string, error) { return s.createCategoryIn(ctx, tx, input) })
	})
	s.outbox.Wake()
	return answer, err
}

func checkCategoryCreate(input gen.CategoryCreateInput) refusals {
	var r refusals
	r.checkText(input.Name, maxName, "input", "name")
	r.checkSlug(input.Slug, "input", "slug")
	r.checkKey(input.IdempotencyKey, "input", "idempotencyKey")
	return r
}

func (s *Service) createCategoryIn(ctx context.Context, tx *database.Tx, input gen.CategoryCreateInput) (string, error) {
	t, err := s.lockTree(ctx, tx)
	if err != nil {
		return "", err
	}
	c := &categoryRow{ID: id.New(id.Category), Name: input.Name, ParentID: input.ParentID, Version: 1}
	var r refusals
	if len(t.byID) >= maxCategories {
		r.refuse(gen.CatalogueErrorCodeInvalidInput, []string{"input"}, "a catalogue has %d categories at most", maxCategories)
	}
	if input.Slug != nil {
		c.Slug = *input.Slug
		r.checkCategorySlug(t, c)
	} else {
		c.Slug = t.freeSlug(input.Name)
	}
	r.checkParent(t, c)
	if err := r.err(); err != nil {
		return "", err
	}
	_, err = tx.ExecContext(ctx, `INSERT INTO category (id, slug, name, parent_id, version) VALUES ($1, $2, $3, $4, $5)`, c.ID, c.Slug, c.Name, c.ParentID, c.Version)
	if err != nil {
		return "", fmt.Errorf("insert category %s: %w", c.Slug, err)
	}
	return c.ID, s.outbox.Append(ctx, tx, categoryEvent("created", c))
}

// lockTree is the tree of all categories, the transaction's to change.
func (s *Service) lockTree(ctx context.Context, tx *database.Tx) (*tree, error) {
	if err := categoriesChanged(ctx, tx); err != nil {
		return nil, err
	}
	return s.tree(ctx, tx)
}

// checkSlug refuses what can't be a slug; nil is left out.
func (r *refusals) checkSlug(slug *string, field ...string) {
	if slug != nil && !validSlug(*slug) {
		r.refuse(gen.CatalogueErrorCodeInvalidInput, field, "a slug has 1 to %d characters: words of a to z and digits, joined by hyphens", maxSlug)
	}
}

func (r *refusals) checkCategorySlug(t *tree, c *categoryRow) {
	if other := t.bySlug[c.Slug]; other != nil && other.ID != c.ID {
		r.refuse(gen.CatalogueErrorCodeSlugTaken, []string{"input", "slug"}, "another category has the slug %s", c.Slug)
	}
}

// checkParent refuses a place in the tree that is not there, below the category itself, or too deep.
func (r *refusals) checkParent(t *tree, c *categoryRow) {
	if c.ParentID == nil {
		return
	}
	at := []string{"input", "parentId"}
	if t.byID[*c.ParentID] == nil {
		r.refuse(gen.CatalogueErrorCodeNotFound, at, "there is no such category")
		return
	}
	above := append(t.ancestors(*c.ParentID), t.byID[*c.ParentID])
	for _, a := range above {
		if a.ID == c.ID {
			r.refuse(gen.CatalogueErrorCodeInvalidInput, at, "a category can't be below itself")
			return
		}
	}
	if n := len(above) + t.height(c.ID); n > maxDepth {
		r.refuse(gen.CatalogueErrorCodeInvalidInput, at, "the tree would be %d categories deep: %d are the most", n, maxDepth)
	}
}

// height is of how many levels the category and what is below it are; 1 for one that is new.
func (t *tree) height(id string) int {
	most := 0
	for _, child := range t.below[id] {
		most = max(most, t.height(child.ID))
	}
	return most + 1
}

// freeSlug is a slug of the name that no category has.
func (t *tree) freeSlug(name string) string {
	base := slugOf(name)
	if base == "" {
		base = "category"
	}
	slug := base
	for n := 2; t.bySlug[slug] != nil; n++ {
		slug = fmt.Sprintf("%s-%d", base, n)
	}
	return slug
}

// updateCategory changes what an input names of a category, if it still has the version that the caller has seen.
func (s *Service) updateCategory(ctx context.Context, categoryID string, input gen.CategoryUpdateInput, expected *int) error {
	var r refusals
	if input.Name != nil {
		r.checkText(*input.Name, maxName, "input", "name")
	}
	r.checkSlug(input.Slug, "input", "slug")
	if err := r.err(); err != nil {
		return err
	}
	err := s.race(ctx, func(tx *database.Tx) error {
		t, before, err := s.lockCategory(ctx, tx, categoryID, expected)
		if err != nil {
			return err
		}
		return s.updateCategoryIn(ctx, tx, t, before, input)
	})
	s.outbox.Wake()
	return err
}

// lockCategory is a category in the tree that is the transaction's.
func (s *Service) lockCategory(ctx context.Context, tx *database.Tx, categoryID string, expected *int) (*tree, *categoryRow, error) {
	t, err := s.lockTree(ctx, tx)
	if err != nil {
		return nil, nil, err
	}
	c := t.byID[categoryID]
	switch {
	case c == nil:
		return nil, nil, refused(gen.CatalogueErrorCodeNotFound, []string{"id"}, "there is no such category")
	case expected != nil && int64(*expected) != c.Version:
		return nil, nil, refused(gen.CatalogueErrorCodeVersionConflict, []string{"expectedVersion"}, "the category has version %d by now, not %d", c.Version, *expected)
	}
	return t, c, nil
}

func (s *Service) updateCategoryIn(ctx context.Context, tx *database.Tx, t *tree, before *categoryRow, input gen.CategoryUpdateInput) error {
	after := *before
	after.apply(input)
	moved := !equal(after.ParentID, before.ParentID)
	if after.Name == before.Name && after.Slug == before.Slug && !moved {
		return nil
	}
	var r refusals
	r.checkCategorySlug(t, &after)
	if moved {
		r.checkParent(t, &after)
	}
	if err := r.err(); err != nil {
		return err
	}
	after.Version++
	_, err := tx.ExecContext(ctx, `UPDATE category SET slug = $1, name = $2, parent_id = $3, version = $4 WHERE id = $5`,
		after.Slug, after.Name, after.ParentID, after.Version, after.ID)
	if err != nil {
		return fmt.Errorf("store category %s: %w", after.ID, err)
	}
	if after.Name != before.Name || moved {
		if err := reindexLater(ctx, tx, after.ID); err != nil {
			return err
		}
	}
	return s.outbox.Append(ctx, tx, categoryEvent("updated", &after))
}

func (r *categoryRow) apply(input gen.CategoryUpdateInput) {
	if input.Name != nil {
		r.Name = *input.Name
	}
	if input.Slug != nil {
		r.Slug = *input.Slug
	}
	if input.ParentID.IsSet() {
		r.ParentID = input.ParentID.Value()
	}
}

// equal reports whether two values that may be missing are the same.
func equal[T comparable](a, b *T) bool {
	if a == nil || b == nil {
		return a == b
	}
	return *a == *b
}

// deleteCategory deletes a category that nothing is in.
func (s *Service) deleteCategory(ctx context.Context, categoryID string, expected *int) error {
	err := s.race(ctx, func(tx *database.Tx) error {
		t, c, err := s.lockCategory(ctx, tx, categoryID, expected)
		if err != nil {
			return err
		}
		var n int
		if err := tx.GetContext(ctx, &n, `SELECT COUNT(*) FROM product WHERE category_id = $1`, categoryID); err != nil {
			return fmt.Errorf("count products of category %s: %w", categoryID, err)
		}
		if children := len(t.below[categoryID]); n > 0 || children > 0 {
			return refused(gen.CatalogueErrorCodeCategoryNotEmpty, []string{"id"}, "the category has %d products and %d categories in it: move them first", n, children)
		}
		for _, statement := range []string{
			`DELETE FROM category_reindex WHERE category_id = $1`,
			`DELETE FROM facet_count WHERE category_id = $1`, // all of them are 0
			`DELETE FROM category WHERE id = $1`,
		} {
			if _, err := tx.ExecContext(ctx, statement, categoryID); err != nil {
				return fmt.Errorf("delete category %s: %w", categoryID, err)
			}
		}
		c.Version++
		return s.outbox.Append(ctx, tx, categoryEvent("deleted", c))
	})
	s.outbox.Wake()
	return err
}
