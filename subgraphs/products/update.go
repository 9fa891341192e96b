package products

import (
	"context"
	"fmt"

	"github.com/agora-supergraph/agora/internal/database"
	"github.com/agora-supergraph/agora/internal/event"
	"github.com/agora-supergraph/agora/subgraphs/products/gen"
	"github.com/agora-supergraph/agora/subgraphs/products/words"
)

// update changes what an input names of a product, if it still has the version that the caller has seen. Nil for
// expected is whatever version it has. A change to what is there already changes nothing, not even the version.
func (s *Service) update(ctx context.Context, productID string, input gen.ProductUpdateInput, expected *int) error {
	if err := checkUpdate(input).err(); err != nil {
		return err
	}
	err := s.race(ctx, func(tx *database.Tx) error {
		before, err := lockProduct(ctx, tx, `p.id = $1`, productID)
		if err != nil {
			return err
		}
		if before == nil {
			return refused(gen.CatalogueErrorCodeNotFound, []string{"id"}, "there is no such product")
		}
		if expected != nil && int64(*expected) != before.Version {
			return refused(gen.CatalogueErrorCodeVersionConflict, []string{"expectedVersion"}, "the product has version %d by now, not %d", before.Version, *expected)
		}
		return s.updateIn(ctx, tx, before, input)
	})
	s.outbox.Wake()
	return err
}

// lockProduct is the product that a condition names, its row the transaction's, or nil.
func lockProduct(ctx context.Context, tx *database.Tx, condition, key string) (*productRow, error) {
	if !database.Storable(key) {
		return nil, nil
	}
	var p productRow
	err := tx.GetContext(ctx, &p, `SELECT `+productColumns+` FROM product p WHERE `+condition+tx.Dialect.ForUpdate(), key)
	if database.NoRows(err) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read product: %w", err)
	}
	return &p, nil
}

func (s *Service) updateIn(ctx context.Context, tx *database.Tx, before *productRow, input gen.ProductUpdateInput) error {
	t, err := s.tree(ctx, tx)
	if err != nil {
		return err
	}
	after := *before
	after.apply(input)
	if after == *before {
		return nil
	}
	if t.byID[after.CategoryID] == nil {
		return refused(gen.CatalogueErrorCodeNotFound, []string{"input", "categoryId"}, "there is no such category")
	}
	if after.Name != before.Name && follows(before.Slug, before.Name) {
		if after.Slug, err = freeSlug(ctx, tx, after.Name, after.N); err != nil {
			return err
		}
		if err := takeSlug(ctx, tx, after.Slug, after.N); err != nil {
			return err
		}
	}
	if err := s.store(ctx, tx, &after); err != nil {
		return err
	}
	return s.reindex(ctx, tx, t, &after)
}

func (r *productRow) rename(name string) { r.Name, r.NameKey = name, words.Fold(name) }

func (r *productRow) apply(input gen.ProductUpdateInput) {
	if input.Name != nil {
		r.rename(*input.Name)
	}
	if input.Description != nil {
		r.Description = *input.Description
	}
	if input.CategoryID != nil {
		r.CategoryID = *input.CategoryID
	}
	if input.Status != nil {
		r.Status = string(*input.Status)
	}
}

// store writes a product that is the transaction's, in its next version, and tells of it with all other events.
func (s *Service) store(ctx context.Context, tx *database.Tx, p *productRow, others ...event.Event) error {
	if err := count(ctx, tx, p.N, minus); err != nil {
		return err
	}
	return s.storeUncounted(ctx, tx, p, others...)
}

// storeUncounted is store for a product that has been taken off the counts.
func (s *Service) storeUncounted(ctx context.Context, tx *database.Tx, p *productRow, others ...event.Event) error {
	p.Version++
	p.UpdatedUs = max(database.Micros(s.now()), p.UpdatedUs)
	_, err := tx.ExecContext(ctx, `
		UPDATE product SET slug = $1, status = $2, category_id = $3, price_min = $4, price_max = $5, currency = $6, version = $7,
		       updated_us = $8, name = $9, name_key = $10, name_words = $11, description = $12, reprice_us = $13
		WHERE n = $14`,
		p.Slug, p.Status, p.CategoryID, p.PriceMin, p.PriceMax, p.Currency, p.Version,
		p.UpdatedUs, p.Name, p.NameKey, nameWords(p.Name), p.Description, p.RepriceUs, p.N)
	if err != nil {
		return fmt.Errorf("store product %s: %w", p.ID, err)
	}
	tx.Note(touched{p.ID, p.Version})
	if err := count(ctx, tx, p.N, plus); err != nil {
		return err
	}
	if err := nextGeneration(ctx, tx); err != nil {
		return err
	}
	return s.outbox.Append(ctx, tx, append([]event.Event{updated(p)}, others...)...)
}

// reindex puts the words of a product that has changed into the index.
func (s *Service) reindex(ctx context.Context, tx *database.Tx, t *tree, p *productRow) error {
	found, err := s.variantsOf(ctx, tx, p.UpdatedUs, []string{p.ID}, forSale)
	if err != nil {
		return err
	}
	var variants []newVariant
	for _, v := range found[p.ID] {
		variants = append(variants, newVariant{SKU: v.Sku, Options: v.Options})
	}
	if err := index(ctx, tx, p.N, searched(p, t, variants)); err != nil {
		return fmt.Errorf("index product %s: %w", p.ID, err)
	}
	return nil
}
