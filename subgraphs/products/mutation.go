package products

import (
	"context"

	"github.com/agora-supergraph/agora/subgraphs/products/gen"
)

// Mutation returns the resolver of Mutation.
func (r *resolver) Mutation() gen.MutationResolver { return mutations{r.s} }

type mutations struct{ s *Service }

// ProductCreate resolves Mutation.productCreate.
func (m mutations) ProductCreate(ctx context.Context, input gen.ProductCreateInput) (*gen.ProductPayload, error) {
	if err := need(ctx, scopeWrite); err != nil {
		return nil, err
	}
	productID, err := m.s.create(ctx, input)
	return m.payload(ctx, productID, err)
}

// ProductUpdate resolves Mutation.productUpdate.
func (m mutations) ProductUpdate(ctx context.Context, productID string, input gen.ProductUpdateInput, expectedVersion *int) (*gen.ProductPayload, error) {
	if err := need(ctx, scopeWrite); err != nil {
		return nil, err
	}
	return m.payload(ctx, productID, m.s.update(ctx, productID, input, expectedVersion))
}

// payload is the product after a command, or why it was refused.
func (m mutations) payload(ctx context.Context, productID string, err error) (*gen.ProductPayload, error) {
	errs, err := userErrors(err)
	payload := &gen.ProductPayload{UserErrors: errs}
	if err != nil || len(errs) > 0 {
		return payload, err
	}
	shared := sharedIn(ctx)
	shared.products.forget(productID)
	shared.variants.forget(productID)
	payload.Product, err = shared.products.get(ctx, productID)
	return payload, err
}

// VariantPriceSet resolves Mutation.variantPriceSet.
func (m mutations) VariantPriceSet(ctx context.Context, input gen.VariantPriceSetInput) (*gen.VariantPayload, error) {
	if err := need(ctx, scopeWrite); err != nil {
		return nil, err
	}
	errs, err := userErrors(m.s.setPrice(ctx, input))
	payload := &gen.VariantPayload{UserErrors: errs}
	if err != nil || len(errs) > 0 {
		return payload, err
	}
	found, err := m.s.variantsBy(ctx, []string{input.VariantID}, nil)
	if v := found[input.VariantID]; v != nil {
		shared := sharedIn(ctx)
		shared.products.forget(v.Product.ID)
		shared.variants.forget(v.Product.ID)
		payload.Variant = v
	}
	return payload, err
}
