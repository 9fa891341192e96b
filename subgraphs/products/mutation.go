package products

import (
	"context"
	"fmt"

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
	shared.products.Forget(productID)
	shared.variants.Forget(productID)
	payload.Product, err = shared.products.Get(ctx, productID)
	return payload, err
}

// VariantPriceSet resolves Mutation.variantPriceSet.
func (m mutations) VariantPriceSet(ctx context.Context, input gen.VariantPriceSetInput) (*gen.VariantPayload, error) {
	if err := need(ctx, scopeWrite); err != nil {
		return nil, err
	}
	return m.variantPayload(ctx, input.VariantID, m.s.setPrice(ctx, input))
}

// VariantPriceSchedule resolves Mutation.variantPriceSchedule.
func (m mutations) VariantPriceSchedule(ctx context.Context, input gen.VariantPriceScheduleInput) (*gen.VariantPayload, error) {
	if err := need(ctx, scopeWrite); err != nil {
		return nil, err
	}
	return m.variantPayload(ctx, input.VariantID, m.s.schedule(ctx, input))
}

// variantPayload is the variant after a command, or why it was refused.
func (m mutations) variantPayload(ctx context.Context, variantID string, err error) (*gen.VariantPayload, error) {
	errs, err := userErrors(err)
	payload := &gen.VariantPayload{UserErrors: errs}
	if err != nil || len(errs) > 0 {
		return payload, err
	}
	shared := sharedIn(ctx)
	shared.priced.Forget(variantID)
	found, err := m.s.variantsBy(ctx, []string{variantID}, nil)
	if v := found[variantID]; v != nil {
		shared.products.Forget(v.Product.ID)
		shared.variants.Forget(v.Product.ID)
		payload.Variant = v
	}
	return payload, err
}

// VariantCreate resolves Mutation.variantCreate.
func (m mutations) VariantCreate(ctx context.Context, input gen.VariantCreateInput) (*gen.VariantPayload, error) {
	if err := need(ctx, scopeWrite); err != nil {
		return nil, err
	}
	variantID, err := m.s.createVariant(ctx, input)
	return m.variantPayload(ctx, variantID, err)
}

// VariantUpdate resolves Mutation.variantUpdate.
func (m mutations) VariantUpdate(ctx context.Context, variantID string, input gen.VariantUpdateInput, expectedVersion *int) (*gen.VariantPayload, error) {
	if err := need(ctx, scopeWrite); err != nil {
		return nil, err
	}
	return m.variantPayload(ctx, variantID, m.s.updateVariant(ctx, variantID, input, expectedVersion))
}

// PriceListCreate resolves Mutation.priceListCreate.
func (m mutations) PriceListCreate(ctx context.Context, input gen.PriceListCreateInput) (*gen.PriceListPayload, error) {
	if err := need(ctx, scopeWrite); err != nil {
		return nil, err
	}
	listID, err := m.s.createList(ctx, input)
	return m.listPayload(ctx, listID, err)
}

// PriceListUpdate resolves Mutation.priceListUpdate.
func (m mutations) PriceListUpdate(ctx context.Context, listID string, input gen.PriceListUpdateInput, expectedVersion *int) (*gen.PriceListPayload, error) {
	if err := need(ctx, scopeWrite); err != nil {
		return nil, err
	}
	return m.listPayload(ctx, listID, m.s.updateList(ctx, listID, input, expectedVersion))
}

// PriceListPricesSet resolves Mutation.priceListPricesSet.
func (m mutations) PriceListPricesSet(ctx context.Context, input gen.PriceListPricesSetInput) (*gen.PriceListPayload, error) {
	if err := need(ctx, scopeWrite); err != nil {
		return nil, err
	}
	return m.listPayload(ctx, input.ListID, m.s.setListPrices(ctx, input))
}

// listPayload is the price list after a command, or why it was refused.
func (m mutations) listPayload(ctx context.Context, listID string, err error) (*gen.PriceListPayload, error) {
	errs, err := userErrors(err)
	payload := &gen.PriceListPayload{UserErrors: errs}
	if err != nil || len(errs) > 0 {
		return payload, err
	}
	var l listRow
	if err := m.s.db.Read.GetContext(ctx, &l, `SELECT `+listColumns+` FROM price_list l WHERE l.id = $1`, listID); err != nil {
		return nil, fmt.Errorf("read price list %s: %w", listID, err)
	}
	payload.PriceList = l.model()
	return payload, nil
}
