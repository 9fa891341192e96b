package products

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/agora-supergraph/agora/internal/database"
	"github.com/agora-supergraph/agora/internal/id"
	"github.com/agora-supergraph/agora/internal/money"
	"github.com/agora-supergraph/agora/subgraphs/products/catalogue"
	"github.com/agora-supergraph/agora/subgraphs/products/gen"
)

// seedBatch is how many products are stored in a transaction.
const seedBatch = 100

// seedBegin and seedStep date the products of the first catalogue, as if one had been added every 19 hours.
var seedBegin = time.Date(2026, 1, 12, 8, 0, 0, 0, time.UTC)

const seedStep = 19 * time.Hour

// Seed fills an empty catalogue with that of the package catalogue, always with the same ids, and tells progress after
// each batch. It does nothing to a catalogue that was filled otherwise, and finishes what an interrupted Seed has
// begun.
func (s *Service) Seed(ctx context.Context, progress func(done, total int)) error {
	return s.fill(ctx, catalogue.Products(), progress)
}

func (s *Service) fill(ctx context.Context, products []catalogue.Product, progress func(done, total int)) error {
	var all []*newProduct
	for i, p := range products {
		all = append(all, seeded(p, i))
	}
	missing, err := s.missing(ctx, all)
	if err != nil {
		return err
	}
	done := len(all) - len(missing)
	for batch := range slices.Chunk(missing, seedBatch) {
		err := s.db.Tx(ctx, func(tx *database.Tx) error {
			t, err := s.seedCategories(ctx, tx)
			if err != nil {
				return err
			}
			for _, p := range batch {
				if err := s.insert(ctx, tx, t, p); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return fmt.Errorf("store %d products: %w", len(batch), err)
		}
		done += len(batch)
		if progress != nil {
			progress(done, len(all))
		}
	}
	s.outbox.Wake()
	return nil
}

// missing are the products that are not stored yet; none if the catalogue has products, but not the first of these.
func (s *Service) missing(ctx context.Context, all []*newProduct) ([]*newProduct, error) {
	var stored []string
	if err := s.db.Read.SelectContext(ctx, &stored, `SELECT id FROM product`); err != nil {
		return nil, fmt.Errorf("read ids of products: %w", err)
	}
	has := map[string]bool{}
	for _, id := range stored {
		has[id] = true
	}
	if len(stored) > 0 && !has[all[0].ID] {
		return nil, nil
	}
	return slices.DeleteFunc(all, func(p *newProduct) bool { return has[p.ID] }), nil
}

// seedCategories stores the categories that are not there yet, and returns all.
func (s *Service) seedCategories(ctx context.Context, tx *database.Tx) (*tree, error) {
	for _, c := range catalogue.Categories() {
		var parent *string
		if c.Parent != "" {
			parent = new(string)
			*parent = categoryID(c.Parent)
		}
		_, err := tx.ExecContext(ctx, `
			INSERT INTO category (id, slug, name, parent_id) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING`,
			categoryID(c.Name), slugOf(c.Name), c.Name, parent)
		if err != nil {
			return nil, fmt.Errorf("insert category %s: %w", c.Name, err)
		}
	}
	return s.lockTree(ctx, tx)
}

func categoryID(name string) string { return id.Derived(id.Category, slugOf(name)) }

// seeded is a product of the first catalogue, the one with the number i.
func seeded(p catalogue.Product, i int) *newProduct {
	slug, at := slugOf(p.Name), database.Micros(seedBegin.Add(time.Duration(i)*seedStep))
	product := &newProduct{productRow: productRow{
		ID: id.Derived(id.Product, slug), Slug: slug, Status: active, CategoryID: categoryID(p.Category),
		Version: 1, CreatedUs: at, UpdatedUs: at, Name: p.Name, Description: p.Description,
	}}
	for _, v := range p.Variants {
		variant := newVariant{
			ID: id.Derived(id.Variant, v.SKU), SKU: v.SKU, Name: v.Name, Options: []*gen.SelectedOption{},
			Price: money.New(v.Price, "EUR"), WeightGrams: &v.WeightGrams,
		}
		for _, o := range v.Options {
			variant.Options = append(variant.Options, &gen.SelectedOption{Name: o.Name, Value: o.Value})
		}
		product.Variants = append(product.Variants, variant)
	}
	return product
}
