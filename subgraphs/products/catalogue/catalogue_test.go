package catalogue

import (
	"regexp"
	"testing"
	"unicode"
)

func TestTheCatalogueIsLargeAndItsNamesAndSKUsAreUnique(t *testing.T) {
	products := Products()
	names, skus, variants := map[string]bool{}, map[string]bool{}, 0
	for _, p := range products {
		if names[p.Name] {
			t.Errorf("there are two products %q", p.Name)
		}
		names[p.Name] = true
		variants += len(p.Variants)
		for _, v := range p.Variants {
			if skus[v.SKU] {
				t.Errorf("there are two variants %q", v.SKU)
			}
			skus[v.SKU] = true
		}
	}
	below, roots := map[string]bool{}, map[string]bool{}
	for _, c := range Categories() {
		if c.Parent == "" {
			roots[c.Name] = true
		} else if !roots[c.Parent] {
			t.Errorf("category %s stands before %s, the one above it", c.Name, c.Parent)
		} else {
			below[c.Name] = true
		}
	}
	if len(products) < 320 || variants < 950 || len(below) < 20 {
		t.Errorf("%d products, %d variants, %d categories below others: want 320, 950 and 20 at least", len(products), variants, len(below))
	}
	for _, p := range products {
		if !below[p.Category] {
			t.Errorf("%s is in %q, which is no category below another", p.Name, p.Category)
		}
	}
}

func TestEveryVariantCanBeSold(t *testing.T) {
	sku := regexp.MustCompile(`^[A-Z]{3}-[0-9]{3}(-[0-9]+)?(-[0-9A-Z]+)+$`)
	for _, p := range Generate(len(Products()) + 1000) {
		if len(p.Variants) == 0 || len(p.Description) < 60 || !unicode.IsUpper([]rune(p.Name)[0]) {
			t.Errorf("%+v is no product", p)
		}
		for _, v := range p.Variants {
			if !sku.MatchString(v.SKU) || v.Price < 99 || v.WeightGrams < 0 || v.Name == "" || len(v.Options) == 0 {
				t.Errorf("%s: %+v is no variant", p.Name, v)
			}
		}
	}
}
