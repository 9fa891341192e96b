package payments

import (
	"context"

	"github.com/agora-supergraph/agora/internal/database"
	"github.com/agora-supergraph/agora/subgraphs/payments/gen"
)

// onPayment runs a command on the whole of a payment: capture or void. An operation that is still open is resolved
// first.
func (s *Service) onPayment(ctx context.Context, k kind, operationName string, in gen.PaymentCommandInput) (answer, error) {
	key, err := keyOf(ctx, operationName, in.IdempotencyKey, in)
	if err != nil {
		return refusedInput(err)
	}
	if err := s.resolveOpen(ctx, in.PaymentID); err != nil {
		return answer{}, err
	}
	return s.command(ctx, key, func(tx *database.Tx) (operation, error) {
		p, err := s.beginOn(ctx, tx, k, in.PaymentID)
		if err != nil {
			return operation{}, err
		}
		return s.newOperation(p, k, p.Amount, key), nil
	})
}
