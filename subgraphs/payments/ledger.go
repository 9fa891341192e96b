package payments

import (
	"context"
	"fmt"
	"strings"

	"github.com/agora-supergraph/agora/internal/database"
)

// The accounts of the ledger, for each order: authorized holds what could be taken, captured what was taken and not
// given back; the buyer's is the other side of both.
const (
	accountBuyer      = "buyer"
	accountAuthorized = "authorized"
	accountCaptured   = "captured"
)

// transfers says from which account to which an operation that succeeded moves its amount. What is not in it
// moves nothing.
var transfers = map[kind]struct{ from, to string }{
	authorize: {accountBuyer, accountAuthorized},
	confirm:   {accountBuyer, accountAuthorized},
	capture:   {accountAuthorized, accountCaptured},
	void:      {accountAuthorized, accountBuyer},
	expire:    {accountAuthorized, accountBuyer},
	refund:    {accountCaptured, accountBuyer},
}

// entry is a line of the ledger.
type entry struct {
	account string
	amount  int64
}

// entries are what an operation that succeeded writes into the ledger: they add up to nothing.
func entries(before payment, op operation) []entry {
	t, ok := transfers[op.Kind]
	if !ok || (t.from == accountAuthorized && before.Authorized == 0) { // nothing was held: the buyer never confirmed
		return nil
	}
	moved := []entry{{t.from, -op.Amount}, {t.to, op.Amount}}
	if rest := before.Authorized - op.Amount; op.Kind == capture && rest > 0 {
		moved = []entry{{t.from, -before.Authorized}, {t.to, op.Amount}, {accountBuyer, rest}}
	}
	return moved
}

// book writes the entries of an operation that succeeded.
func (s *Service) book(ctx context.Context, tx *database.Tx, before payment, op operation) error {
	var rows []string
	var args []any
	for _, e := range entries(before, op) {
		var row string
		row, args = database.Row(args, []any{op.Key, e.account, before.OrderID, e.amount, before.Currency, s.nowMicros()})
		rows = append(rows, row)
	}
	if len(rows) == 0 {
		return nil
	}
	_, err := tx.ExecContext(ctx, `INSERT INTO ledger (operation_key, account, order_id, amount, currency, at_us) VALUES `+strings.Join(rows, ", "), args...)
	if err != nil {
		return fmt.Errorf("book %s of %s: %w", op.Kind, op.PaymentID, err)
	}
	return nil
}

// Balance is what the ledger says of an order.
type Balance struct {
	OrderID  string `db:"order_id"`
	Currency string
	// Authorized is held and not taken; Captured is taken and not given back.
	Authorized, Captured int64
	// Imbalance is the sum of all entries: anything but 0 is a fault.
	Imbalance int64
}

// Balances sums up the ledger, an order a row, sorted by order: to be compared with the provider's book.
func (s *Service) Balances(ctx context.Context) ([]Balance, error) {
	var rows []Balance
	err := s.db.Read.SelectContext(ctx, &rows, `
		SELECT order_id, currency,
			CAST(SUM(CASE WHEN account = 'authorized' THEN amount ELSE 0 END) AS BIGINT) AS authorized,
			CAST(SUM(CASE WHEN account = 'captured' THEN amount ELSE 0 END) AS BIGINT) AS captured,
			CAST(SUM(amount) AS BIGINT) AS imbalance
		FROM ledger GROUP BY order_id, currency ORDER BY order_id, currency`)
	if err != nil {
		return nil, fmt.Errorf("sum up the ledger: %w", err)
	}
	return rows, nil
}
