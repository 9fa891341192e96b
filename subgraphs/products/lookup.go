package products

import (
	"context"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/agora-supergraph/agora/internal/cache"
	"github.com/agora-supergraph/agora/internal/database"
	"github.com/agora-supergraph/agora/internal/event"
	"github.com/agora-supergraph/agora/internal/id"
	"github.com/agora-supergraph/agora/internal/identity"
	"github.com/agora-supergraph/agora/subgraphs/products/gen"
)

// Shoppers' lookups go through the cache: of a product by its id, of the products that slugs, SKUs and variants belong
// to, and of all categories. A product is cached as a whole, with its variants and with all prices that are scheduled, in
// its version: its prices at an instant are worked out when it is shown, so that none can be late. What belongs to which
// product never changes. Staff and other services, which must see what is, are answered by the database, and so are
// lists and prices in lists.

// cached is what is cached under a key: a product under its id, the id of the product under what else names it, or all
// categories. It must not be changed.
type cached struct {
	ProductID  string         `json:",omitempty"`
	Product    *productRow    `json:",omitempty"`
	Variants   []variantRow   `json:",omitempty"`
	Scheduled  []scheduled    `json:",omitempty"`
	Categories []*categoryRow `json:",omitempty"`
}

// scheduled is a price that is going to begin, or has begun and is not settled.
type scheduled struct {
	VariantID string
	FromUs    int64
	Price     int64
	CompareAt *int64
}

// The keys of what has no id that is its key.
const (
	categoriesKey = "categories"
	slugKey       = "slug:"
	skuKey        = "sku:"
)

// touched notes in a transaction that something cached has changed.
type touched struct {
	key     string
	version int64
}

// knownVersion is that of what comes to be once and never changes.
const knownVersion = 1

// committed drops what a transaction has changed from the cache.
func (s *Service) committed(ctx context.Context, notes []any) {
	versions := map[string]int64{}
	for _, note := range notes {
		t := note.(touched)
		versions[t.key] = max(versions[t.key], t.version)
	}
	s.cache.Changed(ctx, versions) // what can't be told now is told later, without anybody's help
}

// heard drops what an event tells of from the cache, if the process that made the change did not: it died, or is a command
// beside this one.
func (s *Service) heard(ctx context.Context, d event.Delivery) error {
	versions := map[string]int64{}
	switch d.Type {
	case "agora.products.product.created.v1", "agora.products.product.updated.v1":
		var p productData
		if err := d.Decode(&p); err != nil {
			return err
		}
		versions[p.ProductID], versions[slugKey+p.Slug] = p.Version, knownVersion
	case "agora.products.category.created.v1", "agora.products.category.updated.v1", "agora.products.category.deleted.v1":
		generation, err := s.generation(ctx)
		if err != nil {
			return err
		}
		versions[categoriesKey] = generation
	case "agora.products.variant.created.v1":
		var v variantData
		if err := d.Decode(&v); err != nil {
			return err
		}
		versions[v.VariantID], versions[skuKey+v.SKU] = knownVersion, knownVersion
	}
	return s.cache.Heard(ctx, versions)
}

// CacheStats are the numbers of the cache.
func (s *Service) CacheStats() cache.Stats { return s.cache.Stats() }

// looksUp reports whether who asks is answered by the cache.
func (s *Service) looksUp(ctx context.Context) bool {
	who := identity.From(ctx)
	return s.cache != nil && who.Service == "" && !who.Has(scopeWrite)
}

// lookUp finds products by ids, and by keys of what belongs to them; by what was asked.
func (s *Service) lookUp(ctx context.Context, ids, keys []string) (map[string]*cached, error) {
	owners := map[string]*cached{}
	if len(keys) > 0 {
		var err error
		if owners, err = s.cache.Get(ctx, keys, s.readCached); err != nil {
			return nil, err
		}
	}
	all := append([]string(nil), ids...)
	for _, owner := range owners {
		all = append(all, owner.ProductID)
	}
	found, err := s.cache.Get(ctx, all, s.readCached)
	for key, owner := range owners {
		if p := found[owner.ProductID]; p != nil {
			found[key] = p
		}
	}
	return found, err
}

// productsCached is productsBy for shoppers.
func (s *Service) productsCached(ctx context.Context, ids, slugs []string) (map[string]*gen.Product, error) {
	var keys []string
	for _, slug := range slugs {
		if validSlug(slug) { // others name nothing, and are not worth a key
			keys = append(keys, slugKey+slug)
		}
	}
	rows, err := s.lookUp(ctx, id.WellFormed(id.Product, ids), keys)
	found := make(map[string]*gen.Product, len(rows))
	for key, c := range rows {
		if c.Product.Status == active {
			found[strings.TrimPrefix(key, slugKey)] = c.model(sharedIn(ctx).at)
		}
	}
	return found, err
}

// variantsCached is variantsBy for shoppers.
func (s *Service) variantsCached(ctx context.Context, ids, skus []string) (map[string]*gen.ProductVariant, error) {
	keys := id.WellFormed(id.Variant, ids)
	for _, sku := range skus {
		if utf8.RuneCountInString(sku) <= maxSKU {
			keys = append(keys, skuKey+sku)
		}
	}
	rows, err := s.lookUp(ctx, nil, keys)
	if err != nil {
		return nil, err
	}
	shared := sharedIn(ctx)
	found := map[string]*gen.ProductVariant{}
	for key, c := range rows {
		name, bySKU := strings.CutPrefix(key, skuKey)
		for _, row := range c.at(shared.at) {
			if c.Product.Status != active || bySKU && row.SKU != name || !bySKU && row.ID != name {
				continue
			}
			if found[name], err = row.model(); err != nil {
				return nil, err
			}
			shared.priced.Want(row.ID)
		}
	}
	return found, nil
}

// variantsOfCached is variantsOf for shoppers.
func (s *Service) variantsOfCached(ctx context.Context, at int64, products []string) (map[string][]*gen.ProductVariant, error) {
	rows, err := s.lookUp(ctx, products, nil)
	if err != nil {
		return nil, err
	}
	found := make(map[string][]*gen.ProductVariant, len(rows))
	for productID, c := range rows {
		for _, row := range c.at(at) {
			v, err := row.model()
			if err != nil {
				return nil, err
			}
			found[productID] = append(found[productID], v)
		}
	}
	return found, nil
}

// treeFor is the tree that an operation sees.
func (s *Service) treeFor(ctx context.Context) (*tree, error) {
	if !s.looksUp(ctx) {
		return s.tree(ctx, s.db.Read)
	}
	found, err := s.cache.Get(ctx, []string{categoriesKey}, s.readCached)
	if err != nil {
		return nil, err
	}
	return growTree(found[categoriesKey].Categories), nil
}

// at are the variants with the prices that they have at an instant.
func (c *cached) at(instant int64) []variantRow {
	if len(c.Scheduled) == 0 {
		return c.Variants
	}
	rows := append([]variantRow(nil), c.Variants...)
	for _, p := range c.Scheduled { // in the order of their beginning
		if v := variantIn(rows, p.VariantID); v != nil && p.FromUs <= instant {
			v.Price, v.CompareAt = p.Price, p.CompareAt
		}
	}
	return rows
}

// model is the product at an instant.
func (c *cached) model(at int64) *gen.Product {
	if !c.Product.due(at) {
		return c.Product.model()
	}
	row := *c.Product
	row.priceRange(c.at(at))
	return row.model()
}

// readCached reads what is cached under keys. One statement for all products, and one for categories.
func (s *Service) readCached(ctx context.Context, keys []string) (map[string]cache.Entry[*cached], error) {
	found := map[string]cache.Entry[*cached]{}
	by := map[string][]string{}
	for _, key := range keys {
		kind, name, ok := strings.Cut(key, ":")
		switch {
		case key == categoriesKey:
			rows, generation, err := s.readGeneration(ctx, s.db.Read)
			if err != nil {
				return nil, err
			}
			found[key] = cache.Entry[*cached]{Version: generation, Value: &cached{Categories: rows}}
			continue
		case !ok:
			kind, name = id.Prefix(key), key
		}
		by[kind] = append(by[kind], name)
	}
	return found, s.readProducts(ctx, by, found)
}

// askedFor are the queries by which keys of each kind find products.
var askedFor = []struct{ kind, query string }{
	{"prod", `SELECT p.id AS asked, p.n FROM product p WHERE p.id IN `},
	{"slug", `SELECT 'slug:' || s.slug AS asked, s.product_n AS n FROM product_slug s WHERE s.slug IN `},
	{"sku", `SELECT 'sku:' || v.sku AS asked, v.product_n AS n FROM variant v WHERE v.sku IN `},
	{"var", `SELECT v.id AS asked, v.product_n AS n FROM variant v WHERE v.id IN `},
}

// readProducts reads products by keys of each kind, with all that belongs to them. One statement.
func (s *Service) readProducts(ctx context.Context, by map[string][]string, found map[string]cache.Entry[*cached]) error {
	queries, list := []string(nil), ""
	var args []any
	for _, each := range askedFor {
		if names := by[each.kind]; len(names) > 0 {
			list, args = database.In(args, names)
			queries = append(queries, each.query+list)
		}
	}
	if len(queries) == 0 {
		return nil
	}
	var rows []struct {
		Asked string
		productRow
		V            variantRow `db:"v"`
		FromUs       *int64     `db:"from_us"`
		DuePrice     *int64     `db:"due_price"`
		DueCompareAt *int64     `db:"due_compare_at"`
	}
	err := s.db.Read.SelectContext(ctx, &rows, `
		SELECT a.asked, `+productColumns+`, v.id AS "v.id", v.sku AS "v.sku", p.id AS "v.product_id", v.name AS "v.name", v.options AS "v.options",
			v.price AS "v.price", v.compare_at AS "v.compare_at", v.currency AS "v.currency", v.weight_grams AS "v.weight_grams",
			d.from_us, d.price AS due_price, d.compare_at AS due_compare_at
		FROM (`+strings.Join(queries, " UNION ALL ")+`) a JOIN product p ON p.n = a.n JOIN variant v ON v.product_n = p.n`+forSale+`
		LEFT JOIN scheduled_price d ON d.variant_id = v.id ORDER BY a.asked, v.position, d.from_us`, args...)
	if err != nil {
		return fmt.Errorf("read products: %w", err)
	}
	owner := map[string]string{} // of several that name a product, one brings it along
	for _, r := range rows {
		if r.Asked != r.ID {
			found[r.Asked] = cache.Entry[*cached]{Version: knownVersion, Value: &cached{ProductID: r.ID}}
		}
		if owner[r.ID] == "" {
			row := r.productRow
			owner[r.ID] = r.Asked
			found[r.ID] = cache.Entry[*cached]{Version: r.Version, Value: &cached{Product: &row}}
		}
		if owner[r.ID] != r.Asked {
			continue
		}
		c := found[r.ID].Value
		if n := len(c.Variants); n == 0 || c.Variants[n-1].ID != r.V.ID {
			c.Variants = append(c.Variants, r.V)
		}
		if r.FromUs != nil {
			c.Scheduled = append(c.Scheduled, scheduled{r.V.ID, *r.FromUs, *r.DuePrice, r.DueCompareAt})
		}
	}
	return nil
}

// cacheTTL is how long what is cached of the catalogue is kept: changes drop it, so that this is for what nobody could
// tell of.
const cacheTTL = 5 * time.Minute
