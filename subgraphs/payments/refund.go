package payments

import (
	"context"
	"fmt"

	"github.com/agora-supergraph/agora/internal/database"
	"github.com/agora-supergraph/agora/subgraphs/payments/gen"
)

// refund gives back an amount of a captured payment, or all that is left of it.
func (s *Service) refund(ctx context.Context, in gen.RefundCreateInput) (answer, error) {
	key, err := keyOf(ctx, "refundCreate", in.IdempotencyKey, in)
	if err != nil {
		return refusedInput(err)
	}
	if in.AmountMinorUnits != nil && *in.AmountMinorUnits <= 0 {
		return answer{Errors: invalid("amountMinorUnits", "an amount must be more than 0").present()}, nil
	}
	if in.Reason != nil && (len(*in.Reason) > maxText || !database.Storable(*in.Reason)) {
		return answer{Errors: invalid("reason", "a reason has at most %d bytes", maxText).present()}, nil
	}
	return s.command(ctx, key, func(tx *database.Tx) (operation, error) {
		p, err := s.beginOn(ctx, tx, refund, in.PaymentID)
		if err != nil {
			return operation{}, err
		}
		left := p.Captured - p.Refunded
		amount := left
		if in.AmountMinorUnits != nil {
			amount = *in.AmountMinorUnits
		}
		if amount > left {
			r := refuse(gen.PaymentErrorCodeAmountTooLarge, []string{"input", "amountMinorUnits"}, "%s is left to refund", p.money(left))
			r.payment = p.ID
			return operation{}, r
		}
		op := s.newOperation(p, refund, amount, key)
		op.RefundID = refundID(key)
		if in.Reason != nil {
			op.Detail = *in.Reason
		}
		return op, nil
	})
}

// refundsOf reads the refunds of a payment, oldest first.
func refundsOf(ctx context.Context, q database.Querier, p payment) ([]*gen.Refund, error) {
	var ops []operation
	err := q.SelectContext(ctx, &ops, `
		SELECT `+operationColumns+` FROM operation WHERE payment_id = $1 AND kind = 'REFUND' ORDER BY created_us, key`, p.ID)
	if err != nil {
		return nil, fmt.Errorf("read refunds of %s: %w", p.ID, err)
	}
	refunds := make([]*gen.Refund, len(ops))
	for i, op := range ops {
		refunds[i] = op.presentRefund(p.Currency)
	}
	return refunds, nil
}
