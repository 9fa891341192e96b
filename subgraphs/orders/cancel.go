package orders

import (
	"context"
	"slices"
	"time"

	"github.com/agora-supergraph/agora/internal/database"
	"github.com/agora-supergraph/agora/internal/identity"
	"github.com/agora-supergraph/agora/internal/subgraph"
	"github.com/agora-supergraph/agora/subgraphs/orders/gen"
)

// cancelWait is how long orderCancel waits for everything to be undone.
const cancelWait = 2 * time.Second

// reasons are those that may be given for a cancellation, by whom it may.
var reasons = map[bool][]gen.OrderCancelReason{
	false: {gen.OrderCancelReasonCustomer},
	true:  {gen.OrderCancelReasonCustomer, gen.OrderCancelReasonFraud, gen.OrderCancelReasonStaff},
}

// cancel asks for an order to be undone: before its pivot by the saga's compensations, behind it by refund and restock.
func (s *Service) cancel(ctx context.Context, orderID string, in gen.OrderCancelInput) (*order, error) {
	who := identity.From(ctx)
	if !slices.Contains(reasons[who.Has("orders:write")], in.Reason) {
		return nil, refusals{invalid(input("reason"), "you can't cancel with the reason %s", in.Reason)}
	}
	var o *order
	err := s.onOrder(ctx, orderID, "orderCancel", in.IdempotencyKey, in, func(tx *database.Tx, sg saga, found *order) error {
		o = found
		return s.requestCancel(ctx, tx, sg, found, in.Reason, who)
	})
	if err != nil {
		return nil, err
	}
	s.nudge()
	if o == nil { // the same key again
		return s.order(ctx, orderID)
	}
	return s.undone(ctx, orderID)
}

// requestCancel notes the cancellation in the saga, or makes a new plan for one that has ended.
func (s *Service) requestCancel(ctx context.Context, tx *database.Tx, sg saga, o *order, reason gen.OrderCancelReason, who identity.Identity) error {
	current, actor := parsePlan(sg.Plan), who.Actor()
	switch {
	case (len(current) == 0 || current[0] == capture) && !who.May(o.UserID, "payments:refund"):
		return subgraph.Forbidden("cancel an order that is paid: that takes the scope payments:refund")
	case sg.RefundID != "" && len(current) > 0 && (current[0] == repay || current[0] == reshelve):
		return refusals{refuse(gen.OrderErrorCodeIllegalTransition, nil, "a part of the order is being refunded: try again")}
	case len(current) > 0 && definitions[current[0]].undo != nil:
		// On its way forward: the driver turns around behind the step that is under way. One that waits is woken.
		_, err := tx.ExecContext(ctx, `
			UPDATE saga SET cancel = $1, cancel_actor = $2, next_us = CASE WHEN plan LIKE 'await%' THEN 0 ELSE next_us END WHERE order_id = $3`,
			reason, actor, o.ID)
		return err
	case len(current) > 0:
		return nil // it is being undone already
	case o.Status == gen.OrderStatusConfirmed || o.Status == gen.OrderStatusPartiallyRefunded:
		_, err := tx.ExecContext(ctx, `
			UPDATE saga SET plan = $1, outcome = $2, reason = $3, cancel_actor = $4, attempts = 0, deadline_us = $5, next_us = 0,
				lease_owner = '', lease_until_us = 0
			WHERE order_id = $6`,
			giveBack.String(), gen.OrderStatusRefunded, reason, actor, database.Micros(s.now().Add(s.cfg.ReservationLife)), o.ID)
		return err
	}
	return refusals{refuse(gen.OrderErrorCodeIllegalTransition, nil, "an order that is %s can't be cancelled", o.Status)}
}

// undone waits until a cancelled order is undone, as long as a caller may be kept waiting.
func (s *Service) undone(ctx context.Context, orderID string) (*order, error) {
	statuses, end := s.hub.listen(orderID)
	defer end()
	over := time.NewTimer(cancelWait)
	defer over.Stop()
	poll := time.NewTicker(pollInterval)
	defer poll.Stop()
	for {
		o, err := s.order(ctx, orderID)
		if err != nil || len(transitions[o.Status]) == 0 {
			return o, err
		}
		select {
		case <-statuses:
		case <-poll.C:
		case <-over.C:
			return s.order(ctx, orderID)
		case <-s.stopped:
			return s.order(ctx, orderID)
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}
