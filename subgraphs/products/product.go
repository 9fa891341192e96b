package products

import (
	"context"
	"fmt"
	"strings"

	"github.com/agora-supergraph/agora/internal/database"
	"github.com/agora-supergraph/agora/internal/identity"
	"github.com/agora-supergraph/agora/internal/money"
	"github.com/agora-supergraph/agora/internal/subgraph"
	"github.com/agora-supergraph/agora/subgraphs/products/gen"
)

// scopeWrite is the scope of staff who keep the catalogue, and see what isn't for sale.
const scopeWrite = "catalogue:write"

// The states of a product.
const (
	draft    = string(gen.ProductStatusDraft)
	active   = string(gen.ProductStatusActive)
	archived = string(gen.ProductStatusArchived)
)

// productRow is a product as it is stored.
type productRow struct {
	N          int64
	ID         string
	Slug       string
	Status     string
	CategoryID string `db:"category_id"`
	PriceMin   int64  `db:"price_min"`
	PriceMax   int64  `db:"price_max"`
	Currency   string
	// RepriceUs is when the first of the scheduled prices of the variants begins, if there are any.
	RepriceUs   *int64 `db:"reprice_us"`
	Version     int64
	CreatedUs   int64 `db:"created_us"`
	UpdatedUs   int64 `db:"updated_us"`
	Name        string
	NameKey     string `db:"name_key"`
	Description string
}

// productColumns are those of productRow, of the table p.
const productColumns = `p.n, p.id, p.slug, p.status, p.category_id, p.price_min, p.price_max, p.currency, p.reprice_us, p.version, p.created_us, p.updated_us, p.name, p.name_key, p.description`

func (r *productRow) model() *gen.Product {
	return &gen.Product{
		ID: r.ID, Slug: r.Slug, Name: r.Name, Description: r.Description, Status: gen.ProductStatus(r.Status),
		Category:   gen.Category{ID: r.CategoryID},
		PriceRange: gen.PriceRange{Min: money.New(r.PriceMin, r.Currency), Max: money.New(r.PriceMax, r.Currency)},
		CreatedAt:  database.Time(r.CreatedUs), UpdatedAt: database.Time(r.UpdatedUs), Version: int(r.Version),
	}
}

// due reports whether prices have begun that are not part of the product's price range yet.
func (r *productRow) due(at int64) bool { return r.RepriceUs != nil && *r.RepriceUs <= at }

// variantRow is a variant with the id of its product and the price that it has at some instant.
type variantRow struct {
	ID          string
	SKU         string
	ProductID   string `db:"product_id"`
	Name        string
	Options     string
	Price       int64
	CompareAt   *int64 `db:"compare_at"`
	Currency    string
	WeightGrams *int   `db:"weight_grams"`
	ArchivedUs  *int64 `db:"archived_us"`
	// OptionsKey is what the database tells options apart by.
	OptionsKey *string `db:"options_key"`
}

// variantColumns are those of variantRow, of the tables variantTables.
const variantColumns = `v.id, v.sku, p.id AS product_id, v.name, v.options, COALESCE(due.price, v.price) AS price,
	CASE WHEN due.price IS NULL THEN v.compare_at ELSE due.compare_at END AS compare_at, v.currency, v.weight_grams, v.archived_us, v.options_key`

// variantTables are variants v with their products p and the last scheduled price that has begun; $1 is the instant.
const variantTables = `product p JOIN variant v ON v.product_n = p.n
	LEFT JOIN scheduled_price due ON due.variant_id = v.id
		AND due.from_us = (SELECT MAX(begun.from_us) FROM scheduled_price begun WHERE begun.variant_id = v.id AND begun.from_us <= $1)`

func (r *variantRow) model() (*gen.ProductVariant, error) {
	v := &gen.ProductVariant{
		ID: r.ID, Sku: r.SKU, Name: r.Name, Price: money.New(r.Price, r.Currency),
		WeightGrams: r.WeightGrams, Product: gen.Product{ID: r.ProductID}, Status: gen.VariantStatusActive,
	}
	if r.ArchivedUs != nil {
		v.Status = gen.VariantStatusArchived
	}
	v.CompareAt = amount(r.CompareAt, r.Currency)
	var err error
	v.Options, err = r.readOptions()
	return v, err
}

// amount is an amount that may be missing.
func amount(minorUnits *int64, currency string) *money.Money {
	if minorUnits == nil {
		return nil
	}
	m := money.New(*minorUnits, currency)
	return &m
}

// visible is the condition that ends a WHERE: staff see every product, others what is for sale.
func visible(ctx context.Context) string {
	if identity.From(ctx).Has(scopeWrite) {
		return ""
	}
	return " AND p.status = '" + active + "'"
}

// forSale is the condition that ends a WHERE: variants that are not archived.
const forSale = " AND v.archived_us IS NULL"

// visibleVariants is the condition that ends a WHERE: staff see every variant, others what is for sale.
func visibleVariants(ctx context.Context) string {
	if identity.From(ctx).Has(scopeWrite) {
		return ""
	}
	return forSale
}

// maxBatch bounds how many things are read by key in one statement, well below what the engines take.
const maxBatch = 10_000

// known are the keys that can exist.
func known(keys []string) ([]string, error) {
	if len(keys) > maxBatch {
		return nil, subgraph.Errorf(subgraph.BadInput, "%d keys at once: %d are the most", len(keys), maxBatch)
	}
	var can []string
	for _, k := range keys {
		if database.Storable(k) {
			can = append(can, k)
		}
	}
	return can, nil
}

// productsBy are the products with these ids and slugs that the caller may see, by what was asked: a slug may be one
// that a product had before. One statement, or none of what is cached.
func (s *Service) productsBy(ctx context.Context, ids, slugs []string) (map[string]*gen.Product, error) {
	ids, err := known(ids)
	if err != nil {
		return nil, err
	}
	if slugs, err = known(slugs); err != nil {
		return nil, err
	}
	if s.looksUp(ctx) {
		return s.productsCached(ctx, ids, slugs)
	}
	var queries []string
	var args []any
	var list string
	if len(ids) > 0 {
		list, args = database.In(args, ids)
		queries = append(queries, `SELECT p.id AS asked, `+productColumns+` FROM product p WHERE p.id IN `+list+visible(ctx))
	}
	if len(slugs) > 0 {
		list, args = database.In(args, slugs)
		queries = append(queries, `SELECT s.slug AS asked, `+productColumns+` FROM product_slug s JOIN product p ON p.n = s.product_n WHERE s.slug IN `+list+visible(ctx))
	}
	if len(queries) == 0 {
		return nil, nil
	}
	var rows []struct {
		Asked string
		productRow
	}
	if err := s.db.Read.SelectContext(ctx, &rows, strings.Join(queries, " UNION ALL "), args...); err != nil {
		return nil, fmt.Errorf("read products: %w", err)
	}
	found := make(map[string]*gen.Product, len(rows))
	at, due := sharedIn(ctx).at, map[string]*gen.Product{}
	for _, r := range rows {
		model := r.model()
		if earlier := due[r.ID]; earlier != nil { // asked for by two keys
			model = earlier
		} else if r.due(at) {
			due[r.ID] = model
		}
		found[r.Asked] = model
	}
	return found, s.reprice(ctx, due)
}

// variantsBy are the variants with these ids and SKUs whose products the caller may see, by what was asked. One
// statement.
func (s *Service) variantsBy(ctx context.Context, ids, skus []string) (map[string]*gen.ProductVariant, error) {
	ids, err := known(ids)
	if err != nil {
		return nil, err
	}
	if skus, err = known(skus); err != nil {
		return nil, err
	}
	if s.looksUp(ctx) {
		return s.variantsCached(ctx, ids, skus)
	}
	shared := sharedIn(ctx)
	var either []string
	args := []any{shared.at}
	var list string
	if len(ids) > 0 {
		list, args = database.In(args, ids)
		either = append(either, `v.id IN `+list)
	}
	if len(skus) > 0 {
		list, args = database.In(args, skus)
		either = append(either, `v.sku IN `+list)
	}
	if len(either) == 0 {
		return nil, nil
	}
	var rows []variantRow
	err = s.db.Read.SelectContext(ctx, &rows, `
		SELECT `+variantColumns+` FROM `+variantTables+`
		WHERE (`+strings.Join(either, " OR ")+`)`+visible(ctx)+visibleVariants(ctx), args...)
	if err != nil {
		return nil, fmt.Errorf("read variants: %w", err)
	}
	found := make(map[string]*gen.ProductVariant, 2*len(rows))
	for _, r := range rows {
		v, err := r.model()
		if err != nil {
			return nil, err
		}
		found[v.ID], found[v.Sku] = v, v
		shared.priced.Want(v.ID)
	}
	return found, nil
}

// variantsOf are the variants of products, by product, in their order, with the prices that they have at an instant: those
// that a condition lets see. One statement.
func (s *Service) variantsOf(ctx context.Context, q database.Querier, at int64, products []string, condition string) (map[string][]*gen.ProductVariant, error) {
	list, args := database.In([]any{at}, products)
	var rows []variantRow
	err := q.SelectContext(ctx, &rows, `
		SELECT `+variantColumns+` FROM `+variantTables+`
		WHERE p.id IN `+list+condition+` ORDER BY v.product_n, v.position`, args...)
	if err != nil {
		return nil, fmt.Errorf("read variants of products: %w", err)
	}
	found := make(map[string][]*gen.ProductVariant, len(products))
	for _, r := range rows {
		v, err := r.model()
		if err != nil {
			return nil, err
		}
		found[r.ProductID] = append(found[r.ProductID], v)
	}
	return found, nil
}

// VariantIDs are the ids of all variants, in order.
func (s *Service) VariantIDs(ctx context.Context) ([]string, error) {
	var ids []string
	if err := s.db.Read.SelectContext(ctx, &ids, `SELECT id FROM variant ORDER BY id`); err != nil {
		return nil, fmt.Errorf("read ids of variants: %w", err)
	}
	return ids, nil
}
