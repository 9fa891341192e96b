package products

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"strconv"

	"github.com/agora-supergraph/agora/internal/database"
	"github.com/agora-supergraph/agora/internal/event"
	"github.com/agora-supergraph/agora/internal/idempotency"
	"github.com/agora-supergraph/agora/internal/identity"
	"github.com/agora-supergraph/agora/subgraphs/products/gen"
)

// createVariant adds a variant to a product and returns its id; a key that comes again gets the first one's.
func (s *Service) createVariant(ctx context.Context, input gen.VariantCreateInput) (string, error) {
	var r refusals
	r.checkVariant(&input.Variant, []string{"input", "variant"})
	r.checkKey(input.IdempotencyKey, "input", "idempotencyKey")
	if err := r.err(); err != nil {
		return "", err
	}
	key := idempotency.Key{Scope: identity.From(ctx).Actor(), Operation: "variantCreate", Key: input.IdempotencyKey, Request: idempotency.Digest(input)}
	var answer string
	err := s.race(ctx, func(tx *database.Tx) error {
		return once(ctx, tx, key, &answer, func() (string, error) { return s.createVariantIn(ctx, tx, input) })
	})
	s.outbox.Wake()
	return answer, err
}

func (s *Service) createVariantIn(ctx context.Context, tx *database.Tx, input gen.VariantCreateInput) (string, error) {
	p, err := lockProduct(ctx, tx, `p.id = $1`, input.ProductID)
	switch {
	case err != nil:
		return "", err
	case p == nil:
		return "", refused(gen.CatalogueErrorCodeNotFound, []string{"input", "productId"}, "there is no such product")
	case input.ExpectedVersion != nil && int64(*input.ExpectedVersion) != p.Version:
		return "", refused(gen.CatalogueErrorCodeVersionConflict, []string{"input", "expectedVersion"}, "the product has version %d by now, not %d", p.Version, *input.ExpectedVersion)
	}
	if err := s.settle(ctx, tx, p); err != nil {
		return "", err
	}
	rows, err := variantsStored(ctx, tx, p.N)
	if err != nil {
		return "", err
	}
	var r refusals
	if len(rows) >= maxVariants {
		r.refuse(gen.CatalogueErrorCodeInvalidInput, []string{"input", "productId"}, "a product has %d variants at most, archived ones among them", maxVariants)
	}
	if c := input.Variant.Price.Currency; c != p.Currency {
		r.refuse(gen.CatalogueErrorCodeInvalidPrice, []string{"input", "variant", "price", "currency"}, "the other variants of the product have prices in %s", p.Currency)
	}
	if err := r.checkTakenSKU(ctx, tx, input.Variant.Sku, "input", "variant", "sku"); err != nil {
		return "", err
	}
	added := variantOf(&input.Variant)
	if err := r.checkTakenOptions(rows, optionsKey(added.Options), "", "input", "variant", "options"); err != nil {
		return "", err
	}
	if err := r.err(); err != nil {
		return "", err
	}
	return added.ID, s.changeVariants(ctx, tx, p, func() ([]event.Event, error) {
		add := &newProduct{productRow: *p, Variants: []newVariant{added}}
		return []event.Event{variantCreated(p.ID, &added)}, insertVariants(ctx, tx, add, len(rows))
	})
}

func (r *refusals) checkTakenSKU(ctx context.Context, tx *database.Tx, sku string, field ...string) error {
	var n int
	if err := tx.GetContext(ctx, &n, `SELECT COUNT(*) FROM variant WHERE sku = $1`, sku); err != nil {
		return fmt.Errorf("look up SKU: %w", err)
	}
	if n > 0 {
		r.refuse(gen.CatalogueErrorCodeSkuTaken, field, "another variant has the SKU %s", sku)
	}
	return nil
}

// changeVariants changes variants of a product that is the transaction's, and lets all follow that is stored of them
// elsewhere: counts, price range, version and words.
func (s *Service) changeVariants(ctx context.Context, tx *database.Tx, p *productRow, change func() ([]event.Event, error)) error {
	if err := count(ctx, tx, p.N, minus); err != nil { // the counts need the options as they were
		return err
	}
	events, err := change()
	if err != nil {
		return fmt.Errorf("change variants of product %s: %w", p.ID, err)
	}
	rows, err := variantsStored(ctx, tx, p.N)
	if err != nil {
		return err
	}
	p.priceRange(rows)
	if err := s.storeUncounted(ctx, tx, p, events...); err != nil {
		return err
	}
	t, err := s.tree(ctx, tx)
	if err != nil {
		return err
	}
	return s.reindex(ctx, tx, t, p)
}

// updateVariant changes what an input names of a variant, if its product still has the version that the caller has seen.
// A change to what is there already changes nothing, not even the version.
func (s *Service) updateVariant(ctx context.Context, variantID string, input gen.VariantUpdateInput, expected *int) error {
	if err := checkVariantUpdate(input).err(); err != nil {
		return err
	}
	err := s.db.Tx(ctx, func(tx *database.Tx) error {
		p, err := s.lockPrices(ctx, tx, variantID, expected)
		if err != nil {
			return err
		}
		rows, err := variantsStored(ctx, tx, p.N)
		if err != nil {
			return err
		}
		return s.updateVariantIn(ctx, tx, p, rows, variantIn(rows, variantID), input)
	})
	s.outbox.Wake()
	return named(err, map[string][]string{"variantId": {"id"}, "expectedVersion": {"expectedVersion"}})
}

// named is a refusal whose field is what the mutation calls it, where other mutations have it in their input.
func named(err error, arguments map[string][]string) error {
	if all, ok := err.(refusals); ok {
		for _, r := range all {
			if field := arguments[r.Field[len(r.Field)-1]]; field != nil {
				r.Field = field
			}
		}
	}
	return err
}

func checkVariantUpdate(input gen.VariantUpdateInput) refusals {
	var r refusals
	if input.Name != nil {
		r.checkText(*input.Name, maxName, "input", "name")
	}
	r.checkWeight(input.WeightGrams.Value(), "input", "weightGrams")
	r.checkOptions(input.Options, []string{"input", "options"})
	return r
}

func (s *Service) updateVariantIn(ctx context.Context, tx *database.Tx, p *productRow, rows []variantRow, v *variantRow, input gen.VariantUpdateInput) error {
	was := *v
	options, err := v.apply(input, database.Micros(s.now()))
	if err != nil || v.equal(&was) {
		return err
	}
	if v.ArchivedUs != nil && !anyForSale(rows) {
		return refused(gen.CatalogueErrorCodeInvalidInput, []string{"input", "status"}, "it is the last variant of the product that is for sale: archive the product")
	}
	if !equal(v.OptionsKey, was.OptionsKey) {
		field := "options"
		if input.Options == nil {
			field = "status"
		}
		var r refusals
		if err := cmp.Or(r.checkTakenOptions(rows, v.OptionsKey, v.ID, "input", field), r.err()); err != nil {
			return err
		}
	}
	return s.changeVariants(ctx, tx, p, func() ([]event.Event, error) {
		return []event.Event{variantUpdated(v, p.Version+1)}, changeVariant(ctx, tx, p.N, v, options)
	})
}

// apply changes what an input names, and returns the options that are filtered by: none of a variant that is archived.
func (r *variantRow) apply(input gen.VariantUpdateInput, now int64) (options []*gen.SelectedOption, err error) {
	if input.Name != nil {
		r.Name = *input.Name
	}
	if input.WeightGrams.IsSet() {
		r.WeightGrams = input.WeightGrams.Value()
	}
	if input.Options != nil {
		options = []*gen.SelectedOption{}
		for _, o := range input.Options {
			options = append(options, &gen.SelectedOption{Name: o.Name, Value: o.Value})
		}
		raw, err := json.Marshal(options)
		if err != nil {
			return nil, err
		}
		r.Options = string(raw)
	}
	switch {
	case input.Status == nil:
	case *input.Status == gen.VariantStatusActive:
		r.ArchivedUs = nil
	case r.ArchivedUs == nil:
		r.ArchivedUs = &now
	}
	if input.Options != nil || input.Status != nil {
		if err := r.keyed(); err != nil {
			return nil, err
		}
	}
	if r.ArchivedUs != nil {
		return nil, nil
	}
	return r.readOptions()
}

func anyForSale(rows []variantRow) bool {
	for i := range rows {
		if rows[i].ArchivedUs == nil {
			return true
		}
	}
	return false
}

// changeVariant stores a variant, with the options that it is found, filtered and counted by.
func changeVariant(ctx context.Context, tx *database.Tx, n int64, row *variantRow, options []*gen.SelectedOption) error {
	_, err := tx.ExecContext(ctx, `
		UPDATE variant SET name = $1, options = $2, price = $3, compare_at = $4, currency = $5, weight_grams = $6, archived_us = $7, options_key = $8 WHERE id = $9`,
		row.Name, row.Options, row.Price, row.CompareAt, row.Currency, row.WeightGrams, row.ArchivedUs, row.OptionsKey, row.ID)
	if err == nil {
		_, err = tx.ExecContext(ctx, `DELETE FROM variant_option WHERE product_n = $1 AND variant_id = $2`, n, row.ID)
	}
	if err == nil && len(options) > 0 {
		q := &statement{}
		q.sql(`INSERT INTO variant_option (product_n, name, value, variant_id) VALUES `)
		for i, o := range options {
			if i > 0 {
				q.sql(`, `)
			}
			q.row(n, o.Name, o.Value, row.ID)
		}
		_, err = tx.ExecContext(ctx, q.text.String(), q.args...)
	}
	if err != nil {
		return fmt.Errorf("change variant %s: %w", row.ID, err)
	}
	return nil
}

// checkOptions refuses options that are too many, too long, or there twice.
func (r *refusals) checkOptions(options []*gen.SelectedOptionInput, at []string) {
	if n := len(options); n > maxOptions {
		r.refuse(gen.CatalogueErrorCodeInvalidInput, at, "a variant has %d options at most, not %d", maxOptions, n)
		return
	}
	names := map[string]bool{}
	for i, o := range options {
		r.checkText(o.Name, maxOptionName, below(at, strconv.Itoa(i), "name")...)
		r.checkText(o.Value, maxOptionValue, below(at, strconv.Itoa(i), "value")...)
		if names[o.Name] {
			r.refuse(gen.CatalogueErrorCodeInvalidInput, below(at, strconv.Itoa(i), "name"), "the option %s is there twice", o.Name)
		}
		names[o.Name] = true
	}
}

// checkWeight refuses what nothing weighs; nil is unknown.
func (r *refusals) checkWeight(w *int, field ...string) {
	if w != nil && (*w < 0 || *w > maxWeight) {
		r.refuse(gen.CatalogueErrorCodeInvalidInput, field, "a weight is 0 to %d grams, not %d", maxWeight, *w)
	}
}
