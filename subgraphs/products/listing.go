package products

import (
	"context"
	"fmt"
	"slices"
	"strconv"

	"github.com/agora-supergraph/agora/internal/database"
	"github.com/agora-supergraph/agora/internal/page"
	"github.com/agora-supergraph/agora/internal/subgraph"
	"github.com/agora-supergraph/agora/subgraphs/products/gen"
	"github.com/agora-supergraph/agora/subgraphs/products/words"
)

// listing is a list of products that is asked for: what is searched, what it is narrowed to, and its order. Its pages
// are found by keyset, by the sort key and the id. It is immutable, but for
// what has been counted of it.
type listing struct {
	s *Service
	// searched says that there is a query; terms are what it consists of, and without any nothing is found.
	searched bool
	terms    []words.Term
	// within is the category whose list it is, or empty; scope are its branches, itself among them.
	within string
	scope  []string
	// chosen are the categories that the list is narrowed to, if any; branches are theirs within the scope.
	chosen    []string
	branches  []string
	price     *gen.MoneyRangeInput
	options   []*gen.OptionFilter
	statuses  []string
	order     order
	direction string
	cells     spread
}

// order is what a list is sorted by.
type order struct {
	// column is the sort key, number whether it is one, and descending its natural direction.
	column             string
	number, descending bool
}

// orders are those that can be asked for.
var orders = map[gen.ProductSortKey]order{
	gen.ProductSortKeyRelevance: {column: relevance, number: true, descending: true},
	gen.ProductSortKeyNewest:    {column: "p.created_us", number: true, descending: true},
	gen.ProductSortKeyPrice:     {column: "p.price_min", number: true},
	gen.ProductSortKeyName:      {column: "p.name_key"},
}

const relevance = "(hit.score - p.name_words)"

// listingRow is a product of a page.
type listingRow struct {
	productRow
	Score int64
}

// key is the sort key of a row, for cursors.
func (l *listing) key(r *listingRow) string {
	switch l.order.column {
	case relevance:
		return strconv.FormatInt(r.Score, 10)
	case "p.created_us":
		return strconv.FormatInt(r.CreatedUs, 10)
	case "p.price_min":
		return strconv.FormatInt(r.PriceMin, 10)
	}
	return r.NameKey
}

// cursorParts are: the order that the cursor is of, the sort key and the id.
const cursorParts = 3

// arguments are those of a connection of products.
type arguments struct {
	// within is the category whose products are listed; empty for all.
	within string
	query  *string
	first  *int
	after  *string
	last   *int
	before *string
	filter *gen.ProductFilter
	sort   *gen.ProductSort
}

// list answers a connection of products: one statement, and one for the categories if they matter.
func (s *Service) list(ctx context.Context, a arguments) (*gen.ProductConnection, error) {
	w, err := page.New(a.first, a.after, a.last, a.before, cursorParts)
	if err != nil {
		return nil, err
	}
	l, err := s.listing(ctx, a)
	if err != nil {
		return nil, err
	}
	rows, err := l.page(ctx, w)
	if err != nil {
		return nil, err
	}
	rows, previous, next := page.Cut(w, rows)
	shared := sharedIn(ctx)
	connection := &gen.ProductConnection{
		Edges:    make([]*gen.ProductEdge, len(rows)),
		PageInfo: gen.PageInfo{HasPreviousPage: previous, HasNextPage: next},
	}
	models, due := make([]*gen.Product, len(rows)), map[string]*gen.Product{}
	for i, r := range rows {
		models[i] = r.model()
		if r.due(shared.at) {
			due[r.ID] = models[i]
		}
	}
	if err := s.reprice(ctx, due); err != nil {
		return nil, err
	}
	for i, r := range rows {
		product := models[i]
		edge := &gen.ProductEdge{Cursor: page.Cursor(l.direction, l.key(&r), r.ID), Node: *product}
		if l.searched {
			score := float64(r.Score)
			edge.Score = &score
		}
		connection.Edges[i] = edge
		shared.variants.Want(r.ID)
		shared.products.Put(r.ID, product)
	}
	if len(rows) > 0 {
		connection.PageInfo.StartCursor = &connection.Edges[0].Cursor
		connection.PageInfo.EndCursor = &connection.Edges[len(rows)-1].Cursor
	}
	shared.connections.Store(connection, l)
	return connection, nil
}

// page reads the rows of a page and one more, in the order of reading.
func (l *listing) page(ctx context.Context, w page.Window) ([]listingRow, error) {
	q := &statement{}
	score := `0`
	if l.searched && len(l.terms) > 0 {
		q.sql(`WITH hit AS (`).hits(l.s.db.Dialect, l.terms)
		q.sql(`) `)
		score = relevance
	}
	q.sql(`SELECT `, productColumns, `, `, score, ` AS score FROM `)
	l.from(q)
	l.where(q, nothing)
	descending := (l.direction[0] == '-') != w.Backward
	compare, direction := ` > `, ``
	if descending {
		compare, direction = ` < `, ` DESC`
	}
	if w.Cursor != nil {
		key, err := l.cursorKey(w.Cursor)
		if err != nil {
			return nil, err
		}
		q.sql(` AND (`, l.order.column, `, p.id)`, compare, `(`).arg(key).sql(`, `).arg(w.Cursor[2]).sql(`)`)
	}
	q.sql(` ORDER BY `, l.order.column, direction, `, p.id`, direction, ` LIMIT `, w.Limit+1)
	rows, err := selected[listingRow](ctx, l, q)
	if err != nil {
		return nil, fmt.Errorf("list products: %w", err)
	}
	return slices.Clone(rows), nil // the page is turned around in place
}

// cursorKey reads the sort key of a cursor, which must be of a list in this order.
func (l *listing) cursorKey(cursor []string) (any, error) {
	wrong := subgraph.Errorf(subgraph.BadInput, "the cursor is of a list in another order")
	if cursor[0] != l.direction || !database.Storable(cursor[1]) || !database.Storable(cursor[2]) {
		return nil, wrong
	}
	if !l.order.number {
		return cursor[1], nil
	}
	n, err := strconv.ParseInt(cursor[1], 10, 64)
	if err != nil {
		return nil, wrong
	}
	return n, nil
}

// aspect is a part of a listing that a facet counts without.
type aspect string

// The aspects, beside the names of options.
const (
	nothing    aspect = ""
	byCategory aspect = "category"
	byPrice    aspect = "price"
)

func byOption(name string) aspect { return aspect("option." + name) }

// from writes the tables: product p, behind the hits if there are any.
func (l *listing) from(q *statement) {
	if l.searched && len(l.terms) > 0 {
		join := `JOIN`
		if l.s.db.Dialect == database.SQLite {
			// SQLite takes the hits for many, however few they are, and would go through all products instead: with CROSS it
			// keeps the order (https://www.sqlite.org/lang_select.html#crossjoin).
			join = `CROSS JOIN`
		}
		q.sql(`hit `, join, ` product p ON p.n = hit.n`)
		return
	}
	q.sql(`product p`)
}

// where writes the conditions but for one aspect. What belongs to options is asked of variants: one of them must have
// all.
func (l *listing) where(q *statement, but aspect) {
	q.sql(` WHERE `)
	switch {
	case l.searched && len(l.terms) == 0:
		q.sql(`FALSE`)
	case l.statuses == nil:
		q.sql(`TRUE`)
	default:
		in(q, `p.status`, l.statuses)
	}
	switch {
	case len(l.chosen) > 0 && but != byCategory:
		q.sql(` AND `)
		in(q, `p.category_id`, l.branches)
	case l.within != "":
		q.sql(` AND `)
		in(q, `p.category_id`, l.scope)
	}
	if l.price != nil && but != byPrice {
		q.sql(` AND p.currency = `).arg(l.price.Currency)
		if l.price.MinMinorUnits != nil {
			q.sql(` AND p.price_min >= `).arg(*l.price.MinMinorUnits)
		}
		if l.price.MaxMinorUnits != nil {
			q.sql(` AND p.price_min <= `).arg(*l.price.MaxMinorUnits)
		}
	}
	if options := l.optionsBut(but); len(options) > 0 {
		q.sql(` AND p.n IN (`)
		variantsWith(q, "product_n", options)
		q.sql(`)`)
	}
}

func (l *listing) optionsBut(but aspect) []*gen.OptionFilter {
	var others []*gen.OptionFilter
	for _, o := range l.options {
		if byOption(o.Name) != but {
			others = append(others, o)
		}
	}
	return others
}

// variantsWith writes the query of a column of the variants that have one of the values of each option.
func variantsWith(q *statement, column string, options []*gen.OptionFilter) {
	q.sql(`SELECT o0.`, column, ` FROM variant_option o0`)
	for i := 1; i < len(options); i++ {
		o := fmt.Sprintf("o%d", i)
		q.sql(` JOIN variant_option `, o, ` ON `, o, `.product_n = o0.product_n AND `, o, `.variant_id = o0.variant_id AND `, o, `.name = `).arg(options[i].Name)
		q.sql(` AND `)
		in(q, o+`.value`, options[i].Values)
	}
	q.sql(` WHERE o0.name = `).arg(options[0].Name).sql(` AND `)
	in(q, `o0.value`, options[0].Values)
}

// count is how many products there are in the list.
func (l *listing) count(ctx context.Context) (int, error) {
	var q *statement
	switch {
	case l.whole():
		cells, err := l.spread(ctx)
		n := 0
		for _, c := range cells {
			n += c.Count
		}
		return n, err
	case l.counted():
		q = l.counts(string(byPrice), nothing, `COALESCE(CAST(SUM(p.n) AS BIGINT), 0)`)
	default:
		q = &statement{}
		l.withFound(q)
		q.sql(`SELECT COUNT(*) FROM `)
		l.from(q)
		l.where(q, nothing)
	}
	found, err := selected[int](ctx, l, q)
	if err != nil {
		return 0, fmt.Errorf("count products: %w", err)
	}
	return found[0], nil
}

// withFound writes the hits for statements that don't ask how relevant they are.
func (l *listing) withFound(q *statement) {
	if l.searched && len(l.terms) > 0 {
		q.sql(`WITH hit AS (`).found(l.s.db.Dialect, l.terms)
		q.sql(`) `)
	}
}
