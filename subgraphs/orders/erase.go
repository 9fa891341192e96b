package orders

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/agora-supergraph/agora/internal/database"
	"github.com/agora-supergraph/agora/internal/event"
	"github.com/agora-supergraph/agora/subgraphs/orders/gen"
)

// Of a user who is erased the orders stay, since books must be kept: what was bought and paid, when, and into which
// country. Who it went to is erased as soon as nothing is to be sent there any more.

// applyUser erases what is personal about a user who is erased.
func (s *Service) applyUser(ctx context.Context, tx *database.Tx, e event.Event) error {
	if e.Type != "agora.users.user.deleted.v1" {
		return nil
	}
	for _, step := range []struct {
		statement string
		args      []any
	}{
		{`INSERT INTO erased_user (user_id, at_us) VALUES ($1, $2) ON CONFLICT DO NOTHING`, []any{e.Subject, s.nowMicros()}},
		{`DELETE FROM cart WHERE user_id = $1 AND user_id <> ''`, []any{e.Subject}},
		{`DELETE FROM idempotency WHERE scope = $1`, []any{e.Subject}},
		{`UPDATE saga SET token = '' WHERE plan = '' AND order_id IN (SELECT id FROM orders WHERE user_id = $1)`, []any{e.Subject}},
	} {
		if _, err := tx.ExecContext(ctx, step.statement, step.args...); err != nil {
			return fmt.Errorf("erase user %s: %w", e.Subject, err)
		}
	}
	var mine []struct {
		ID, Address string
		Status      gen.OrderStatus
	}
	if err := tx.SelectContext(ctx, &mine, `SELECT id, address, status FROM orders WHERE user_id = $1 ORDER BY id`+tx.Dialect.ForUpdate(), e.Subject); err != nil {
		return fmt.Errorf("orders of user %s: %w", e.Subject, err)
	}
	for _, o := range mine {
		if final(o.Status) {
			if err := eraseAddress(ctx, tx, o.ID, o.Address); err != nil {
				return err
			}
		}
	}
	return nil
}

// eraseEnded erases the address of an order that has come to an end, if its buyer is erased.
func eraseEnded(ctx context.Context, tx *database.Tx, o *order) error {
	var erased bool
	if err := tx.GetContext(ctx, &erased, `SELECT COUNT(*) > 0 FROM erased_user WHERE user_id = $1`, o.UserID); err != nil {
		return fmt.Errorf("look whether user %s is erased: %w", o.UserID, err)
	}
	if !erased {
		return nil
	}
	if _, err := tx.ExecContext(ctx, `UPDATE saga SET token = '' WHERE order_id = $1`, o.ID); err != nil {
		return fmt.Errorf("erase the card of order %s: %w", o.ID, err)
	}
	return eraseAddress(ctx, tx, o.ID, o.Address)
}

// eraseAddress leaves the country, which taxes depend on.
func eraseAddress(ctx context.Context, tx *database.Tx, orderID, stored string) error {
	var address gen.ShippingAddress
	if err := json.Unmarshal([]byte(stored), &address); err != nil {
		return fmt.Errorf("read address of order %s: %w", orderID, err)
	}
	kept, err := json.Marshal(gen.ShippingAddress{CountryCode: address.CountryCode})
	if err != nil {
		return err
	}
	if _, err := tx.ExecContext(ctx, `UPDATE orders SET address = $1 WHERE id = $2`, string(kept), orderID); err != nil {
		return fmt.Errorf("erase address of order %s: %w", orderID, err)
	}
	return nil
}
