package products

import (
	"context"
	"fmt"

	"github.com/agora-supergraph/agora/internal/database"
	"github.com/agora-supergraph/agora/internal/idempotency"
	"github.com/agora-supergraph/agora/internal/identity"
	"github.com/agora-supergraph/agora/internal/money"
	"github.com/agora-supergraph/agora/subgraphs/products/gen"
)

// setPrice gives a variant its price from now on; a key that comes again does nothing.
func (s *Service) setPrice(ctx context.Context, input gen.VariantPriceSetInput) error {
	var r refusals
	r.checkPrice(input.Price, "input", "price")
	r.checkKey(input.IdempotencyKey, "input", "idempotencyKey")
	if err := r.err(); err != nil {
		return err
	}
	key := idempotency.Key{Scope: identity.From(ctx).Actor(), Operation: "variantPriceSet", Key: input.IdempotencyKey, Request: idempotency.Digest(input)}
	var answer string
	err := s.db.Tx(ctx, func(tx *database.Tx) error {
		return once(ctx, tx, key, &answer, func() (string, error) {
			return input.VariantID, s.setPriceIn(ctx, tx, input.VariantID, money.New(input.Price.MinorUnits, input.Price.Currency))
		})
	})
	s.outbox.Wake()
	return err
}

func (s *Service) setPriceIn(ctx context.Context, tx *database.Tx, variantID string, price money.Money) error {
	// The product's row is the lock of all its variants: their prices are its price range.
	p, err := lockProduct(ctx, tx, `p.n = (SELECT v.product_n FROM variant v WHERE v.id = $1)`, variantID)
	if err != nil {
		return err
	}
	if p == nil {
		return refused(gen.CatalogueErrorCodeNotFound, []string{"input", "variantId"}, "there is no such variant")
	}
	var rows []variantRow
	err = tx.SelectContext(ctx, &rows, `
		SELECT `+variantColumns+` FROM variant v JOIN product p ON p.n = v.product_n WHERE p.n = $1`, p.N)
	if err != nil {
		return fmt.Errorf("read variants of product %s: %w", p.ID, err)
	}
	var target *variantRow
	for i := range rows {
		if rows[i].ID == variantID {
			target = &rows[i]
		}
	}
	was := money.New(target.Price, target.Currency)
	if was == price {
		return nil
	}
	if price.Currency != p.Currency && len(rows) > 1 {
		return refused(gen.CatalogueErrorCodeInvalidPrice, []string{"input", "price", "currency"}, "the other variants of the product have prices in %s", p.Currency)
	}
	target.Price, target.Currency = price.MinorUnits, price.Currency
	p.PriceMin, p.PriceMax, p.Currency = price.MinorUnits, price.MinorUnits, price.Currency
	for _, v := range rows {
		p.PriceMin, p.PriceMax = min(p.PriceMin, v.Price), max(p.PriceMax, v.Price)
	}
	_, err = tx.ExecContext(ctx, `UPDATE variant SET price = $1, currency = $2 WHERE id = $3`, target.Price, target.Currency, target.ID)
	if err != nil {
		return fmt.Errorf("set price of variant %s: %w", target.ID, err)
	}
	return s.store(ctx, tx, p, variantPriced(target, was, p.Version+1))
}
