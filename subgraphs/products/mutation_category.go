package products

import (
	"context"

	"github.com/agora-supergraph/agora/subgraphs/products/gen"
)

// CategoryCreate resolves Mutation.categoryCreate.
func (m mutations) CategoryCreate(ctx context.Context, input gen.CategoryCreateInput) (*gen.CategoryPayload, error) {
	if err := need(ctx, scopeWrite); err != nil {
		return nil, err
	}
	categoryID, err := m.s.createCategory(ctx, input)
	return m.categoryPayload(ctx, categoryID, err)
}

// CategoryUpdate resolves Mutation.categoryUpdate.
func (m mutations) CategoryUpdate(ctx context.Context, categoryID string, input gen.CategoryUpdateInput, expectedVersion *int) (*gen.CategoryPayload, error) {
	if err := need(ctx, scopeWrite); err != nil {
		return nil, err
	}
	return m.categoryPayload(ctx, categoryID, m.s.updateCategory(ctx, categoryID, input, expectedVersion))
}

// categoryPayload is the category after a command, or why it was refused.
func (m mutations) categoryPayload(ctx context.Context, categoryID string, err error) (*gen.CategoryPayload, error) {
	errs, err := userErrors(err)
	payload := &gen.CategoryPayload{UserErrors: errs}
	if err != nil || len(errs) > 0 {
		return payload, err
	}
	shared := sharedIn(ctx)
	shared.categories = onceRead(m.s.treeFor) // another mutation of the operation may have read them
	t, err := shared.categories(ctx)
	if err == nil && t.byID[categoryID] != nil {
		payload.Category = t.byID[categoryID].model()
	}
	return payload, err
}

// CategoryDelete resolves Mutation.categoryDelete.
func (m mutations) CategoryDelete(ctx context.Context, categoryID string, expectedVersion *int) (*gen.CategoryDeletePayload, error) {
	if err := need(ctx, scopeWrite); err != nil {
		return nil, err
	}
	errs, err := userErrors(m.s.deleteCategory(ctx, categoryID, expectedVersion))
	payload := &gen.CategoryDeletePayload{UserErrors: errs}
	if err == nil && len(errs) == 0 {
		payload.DeletedCategoryID = &categoryID
	}
	return payload, err
}
