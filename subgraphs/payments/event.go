package payments

import (
	"context"
	"fmt"
	"strings"

	"github.com/agora-supergraph/agora/internal/database"
	"github.com/agora-supergraph/agora/internal/event"
	"github.com/agora-supergraph/agora/internal/money"
)

// Changed is the data of the events agora.payments.payment.<state>.v1, whose subject is the payment's id.
type Changed struct {
	OrderID     string      `json:"orderId"`
	UserID      string      `json:"userId"`
	Status      string      `json:"status"`
	Authorized  money.Money `json:"amountAuthorized"`
	Captured    money.Money `json:"amountCaptured"`
	Refunded    money.Money `json:"amountRefunded"`
	DeclineCode string      `json:"declineCode,omitempty"`
}

// tell puts the payment's new state into the outbox.
func (s *Service) tell(ctx context.Context, tx *database.Tx, p payment) error {
	return s.outbox.Append(event.WithCorrelation(ctx, p.OrderID), tx,
		event.New("agora.payments.payment."+strings.ToLower(string(p.Status))+".v1", p.ID, Changed{
			OrderID: p.OrderID, UserID: p.UserID, Status: string(p.Status),
			Authorized: p.money(p.Authorized), Captured: p.money(p.Captured), Refunded: p.money(p.Refunded),
			DeclineCode: string(p.DeclineCode),
		}))
}

// note adds a line to the payment's log, such as "capture.unknown".
func (s *Service) note(ctx context.Context, tx *database.Tx, op operation, what, reference string) error {
	_, err := tx.ExecContext(ctx, `
		INSERT INTO payment_event (payment_id, sequence, at_us, type, amount, reference, idempotency_key, actor)
		VALUES ($1, (SELECT COALESCE(MAX(sequence), 0) + 1 FROM payment_event WHERE payment_id = $2), $3, $4, $5, $6, $7, $8)`,
		op.PaymentID, op.PaymentID, s.nowMicros(), strings.ToLower(string(op.Kind))+"."+what, op.Amount, reference, op.IdempotencyKey, op.Scope)
	if err != nil {
		return fmt.Errorf("note %s of %s: %w", op.Kind, op.PaymentID, err)
	}
	return nil
}
