package payments

import (
	"context"

	"github.com/agora-supergraph/agora/internal/database"
	"github.com/agora-supergraph/agora/internal/id"
	"github.com/agora-supergraph/agora/internal/identity"
	"github.com/agora-supergraph/agora/subgraphs/payments/gen"
)

// confirm goes on with a payment after the buyer's 3-D Secure challenge, whose result the provider judges.
func (s *Service) confirm(ctx context.Context, paymentID string, in gen.PaymentActionConfirmInput) (answer, error) {
	who := identity.From(ctx)
	key, err := keyOf(ctx, "paymentActionConfirm", in.IdempotencyKey, struct{ PaymentID, Result string }{paymentID, in.Result})
	if err != nil {
		return refusedInput(err)
	}
	if in.Result == "" || len(in.Result) > maxText || !database.Storable(in.Result) {
		return answer{Errors: invalid("result", "a result has 1 to %d bytes", maxText).present()}, nil
	}
	owner, err := s.payer(ctx, paymentID)
	if err != nil {
		return answer{}, err
	}
	if !who.May(owner, "payments:write") {
		return answer{Errors: noPayment(paymentID).present()}, nil
	}
	return s.command(ctx, key, func(tx *database.Tx) (operation, error) {
		p, err := s.beginOn(ctx, tx, confirm, paymentID)
		if err != nil {
			return operation{}, err
		}
		if p.ExpiresUs <= s.nowMicros() {
			return operation{}, illegal(confirm, p)
		}
		op := s.newOperation(p, confirm, p.Amount, key)
		op.Detail = in.Result
		return op, nil
	})
}

// payer is whose payment it is, or "" if there is none.
func (s *Service) payer(ctx context.Context, paymentID string) (string, error) {
	if !id.Is(id.Payment, paymentID) {
		return "", nil
	}
	var owner string
	err := s.db.Read.GetContext(ctx, &owner, `SELECT user_id FROM payment WHERE id = $1`, paymentID)
	if database.NoRows(err) {
		return "", nil
	}
	return owner, err
}
