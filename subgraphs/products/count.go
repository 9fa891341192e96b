package products

import (
	"context"
	"fmt"

	"github.com/agora-supergraph/agora/internal/database"
)

// Counts are kept in the transaction of each change: what a product adds to the counts is taken off before the change and
// put on behind it. So facets and the length of a list that is narrowed by nothing but status and category are read off
// some thousand rows, however many products there are.

// plus and minus are what a product counts before and behind a change.
const (
	plus  = 1
	minus = -1
)

// count puts a product, as it is stored at this moment, on the counts or takes it off. The rows are locked in one order.
func count(ctx context.Context, tx *database.Tx, n int64, sign int) error {
	q := &statement{}
	q.sql(`INSERT INTO facet_count (status, category_id, facet, name, value, n)
		SELECT f.status, f.category_id, f.facet, f.name, f.value, CAST(`).arg(sign).sql(` AS BIGINT) FROM (
			SELECT p.status, p.category_id, 'price' AS facet, p.currency AS name, `)
	q.band()
	q.sql(` AS value FROM product p WHERE p.n = `).arg(n).sql(`
			UNION ALL SELECT p.status, p.category_id, 'option', o.name, o.value
			FROM (SELECT DISTINCT product_n, name, value FROM variant_option WHERE product_n = `).arg(n).sql(`) o JOIN product p ON p.n = o.product_n
		) f WHERE TRUE ORDER BY 1, 2, 3, 4, 5
		ON CONFLICT (status, category_id, facet, name, value) DO UPDATE SET n = facet_count.n + excluded.n`)
	if _, err := tx.ExecContext(ctx, q.text.String(), q.args...); err != nil {
		return fmt.Errorf("count product %d: %w", n, err)
	}
	return nil
}

// band writes the number of the band that the lowest price of p is in. The counts that are stored go by it: other steps
// need a migration.
func (q *statement) band() {
	q.sql(`CASE`)
	for i := len(steps) - 1; i > 0; i-- {
		q.sql(` WHEN p.price_min >= `, steps[i], ` THEN '`, i, `'`)
	}
	q.sql(` ELSE '0' END`)
}

// counted reports whether the counts say how long the list is and what its facets are.
func (l *listing) counted() bool { return !l.searched && l.price == nil && len(l.options) == 0 }

// counts writes the query of columns of the counts p of a facet.
func (l *listing) counts(facet string, but aspect, columns string) *statement {
	q := &statement{}
	q.sql(`SELECT `, columns, ` FROM facet_count p`)
	l.where(q, but)
	q.sql(` AND p.facet = `).arg(facet)
	return q
}

// nextGeneration says that products have changed. Call it in each transaction that changes some.
func nextGeneration(ctx context.Context, tx *database.Tx) error {
	if _, err := tx.ExecContext(ctx, `UPDATE catalogue_generation SET last = last + 1`); err != nil {
		return fmt.Errorf("count generation: %w", err)
	}
	return nil
}

// generation is how often products have changed.
func (s *Service) generation(ctx context.Context) (n int64, err error) {
	if err = s.db.Read.GetContext(ctx, &n, `SELECT last FROM catalogue_generation`); err != nil {
		err = fmt.Errorf("read generation: %w", err)
	}
	return n, err
}
