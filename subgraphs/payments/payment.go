package payments

import (
	"context"
	"fmt"

	"github.com/agora-supergraph/agora/internal/database"
	"github.com/agora-supergraph/agora/internal/money"
	"github.com/agora-supergraph/agora/subgraphs/payments/gen"
)

// payment is a row of its table.
type payment struct {
	ID            string
	OrderID       string `db:"order_id"`
	UserID        string `db:"user_id"`
	MethodToken   string `db:"method_token"`
	Currency      string
	Amount        int64
	Authorized    int64
	Captured      int64
	Refunded      int64
	Status        gen.PaymentStatus
	DeclineCode   gen.DeclineCode `db:"decline_code"`
	Reference     string
	CaptureAtOnce bool   `db:"capture_at_once"`
	ActionType    string `db:"action_type"`
	ActionURL     string `db:"action_url"`
	ExpiresUs     int64  `db:"expires_us"`
	CreatedUs     int64  `db:"created_us"`
}

const paymentColumns = `p.id, p.order_id, p.user_id, p.method_token, p.currency, p.amount, p.authorized, p.captured, p.refunded,
	p.status, p.decline_code, p.reference, p.capture_at_once, p.action_type, p.action_url, p.expires_us, p.created_us`

func (p payment) money(minorUnits int64) money.Money { return money.New(minorUnits, p.Currency) }

// present is the payment as clients see it, with its refunds.
func (p payment) present(refunds []*gen.Refund) *gen.Payment {
	if refunds == nil {
		refunds = []*gen.Refund{}
	}
	shown := &gen.Payment{
		ID: p.ID, Order: gen.Order{ID: p.OrderID}, Status: p.Status,
		AmountAuthorized: p.money(p.Authorized), AmountCaptured: p.money(p.Captured), AmountRefunded: p.money(p.Refunded),
		Refunds: refunds, CreatedAt: database.Time(p.CreatedUs),
	}
	if p.DeclineCode != "" {
		shown.DeclineCode = &p.DeclineCode
	}
	if p.Status == gen.PaymentStatusRequiresAction {
		shown.NextAction = &gen.PaymentNextAction{Type: p.ActionType, RedirectURL: p.ActionURL, ExpiresAt: database.Time(p.ExpiresUs)}
	}
	return shown
}

// insertPayment writes a new payment. A second one that could charge the same order is refused by the database.
func insertPayment(ctx context.Context, tx *database.Tx, p payment) error {
	_, err := tx.ExecContext(ctx, `
		INSERT INTO payment (id, order_id, user_id, method_token, currency, amount, status, capture_at_once, created_us)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)`,
		p.ID, p.OrderID, p.UserID, p.MethodToken, p.Currency, p.Amount, p.Status, p.CaptureAtOnce, p.CreatedUs)
	if err != nil {
		return fmt.Errorf("insert payment of %s: %w", p.OrderID, err)
	}
	return nil
}

// lockPayment reads a payment that the transaction is going to change.
func lockPayment(ctx context.Context, tx *database.Tx, paymentID string) (payment, error) {
	var p payment
	err := tx.GetContext(ctx, &p, `SELECT `+paymentColumns+` FROM payment p WHERE p.id = $1`+tx.Dialect.ForUpdate(), paymentID)
	if err != nil {
		return p, fmt.Errorf("lock payment %s: %w", paymentID, err)
	}
	return p, nil
}

func updatePayment(ctx context.Context, tx *database.Tx, p payment) error {
	_, err := tx.ExecContext(ctx, `
		UPDATE payment SET authorized = $1, captured = $2, refunded = $3, status = $4, decline_code = $5, reference = $6,
			action_type = $7, action_url = $8, expires_us = $9
		WHERE id = $10`,
		p.Authorized, p.Captured, p.Refunded, p.Status, p.DeclineCode, p.Reference, p.ActionType, p.ActionURL, p.ExpiresUs, p.ID)
	if err != nil {
		return fmt.Errorf("update payment %s: %w", p.ID, err)
	}
	return nil
}

// liveOf is the payment of an order that can hold or take money, if there is one. A second command for the order
// waits here for the first, since both insert the idempotency key before; the unique index has the last word.
func liveOf(ctx context.Context, tx *database.Tx, orderID string) (found bool, err error) {
	err = tx.GetContext(ctx, &found, `
		SELECT COUNT(*) > 0 FROM payment WHERE order_id = $1 AND status NOT IN ('DECLINED', 'VOIDED', 'EXPIRED')`, orderID)
	if err != nil {
		return false, fmt.Errorf("look for a payment of %s: %w", orderID, err)
	}
	return found, nil
}
