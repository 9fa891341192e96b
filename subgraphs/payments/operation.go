package payments

import (
	"context"
	"errors"
	"fmt"

	"github.com/agora-supergraph/agora/internal/database"
	"github.com/agora-supergraph/agora/internal/id"
	"github.com/agora-supergraph/agora/internal/idempotency"
	"github.com/agora-supergraph/agora/subgraphs/payments/gen"
)

// operation is a request to the provider: a row of its table.
type operation struct {
	// Key is what the provider knows it by.
	Key         string
	PaymentID   string `db:"payment_id"`
	Kind        kind
	State       string
	Amount      int64
	Before      gen.PaymentStatus
	Detail      string
	RefundID    string          `db:"refund_id"`
	DeclineCode gen.DeclineCode `db:"decline_code"`
	Scope       string
	Command     string
	// IdempotencyKey is what the caller chose.
	IdempotencyKey string `db:"idempotency_key"`
	Request        string
	Attempts       int64
	DueUs          int64 `db:"due_us"`
	CreatedUs      int64 `db:"created_us"`

	// of is the payment when the operation was made; nil for one that was read.
	of *payment
}

// The states of an operation.
const (
	// stateIntent: the request is being sent, until due_us; behind it whoever sent it is gone.
	stateIntent = "INTENT"
	// stateUnknown: the request was sent, and its answer didn't come.
	stateUnknown   = "UNKNOWN"
	stateSucceeded = "SUCCEEDED"
	stateDeclined  = "DECLINED"
)

const operationColumns = `key, payment_id, kind, state, amount, before, detail, refund_id, decline_code, scope, command, idempotency_key,
	request, attempts, due_us, created_us`

// newOperation is the intent to ask the provider something about a payment, for a command.
func (s *Service) newOperation(p payment, k kind, amount int64, command idempotency.Key) operation {
	op := operation{
		PaymentID: p.ID, Kind: k, State: stateIntent, Amount: amount, Before: p.Status,
		Scope: command.Scope, Command: command.Operation, IdempotencyKey: command.Key, Request: command.Request,
		Attempts: 1, DueUs: s.callEnds(), CreatedUs: s.nowMicros(), of: &p,
	}
	// One command makes at most one operation of a kind, so the key is the same whenever it is made again.
	op.Key = id.Derived("op", string(k)+"|"+command.Scope+"|"+command.Operation+"|"+command.Key)
	return op
}

// callEnds is when a request that is sent now has certainly ended.
func (s *Service) callEnds() int64 {
	return database.Micros(s.now().Add(s.cfg.ProviderTimeout + s.cfg.ProviderTimeout/2))
}

// answers is the idempotency key of the command that the operation belongs to.
func (op operation) answers() idempotency.Key {
	return idempotency.Key{Scope: op.Scope, Operation: op.Command, Key: op.IdempotencyKey, Request: op.Request}
}

func (op operation) open() bool { return op.State == stateIntent || op.State == stateUnknown }

// presentRefund is a refund as clients see it.
func (op operation) presentRefund(currency string) *gen.Refund {
	status := gen.RefundStatusPending
	switch op.State {
	case stateSucceeded:
		status = gen.RefundStatusSucceeded
	case stateDeclined:
		status = gen.RefundStatusFailed
	}
	r := &gen.Refund{ID: op.RefundID, Amount: payment{Currency: currency}.money(op.Amount), Status: status, CreatedAt: database.Time(op.CreatedUs)}
	if op.Detail != "" {
		r.Reason = &op.Detail
	}
	return r
}

func insertOperation(ctx context.Context, tx *database.Tx, op operation) error {
	_, err := tx.ExecContext(ctx, `
		INSERT INTO operation (key, payment_id, kind, state, amount, before, detail, refund_id, scope, command, idempotency_key,
			request, attempts, due_us, created_us)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)`,
		op.Key, op.PaymentID, op.Kind, op.State, op.Amount, op.Before, op.Detail, op.RefundID, op.Scope, op.Command,
		op.IdempotencyKey, op.Request, op.Attempts, op.DueUs, op.CreatedUs)
	if err != nil {
		return fmt.Errorf("insert operation %s of %s: %w", op.Kind, op.PaymentID, err)
	}
	return nil
}

// errRecorded says that an operation has an outcome already.
var errRecorded = errors.New("the operation has an outcome already")

// updateOperation writes an operation that is open, or it is errRecorded.
func updateOperation(ctx context.Context, tx *database.Tx, op operation) error {
	result, err := tx.ExecContext(ctx, `
		UPDATE operation SET state = $1, decline_code = $2, attempts = $3, due_us = $4 WHERE key = $5 AND state IN ('INTENT', 'UNKNOWN')`,
		op.State, op.DeclineCode, op.Attempts, op.DueUs, op.Key)
	if err != nil {
		return fmt.Errorf("update operation %s: %w", op.Key, err)
	}
	if n, err := result.RowsAffected(); err != nil || n == 1 {
		return err
	}
	return errRecorded
}

// readOperation finds an operation by its key.
func readOperation(ctx context.Context, q database.Querier, key string) (operation, error) {
	var op operation
	if err := q.GetContext(ctx, &op, `SELECT `+operationColumns+` FROM operation WHERE key = $1`, key); err != nil {
		return op, fmt.Errorf("read operation %s: %w", key, err)
	}
	return op, nil
}

// openOperation is the operation of a payment whose outcome isn't recorded, or NoRows.
func openOperation(ctx context.Context, q database.Querier, paymentID string) (operation, error) {
	var op operation
	err := q.GetContext(ctx, &op, `SELECT `+operationColumns+` FROM operation WHERE payment_id = $1 AND state IN ('INTENT', 'UNKNOWN')`, paymentID)
	if err != nil {
		return op, fmt.Errorf("read the open operation of %s: %w", paymentID, err)
	}
	return op, nil
}
