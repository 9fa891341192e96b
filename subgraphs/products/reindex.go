package products

import (
	"context"
	"fmt"

	"github.com/agora-supergraph/agora/internal/database"
)

// reindexBatch is how many products are indexed in a transaction.
const reindexBatch = 200

// IndexMissing puts the products into the search's index that it lacks, and returns how many they were: the index is
// the engine's own, so that a catalogue that was copied from another engine comes without.
func (s *Service) IndexMissing(ctx context.Context) (int, error) {
	lacking := `NOT EXISTS (SELECT 1 FROM product_search f WHERE f.rowid = p.n)`
	if s.db.Dialect == database.Postgres {
		lacking = `p.search = ''`
	}
	total := 0
	for after := int64(0); ; {
		var rows []*productRow
		err := s.db.Tx(ctx, func(tx *database.Tx) error {
			rows = nil
			err := tx.SelectContext(ctx, &rows, `SELECT `+productColumns+` FROM product p WHERE p.n > $1 AND `+lacking+` ORDER BY p.n LIMIT $2`, after, reindexBatch)
			if err != nil || len(rows) == 0 {
				return err
			}
			t, err := s.tree(ctx, tx)
			if err != nil {
				return err
			}
			for _, p := range rows {
				if err := s.reindex(ctx, tx, t, p); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return total, fmt.Errorf("index products: %w", err)
		}
		if len(rows) == 0 {
			return total, nil
		}
		total, after = total+len(rows), rows[len(rows)-1].N
	}
}
