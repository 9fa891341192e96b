package products

import (
	"context"
	"fmt"

	"github.com/agora-supergraph/agora/internal/database"
)

// reindexBatch is how many products are indexed in a transaction.
const reindexBatch = 200

// reindexLater has the products of a category, and of those below it, indexed again behind the transaction.
func reindexLater(ctx context.Context, tx *database.Tx, categoryID string) error {
	_, err := tx.ExecContext(ctx, `
		INSERT INTO category_reindex (category_id, after_n) VALUES ($1, 0) ON CONFLICT (category_id) DO UPDATE SET after_n = 0`, categoryID)
	if err != nil {
		return fmt.Errorf("note category %s to be indexed: %w", categoryID, err)
	}
	return nil
}

// reindexDue indexes the products of all categories again that were changed, some at a time, so that nobody waits for them.
// What it has done it remembers: a process that is killed goes on where it was.
func (s *Service) reindexDue(ctx context.Context) error {
	for {
		var due []string
		if err := s.db.Read.SelectContext(ctx, &due, `SELECT category_id FROM category_reindex ORDER BY category_id LIMIT 1`); err != nil || len(due) == 0 {
			return err
		}
		if err := s.db.Tx(ctx, func(tx *database.Tx) error { return s.reindexSome(ctx, tx, due[0]) }); err != nil {
			return fmt.Errorf("index products of category %s: %w", due[0], err)
		}
	}
}

func (s *Service) reindexSome(ctx context.Context, tx *database.Tx, categoryID string) error {
	var after int64
	err := tx.GetContext(ctx, &after, `SELECT after_n FROM category_reindex WHERE category_id = $1`+tx.Dialect.ForUpdate(), categoryID)
	if database.NoRows(err) {
		return nil // another replica has come to its end
	}
	if err != nil {
		return err
	}
	t, err := s.tree(ctx, tx)
	if err != nil {
		return err
	}
	var rows []*productRow
	if branch := t.within([]string{categoryID}); len(branch) > 0 {
		list, args := database.In([]any{after}, branch)
		args = append(args, reindexBatch)
		err := tx.SelectContext(ctx, &rows, fmt.Sprintf(`SELECT `+productColumns+` FROM product p WHERE p.n > $1 AND p.category_id IN %s ORDER BY p.n LIMIT $%d`, list, len(args)), args...)
		if err != nil {
			return err
		}
	}
	for _, p := range rows {
		if err := s.reindex(ctx, tx, t, p); err != nil {
			return err
		}
	}
	if len(rows) < reindexBatch {
		_, err = tx.ExecContext(ctx, `DELETE FROM category_reindex WHERE category_id = $1`, categoryID)
	} else {
		_, err = tx.ExecContext(ctx, `UPDATE category_reindex SET after_n = $1 WHERE category_id = $2`, rows[len(rows)-1].N, categoryID)
	}
	if err != nil {
		return err
	}
	return nextGeneration(ctx, tx)
}

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
