package orders

import (
	"context"
	"fmt"

	"github.com/agora-supergraph/agora/internal/database"
	"github.com/agora-supergraph/agora/internal/id"
)

// readCarts reads the carts whose column (id or user_id) has one of the values, with their lines, in one query. The index of users
// has no carts of nobody: it helps only who says that they are not wanted.
func readCarts(ctx context.Context, q database.Querier, column string, values []string) ([]*cart, error) {
	if values = id.WellFormed(map[string]string{"id": id.Cart, "user_id": id.User}[column], values); len(values) == 0 {
		return nil, nil
	}
	list, args := database.In(nil, values)
	var rows []struct {
		cart
		LineID    *string `db:"line_id"`
		VariantID *string `db:"variant_id"`
		Quantity  *int64
		Position  *int64
	}
	err := q.SelectContext(ctx, &rows, `
		SELECT c.id, c.user_id, c.version, c.updated_us, l.id AS line_id, l.variant_id, l.quantity, l.position
		FROM cart c LEFT JOIN cart_line l ON l.cart_id = c.id
		WHERE c.`+column+` IN `+list+` AND c.`+column+` <> '' ORDER BY c.id, l.position`, args...)
	if err != nil {
		return nil, fmt.Errorf("read carts: %w", err)
	}
	var all []*cart
	for _, r := range rows {
		if len(all) == 0 || all[len(all)-1].ID != r.ID {
			c := r.cart
			all = append(all, &c)
		}
		if r.LineID != nil {
			last := all[len(all)-1]
			last.Lines = append(last.Lines, cartLine{*r.LineID, r.ID, *r.VariantID, *r.Quantity, *r.Position})
		}
	}
	return all, nil
}

// lockCart reads the cart that the transaction is going to change, or nil.
func lockCart(ctx context.Context, tx *database.Tx, column, value string) (*cart, error) {
	if id.Prefix(value) == "" {
		return nil, nil
	}
	var cartID string
	err := tx.GetContext(ctx, &cartID, `SELECT id FROM cart WHERE `+column+` = $1 AND `+column+` <> ''`+tx.Dialect.ForUpdate(), value)
	if database.NoRows(err) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("lock cart: %w", err)
	}
	found, err := readCarts(ctx, tx, "id", []string{cartID})
	if err != nil || len(found) == 0 {
		return nil, err
	}
	return found[0], nil
}

// pruneBatch is how many carts one transaction forgets.
const pruneBatch = 500

// PruneCarts forgets the anonymous carts that nobody has changed for the time that Config.CartLife says. Run does it
// every hour.
func (s *Service) PruneCarts(ctx context.Context) error {
	for {
		var ids []string
		err := s.db.Tx(ctx, func(tx *database.Tx) error {
			ids = nil
			err := tx.SelectContext(ctx, &ids, `SELECT id FROM cart WHERE user_id = '' AND updated_us < $1 ORDER BY id LIMIT $2`+tx.Dialect.SkipLocked(),
				database.Micros(s.now().Add(-s.cfg.CartLife)), pruneBatch)
			if err != nil || len(ids) == 0 {
				return err
			}
			list, args := database.In(nil, ids)
			for _, table := range []string{"cart_line WHERE cart_id", "cart WHERE id"} {
				if _, err := tx.ExecContext(ctx, `DELETE FROM `+table+` IN `+list, args...); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil || len(ids) < pruneBatch {
			return err
		}
	}
}

func insertCart(ctx context.Context, tx *database.Tx, c *cart) error {
	_, err := tx.ExecContext(ctx, `INSERT INTO cart (id, user_id, version, updated_us) VALUES ($1, $2, 0, 0)`, c.ID, c.UserID)
	if err != nil {
		return fmt.Errorf("insert cart: %w", err)
	}
	return nil
}

func deleteCart(ctx context.Context, tx *database.Tx, cartID string) error {
	for _, table := range []string{"cart_line WHERE cart_id", "cart WHERE id"} {
		if _, err := tx.ExecContext(ctx, `DELETE FROM `+table+` = $1`, cartID); err != nil {
			return fmt.Errorf("delete cart: %w", err)
		}
	}
	return nil
}

// saveCart writes a cart and its lines as they are now, with the next version.
func (s *Service) saveCart(ctx context.Context, tx *database.Tx, c *cart) error {
	c.Version, c.UpdatedUs = c.Version+1, s.nowMicros()
	_, err := tx.ExecContext(ctx, `UPDATE cart SET user_id = $1, version = $2, updated_us = $3 WHERE id = $4`, c.UserID, c.Version, c.UpdatedUs, c.ID)
	if err != nil {
		return fmt.Errorf("write cart: %w", err)
	}
	if _, err := tx.ExecContext(ctx, `DELETE FROM cart_line WHERE cart_id = $1`, c.ID); err != nil {
		return fmt.Errorf("write cart: %w", err)
	}
	for _, l := range c.Lines {
		_, err := tx.ExecContext(ctx, `INSERT INTO cart_line (id, cart_id, variant_id, quantity, position) VALUES ($1, $2, $3, $4, $5)`,
			l.ID, c.ID, l.VariantID, l.Quantity, l.Position)
		if err != nil {
			return fmt.Errorf("write cart line: %w", err)
		}
	}
	return nil
}
