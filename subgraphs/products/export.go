package products

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/agora-supergraph/agora/internal/database"
	"github.com/agora-supergraph/agora/internal/money"
	"github.com/agora-supergraph/agora/subgraphs/products/feed"
)

// exportBatch is how many products are read at a time.
const exportBatch = 500

// Export writes all products, of whatever status, in the order in which they were made, with the prices of now: a file
// that makes the same catalogue of an empty one. It returns how many they are. Price lists, scheduled
// prices and archived variants are not part of it.
func (s *Service) Export(ctx context.Context, w feed.Writer, progress func(done int)) (int, error) {
	t, err := s.tree(ctx, s.db.Read)
	if err != nil {
		return 0, err
	}
	done, at := 0, database.Micros(s.now())
	for last := int64(0); ; {
		var rows []productRow
		err := s.db.Read.SelectContext(ctx, &rows, `SELECT `+productColumns+` FROM product p WHERE p.n > $1 ORDER BY p.n LIMIT $2`, last, exportBatch)
		if err != nil {
			return done, fmt.Errorf("read products: %w", err)
		}
		if len(rows) == 0 {
			return done, w.Flush()
		}
		products, err := s.exported(ctx, t, at, rows)
		if err != nil {
			return done, err
		}
		for _, p := range products {
			if err := w.Write(p); err != nil {
				return done, err
			}
		}
		done, last = done+len(rows), rows[len(rows)-1].N
		if progress != nil {
			progress(done)
		}
	}
}

// exported are products as a file has them. Two statements.
func (s *Service) exported(ctx context.Context, t *tree, at int64, rows []productRow) ([]*feed.Product, error) {
	products, byID, byNumber := make([]*feed.Product, len(rows)), map[string]*feed.Product{}, map[int64]*feed.Product{}
	var numbers []int64
	for i, r := range rows {
		if t.byID[r.CategoryID] == nil { // it was made while the export runs
			var err error
			if t, err = s.tree(ctx, s.db.Read); err != nil {
				return nil, err
			}
		}
		products[i] = &feed.Product{
			Slug: r.Slug, Name: r.Name, Description: r.Description, Status: r.Status, Category: t.path(r.CategoryID),
			Currency: r.Currency, CreatedAt: database.Time(r.CreatedUs).Format(time.RFC3339Nano),
		}
		byID[r.ID], byNumber[r.N] = products[i], products[i]
		numbers = append(numbers, r.N)
	}
	list, args := database.In([]any{at}, numbers)
	var variants []variantRow
	err := s.db.Read.SelectContext(ctx, &variants, `SELECT `+variantColumns+` FROM `+variantTables+` WHERE p.n IN `+list+forSale+` ORDER BY p.n, v.position`, args...)
	if err != nil {
		return nil, fmt.Errorf("read variants: %w", err)
	}
	for _, r := range variants {
		v := feed.Variant{SKU: r.SKU, Name: r.Name, Price: money.New(r.Price, r.Currency).Amount(), WeightGrams: r.WeightGrams}
		if r.CompareAt != nil {
			v.CompareAt = money.New(*r.CompareAt, r.Currency).Amount()
		}
		if err := json.Unmarshal([]byte(r.Options), &v.Options); err != nil {
			return nil, fmt.Errorf("read options of variant %s: %w", r.ID, err)
		}
		p := byID[r.ProductID]
		p.Variants = append(p.Variants, v)
	}
	list, args = database.In(nil, numbers)
	var slugs []struct {
		Slug string
		N    int64 `db:"product_n"`
	}
	if err := s.db.Read.SelectContext(ctx, &slugs, `SELECT slug, product_n FROM product_slug WHERE product_n IN `+list+` ORDER BY slug`, args...); err != nil {
		return nil, fmt.Errorf("read slugs: %w", err)
	}
	for _, r := range slugs {
		if p := byNumber[r.N]; p.Slug != r.Slug {
			p.FormerSlugs = append(p.FormerSlugs, r.Slug)
		}
	}
	return products, nil
}

// MostOptions is the greatest number of options that a variant has.
func (s *Service) MostOptions(ctx context.Context) (int, error) {
	var n int
	err := s.db.Read.GetContext(ctx, &n, `
		SELECT COALESCE(MAX(o.n), 0) FROM (SELECT COUNT(*) AS n FROM variant_option GROUP BY product_n, variant_id) o`)
	if err != nil {
		return 0, fmt.Errorf("count options: %w", err)
	}
	return n, nil
}
