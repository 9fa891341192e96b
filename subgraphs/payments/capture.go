package payments

import (
	"context"

	"github.com/agora-supergraph/agora/internal/database"
	"github.com/agora-supergraph/agora/subgraphs/payments/gen"
)

// onPayment captures or voids a payment; a capture may take a part of it.
func (s *Service) onPayment(ctx context.Context, k kind, operationName string, in gen.PaymentCommandInput) (answer, error) {
	key, err := keyOf(ctx, operationName, in.IdempotencyKey, in)
	if err != nil {
		return refusedInput(err)
	}
	if in.AmountMinorUnits != nil && (k != capture || *in.AmountMinorUnits <= 0) {
		return answer{Errors: invalid("amountMinorUnits", "only a capture has an amount, and it is more than 0").present()}, nil
	}
	return s.command(ctx, key, func(tx *database.Tx) (operation, error) {
		p, err := s.beginOn(ctx, tx, k, in.PaymentID)
		if err != nil {
			return operation{}, err
		}
		amount := p.Amount
		if in.AmountMinorUnits != nil {
			amount = *in.AmountMinorUnits
		}
		if amount > p.Amount {
			r := refuse(gen.PaymentErrorCodeAmountTooLarge, []string{"input", "amountMinorUnits"}, "%s is authorised", p.money(p.Amount))
			r.payment = p.ID
			return operation{}, r
		}
		return s.newOperation(p, k, amount, key), nil
	})
}
