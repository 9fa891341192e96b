package products

import (
	"context"

	"github.com/agora-supergraph/agora/subgraphs/products/gen"
)

// Entity returns the resolver of references: each batch is one query. Those to what doesn't exist, or is hidden from
// who asks, are null.
func (r *resolver) Entity() gen.EntityResolver { return entities{r.s} }

type entities struct{ s *Service }

// FindProduct resolves references to products, by id and by slug.
func (e entities) FindProduct(ctx context.Context, reps []*gen.ProductRepresentation) ([]*gen.Product, error) {
	var ids, slugs []string
	for _, rep := range reps {
		if rep.ID != nil {
			ids = append(ids, *rep.ID)
		} else {
			slugs = append(slugs, *rep.Slug)
		}
	}
	found, err := e.s.productsBy(ctx, ids, slugs)
	if err != nil {
		return nil, err
	}
	shared := sharedIn(ctx)
	products := make([]*gen.Product, len(reps))
	for i, rep := range reps {
		if rep.ID != nil {
			products[i] = found[*rep.ID]
		} else {
			products[i] = found[*rep.Slug]
		}
		if products[i] != nil {
			shared.variants.Want(products[i].ID)
		}
	}
	return products, nil
}

// FindProductVariant resolves references to variants, by id and by SKU.
func (e entities) FindProductVariant(ctx context.Context, reps []*gen.ProductVariantRepresentation) ([]*gen.ProductVariant, error) {
	var ids, skus []string
	for _, rep := range reps {
		if rep.ID != nil {
			ids = append(ids, *rep.ID)
		} else {
			skus = append(skus, *rep.Sku)
		}
	}
	found, err := e.s.variantsBy(ctx, ids, skus)
	if err != nil {
		return nil, err
	}
	shared := sharedIn(ctx)
	variants := make([]*gen.ProductVariant, len(reps))
	for i, rep := range reps {
		if rep.ID != nil {
			variants[i] = found[*rep.ID]
		} else {
			variants[i] = found[*rep.Sku]
		}
		if variants[i] != nil {
			shared.products.Want(variants[i].Product.ID)
		}
	}
	return variants, nil
}

// FindCategory resolves references to categories.
func (e entities) FindCategory(ctx context.Context, reps []*gen.CategoryRepresentation) ([]*gen.Category, error) {
	t, err := sharedIn(ctx).categories(ctx)
	if err != nil {
		return nil, err
	}
	categories := make([]*gen.Category, len(reps))
	for i, rep := range reps {
		if c := t.byID[*rep.ID]; c != nil {
			categories[i] = c.model()
		}
	}
	return categories, nil
}
