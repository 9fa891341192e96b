package products

import (
	"context"
	"fmt"
	"sync"
)

// cell is how many products of a list are in a category and in a band of prices.
type cell struct {
	Currency, Band string
	CategoryID     string `db:"category_id"`
	Count          int
}

// spread is what is counted of a list at once, for all who ask.
type spread struct {
	mu    sync.Mutex
	known bool
	cells []cell
}

// whole reports whether the list is narrowed neither by category nor by price: its length, its categories and its bands of
// prices are then sums of the same cells.
func (l *listing) whole() bool { return !l.counted() && l.price == nil && len(l.chosen) == 0 }

// spread counts the products of a list, in the order of currency and band. To find them all is what takes long, where a
// word is frequent, so that is done once in an operation.
func (l *listing) spread(ctx context.Context) ([]cell, error) {
	l.cells.mu.Lock()
	defer l.cells.mu.Unlock()
	if l.cells.known {
		return l.cells.cells, nil
	}
	q := &statement{}
	l.withFound(q)
	q.sql(`SELECT p.currency, `)
	q.band()
	q.sql(` AS band, p.category_id, COUNT(*) AS count FROM `)
	l.from(q)
	l.where(q, nothing)
	q.sql(` GROUP BY 1, 2, 3 ORDER BY 1, 2, 3`)
	cells, err := selected[cell](ctx, l, q)
	if err != nil {
		return nil, fmt.Errorf("count products: %w", err)
	}
	l.cells.cells, l.cells.known = cells, true
	return cells, nil
}
