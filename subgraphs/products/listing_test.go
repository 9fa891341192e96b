package products

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/agora-supergraph/agora/internal/database/databasetest"
	"github.com/agora-supergraph/agora/internal/page"
	"github.com/agora-supergraph/agora/subgraphs/products/catalogue"
)

const pageQuery = `query($q: String, $first: Int, $after: String, $last: Int, $before: String, $filter: ProductFilter, $sort: ProductSort) {
	products(query: $q, first: $first, after: $after, last: $last, before: $before, filter: $filter, sort: $sort) {
		edges { cursor node { id name } } pageInfo { hasNextPage hasPreviousPage startCursor endCursor } } }`

// walk follows the cursors of a list to its end, or from its end to its begin, and calls between after each page.
func (s shop) walk(arguments data, size int, backward bool, between func()) []string {
	s.Helper()
	v := data{"first": size}
	cursor, more, edge := "after", "hasNextPage", "endCursor"
	if backward {
		v = data{"last": size}
		cursor, more, edge = "before", "hasPreviousPage", "startCursor"
	}
	for k, value := range arguments {
		v[k] = value
	}
	var all []string
	for {
		got := s.get(pageQuery, v)["products"]
		if backward {
			all = append(names(got), all...)
		} else {
			all = append(all, names(got)...)
		}
		if dig(got, "pageInfo."+more) != true {
			return all
		}
		v[cursor] = dig(got, "pageInfo."+edge)
		if between != nil {
			between()
		}
	}
}

var allSorts = []string{"RELEVANCE", "PRICE", "NAME", "NEWEST"}

func TestPagesOfAnyOrderMakeUpTheListForwardAndBackward(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, url string) {
		s := open(t, url, 80)
		for _, sort := range allSorts {
			for _, reverse := range []bool{false, true} {
				for _, query := range []any{nil, "the", "hand"} {
					v := data{"q": query, "sort": data{"by": sort, "reverse": reverse}}
					name := fmt.Sprint(sort, " reverse ", reverse, " query ", query)
					whole := s.walk(v, 100, false, nil)
					if len(whole) < 5 || query == nil && len(whole) != 80 {
						t.Errorf("%s: %d products", name, len(whole))
					}
					for _, backward := range []bool{false, true} {
						if diff := cmp.Diff(whole, s.walk(v, 7, backward, nil)); diff != "" {
							t.Errorf("%s, backward %v (-whole +pages):\n%s", name, backward, diff)
						}
					}
					other := s.walk(data{"q": query, "sort": data{"by": sort, "reverse": !reverse}}, 100, false, nil)
					slices.Reverse(other)
					if diff := cmp.Diff(whole, other); diff != "" {
						t.Errorf("%s is not its reverse turned around:\n%s", name, diff)
					}
				}
			}
		}
	})
}

// Products that come and go between two pages are of the kind that changes most: they match, and sort everywhere.
func TestNoProductThatStaysIsSkippedOrRepeatedWhileOthersComeAndGo(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, url string) {
		s := open(t, url, 60)
		n := 0
		for _, sort := range allSorts {
			for _, query := range []any{nil, "the"} {
				v := data{"q": query, "sort": data{"by": sort}}
				before := s.walk(v, 100, false, nil)
				var moving []string
				got := s.walk(v, 7, n%2 == 0, func() {
					n++
					in := with(input(fmt.Sprint("come", n)), "name", fmt.Sprint("The The Passing ", "AMZ"[n%3:n%3+1], n))
					moving = append(moving, s.create(with(in, "variants.0.price.minorUnits", n*n))["id"].(string))
					if len(moving) > 1 {
						s.get(updateMutation, data{"id": moving[0], "i": data{"status": "ARCHIVED"}}, scopeWrite)
						moving = moving[1:]
					}
				})
				stayed := slices.DeleteFunc(got, func(name string) bool { return strings.HasPrefix(name, "The The Passing") })
				before = slices.DeleteFunc(before, func(name string) bool { return strings.HasPrefix(name, "The The Passing") })
				if diff := cmp.Diff(before, stayed); diff != "" {
					t.Errorf("%s, query %v (-before +pages):\n%s", sort, query, diff)
				}
			}
		}
	})
}

func TestArgumentsThatCannotBeAreBadUserInput(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, url string) {
		s := open(t, url, 20)
		cursor := func(parts ...string) string { return page.Cursor(parts...) }
		many := func(n int, v any) []any { return slices.Repeat([]any{v}, n) }
		tests := []struct {
			name string
			v    data
			want string
		}{
			{"first of 101", data{"first": 101}, "BAD_USER_INPUT"},
			{"negative", data{"last": -1}, "BAD_USER_INPUT"},
			{"both ends", data{"first": 1, "last": 1}, "BAD_USER_INPUT"},
			{"none", data{"first": 0}, ""},
			{"no cursor", data{"after": "x"}, "BAD_USER_INPUT"},
			{"cursor of another order", data{"after": cursor("+NAME", "a", "b"), "sort": data{"by": "PRICE"}}, "BAD_USER_INPUT"},
			{"cursor with text for a number", data{"after": cursor("+PRICE", "a", "b"), "sort": data{"by": "PRICE"}}, "BAD_USER_INPUT"},
			{"cursor with NUL", data{"after": cursor("+NAME", "\x00", "b"), "sort": data{"by": "NAME"}}, "BAD_USER_INPUT"},
			{"cursor with SQL", data{"after": cursor("+NAME", "' OR 1=1 --", "'"), "sort": data{"by": "NAME"}}, ""},
			{"query of 201 characters", data{"q": strings.Repeat("é", 201)}, "BAD_USER_INPUT"},
			{"101 categories", data{"filter": data{"categoryIds": many(101, "c")}}, "BAD_USER_INPUT"},
			{"no such category", data{"filter": data{"categoryIds": many(1, "\x00'")}}, ""},
			{"11 options", data{"filter": data{"options": many(11, data{"name": "x", "values": []any{}})}}, "BAD_USER_INPUT"},
			{"an option twice", data{"filter": data{"options": many(2, data{"name": "x", "values": []any{"y"}})}}, "BAD_USER_INPUT"},
			{"51 values", data{"filter": data{"options": many(1, data{"name": "x", "values": many(51, "y")})}}, "BAD_USER_INPUT"},
			{"option with NUL", data{"filter": data{"options": many(1, data{"name": "\x00", "values": many(1, "\x00")})}}, ""},
			{"no currency", data{"filter": data{"price": data{"currency": "'"}}}, "BAD_USER_INPUT"},
			{"price from end to begin", data{"filter": data{"price": data{"currency": "EUR", "minMinorUnits": 9, "maxMinorUnits": 1}}}, ""},
			{"a shopper asks for drafts", data{"filter": data{"statuses": []any{"ACTIVE", "DRAFT"}}}, "FORBIDDEN"},
		}
		for _, test := range tests {
			if got := code(s.ask(pageQuery, test.v)); got != test.want {
				t.Errorf("%s: %q, want %q", test.name, got, test.want)
			}
		}
	})
}

const facetQuery = `query($q: String, $filter: ProductFilter, $facets: Boolean!) { products(query: $q, first: 1, filter: $filter) {
	totalCount facets @include(if: $facets) { key label values { value label count selected } } } }`

// Whatever is chosen: each count of a facet is the length of the list with that value chosen in place of what the facet
// has chosen, and nothing is missing.
func TestFacetsCountWhatChoosingThemWouldList(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, url string) {
		s := open(t, url, len(catalogue.Products()))
		colour := data{"name": "Colour", "values": []any{"Indigo", "Sage"}}
		price := data{"currency": "EUR", "minMinorUnits": 2500, "maxMinorUnits": 4999}
		filters := []data{
			{},
			{"options": []any{colour}},
			{"options": []any{colour, data{"name": "Ruling", "values": []any{"Dotted"}}}},
			{"price": price, "categoryIds": []any{categoryID("Stationery"), categoryID("Home")}},
			{"price": price, "categoryIds": []any{categoryID("Sports")}, "options": []any{colour}},
		}
		for i, filter := range filters {
			for _, query := range []any{nil, "soap", "hand"} {
				got := s.get(facetQuery, data{"q": query, "filter": filter, "facets": true})["products"].(data)
				facets := got["facets"].([]any)
				if len(facets) == 0 && got["totalCount"] != 0.0 {
					t.Errorf("filter %d, query %v: no facets of %v products", i, query, got["totalCount"])
				}
				for _, f := range facets {
					values := dig(f, "values").([]any)
					for j, value := range values {
						if j != 0 && j != len(values)-1 {
							continue // the most and the least frequent will do
						}
						chosen := choose(filter, dig(f, "key").(string), dig(value, "value").(string))
						count := s.get(facetQuery, data{"q": query, "filter": chosen, "facets": false})["products"].(data)["totalCount"]
						if count != dig(value, "count") {
							t.Errorf("filter %d, query %v, %s %s: the facet counts %v, the list %v", i, query, dig(f, "key"), dig(value, "value"), dig(value, "count"), count)
						}
					}
				}
			}
		}
	})
}

// choose is a filter with another choice in one facet.
func choose(filter data, key, value string) data {
	chosen := data{}
	for k, v := range filter {
		chosen[k] = v
	}
	option, isOption := strings.CutPrefix(key, "option.")
	switch {
	case isOption:
		options := []any{data{"name": option, "values": []any{value}}}
		if list, ok := filter["options"].([]any); ok {
			for _, o := range list {
				if dig(o, "name") != option {
					options = append(options, o)
				}
			}
		}
		chosen["options"] = options
	case key == "category":
		chosen["categoryIds"] = []any{value}
	case key == "price":
		currency, band, _ := strings.Cut(value, ":")
		low, high, _ := strings.Cut(band, "-")
		price := data{"currency": currency, "minMinorUnits": low}
		if high != "" {
			price["maxMinorUnits"] = high
		}
		chosen["price"] = price
	}
	return chosen
}

func TestFacetsShowWhatIsChosen(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, url string) {
		s := open(t, url, len(catalogue.Products()))
		filter := data{
			"options":     []any{data{"name": "Ruling", "values": []any{"Lined"}}},
			"categoryIds": []any{categoryID("Notebooks")},
			"price":       data{"currency": "EUR", "minMinorUnits": 1000, "maxMinorUnits": 2499},
		}
		got := s.get(facetQuery, data{"filter": filter, "facets": true})["products"].(data)
		var selected []string
		for _, f := range got["facets"].([]any) {
			for _, v := range dig(f, "values").([]any) {
				if dig(v, "selected") == true {
					selected = append(selected, fmt.Sprint(dig(f, "label"), ": ", dig(v, "label"), " ", dig(v, "count")))
				}
			}
		}
		want := []string{"Category: Notebooks 4", "Price: 10.00 to 24.99 EUR 4", "Ruling: Lined 4"}
		if diff := cmp.Diff(want, selected); diff != "" {
			t.Error(diff)
		}
	})
}
