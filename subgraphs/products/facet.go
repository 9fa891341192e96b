package products

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/agora-supergraph/agora/internal/money"
	"github.com/agora-supergraph/agora/subgraphs/products/gen"
)

// The most facets of options and the most values of a facet that are shown: those that most products have.
const (
	maxFacets = 20
	maxValues = 100
)

// facets are the values by which the list can be narrowed, with how many products each would leave. A facet counts
// without its own filter, so that its other values stay choices. One statement for categories, one for prices, one
// for all options that are not filtered by and one for each that is.
func (l *listing) facets(ctx context.Context) ([]*gen.Facet, error) {
	if l.searched && len(l.terms) == 0 {
		return []*gen.Facet{}, nil
	}
	category, err := l.categoryFacet(ctx)
	if err != nil {
		return nil, err
	}
	price, err := l.priceFacet(ctx)
	if err != nil {
		return nil, err
	}
	options, err := l.optionFacets(ctx)
	if err != nil {
		return nil, err
	}
	facets := []*gen.Facet{}
	for _, f := range append([]*gen.Facet{category, price}, options...) {
		if len(f.Values) > 0 {
			facets = append(facets, f)
		}
	}
	return facets, nil
}

// tally is how many products have a value.
type tally struct {
	Name  string
	Value string
	Count int
}

// tally runs a statement that counts.
func (l *listing) tally(ctx context.Context, q *statement) ([]tally, error) {
	rows, err := selected[tally](ctx, l, q)
	if err != nil {
		return nil, fmt.Errorf("count facets: %w", err)
	}
	return rows, nil
}

// categoryFacet counts for each category what is in it and below it.
func (l *listing) categoryFacet(ctx context.Context) (*gen.Facet, error) {
	t, err := sharedIn(ctx).categories(ctx)
	if err != nil {
		return nil, err
	}
	rows, err := l.categoryTally(ctx)
	if err != nil {
		return nil, err
	}
	counts := map[string]int{}
	for _, r := range rows {
		counts[r.Value] += r.Count
		for _, above := range t.ancestors(r.Value) {
			counts[above.ID] += r.Count
		}
	}
	f := &gen.Facet{Key: string(byCategory), Label: "Category"}
	for id, n := range counts {
		if c := t.byID[id]; c != nil && id != l.within {
			f.Values = append(f.Values, &gen.FacetValue{Value: id, Label: c.Name, Count: n, Selected: slices.Contains(l.chosen, id)})
		}
	}
	f.Values = most(f.Values)
	return f, nil
}

func (l *listing) categoryTally(ctx context.Context) ([]tally, error) {
	switch {
	case l.counted():
		q := l.counts(string(byPrice), byCategory, `'' AS name, p.category_id AS value, CAST(SUM(p.n) AS BIGINT) AS count`)
		return l.tally(ctx, q.sql(` GROUP BY p.category_id HAVING SUM(p.n) > 0`))
	case l.whole():
		cells, err := l.spread(ctx)
		rows := make([]tally, len(cells))
		for i, c := range cells {
			rows[i] = tally{Value: c.CategoryID, Count: c.Count}
		}
		return rows, err
	}
	q := &statement{}
	l.withFound(q)
	q.sql(`SELECT '' AS name, p.category_id AS value, COUNT(*) AS count FROM `)
	l.from(q)
	l.where(q, byCategory)
	return l.tally(ctx, q.sql(` GROUP BY p.category_id`))
}

// steps are where the bands of prices begin, in minor units.
var steps = []int64{0, 1000, 2500, 5000, 10_000, 25_000, 50_000, 100_000}

// priceFacet counts products by their lowest price, which is the one that lists are filtered and sorted by.
func (l *listing) priceFacet(ctx context.Context) (*gen.Facet, error) {
	rows, err := l.priceTally(ctx)
	if err != nil {
		return nil, err
	}
	f := &gen.Facet{Key: string(byPrice), Label: "Price"}
	for _, r := range rows {
		f.Values = append(f.Values, l.band(r))
	}
	return f, nil
}

func (l *listing) priceTally(ctx context.Context) ([]tally, error) {
	switch {
	case l.counted():
		q := l.counts(string(byPrice), nothing, `p.name, p.value, CAST(SUM(p.n) AS BIGINT) AS count`)
		return l.tally(ctx, q.sql(` GROUP BY p.name, p.value HAVING SUM(p.n) > 0 ORDER BY 1, 2`))
	case l.whole():
		cells, err := l.spread(ctx)
		var rows []tally
		for _, c := range cells { // in the order of currency and band
			if n := len(rows); n == 0 || rows[n-1].Name != c.Currency || rows[n-1].Value != c.Band {
				rows = append(rows, tally{Name: c.Currency, Value: c.Band})
			}
			rows[len(rows)-1].Count += c.Count
		}
		return rows, err
	}
	q := &statement{}
	l.withFound(q)
	q.sql(`SELECT p.currency AS name, `)
	q.band()
	q.sql(` AS value, COUNT(*) AS count FROM `)
	l.from(q)
	l.where(q, byPrice)
	return l.tally(ctx, q.sql(` GROUP BY 1, 2 ORDER BY 1, 2`))
}

// band is the value of a band of prices, such as "EUR:1000-2499": what filter.price takes.
func (l *listing) band(r tally) *gen.FacetValue {
	i := int(r.Value[0] - '0')
	low, high := steps[i], int64(math.MaxInt64)
	v := &gen.FacetValue{Count: r.Count}
	if i+1 < len(steps) {
		high = steps[i+1] - 1
		v.Value = fmt.Sprintf("%s:%d-%d", r.Name, low, high)
		v.Label = fmt.Sprintf("%s to %s", money.New(low, r.Name).Amount(), money.New(high, r.Name))
	} else {
		v.Value = fmt.Sprintf("%s:%d-", r.Name, low)
		v.Label = fmt.Sprintf("from %s", money.New(low, r.Name))
	}
	if p := l.price; p != nil && p.Currency == r.Name {
		v.Selected = or(p.MinMinorUnits, 0) == low && or(p.MaxMinorUnits, math.MaxInt64) == high
	}
	return v
}

func or(n *int64, otherwise int64) int64 {
	if n == nil {
		return otherwise
	}
	return *n
}

// optionFacets counts the values of options, such as those of "Colour".
func (l *listing) optionFacets(ctx context.Context) ([]*gen.Facet, error) {
	rows, err := l.optionTally(ctx, nothing)
	if err != nil {
		return nil, err
	}
	byName := map[string]*gen.Facet{}
	add := func(rows []tally) {
		for _, r := range rows {
			if byName[r.Name] == nil {
				byName[r.Name] = &gen.Facet{Key: string(byOption(r.Name)), Label: r.Name}
			}
			f := byName[r.Name]
			f.Values = append(f.Values, &gen.FacetValue{Value: r.Value, Label: r.Value, Count: r.Count})
		}
	}
	add(rows)
	for _, o := range l.options {
		delete(byName, o.Name)
		if rows, err = l.optionTally(ctx, byOption(o.Name)); err != nil {
			return nil, err
		}
		add(rows)
		if f := byName[o.Name]; f != nil {
			for _, v := range f.Values {
				v.Selected = slices.Contains(o.Values, v.Value)
			}
		}
	}
	return mostFacets(byName), nil
}

// optionTally counts the values of all options, or those of the one that is left out of the filter.
func (l *listing) optionTally(ctx context.Context, but aspect) ([]tally, error) {
	if l.counted() {
		q := l.counts("option", nothing, `p.name, p.value, CAST(SUM(p.n) AS BIGINT) AS count`)
		return l.tally(ctx, q.sql(` GROUP BY p.name, p.value HAVING SUM(p.n) > 0`))
	}
	q := &statement{}
	l.withFound(q)
	// The products are a list of numbers, which the engines read off an index alone: to join them would read their rows.
	q.sql(`SELECT v.name, v.value, COUNT(DISTINCT v.product_n) AS count FROM variant_option v WHERE v.product_n IN (SELECT p.n FROM `)
	l.from(q)
	l.where(q, but)
	q.sql(`)`)
	if others := l.optionsBut(but); len(others) > 0 {
		q.sql(` AND v.variant_id IN (`)
		variantsWith(q, "variant_id", others)
		q.sql(`)`)
	}
	if but != nothing {
		q.sql(` AND v.name = `).arg(strings.TrimPrefix(string(but), string(byOption(""))))
	}
	q.sql(` GROUP BY v.name, v.value`)
	return l.tally(ctx, q)
}

// most are the values that most products have, in this order.
func most(values []*gen.FacetValue) []*gen.FacetValue {
	slices.SortFunc(values, func(a, b *gen.FacetValue) int {
		if a.Count != b.Count {
			return b.Count - a.Count
		}
		return strings.Compare(a.Label+"\x00"+a.Value, b.Label+"\x00"+b.Value)
	})
	return values[:min(len(values), maxValues)]
}

// mostFacets are the facets that most products have, in this order.
func mostFacets(byName map[string]*gen.Facet) []*gen.Facet {
	total := map[string]int{}
	var facets []*gen.Facet
	for name, f := range byName {
		for _, v := range f.Values {
			total[name] += v.Count
		}
		f.Values = most(f.Values)
		facets = append(facets, f)
	}
	slices.SortFunc(facets, func(a, b *gen.Facet) int {
		if total[a.Label] != total[b.Label] {
			return total[b.Label] - total[a.Label]
		}
		return strings.Compare(a.Label, b.Label)
	})
	return facets[:min(len(facets), maxFacets)]
}
