package products

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"

	"github.com/agora-supergraph/agora/internal/database"
	"github.com/agora-supergraph/agora/subgraphs/products/gen"
)

// Options are what a buyer chooses a variant of a product by, so no two that are for sale have the same ones, in whatever
// order they are named. Variants without options are told apart by their names.

// optionsKey is the same for the same options: nil for none. It is a digest, since an index entry has to be short.
func optionsKey(options []*gen.SelectedOption) *string {
	if len(options) == 0 {
		return nil
	}
	sorted := slices.SortedFunc(slices.Values(options), func(a, b *gen.SelectedOption) int { return cmp.Compare(a.Name, b.Name) })
	sum := sha256.New()
	for _, o := range sorted {
		fmt.Fprintf(sum, "%q=%q;", o.Name, o.Value)
	}
	key := base64.RawURLEncoding.EncodeToString(sum.Sum(nil)[:16])
	return &key
}

// readOptions are the options of a variant as they are stored.
func (r *variantRow) readOptions() (options []*gen.SelectedOption, err error) {
	if err := json.Unmarshal([]byte(r.Options), &options); err != nil {
		return nil, fmt.Errorf("read options of variant %s: %w", r.ID, err)
	}
	return options, nil
}

// keyed gives a variant whose options or status have changed its key: none to one that is not for sale.
func (r *variantRow) keyed() error {
	options, err := r.readOptions()
	if r.OptionsKey = nil; r.ArchivedUs == nil {
		r.OptionsKey = optionsKey(options)
	}
	return err
}

// chosenBy is the SKU of the variant for sale, other than one, that has the options of a key; empty for none. It goes by
// the options themselves: variants that were stored long ago have no key.
func chosenBy(rows []variantRow, key *string, but string) (sku string, err error) {
	for i := range rows {
		r := &rows[i]
		if key == nil || r.ID == but || r.ArchivedUs != nil {
			continue
		}
		options, err := r.readOptions()
		if err != nil {
			return "", err
		}
		if equal(optionsKey(options), key) {
			return r.SKU, nil
		}
	}
	return "", nil
}

func (r *refusals) refuseOptions(sku string, field ...string) {
	r.refuse(gen.CatalogueErrorCodeOptionsTaken, field, "the variant %s of the product has the same options", sku)
}

// checkTakenOptions refuses a variant that another one of the product can't be told from.
func (r *refusals) checkTakenOptions(rows []variantRow, key *string, but string, field ...string) error {
	sku, err := chosenBy(rows, key, but)
	if sku != "" {
		r.refuseOptions(sku, field...)
	}
	return err
}

// checkSameOptions refuses those variants of an input that can't be told from an earlier one.
func (r *refusals) checkSameOptions(variants []*gen.VariantInput) {
	first := map[string]string{}
	for i, v := range variants {
		key := optionsKey(variantOf(v).Options)
		if key == nil {
			continue
		}
		if sku, taken := first[*key]; taken {
			r.refuseOptions(sku, "input", "variants", strconv.Itoa(i), "options")
			continue
		}
		first[*key] = v.Sku
	}
}

// freeOptions takes the keys of variants off, for those that are about to exchange their options.
func freeOptions(ctx context.Context, tx *database.Tx, ids []string) error {
	if len(ids) == 0 {
		return nil
	}
	list, args := database.In(nil, ids)
	if _, err := tx.ExecContext(ctx, `UPDATE variant SET options_key = NULL WHERE id IN `+list, args...); err != nil {
		return fmt.Errorf("free options of variants: %w", err)
	}
	return nil
}

// checkOptions refuses what a file makes of a product's variants that those which it does not name can't be told from.
// What the file leaves as it is, is let be.
func (p *storedProduct) checkOptions(in, checked *incoming) {
	var rest []variantRow
	for _, have := range p.variants {
		if in.variant(have.SKU) == nil {
			rest = append(rest, have)
		}
	}
	for i := range in.variants {
		v := &in.variants[i]
		if have := variantBySKU(p.variants, v.SKU); have != nil && have.ArchivedUs == nil && have.Options == v.options {
			continue
		}
		if sku, err := chosenBy(rest, optionsKey(v.Options), ""); err != nil || sku != "" {
			checked.problem(in.unit.VariantLines[i], "options: want some that no other variant of the product has: %s has the same", sku)
		}
	}
}

// othersChosen are the variants of a product that a file gives other options.
func (p *storedProduct) othersChosen(in *incoming) (ids []string) {
	for i := range in.variants {
		if have := variantBySKU(p.variants, in.variants[i].SKU); have != nil && have.Options != in.variants[i].options {
			ids = append(ids, have.ID)
		}
	}
	return ids
}
