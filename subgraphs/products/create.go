package products

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strconv"
	"time"

	"github.com/agora-supergraph/agora/internal/database"
	"github.com/agora-supergraph/agora/internal/id"
	"github.com/agora-supergraph/agora/internal/idempotency"
	"github.com/agora-supergraph/agora/internal/identity"
	"github.com/agora-supergraph/agora/internal/money"
	"github.com/agora-supergraph/agora/subgraphs/products/gen"
)

// create makes a product, a draft, and returns its id; a key that comes again gets the first one's.
func (s *Service) create(ctx context.Context, input gen.ProductCreateInput) (string, error) {
	if err := checkCreate(input).err(); err != nil {
		return "", err
	}
	key := idempotency.Key{Scope: identity.From(ctx).Actor(), Operation: "productCreate", Key: input.IdempotencyKey, Request: idempotency.Digest(input)}
	var answer string
	err := s.race(ctx, func(tx *database.Tx) error {
		return once(ctx, tx, key, &answer, func() (string, error) { return s.createIn(ctx, tx, input) })
	})
	s.outbox.Wake()
	return answer, err
}

// raceTries is how often a transaction that loses a race for a slug or SKU, or whose category is deleted meanwhile, is
// tried: the next one sees the winner, and of those that race one wins each time.
const raceTries = 20

// race runs a transaction that looks for names that are free, and for what it refers to, before it takes them.
func (s *Service) race(ctx context.Context, fn func(tx *database.Tx) error) error {
	for try := 1; ; try++ {
		err := s.db.Tx(ctx, fn)
		if try == raceTries || !database.IsUnique(err) && !database.IsReference(err) {
			return err
		}
		select {
		case <-time.After(rand.N(time.Duration(try) * 5 * time.Millisecond)):
		case <-ctx.Done():
			return err
		}
	}
}

// once carries a command out unless its key says that this was done before; then the answer is the first one. A
// refusal is not stored: nothing has happened, and the caller may try again.
func once(ctx context.Context, tx *database.Tx, key idempotency.Key, answer *string, do func() (string, error)) error {
	status, stored, err := idempotency.Claim(ctx, tx, key)
	switch {
	case err != nil:
		return err
	case status == idempotency.Reused:
		return refused(gen.CatalogueErrorCodeIdempotencyKeyReused, []string{"input", "idempotencyKey"}, "the idempotency key was used with other parameters")
	case status == idempotency.Done:
		*answer, err = strconv.Unquote(string(stored)) // an id: JSON and Go quote it alike
		return err
	case status == idempotency.InProgress:
		return fmt.Errorf("idempotency key of %s has no answer: it is claimed and completed in one transaction", key.Operation)
	}
	if *answer, err = do(); err != nil {
		return err
	}
	return idempotency.Complete(ctx, tx, key, *answer)
}

func (s *Service) createIn(ctx context.Context, tx *database.Tx, input gen.ProductCreateInput) (string, error) {
	var r refusals
	t, err := s.tree(ctx, tx)
	if err != nil {
		return "", err
	}
	if t.byID[input.CategoryID] == nil {
		r.refuse(gen.CatalogueErrorCodeNotFound, []string{"input", "categoryId"}, "there is no such category")
	}
	if err := r.checkTakenSKUs(ctx, tx, input.Variants); err != nil {
		return "", err
	}
	now := database.Micros(s.now())
	p := &newProduct{productRow: productRow{
		ID: id.New(id.Product), Status: draft, CategoryID: input.CategoryID, Version: 1, CreatedUs: now, UpdatedUs: now,
		Name: input.Name, Description: input.Description,
	}}
	if input.Slug == nil {
		p.Slug, err = freeSlug(ctx, tx, input.Name, 0)
	} else {
		p.Slug, err = *input.Slug, r.checkTakenSlug(ctx, tx, *input.Slug)
	}
	if err != nil {
		return "", err
	}
	if err := r.err(); err != nil {
		return "", err
	}
	for _, v := range input.Variants {
		p.Variants = append(p.Variants, variantOf(v))
	}
	return p.ID, s.insert(ctx, tx, t, p)
}

func variantOf(input *gen.VariantInput) newVariant {
	v := newVariant{
		ID: id.New(id.Variant), SKU: input.Sku, Name: input.Name, Options: []*gen.SelectedOption{},
		Price: money.New(input.Price.MinorUnits, input.Price.Currency), WeightGrams: input.WeightGrams,
	}
	if input.CompareAt != nil {
		v.CompareAt = &input.CompareAt.MinorUnits
	}
	for _, o := range input.Options {
		v.Options = append(v.Options, &gen.SelectedOption{Name: o.Name, Value: o.Value})
	}
	return v
}

func (r *refusals) checkTakenSKUs(ctx context.Context, tx *database.Tx, variants []*gen.VariantInput) error {
	skus := make([]string, len(variants))
	for i, v := range variants {
		skus[i] = v.Sku
	}
	list, args := database.In(nil, skus)
	var taken []string
	if err := tx.SelectContext(ctx, &taken, `SELECT sku FROM variant WHERE sku IN `+list, args...); err != nil {
		return fmt.Errorf("look up SKUs: %w", err)
	}
	for i, sku := range skus {
		for _, other := range taken {
			if sku == other {
				r.refuse(gen.CatalogueErrorCodeSkuTaken, []string{"input", "variants", strconv.Itoa(i), "sku"}, "another variant has the SKU %s", sku)
			}
		}
	}
	return nil
}

func (r *refusals) checkTakenSlug(ctx context.Context, tx *database.Tx, slug string) error {
	var n int
	if err := tx.GetContext(ctx, &n, `SELECT COUNT(*) FROM product_slug WHERE slug = $1`, slug); err != nil {
		return fmt.Errorf("look up slug: %w", err)
	}
	if n > 0 {
		r.refuse(gen.CatalogueErrorCodeSlugTaken, []string{"input", "slug"}, "another product has or had the slug %s", slug)
	}
	return nil
}
