package products

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/agora-supergraph/agora/internal/database"
	"github.com/agora-supergraph/agora/internal/event"
	"github.com/agora-supergraph/agora/internal/money"
	"github.com/agora-supergraph/agora/subgraphs/products/gen"
	"github.com/agora-supergraph/agora/subgraphs/products/words"
)

// newProduct is a product that is to be stored, with its variants; n, prices and keys are worked out.
type newProduct struct {
	productRow
	Variants []newVariant
}

// newVariant is a variant that is to be stored.
type newVariant struct {
	ID          string
	SKU         string
	Name        string
	Options     []*gen.SelectedOption
	Price       money.Money
	CompareAt   *int64
	WeightGrams *int
}

// insert stores a product with all that belongs to it, and tells of it.
func (s *Service) insert(ctx context.Context, tx *database.Tx, t *tree, p *newProduct) error {
	if err := write(ctx, tx, t, p); err != nil {
		return err
	}
	events := []event.Event{created(&p.productRow)}
	for i := range p.Variants {
		events = append(events, variantCreated(p.ID, &p.Variants[i]))
	}
	return s.outbox.Append(ctx, tx, events...)
}

// write stores a product with its variants, options, slug and words.
func write(ctx context.Context, tx *database.Tx, t *tree, p *newProduct) error {
	p.NameKey = words.Fold(p.Name)
	p.PriceMin, p.PriceMax, p.Currency = p.Variants[0].Price.MinorUnits, p.Variants[0].Price.MinorUnits, p.Variants[0].Price.Currency
	for _, v := range p.Variants {
		p.PriceMin, p.PriceMax = min(p.PriceMin, v.Price.MinorUnits), max(p.PriceMax, v.Price.MinorUnits)
	}
	err := tx.GetContext(ctx, &p.N, `
		INSERT INTO product (id, slug, status, category_id, price_min, price_max, currency, version, created_us, updated_us, name, name_key, name_words, description)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14) RETURNING n`,
		p.ID, p.Slug, p.Status, p.CategoryID, p.PriceMin, p.PriceMax, p.Currency, p.Version, p.CreatedUs, p.UpdatedUs, p.Name, p.NameKey, nameWords(p.Name), p.Description)
	if err != nil {
		return fmt.Errorf("insert product %s: %w", p.ID, err)
	}
	tx.Note(touched{p.ID, p.Version})
	if err := takeSlug(ctx, tx, p.Slug, p.N); err != nil {
		return err
	}
	if err := insertVariants(ctx, tx, p, 0); err != nil {
		return fmt.Errorf("insert variants of product %s: %w", p.ID, err)
	}
	if err := index(ctx, tx, p.N, searched(&p.productRow, t, p.Variants)); err != nil {
		return fmt.Errorf("index product %s: %w", p.ID, err)
	}
	if err := count(ctx, tx, p.N, plus); err != nil {
		return err
	}
	return nextGeneration(ctx, tx)
}

// nameWords is what a name takes off the relevance.
func nameWords(name string) int { return min(len(words.Split(name)), maxNameWords) }

// insertVariants stores the variants of a product; position is that of the first.
func insertVariants(ctx context.Context, tx *database.Tx, p *newProduct, position int) error {
	q, o := &statement{}, &statement{}
	q.sql(`INSERT INTO variant (id, sku, product_n, position, name, options, price, compare_at, currency, weight_grams, options_key) VALUES `)
	o.sql(`INSERT INTO variant_option (product_n, name, value, variant_id) VALUES `)
	for i, v := range p.Variants {
		options, err := json.Marshal(v.Options)
		if err != nil {
			return err
		}
		if i > 0 {
			q.sql(`, `)
		}
		tx.Note(touched{v.ID, knownVersion})
		tx.Note(touched{skuKey + v.SKU, knownVersion})
		q.row(v.ID, v.SKU, p.N, position+i, v.Name, string(options), v.Price.MinorUnits, v.CompareAt, v.Price.Currency, v.WeightGrams, optionsKey(v.Options))
		for _, option := range v.Options {
			if len(o.args) > 0 {
				o.sql(`, `)
			}
			o.row(p.N, option.Name, option.Value, v.ID)
		}
	}
	if _, err := tx.ExecContext(ctx, q.text.String(), q.args...); err != nil || len(o.args) == 0 {
		return err
	}
	_, err := tx.ExecContext(ctx, o.text.String(), o.args...)
	return err
}

// row writes the values of a row.
func (q *statement) row(values ...any) {
	q.sql(`(`)
	for i, v := range values {
		if i > 0 {
			q.sql(`, `)
		}
		q.arg(v)
	}
	q.sql(`)`)
}

// searched is what of a product is searched: keywords are the values of its options and the names of its categories.
func searched(p *productRow, t *tree, variants []newVariant) text {
	var skus, keywords []string
	for _, v := range variants {
		skus = append(skus, v.SKU)
		for _, o := range v.Options {
			keywords = append(keywords, o.Value)
		}
	}
	for _, c := range t.ancestors(p.CategoryID) {
		keywords = append(keywords, c.Name)
	}
	if c := t.byID[p.CategoryID]; c != nil {
		keywords = append(keywords, c.Name)
	}
	return text{p.Name, strings.Join(skus, " "), strings.Join(keywords, " "), p.Description}
}
