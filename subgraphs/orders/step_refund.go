package orders

import (
	"context"

	"github.com/agora-supergraph/agora/subgraphs/orders/gen"
)

// repay gives back the amount of the saga's refund.
func (s *Service) repay(ctx context.Context, sg saga, o *order) verdict {
	r, err := readRefundRow(ctx, s.db.Read, sg.RefundID)
	if err != nil {
		return verdict{err: err}
	}
	var p struct {
		Payload struct {
			Refund  *struct{ Status string }
			Payment *struct {
				Status         string
				AmountRefunded struct{ MinorUnits int64 }
			}
			UserErrors []struct{ Code, Message string }
		}
	}
	const query = `mutation ($input: RefundCreateInput!) { payload: refundCreate(input: $input) {
		refund { status } payment { status amountRefunded { minorUnits } } userErrors { code message } } }`
	err = s.cfg.Payments.Do(ctx, query, map[string]any{"input": map[string]any{
		"paymentId": sg.PaymentID, "amountMinorUnits": r.Amount, "reason": r.Reason, "idempotencyKey": keyOf(o.ID, repay) + ":" + r.ID,
	}}, &p)
	answer := paymentPayload{}
	answer.Payload.UserErrors = p.Payload.UserErrors
	switch {
	case err != nil:
		return verdict{err: err}
	case answer.code() == "IDEMPOTENCY_IN_PROGRESS":
		return verdict{err: answer.err()}
	case answer.code() != "", p.Payload.Refund != nil && p.Payload.Refund.Status == "FAILED":
		return verdict{kind: refused, failure: refuse(gen.OrderErrorCodePaymentDeclined, nil, "the refund was refused: %s", answer.message())}
	case p.Payload.Refund == nil || p.Payload.Refund.Status != "SUCCEEDED" || p.Payload.Payment == nil:
		return verdict{err: answer.err()}
	}
	v := verdict{kind: done, refunded: p.Payload.Payment.AmountRefunded.MinorUnits}
	if p.Payload.Payment.Status == "REFUNDED" {
		v.outcome = gen.OrderStatusRefunded
	}
	return v
}

// reshelve puts the units of the saga's refund back on the shelf that are to go there.
func (s *Service) reshelve(ctx context.Context, sg saga, o *order) verdict {
	r, err := readRefundRow(ctx, s.db.Read, sg.RefundID)
	if err != nil {
		return verdict{err: err}
	}
	var lines []map[string]any
	for _, l := range r.Lines {
		if l.Restock {
			lines = append(lines, map[string]any{"variantId": l.VariantID, "quantity": l.Quantity})
		}
	}
	var p stockPayload
	err = s.cfg.Inventory.Do(ctx, `mutation ($input: StockRestockInput!) { payload: stockRestock(input: $input) { `+stockErrors+` } }`,
		map[string]any{"input": map[string]any{"orderId": o.ID, "lines": lines, "idempotencyKey": keyOf(o.ID, reshelve) + ":" + r.ID}}, &p)
	if p.code() == "EXCEEDS_SOLD" || p.code() == "ILLEGAL_TRANSITION" {
		return verdict{kind: done} // staff have put them back by themselves
	}
	return undone(p, err)
}
