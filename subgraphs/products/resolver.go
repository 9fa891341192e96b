package products

import (
	"context"
	"fmt"

	"github.com/agora-supergraph/agora/internal/identity"
	"github.com/agora-supergraph/agora/internal/subgraph"
	"github.com/agora-supergraph/agora/subgraphs/products/gen"
)

// resolver is the root of all resolvers: they check who asks and what is asked, and leave the rest to the service.
type resolver struct{ s *Service }

// Query returns the resolver of Query.
func (r *resolver) Query() gen.QueryResolver { return queries{r.s} }

type queries struct{ s *Service }

// Product resolves Query.product.
func (q queries) Product(ctx context.Context, id, slug *string) (*gen.Product, error) {
	if (id == nil) == (slug == nil) {
		return nil, subgraph.Errorf(subgraph.BadInput, "give the product's id or its slug, one of them")
	}
	var asked string
	var ids, slugs []string
	if id != nil {
		asked, ids = *id, []string{*id}
	} else {
		asked, slugs = *slug, []string{*slug}
	}
	found, err := q.s.productsBy(ctx, ids, slugs)
	return found[asked], err
}

// Variant resolves Query.variant.
func (q queries) Variant(ctx context.Context, sku string) (*gen.ProductVariant, error) {
	found, err := q.s.variantsBy(ctx, nil, []string{sku})
	return found[sku], err
}

// Category resolves Query.category.
func (q queries) Category(ctx context.Context, slug string) (*gen.Category, error) {
	t, err := sharedIn(ctx).categories(ctx)
	if err != nil || t.bySlug[slug] == nil {
		return nil, err
	}
	return t.bySlug[slug].model(), nil
}

// Categories resolves Query.categories.
func (q queries) Categories(ctx context.Context) ([]*gen.Category, error) {
	t, err := sharedIn(ctx).categories(ctx)
	if err != nil {
		return nil, err
	}
	return categoryModels(t.below[""]), nil
}

// Products resolves Query.products.
func (q queries) Products(ctx context.Context, query *string, first *int, after *string, last *int, before *string, filter *gen.ProductFilter, sort *gen.ProductSort) (*gen.ProductConnection, error) {
	return q.s.list(ctx, arguments{query: query, first: first, after: after, last: last, before: before, filter: filter, sort: sort})
}

// Product returns the resolver of Product.
func (r *resolver) Product() gen.ProductResolver { return products{} }

type products struct{}

// Category resolves Product.category.
func (products) Category(ctx context.Context, p *gen.Product) (*gen.Category, error) {
	t, err := sharedIn(ctx).categories(ctx)
	if err != nil {
		return nil, err
	}
	c := t.byID[p.Category.ID]
	if c == nil { // it was made while this operation runs
		return nil, fmt.Errorf("read category %s of product %s: there is none", p.Category.ID, p.ID)
	}
	return c.model(), nil
}

// PriceRange resolves Product.priceRange.
func (products) PriceRange(_ context.Context, p *gen.Product) (*gen.PriceRange, error) {
	return &p.PriceRange, nil
}

// Variants resolves Product.variants, in their order.
func (products) Variants(ctx context.Context, p *gen.Product) ([]*gen.ProductVariant, error) {
	shared := sharedIn(ctx)
	shared.products.Put(p.ID, p)
	return shared.variants.Get(ctx, p.ID)
}

// ProductVariant returns the resolver of ProductVariant.
func (r *resolver) ProductVariant() gen.ProductVariantResolver { return variants{} }

type variants struct{}

// Product resolves ProductVariant.product.
func (variants) Product(ctx context.Context, v *gen.ProductVariant) (*gen.Product, error) {
	p, err := sharedIn(ctx).products.Get(ctx, v.Product.ID)
	if err == nil && p == nil {
		return nil, subgraph.Errorf("NOT_FOUND", "the product of variant %s is no longer for sale", v.ID)
	}
	return p, err
}

// ProductConnection returns the resolver of ProductConnection.
func (r *resolver) ProductConnection() gen.ProductConnectionResolver { return connections{} }

type connections struct{}

func listingOf(ctx context.Context, c *gen.ProductConnection) *listing {
	l, _ := sharedIn(ctx).connections.Load(c)
	return l.(*listing)
}

// TotalCount resolves ProductConnection.totalCount.
func (connections) TotalCount(ctx context.Context, c *gen.ProductConnection) (int, error) {
	return listingOf(ctx, c).count(ctx)
}

// Facets resolves ProductConnection.facets.
func (connections) Facets(ctx context.Context, c *gen.ProductConnection) ([]*gen.Facet, error) {
	return listingOf(ctx, c).facets(ctx)
}

// need refuses who lacks a scope. The router has checked it before; a subgraph does not rely on that.
func need(ctx context.Context, scope string) error {
	if !identity.From(ctx).Has(scope) {
		return subgraph.Forbidden("do this without the scope " + scope)
	}
	return nil
}
