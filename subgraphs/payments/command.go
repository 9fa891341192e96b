package payments

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/agora-supergraph/agora/internal/database"
	"github.com/agora-supergraph/agora/internal/id"
	"github.com/agora-supergraph/agora/internal/idempotency"
	"github.com/agora-supergraph/agora/internal/identity"
	"github.com/agora-supergraph/agora/subgraphs/payments/gen"
)

// answer is what a command answers, as it is stored: the payment as it was then.
type answer struct {
	Payment *gen.Payment            `json:"payment"`
	Refund  *gen.Refund             `json:"refund,omitempty"`
	Errors  []*gen.PaymentUserError `json:"errors"`
}

// keyOf names a command of whoever asks.
func keyOf(ctx context.Context, operation, key string, parameters any) (idempotency.Key, error) {
	if !idempotency.Valid(key) {
		return idempotency.Key{}, invalid("idempotencyKey", "an idempotency key has 1 to %d bytes", idempotency.MaxLength)
	}
	return idempotency.Key{
		Scope: identity.From(ctx).Actor(), Operation: operation, Key: key, Request: idempotency.Digest(parameters),
	}, nil
}

// command runs a command once. begin makes the operation, in the transaction that claims the key; it refuses with
// a refusal, and then the key stays free. An operation that is still open is resolved first.
func (s *Service) command(ctx context.Context, k idempotency.Key, begin func(tx *database.Tx) (operation, error)) (answer, error) {
	var op operation
	var status idempotency.Status
	var stored []byte
	claim := func(tx *database.Tx) (err error) {
		if status, stored, err = idempotency.Claim(ctx, tx, k); err != nil || status != idempotency.Claimed {
			return err
		}
		if op, err = begin(tx); err != nil {
			return err
		}
		return s.intend(ctx, tx, op)
	}
	err := s.db.Tx(ctx, claim)
	var refused *refusal
	if errors.As(err, &refused) && refused.busy {
		if err := s.resolveOpen(ctx, refused.payment); err != nil {
			return answer{}, err
		}
		err = s.db.Tx(ctx, claim)
	}
	if errors.As(err, &refused) {
		return s.refused(ctx, refused)
	}
	if err != nil {
		return answer{}, fmt.Errorf("%s: %w", k.Operation, err)
	}
	switch status {
	case idempotency.Reused:
		return answer{Errors: refuse(gen.PaymentErrorCodeIdempotencyKeyReused, []string{"input", "idempotencyKey"},
			"this key was used for another request").present()}, nil
	case idempotency.Done:
		return decode(stored)
	case idempotency.InProgress:
		return s.inProgress(ctx, k)
	}
	given, err := s.drive(ctx, op)
	if err != nil {
		return answer{}, err
	}
	if given != nil {
		return *given, nil
	}
	return s.outcome(ctx, k, op.PaymentID, nil)
}

// refused is the answer to a command that was refused before anything was written.
func (s *Service) refused(ctx context.Context, r *refusal) (answer, error) {
	a := answer{Errors: r.present()}
	if r.payment == "" {
		return a, nil
	}
	shown, err := s.read(ctx, r.payment)
	a.Payment = shown
	return a, err
}

// inProgress is the answer to a command whose key was claimed and not answered: it is resolved if nobody else is
// at it.
func (s *Service) inProgress(ctx context.Context, k idempotency.Key) (answer, error) {
	var op operation
	err := s.db.Read.GetContext(ctx, &op, `
		SELECT `+operationColumns+` FROM operation
		WHERE idempotency_key = $1 AND scope = $2 AND command = $3 ORDER BY created_us DESC, key LIMIT 1`, k.Key, k.Scope, k.Operation)
	if err != nil {
		return answer{}, fmt.Errorf("find the operation of %s: %w", k.Operation, err)
	}
	if op.open() {
		if err := s.resolve(ctx, op); err != nil {
			return answer{}, err
		}
	}
	return s.outcome(ctx, k, op.PaymentID, refuse(gen.PaymentErrorCodeIdempotencyInProgress, []string{"input", "idempotencyKey"},
		"the first request with this key has no outcome yet: ask again with the same key").present())
}

// outcome is the stored answer of a command, or the payment as it is now if there is none yet.
func (s *Service) outcome(ctx context.Context, k idempotency.Key, paymentID string, otherwise []*gen.PaymentUserError) (answer, error) {
	status, stored, err := idempotency.Look(ctx, s.db.Read, k)
	if err != nil {
		return answer{}, err
	}
	if status == idempotency.Done {
		return decode(stored)
	}
	shown, err := s.read(ctx, paymentID)
	if otherwise == nil {
		otherwise = []*gen.PaymentUserError{}
	}
	return answer{Payment: shown, Errors: otherwise}, err
}

func decode(stored []byte) (answer, error) {
	var a answer
	if err := json.Unmarshal(stored, &a); err != nil {
		return a, fmt.Errorf("decode stored answer: %w", err)
	}
	return a, nil
}

// answerOf is the answer that an operation gives, whose outcome has been written. There are no refunds before the first one.
func answerOf(ctx context.Context, q database.Querier, p payment, op operation) (answer, error) {
	a := answer{Errors: []*gen.PaymentUserError{}}
	var refunds []*gen.Refund
	if op.Kind == refund {
		var err error
		if refunds, err = refundsOf(ctx, q, p); err != nil {
			return a, err
		}
		a.Refund = op.presentRefund(p.Currency)
	}
	a.Payment = p.present(refunds)
	if op.State == stateDeclined {
		a.Errors = append(a.Errors, declined(op.DeclineCode))
	}
	return a, nil
}

// beginOn is the common beginning of commands on a payment that exists: lock it, look at the table.
func (s *Service) beginOn(ctx context.Context, tx *database.Tx, k kind, paymentID string) (payment, error) {
	if !id.Is(id.Payment, paymentID) {
		return payment{}, noPayment(paymentID)
	}
	p, err := lockPayment(ctx, tx, paymentID)
	if database.NoRows(err) {
		return p, noPayment(paymentID)
	}
	if err != nil {
		return p, err
	}
	_, err = openOperation(ctx, tx, p.ID)
	switch {
	case err == nil: // one thing at a time
		refused := illegal(k, p)
		refused.busy = true
		return p, refused
	case !database.NoRows(err):
		return p, err
	case !mayBegin(k, p.Status):
		return p, illegal(k, p)
	}
	return p, nil
}
