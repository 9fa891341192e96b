package products

import (
	"context"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/agora-supergraph/agora/internal/database"
	"github.com/agora-supergraph/agora/internal/identity"
	"github.com/agora-supergraph/agora/internal/money"
	"github.com/agora-supergraph/agora/internal/subgraph"
	"github.com/agora-supergraph/agora/subgraphs/products/gen"
	"github.com/agora-supergraph/agora/subgraphs/products/words"
)

// The bounds of what a list can be asked for.
const (
	maxQuery        = 200 // characters
	maxChosen       = 100 // categories
	maxOptionFilter = 10
	maxOptionValues = 50
)

// listing checks what is asked for; what is wrong is an error with the code BAD_USER_INPUT.
func (s *Service) listing(ctx context.Context, a arguments) (*listing, error) {
	l := &listing{s: s, within: a.within}
	if a.query != nil && strings.TrimSpace(*a.query) != "" {
		if n := utf8.RuneCountInString(*a.query); n > maxQuery {
			return nil, subgraph.Errorf(subgraph.BadInput, "the query has %d characters: %d are the most", n, maxQuery)
		}
		l.searched, l.terms = true, words.Query(*a.query)
	}
	filter := a.filter
	if filter == nil {
		filter = &gen.ProductFilter{}
	}
	if err := l.readStatuses(ctx, filter.Statuses); err != nil {
		return nil, err
	}
	if err := l.readPrice(filter.Price); err != nil {
		return nil, err
	}
	if err := l.readOptions(filter.Options); err != nil {
		return nil, err
	}
	l.readSort(a.sort)
	return l, l.readCategories(ctx, filter.CategoryIds)
}

func (l *listing) readStatuses(ctx context.Context, wanted []gen.ProductStatus) error {
	staff := identity.From(ctx).Has(scopeWrite)
	for _, status := range wanted {
		if !staff && string(status) != active {
			return subgraph.Forbidden("list products that are not active without the scope " + scopeWrite)
		}
		l.statuses = append(l.statuses, string(status))
	}
	if len(wanted) == 0 && !staff {
		l.statuses = []string{active}
	}
	return nil
}

func (l *listing) readPrice(price *gen.MoneyRangeInput) error {
	if price != nil && !money.ValidCurrency(price.Currency) {
		return subgraph.Errorf(subgraph.BadInput, "filter.price.currency %q is no ISO 4217 code such as EUR", price.Currency)
	}
	l.price = price
	return nil
}

func (l *listing) readOptions(options []*gen.OptionFilter) error {
	if len(options) > maxOptionFilter {
		return subgraph.Errorf(subgraph.BadInput, "filter.options has %d options: %d are the most", len(options), maxOptionFilter)
	}
	seen := map[string]bool{}
	for _, o := range options {
		if seen[o.Name] {
			return subgraph.Errorf(subgraph.BadInput, "filter.options names %q twice: give all its values at once", o.Name)
		}
		seen[o.Name] = true
		if len(o.Values) > maxOptionValues {
			return subgraph.Errorf(subgraph.BadInput, "filter.options has %d values of %q: %d are the most", len(o.Values), o.Name, maxOptionValues)
		}
		kept := &gen.OptionFilter{Name: o.Name}
		kept.Values, _ = known(o.Values) // their number has been checked
		if !database.Storable(o.Name) {
			kept.Name, kept.Values = "", nil // no option has this name
		}
		l.options = append(l.options, kept)
	}
	return nil
}

// readSort finds the order: where nothing is searched everything is as relevant, and the newest comes first.
func (l *listing) readSort(sort *gen.ProductSort) {
	by, reverse := gen.ProductSortKeyRelevance, false
	if sort != nil {
		by, reverse = sort.By, sort.Reverse
	}
	if by == gen.ProductSortKeyRelevance && len(l.terms) == 0 {
		by = gen.ProductSortKeyNewest
	}
	l.order = orders[by]
	l.direction = "+" + string(by)
	if l.order.descending != reverse {
		l.direction = "-" + string(by)
	}
}

func (l *listing) readCategories(ctx context.Context, chosen []string) error {
	if len(chosen) > maxChosen {
		return subgraph.Errorf(subgraph.BadInput, "filter.categoryIds has %d categories: %d are the most", len(chosen), maxChosen)
	}
	if len(chosen) == 0 && l.within == "" {
		return nil
	}
	t, err := sharedIn(ctx).categories(ctx)
	if err != nil {
		return err
	}
	l.chosen = chosen
	if l.within != "" {
		l.scope = t.within([]string{l.within})
	}
	for _, id := range t.within(chosen) {
		if _, inside := slices.BinarySearch(l.scope, id); inside || l.within == "" {
			l.branches = append(l.branches, id)
		}
	}
	return nil
}
