package orders

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/agora-supergraph/agora/internal/database"
	"github.com/agora-supergraph/agora/internal/event"
	"github.com/agora-supergraph/agora/internal/money"
	"github.com/agora-supergraph/agora/subgraphs/orders/gen"
)

// applyPayment wakes the saga that waits for a payment, and follows refunds that staff make.
func (s *Service) applyPayment(ctx context.Context, tx *database.Tx, e event.Event) error {
	if !strings.HasPrefix(e.Type, "agora.payments.payment.") {
		return nil
	}
	var data struct {
		OrderID string `json:"orderId"`
		Status  string `json:"status"`
		// Refunded is what has been given back altogether.
		Refunded money.Money `json:"amountRefunded"`
	}
	if err := e.Decode(&data); err != nil {
		return err
	}
	sg, err := lockSaga(ctx, tx, data.OrderID)
	if database.NoRows(err) {
		return nil // a payment for something that is none of our orders
	}
	if err != nil {
		return err
	}
	if data.Status == "REFUNDED" || data.Status == "PARTIALLY_REFUNDED" {
		if err := s.followRefund(ctx, tx, sg, gen.OrderStatus(data.Status)); err != nil {
			return err
		}
		if err := keepRefunded(ctx, tx, sg.OrderID, data.Refunded.MinorUnits); err != nil {
			return fmt.Errorf("keep what was refunded: %w", err)
		}
	}
	if strings.HasPrefix(sg.Plan, string(await)) {
		tx.Note(stirred{})
		_, err = tx.ExecContext(ctx, `UPDATE saga SET next_us = 0 WHERE order_id = $1`, sg.OrderID)
	}
	return err
}

// stirred is noted in a transaction that has something to do follow from an event: something to say, or a saga to go on with.
// Behind nearly all events there is nothing.
type stirred struct{}

func (s *Service) committed(context.Context, []any) {
	s.outbox.Wake()
	s.nudge()
}

// errEarlyRefund says that a refund is heard of before the capture: the event comes again, when that is recorded.
var errEarlyRefund = errors.New("the payment is refunded, and its capture not yet recorded")

// followRefund gives the order the status that a refund by staff entails. While a saga refunds, it does that itself.
func (s *Service) followRefund(ctx context.Context, tx *database.Tx, sg saga, to gen.OrderStatus) error {
	if sg.Plan == string(capture) {
		return errEarlyRefund
	}
	if sg.Plan != "" {
		return nil
	}
	o, err := lockOrder(ctx, tx, sg.OrderID)
	if err != nil || !mayBecome(o.Status, to) {
		return err
	}
	tx.Note(stirred{})
	return s.become(ctx, tx, o, change{to: to, actor: "payments"})
}

// Where inventory's events come from, and the one that concerns orders.
const (
	inventorySource = "agora/inventory"
	lapsed          = "agora.inventory.reservation.expired.v1"
)

// applyInventory ends the wait of a saga whose reservation has expired.
func (s *Service) applyInventory(ctx context.Context, tx *database.Tx, e event.Event) error {
	if e.Type != lapsed {
		return nil
	}
	var data struct {
		OrderID string `json:"orderId"`
	}
	if err := e.Decode(&data); err != nil {
		return err
	}
	tx.Note(stirred{})
	_, err := tx.ExecContext(ctx, `
		UPDATE saga SET expired = TRUE, next_us = CASE WHEN plan LIKE 'await%' THEN 0 ELSE next_us END
		WHERE order_id = $1 AND plan <> ''`, data.OrderID)
	return err
}

// applied tells those who listen to an order of an event that may concern it.
func (s *Service) applied(_ context.Context, e event.Event) {
	if e.Source == inventorySource && e.Type != lapsed {
		return
	}
	var data struct {
		OrderID string `json:"orderId"`
	}
	if e.Decode(&data) == nil && data.OrderID != "" {
		s.hub.notify(data.OrderID, gen.OrderStatusPending) // whoever listens looks for itself
	}
}
