package products

import (
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/agora-supergraph/agora/internal/id"
	"github.com/agora-supergraph/agora/internal/idempotency"
	"github.com/agora-supergraph/agora/internal/money"
	"github.com/agora-supergraph/agora/subgraphs/products/gen"
)

// The bounds of what the catalogue holds; lengths are in characters.
const (
	maxName        = 200
	maxDescription = 10_000
	maxVariants    = 100
	maxOptions     = 10
	maxOptionName  = 50
	maxOptionValue = 100
	maxSKU         = 64
	maxWeight      = 10_000_000        // grams
	maxPrice       = 1_000_000_000_000 // minor units
)

// checkText refuses text that is empty, too long, or has characters that no display shows.
func (r *refusals) checkText(s string, limit int, field ...string) {
	n := utf8.RuneCountInString(s)
	switch {
	case strings.TrimSpace(s) == "" || n > limit:
		r.refuse(gen.CatalogueErrorCodeInvalidInput, field, "%s has 1 to %d characters, not %d", field[len(field)-1], limit, n)
	case !utf8.ValidString(s) || strings.ContainsFunc(s, hidden) || limit < maxDescription && strings.ContainsAny(s, "\n\r\t"):
		r.refuse(gen.CatalogueErrorCodeInvalidInput, field, "%s has control characters", field[len(field)-1])
	}
}

// hidden are control characters, but for those that lay out a description, the only text of several lines.
func hidden(c rune) bool { return unicode.IsControl(c) && c != '\n' && c != '\t' && c != '\r' }

// checkKey refuses idempotency keys that can't be stored.
func (r *refusals) checkKey(key string, field ...string) {
	if !idempotency.Valid(key) {
		r.refuse(gen.CatalogueErrorCodeInvalidInput, field, "an idempotency key has 1 to %d bytes", idempotency.MaxLength)
	}
}

// checkPrice refuses what is no price.
func (r *refusals) checkPrice(p gen.MoneyInput, field ...string) {
	switch {
	case p.MinorUnits < 1 || p.MinorUnits > maxPrice:
		r.refuse(gen.CatalogueErrorCodeInvalidPrice, append(field, "minorUnits"), "a price is 1 to %d minor units, not %d", int64(maxPrice), p.MinorUnits)
	case !money.ValidCurrency(p.Currency):
		r.refuse(gen.CatalogueErrorCodeInvalidPrice, append(field, "currency"), "%q is no ISO 4217 code such as EUR", p.Currency)
	}
}

// checkCompareAt refuses what a price can't be compared with.
func (r *refusals) checkCompareAt(compareAt *gen.MoneyInput, price gen.MoneyInput, field ...string) {
	switch {
	case compareAt == nil:
	case compareAt.MinorUnits <= price.MinorUnits || compareAt.MinorUnits > maxPrice:
		r.refuse(gen.CatalogueErrorCodeInvalidPrice, append(field, "minorUnits"), "it is compared with a higher price, up to %d minor units, not with %d", int64(maxPrice), compareAt.MinorUnits)
	case compareAt.Currency != price.Currency:
		r.refuse(gen.CatalogueErrorCodeInvalidPrice, append(field, "currency"), "it is compared with a price in %s", price.Currency)
	}
}

// checkSKU refuses what can't be printed on a label in one word, and what could be taken for an id.
func (r *refusals) checkSKU(sku string, field ...string) {
	bad := func(c rune) bool { return !unicode.IsGraphic(c) || unicode.IsSpace(c) }
	n := utf8.RuneCountInString(sku)
	if n == 0 || n > maxSKU || !utf8.ValidString(sku) || strings.ContainsFunc(sku, bad) || id.Prefix(sku) != "" {
		r.refuse(gen.CatalogueErrorCodeInvalidInput, field, "a SKU has 1 to %d characters without spaces", maxSKU)
	}
}

// checkCreate finds everything that is wrong with an input, but for what only the store knows.
func checkCreate(input gen.ProductCreateInput) refusals {
	var r refusals
	r.checkText(input.Name, maxName, "input", "name")
	r.checkText(input.Description, maxDescription, "input", "description")
	r.checkKey(input.IdempotencyKey, "input", "idempotencyKey")
	r.checkSlug(input.Slug, "input", "slug")
	if n := len(input.Variants); n == 0 || n > maxVariants {
		r.refuse(gen.CatalogueErrorCodeInvalidInput, []string{"input", "variants"}, "a product has 1 to %d variants, not %d", maxVariants, n)
		return r
	}
	skus := map[string]bool{}
	for i, v := range input.Variants {
		at := []string{"input", "variants", strconv.Itoa(i)}
		r.checkVariant(v, at)
		if skus[v.Sku] {
			r.refuse(gen.CatalogueErrorCodeSkuTaken, below(at, "sku"), "the SKU %s is there twice", v.Sku)
		}
		skus[v.Sku] = true
		if v.Price.Currency != input.Variants[0].Price.Currency {
			r.refuse(gen.CatalogueErrorCodeInvalidPrice, below(at, "price", "currency"), "the variants of a product have prices of one currency")
		}
	}
	r.checkSameOptions(input.Variants)
	return r
}

func (r *refusals) checkVariant(v *gen.VariantInput, at []string) {
	r.checkSKU(v.Sku, below(at, "sku")...)
	r.checkText(v.Name, maxName, below(at, "name")...)
	r.checkPrice(v.Price, below(at, "price")...)
	r.checkCompareAt(v.CompareAt, v.Price, below(at, "compareAt")...)
	r.checkWeight(v.WeightGrams, below(at, "weightGrams")...)
	r.checkOptions(v.Options, below(at, "options"))
}

// below is a path below another, of its own memory.
func below(at []string, field ...string) []string {
	return append(append([]string{}, at...), field...)
}

// checkUpdate finds everything that is wrong with an update, but for what only the store knows.
func checkUpdate(input gen.ProductUpdateInput) refusals {
	var r refusals
	if input.Name != nil {
		r.checkText(*input.Name, maxName, "input", "name")
	}
	if input.Description != nil {
		r.checkText(*input.Description, maxDescription, "input", "description")
	}
	return r
}
