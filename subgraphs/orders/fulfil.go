package orders

import (
	"context"
	"fmt"

	"github.com/agora-supergraph/agora/internal/database"
	"github.com/agora-supergraph/agora/internal/identity"
	"github.com/agora-supergraph/agora/subgraphs/orders/gen"
)

// fulfil marks a confirmed order as sent.
func (s *Service) fulfil(ctx context.Context, orderID string, in gen.OrderFulfilInput) (*order, error) {
	note := ""
	if in.TrackingNumber != nil {
		note = *in.TrackingNumber
	}
	if len(note) > 100 || !database.Storable(note) {
		return nil, refusals{invalid(input("trackingNumber"), "a tracking number has at most 100 bytes")}
	}
	err := s.onOrder(ctx, orderID, "orderFulfil", in.IdempotencyKey, in, func(tx *database.Tx, sg saga, o *order) error {
		if sg.Plan != "" || !mayBecome(o.Status, gen.OrderStatusFulfilled) {
			return refusals{refuse(gen.OrderErrorCodeIllegalTransition, nil, "an order that is %s can't be fulfilled", o.Status)}
		}
		if _, err := tx.ExecContext(ctx, `UPDATE orders SET tracking_number = $1 WHERE id = $2`, note, orderID); err != nil {
			return fmt.Errorf("write tracking number: %w", err)
		}
		return s.become(ctx, tx, *o, change{to: gen.OrderStatusFulfilled, actor: identity.From(ctx).Actor(), note: note})
	})
	if err != nil {
		return nil, err
	}
	s.outbox.Wake()
	s.hub.notify(orderID, gen.OrderStatusFulfilled)
	return s.order(ctx, orderID)
}
