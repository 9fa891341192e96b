package orders

import (
	"context"
	"fmt"
	"strings"

	"github.com/agora-supergraph/agora/internal/database"
	"github.com/agora-supergraph/agora/internal/event"
	"github.com/agora-supergraph/agora/internal/id"
	"github.com/agora-supergraph/agora/internal/identity"
	"github.com/agora-supergraph/agora/internal/money"
	"github.com/agora-supergraph/agora/subgraphs/orders/gen"
)

// change is a change of an order's status.
type change struct {
	to     gen.OrderStatus
	reason gen.OrderCancelReason
	actor  string
	note   string
}

// Changed is the data of the events agora.orders.order.<status>.v1, whose subject is the order's id.
type Changed struct {
	Number string      `json:"number"`
	UserID string      `json:"userId"`
	Status string      `json:"status"`
	Reason string      `json:"reason,omitempty"`
	Total  money.Money `json:"total"`
}

// become changes an order's status, if the table allows it, with a line of history and an event. An order that has the
// status already stays as it is. o is the order as it was read or written last, or its id alone: it is read again where the status
// is another one by now.
func (s *Service) become(ctx context.Context, tx *database.Tx, o order, c change) error {
	written, err := s.setStatus(ctx, tx, o, c)
	if err == nil && !written {
		if o, err = lockOrder(ctx, tx, o.ID); err != nil || o.Status == c.to {
			return err
		}
		if !mayBecome(o.Status, c.to) {
			return fmt.Errorf("order %s is %s and can't become %s", o.ID, o.Status, c.to)
		}
		_, err = s.setStatus(ctx, tx, o, c)
	}
	if err != nil {
		return fmt.Errorf("update order %s: %w", o.ID, err)
	}
	if final(c.to) {
		if err := eraseEnded(ctx, tx, &o); err != nil {
			return err
		}
	}
	from := o.Status
	o.Status, o.CancelReason = c.to, c.reason
	return s.chronicle(ctx, tx, &o, from, c)
}

// setStatus writes the status of an order that still has the one it is known with, and reports whether it does.
func (s *Service) setStatus(ctx context.Context, tx *database.Tx, o order, c change) (bool, error) {
	if !mayBecome(o.Status, c.to) {
		return false, nil
	}
	result, err := tx.ExecContext(ctx, `UPDATE orders SET status = $1, cancel_reason = $2, updated_us = $3 WHERE id = $4 AND status = $5`,
		c.to, c.reason, s.nowMicros(), o.ID, o.Status)
	if err != nil {
		return false, err
	}
	n, err := result.RowsAffected()
	return n == 1, err
}

// lockOrder reads an order that the transaction is going to change, without its lines.
func lockOrder(ctx context.Context, tx *database.Tx, orderID string) (o order, err error) {
	err = tx.GetContext(ctx, &o, `SELECT `+orderColumns+` FROM orders o WHERE o.id = $1`+tx.Dialect.ForUpdate(), orderID)
	if err != nil {
		return o, fmt.Errorf("lock order %s: %w", orderID, err)
	}
	return o, nil
}

// chronicle writes the line of history and the event of a change.
func (s *Service) chronicle(ctx context.Context, tx *database.Tx, o *order, from gen.OrderStatus, c change) error {
	_, err := tx.ExecContext(ctx, `
		INSERT INTO order_history (order_id, sequence, at_us, from_status, to_status, actor, note, correlation)
		VALUES ($1, (SELECT COALESCE(MAX(sequence), 0) + 1 FROM order_history WHERE order_id = $2), $3, $4, $5, $6, $7, $8)`,
		o.ID, o.ID, s.nowMicros(), from, o.Status, c.actor, c.note, o.ID)
	if err != nil {
		return fmt.Errorf("write history of %s: %w", o.ID, err)
	}
	return s.outbox.Append(event.WithCorrelation(ctx, o.ID), tx,
		event.New("agora.orders.order."+strings.ToLower(string(o.Status))+".v1", o.ID, Changed{
			Number: o.Number, UserID: o.UserID, Status: string(o.Status), Reason: string(o.CancelReason), Total: o.money(o.Total),
		}))
}

// chapter is a line of an order's history.
type chapter struct {
	Sequence    int64
	AtUs        int64           `db:"at_us"`
	From        gen.OrderStatus `db:"from_status"`
	To          gen.OrderStatus `db:"to_status"`
	Actor       string
	Note        string
	Correlation string
}

// readHistory reads the history of an order behind a line of it.
func readHistory(ctx context.Context, q database.Querier, orderID string, behind int64) ([]chapter, error) {
	var chapters []chapter
	err := q.SelectContext(ctx, &chapters, `
		SELECT sequence, at_us, from_status, to_status, actor, note, correlation
		FROM order_history WHERE order_id = $1 AND sequence > $2 ORDER BY sequence`, orderID, behind)
	if err != nil {
		return nil, fmt.Errorf("read history of %s: %w", orderID, err)
	}
	return chapters, nil
}

// readHistories reads the histories of some orders, in one query.
func readHistories(ctx context.Context, q database.Querier, orders []string) (map[string][]chapter, error) {
	in, args := database.In(nil, orders)
	var rows []struct {
		OrderID string `db:"order_id"`
		chapter
	}
	err := q.SelectContext(ctx, &rows, `
		SELECT order_id, sequence, at_us, from_status, to_status, actor, note, correlation
		FROM order_history WHERE order_id IN `+in+` ORDER BY order_id, sequence`, args...)
	if err != nil {
		return nil, fmt.Errorf("read histories: %w", err)
	}
	histories := map[string][]chapter{}
	for _, r := range rows {
		histories[r.OrderID] = append(histories[r.OrderID], r.chapter)
	}
	return histories, nil
}

// staff is what buyers are told of whoever changed their order and is somebody else.
const staff = "staff"

// present is a line of history as somebody sees it. Which of the staff it was is not for the buyer to know.
func (c chapter) present(who identity.Identity, owner string) *gen.OrderEvent {
	e := &gen.OrderEvent{At: database.Time(c.AtUs), To: c.To, Actor: c.Actor}
	if id.Is(id.User, c.Actor) && c.Actor != owner && !who.Has("orders:read") {
		e.Actor = staff
	}
	if c.From != "" {
		e.From = &c.From
	}
	if c.Note != "" {
		e.Note = &c.Note
	}
	if c.Correlation != "" {
		e.CorrelationID = &c.Correlation
	}
	return e
}
