package orders

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/agora-supergraph/agora/internal/database"
	"github.com/agora-supergraph/agora/internal/id"
	"github.com/agora-supergraph/agora/internal/identity"
	"github.com/agora-supergraph/agora/subgraphs/orders/gen"
)

// maxReason is the length of a refund's reason, in bytes.
const maxReason = 500

// refundRow is a row of its table, with its lines.
type refundRow struct {
	ID, State, Reason, Failure, Actor string
	OrderID                           string `db:"order_id"`
	Amount                            int64
	Lines                             []refundLine `db:"-"`
}

// refundLine is how many units of a line are refunded.
type refundLine struct {
	LineID    string `db:"line_id"`
	VariantID string `db:"variant_id"`
	Quantity  int64
	Restock   bool
}

// refundable are the statuses of orders that can be refunded in part.
var refundable = []gen.OrderStatus{gen.OrderStatusConfirmed, gen.OrderStatusFulfilled, gen.OrderStatusPartiallyRefunded}

// refundPart gives back what some lines of an order cost, and an amount beyond them, and puts the units on the shelf
// that are to go there. Once by its key.
func (s *Service) refundPart(ctx context.Context, orderID string, in gen.OrderRefundInput) (*order, error) {
	actor := identity.From(ctx).Actor()
	refundID := id.Derived(id.Refund, orderID+":"+actor+":"+in.IdempotencyKey)
	err := s.onOrder(ctx, orderID, "orderRefund", in.IdempotencyKey, in, func(tx *database.Tx, sg saga, o *order) error {
		r, wrong := readRefund(o, in)
		switch {
		case len(wrong) > 0:
			return wrong
		case sg.Plan != "":
			return refusals{refuse(gen.OrderErrorCodeIllegalTransition, nil, "something is under way with the order: try again when it has ended")}
		case !slices.Contains(refundable, o.Status):
			return refusals{refuse(gen.OrderErrorCodeIllegalTransition, nil, "an order that is %s can't be refunded in part", o.Status)}
		}
		r.ID, r.OrderID, r.Actor = refundID, o.ID, actor
		return s.beginRefund(ctx, tx, r)
	})
	if err != nil {
		return nil, err
	}
	s.nudge()
	return s.refundEnds(ctx, orderID, refundID)
}

// readRefund reads what is to be given back of an order.
func readRefund(o *order, in gen.OrderRefundInput) (r refundRow, wrong refusals) {
	if in.Reason != nil {
		r.Reason = *in.Reason
	}
	if len(r.Reason) > maxReason || !database.Storable(r.Reason) {
		wrong = append(wrong, invalid(input("reason"), "a reason has at most %d bytes", maxReason))
	}
	seen := map[string]bool{}
	for i, want := range in.Lines {
		field := input("lines", strconv.Itoa(i))
		at, rest := slices.IndexFunc(o.Lines, func(l line) bool { return l.ID == want.LineID }), int64(0)
		if at >= 0 {
			rest = o.Lines[at].Quantity - o.Lines[at].Refunded
		}
		switch {
		case at < 0 || seen[want.LineID]:
			wrong = append(wrong, refuse(gen.OrderErrorCodeNotFound, append(field, "lineId"), "there is no further line %.50q in the order", want.LineID))
			continue
		case rest == 0:
			wrong = append(wrong, invalid(append(field, "quantity"), "all of it is refunded already"))
			continue
		case want.Quantity < 1 || int64(want.Quantity) > rest:
			wrong = append(wrong, invalid(append(field, "quantity"), "1 to %d of it can be refunded", rest))
			continue
		}
		seen[want.LineID] = true
		r.Amount += o.Lines[at].UnitPrice * int64(want.Quantity) // at most what checkout has added up
		r.Lines = append(r.Lines, refundLine{want.LineID, o.Lines[at].VariantID, int64(want.Quantity), want.Restock})
	}
	left := o.Total - o.RefundedAmount
	if extra := in.ExtraMinorUnits; extra != nil {
		if *extra < 0 || *extra > left {
			return r, append(wrong, invalid(input("extraMinorUnits"), "it may be 0 to %d", left))
		}
		r.Amount += *extra
	}
	switch {
	case len(wrong) > 0:
	case r.Amount < 1:
		wrong = append(wrong, invalid(input(), "name what is to be refunded: lines, or an amount in extraMinorUnits"))
	case r.Amount > left:
		wrong = append(wrong, invalid(input(), "at most %s can be refunded, and this is %s", o.money(left), o.money(r.Amount)))
	}
	return r, wrong
}

// beginRefund writes a refund and the plan to carry it out.
func (s *Service) beginRefund(ctx context.Context, tx *database.Tx, r refundRow) error {
	_, err := tx.ExecContext(ctx, `
		INSERT INTO refund (id, order_id, amount, state, reason, actor, created_us) VALUES ($1, $2, $3, 'PENDING', $4, $5, $6)`,
		r.ID, r.OrderID, r.Amount, r.Reason, r.Actor, s.nowMicros())
	if err != nil {
		return fmt.Errorf("write refund: %w", err)
	}
	steps := plan{repay}
	for _, l := range r.Lines {
		_, err := tx.ExecContext(ctx, `INSERT INTO refund_line (refund_id, line_id, quantity, restock) VALUES ($1, $2, $3, $4)`, r.ID, l.LineID, l.Quantity, l.Restock)
		if err != nil {
			return fmt.Errorf("write line of refund: %w", err)
		}
		if l.Restock && len(steps) == 1 {
			steps = append(steps, reshelve)
		}
	}
	_, err = tx.ExecContext(ctx, `
		UPDATE saga SET plan = $1, outcome = $2, reason = '', cancel = '', cancel_actor = $3, refund_id = $4, attempts = 0, deadline_us = $5, next_us = 0,
			lease_owner = '', lease_until_us = 0
		WHERE order_id = $6`,
		steps.String(), gen.OrderStatusPartiallyRefunded, r.Actor, r.ID, database.Micros(s.now().Add(s.cfg.ReservationLife)), r.OrderID)
	if err != nil {
		return fmt.Errorf("write saga: %w", err)
	}
	return nil
}

// readRefundRow reads a refund with its lines.
func readRefundRow(ctx context.Context, q database.Querier, refundID string) (refundRow, error) {
	var r refundRow
	err := q.GetContext(ctx, &r, `SELECT id, order_id, amount, state, reason, failure, actor FROM refund WHERE id = $1`, refundID)
	if err == nil {
		err = q.SelectContext(ctx, &r.Lines, `
			SELECT r.line_id, l.variant_id, r.quantity, r.restock FROM refund_line r JOIN order_line l ON l.id = r.line_id
			WHERE r.refund_id = $1 ORDER BY l.position`, refundID)
	}
	if err != nil {
		return r, fmt.Errorf("read refund %s: %w", refundID, err)
	}
	return r, nil
}

// refundEnds waits until a refund is carried out, as long as a caller may be kept waiting.
func (s *Service) refundEnds(ctx context.Context, orderID, refundID string) (*order, error) {
	statuses, end := s.hub.listen(orderID)
	defer end()
	over := time.NewTimer(cancelWait)
	defer over.Stop()
	poll := time.NewTicker(pollInterval / 10)
	defer poll.Stop()
	for {
		r, err := readRefundRow(ctx, s.db.Read, refundID)
		if err != nil {
			return nil, err
		}
		o, err := s.order(ctx, orderID)
		switch {
		case err != nil:
			return nil, err
		case r.State == "FAILED":
			return o, refusals{refuse(gen.OrderErrorCodePaymentDeclined, nil, "%s", r.Failure)}
		case r.State == "SUCCEEDED" && o.hasShelved(r):
			return o, nil
		}
		select {
		case <-statuses:
		case <-poll.C:
		case <-over.C:
			return o, nil
		case <-s.stopped:
			return o, nil
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

// hasShelved reports whether what a refund puts on the shelf is there.
func (o *order) hasShelved(r refundRow) bool {
	for _, want := range r.Lines {
		at := slices.IndexFunc(o.Lines, func(l line) bool { return l.ID == want.LineID })
		if want.Restock && o.Lines[at].Restocked < want.Quantity {
			return false
		}
	}
	return true
}

// keepBooks writes into the order what a step has given back and put on the shelf.
func (s *Service) keepBooks(ctx context.Context, tx *database.Tx, sg saga, current step, v verdict) error {
	var err error
	switch {
	case current == refund && v.kind == done:
		_, err = tx.ExecContext(ctx, `UPDATE orders SET refunded = total WHERE id = $1`, sg.OrderID)
		if err == nil {
			_, err = tx.ExecContext(ctx, `UPDATE order_line SET refunded_quantity = quantity WHERE order_id = $1`, sg.OrderID)
		}
	case current == restock && v.kind == done:
		_, err = tx.ExecContext(ctx, `UPDATE order_line SET restocked = quantity WHERE order_id = $1`, sg.OrderID)
	case current == repay && v.kind == done:
		err = s.repaid(ctx, tx, sg, v.refunded)
	case current == repay && v.kind == refused:
		_, err = tx.ExecContext(ctx, `UPDATE refund SET state = 'FAILED', failure = $1 WHERE id = $2`, v.failure.Message, sg.RefundID)
	case current == reshelve && v.kind == done:
		_, err = tx.ExecContext(ctx, `
			UPDATE order_line SET restocked = restocked + (SELECT quantity FROM refund_line r WHERE r.line_id = order_line.id AND r.refund_id = $1)
			WHERE id IN (SELECT line_id FROM refund_line WHERE refund_id = $2 AND restock = TRUE)`, sg.RefundID, sg.RefundID)
	}
	if err != nil {
		return fmt.Errorf("keep books of %s: %w", current, err)
	}
	return nil
}

// repaid notes that a refund was carried out, and what payments has given back altogether.
func (s *Service) repaid(ctx context.Context, tx *database.Tx, sg saga, refunded int64) error {
	if err := keepRefunded(ctx, tx, sg.OrderID, refunded); err != nil {
		return err
	}
	_, err := tx.ExecContext(ctx, `
		UPDATE order_line SET refunded_quantity = refunded_quantity + (SELECT quantity FROM refund_line r WHERE r.line_id = order_line.id AND r.refund_id = $1)
		WHERE id IN (SELECT line_id FROM refund_line WHERE refund_id = $2)`, sg.RefundID, sg.RefundID)
	if err != nil {
		return err
	}
	_, err = tx.ExecContext(ctx, `UPDATE refund SET state = 'SUCCEEDED' WHERE id = $1`, sg.RefundID)
	return err
}

// keepRefunded notes what payments has given back altogether: that only grows, whatever order it is heard of in.
func keepRefunded(ctx context.Context, tx *database.Tx, orderID string, refunded int64) error {
	_, err := tx.ExecContext(ctx, `UPDATE orders SET refunded = $1 WHERE id = $2 AND refunded < $3`, refunded, orderID, refunded)
	return err
}
