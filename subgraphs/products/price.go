package products

import (
	"context"
	"fmt"

	"github.com/agora-supergraph/agora/internal/database"
	"github.com/agora-supergraph/agora/internal/event"
	"github.com/agora-supergraph/agora/internal/idempotency"
	"github.com/agora-supergraph/agora/internal/identity"
	"github.com/agora-supergraph/agora/internal/money"
	"github.com/agora-supergraph/agora/subgraphs/products/gen"
)

// setPrice gives a variant its price from now on; a key that comes again does nothing.
func (s *Service) setPrice(ctx context.Context, input gen.VariantPriceSetInput) error {
	var r refusals
	r.checkPrice(input.Price, "input", "price")
	r.checkCompareAt(input.CompareAt, input.Price, "input", "compareAt")
	r.checkKey(input.IdempotencyKey, "input", "idempotencyKey")
	if err := r.err(); err != nil {
		return err
	}
	key := idempotency.Key{Scope: identity.From(ctx).Actor(), Operation: "variantPriceSet", Key: input.IdempotencyKey, Request: idempotency.Digest(input)}
	var answer string
	err := s.db.Tx(ctx, func(tx *database.Tx) error {
		return once(ctx, tx, key, &answer, func() (string, error) {
			return input.VariantID, s.setPriceIn(ctx, tx, input)
		})
	})
	s.outbox.Wake()
	return err
}

func (s *Service) setPriceIn(ctx context.Context, tx *database.Tx, input gen.VariantPriceSetInput) error {
	p, err := s.lockPrices(ctx, tx, input.VariantID, input.ExpectedVersion)
	if err != nil {
		return err
	}
	rows, err := variantsStored(ctx, tx, p.N)
	if err != nil {
		return err
	}
	target := variantIn(rows, input.VariantID)
	was, compared := money.New(target.Price, target.Currency), target.CompareAt
	target.Price, target.Currency, target.CompareAt = input.Price.MinorUnits, input.Price.Currency, nil
	if input.CompareAt != nil {
		target.CompareAt = &input.CompareAt.MinorUnits
	}
	at := []string{"input", "price", "currency"}
	switch {
	case was == money.New(target.Price, target.Currency) && equal(compared, target.CompareAt):
		return nil
	case target.Currency != p.Currency && len(rows) > 1:
		return refused(gen.CatalogueErrorCodeInvalidPrice, at, "the other variants of the product have prices in %s", p.Currency)
	case target.Currency != p.Currency && p.RepriceUs != nil:
		return refused(gen.CatalogueErrorCodeInvalidPrice, at, "the variant has scheduled prices in %s", p.Currency)
	}
	if err := storePrice(ctx, tx, target); err != nil {
		return err
	}
	p.priceRange(rows)
	return s.store(ctx, tx, p, variantPriced(target, was, p.Version+1))
}

// lockPrices is the product of a variant, its row the transaction's, with no price due. The row is the lock of all its
// variants: their prices are its price range.
func (s *Service) lockPrices(ctx context.Context, tx *database.Tx, variantID string, expected *int) (*productRow, error) {
	p, err := lockProduct(ctx, tx, `p.n = (SELECT v.product_n FROM variant v WHERE v.id = $1)`, variantID)
	if err != nil {
		return nil, err
	}
	if p == nil {
		return nil, refused(gen.CatalogueErrorCodeNotFound, []string{"input", "variantId"}, "there is no such variant")
	}
	if expected != nil && int64(*expected) != p.Version {
		return nil, refused(gen.CatalogueErrorCodeVersionConflict, []string{"input", "expectedVersion"}, "the product has version %d by now, not %d", p.Version, *expected)
	}
	return p, s.settle(ctx, tx, p)
}

// variantsStored are the variants of a product with the prices in their rows, whatever is scheduled.
func variantsStored(ctx context.Context, tx *database.Tx, n int64) ([]variantRow, error) {
	return variantsAt(ctx, tx, n, 0)
}

// variantsAt are the variants of a product with the prices that they have at an instant.
func variantsAt(ctx context.Context, tx *database.Tx, n, at int64) ([]variantRow, error) {
	var rows []variantRow
	err := tx.SelectContext(ctx, &rows, `SELECT `+variantColumns+` FROM `+variantTables+` WHERE p.n = $2 ORDER BY v.position`, at, n)
	if err != nil {
		return nil, fmt.Errorf("read variants of product %d: %w", n, err)
	}
	return rows, nil
}

func variantIn(rows []variantRow, variantID string) *variantRow {
	for i := range rows {
		if rows[i].ID == variantID {
			return &rows[i]
		}
	}
	return nil
}

// priceRange makes the price range of a product that of its variants that are for sale.
func (r *productRow) priceRange(variants []variantRow) {
	first := true
	for _, v := range variants {
		switch {
		case v.ArchivedUs != nil:
		case first:
			r.PriceMin, r.PriceMax, r.Currency, first = v.Price, v.Price, v.Currency, false
		default:
			r.PriceMin, r.PriceMax = min(r.PriceMin, v.Price), max(r.PriceMax, v.Price)
		}
	}
}

func storePrice(ctx context.Context, tx *database.Tx, v *variantRow) error {
	_, err := tx.ExecContext(ctx, `UPDATE variant SET price = $1, compare_at = $2, currency = $3 WHERE id = $4`, v.Price, v.CompareAt, v.Currency, v.ID)
	if err != nil {
		return fmt.Errorf("set price of variant %s: %w", v.ID, err)
	}
	return nil
}

// settle moves the prices that have begun into the rows of their variants, with the price range of the product, which
// is the transaction's. What shoppers see of a variant is the same before and after; lists that are sorted by price,
// filters and facets follow.
func (s *Service) settle(ctx context.Context, tx *database.Tx, p *productRow) error {
	at := database.Micros(s.now())
	if !p.due(at) {
		return nil
	}
	before, err := variantsStored(ctx, tx, p.N)
	if err != nil {
		return err
	}
	after, err := variantsAt(ctx, tx, p.N, at)
	if err != nil {
		return err
	}
	var events []event.Event
	for i := range after {
		was := &before[i]
		if was.Price == after[i].Price && equal(was.CompareAt, after[i].CompareAt) {
			continue
		}
		if err := storePrice(ctx, tx, &after[i]); err != nil {
			return err
		}
		events = append(events, variantPriced(&after[i], money.New(was.Price, was.Currency), p.Version+1))
	}
	_, err = tx.ExecContext(ctx, `
		DELETE FROM scheduled_price WHERE from_us <= $1 AND variant_id IN (SELECT id FROM variant WHERE product_n = $2)`, at, p.N)
	if err != nil {
		return fmt.Errorf("settle prices of product %s: %w", p.ID, err)
	}
	if err := p.next(ctx, tx); err != nil {
		return err
	}
	p.priceRange(after)
	return s.store(ctx, tx, p, events...)
}

// next finds when the next price of the product begins.
func (r *productRow) next(ctx context.Context, tx *database.Tx) error {
	err := tx.GetContext(ctx, &r.RepriceUs, `
		SELECT MIN(from_us) FROM scheduled_price WHERE variant_id IN (SELECT id FROM variant WHERE product_n = $1)`, r.N)
	if err != nil {
		return fmt.Errorf("read scheduled prices of product %s: %w", r.ID, err)
	}
	return nil
}

// reprice gives products, by id, of which prices are due the price ranges of the operation's instant. One statement, and
// none if none is due.
func (s *Service) reprice(ctx context.Context, due map[string]*gen.Product) error {
	if len(due) == 0 {
		return nil
	}
	ids := make([]string, 0, len(due))
	for id := range due {
		ids = append(ids, id)
	}
	found, err := s.variantsOf(ctx, s.db.Read, sharedIn(ctx).at, ids, forSale)
	if err != nil {
		return err
	}
	for id, p := range due {
		p.PriceRange.Min, p.PriceRange.Max = found[id][0].Price, found[id][0].Price
		for _, v := range found[id] {
			if v.Price.MinorUnits < p.PriceRange.Min.MinorUnits {
				p.PriceRange.Min = v.Price
			}
			if v.Price.MinorUnits > p.PriceRange.Max.MinorUnits {
				p.PriceRange.Max = v.Price
			}
		}
	}
	return nil
}
