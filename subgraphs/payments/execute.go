package payments

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/agora-supergraph/agora/internal/database"
	"github.com/agora-supergraph/agora/internal/fault"
	"github.com/agora-supergraph/agora/internal/id"
	"github.com/agora-supergraph/agora/internal/idempotency"
	"github.com/agora-supergraph/agora/subgraphs/payments/gen"
)

// FaultPoints are the places where this service can be broken on purpose: see package fault. Each stands right
// behind a commit or an answer of the provider.
var FaultPoints = []string{"payments.intended", "payments.asked", "payments.recorded"}

// drive carries an operation whose intent is committed, and those that follow from it, to their end, or to an
// unknown outcome. It goes on when the caller's request ends: what the provider did must be recorded. It returns the answer to
// the command, if it has written that.
func (s *Service) drive(ctx context.Context, op operation) (*answer, error) {
	ctx = context.WithoutCancel(ctx)
	for {
		if err := fault.Point("payments.intended"); err != nil {
			return nil, err
		}
		result, asked := s.ask(ctx, op)
		if err := fault.Point("payments.asked"); err != nil {
			return nil, err
		}
		if asked != nil {
			s.cfg.Log.WarnContext(ctx, "outcome unknown", "operation", op.Kind, "payment", op.PaymentID, "attempt", op.Attempts, "error", asked)
			return nil, s.suspend(ctx, op, gen.PaymentStatusUnknown, backoff(op.Attempts))
		}
		if result.Outcome == Pending {
			return nil, s.suspend(ctx, op, gen.PaymentStatusProcessing, patience*backoff(op.Attempts))
		}
		next, given, err := s.record(ctx, op, result)
		if err != nil {
			return nil, err
		}
		s.outbox.Wake()
		if err := fault.Point("payments.recorded"); err != nil || next == nil {
			return given, err
		}
		op = *next
	}
}

// ask sends an operation to the provider, or learns what became of it if it may have been sent before. An error
// means that the outcome is unknown.
func (s *Service) ask(ctx context.Context, op operation) (Result, error) {
	ctx, cancel := context.WithTimeout(ctx, s.cfg.ProviderTimeout)
	defer cancel()
	if op.Attempts > 1 {
		result, err := s.cfg.Provider.Retrieve(ctx, op.Key)
		if !errors.Is(err, ErrKeyUnknown) {
			return result, err
		}
	}
	p := op.of
	if p == nil {
		p = &payment{}
		if err := s.db.Read.GetContext(ctx, p, `SELECT `+paymentColumns+` FROM payment p WHERE p.id = $1`, op.PaymentID); err != nil {
			return Result{}, fmt.Errorf("read payment %s: %w", op.PaymentID, err)
		}
	}
	c := Command{Key: op.Key, Reference: p.Reference, Amount: p.money(op.Amount), Begun: database.Time(op.CreatedUs)}
	switch op.Kind {
	case authorize:
		return s.cfg.Provider.Authorize(ctx, Authorization{Key: op.Key, Token: p.MethodToken, Amount: c.Amount, Order: p.OrderID, Begun: c.Begun})
	case confirm:
		return s.cfg.Provider.Confirm(ctx, c, op.Detail)
	case capture:
		return s.cfg.Provider.Capture(ctx, c)
	case refund:
		return s.cfg.Provider.Refund(ctx, c)
	case void, expire:
		return s.cfg.Provider.Void(ctx, c)
	}
	panic("operation of unknown kind " + op.Kind)
}

// record writes the outcome of an operation with everything that follows from it, in one transaction. It returns
// the operation that is to be done next, if any, or the answer to the command, if that is one. While an operation is open nothing
// of its payment changes but the status that says so: the payment need not be read again.
func (s *Service) record(ctx context.Context, op operation, r Result) (next *operation, given *answer, err error) {
	err = s.db.Tx(ctx, func(tx *database.Tx) error {
		next, given = nil, nil
		before := op.of
		if before == nil {
			locked, err := lockPayment(ctx, tx, op.PaymentID)
			if err != nil {
				return err
			}
			before = &locked
		}
		after := apply(*before, op, r)
		s.setExpiry(&after, op, r)
		if err := s.recordOutcome(ctx, tx, *before, after, &op, r); err != nil {
			return err
		}
		next, given, err = s.follow(ctx, tx, after, op)
		return err
	})
	if errors.Is(err, errRecorded) { // somebody else has asked meanwhile
		return nil, nil, nil
	}
	if err != nil {
		return nil, nil, fmt.Errorf("record %s of %s: %w", op.Kind, op.PaymentID, err)
	}
	return next, given, nil
}

// setExpiry notes until when the buyer may act, or the authorisation lasts.
func (s *Service) setExpiry(p *payment, op operation, r Result) {
	switch {
	case p.Status == gen.PaymentStatusRequiresAction && op.Kind == authorize:
		p.ExpiresUs = database.Micros(s.now().Add(s.cfg.ActionTimeout))
	case p.Status == gen.PaymentStatusAuthorized && (op.Kind == authorize || op.Kind == confirm):
		p.ExpiresUs = 0
		if !r.Expires.IsZero() {
			p.ExpiresUs = database.Micros(r.Expires)
		}
	}
}

// recordOutcome writes the outcome of an open operation, and says it in op. The payment is first, as everywhere: whoever changes
// both meets others there.
func (s *Service) recordOutcome(ctx context.Context, tx *database.Tx, before, after payment, op *operation, r Result) error {
	op.State, op.DeclineCode = stateSucceeded, r.DeclineCode
	if r.Outcome == Declined {
		op.State = stateDeclined
	}
	if err := updatePayment(ctx, tx, after); err != nil {
		return err
	}
	if err := updateOperation(ctx, tx, *op); err != nil {
		return err
	}
	if r.Outcome == Succeeded {
		if err := s.book(ctx, tx, before, *op); err != nil {
			return err
		}
	}
	if err := s.note(ctx, tx, *op, strings.ToLower(string(r.Outcome)), after.Reference); err != nil {
		return err
	}
	return s.tell(ctx, tx, after)
}

// follow begins what an outcome entails, a capture at once, or else answers the command.
func (s *Service) follow(ctx context.Context, tx *database.Tx, p payment, op operation) (*operation, *answer, error) {
	if next, err := s.captureAtOnce(ctx, tx, p, op); next != nil || err != nil {
		return next, nil, err
	}
	if op.Scope == scopeSelf {
		return nil, nil, nil
	}
	a, err := answerOf(ctx, tx, p, op)
	if err != nil {
		return nil, nil, err
	}
	return nil, &a, idempotency.Complete(ctx, tx, op.answers(), a)
}

// captureAtOnce begins the capture of a payment that has just been authorised, if it is to be captured at once.
func (s *Service) captureAtOnce(ctx context.Context, tx *database.Tx, p payment, op operation) (*operation, error) {
	if !p.CaptureAtOnce || p.Status != gen.PaymentStatusAuthorized || (op.Kind != authorize && op.Kind != confirm) {
		return nil, nil
	}
	next := s.newOperation(p, capture, p.Amount, op.answers())
	return &next, s.intend(ctx, tx, next)
}

// intend writes the intent of an operation.
func (s *Service) intend(ctx context.Context, tx *database.Tx, op operation) error {
	if err := insertOperation(ctx, tx, op); err != nil {
		return err
	}
	return s.note(ctx, tx, op, "requested", "")
}

// suspend records that an operation has no outcome yet, and when to ask for it again.
func (s *Service) suspend(ctx context.Context, op operation, status gen.PaymentStatus, pause time.Duration) error {
	err := s.db.Tx(ctx, func(tx *database.Tx) error {
		p, err := lockPayment(ctx, tx, op.PaymentID)
		if err != nil {
			return err
		}
		now, err := readOperation(ctx, tx, op.Key)
		if err != nil || !now.open() {
			return err
		}
		now.State, now.DueUs = stateUnknown, database.Micros(s.now().Add(pause))
		if err := updateOperation(ctx, tx, now); err != nil {
			return err
		}
		if p.Status == status {
			return nil
		}
		p.Status = status
		if err := updatePayment(ctx, tx, p); err != nil {
			return err
		}
		if err := s.note(ctx, tx, op, strings.ToLower(string(status)), ""); err != nil {
			return err
		}
		return s.tell(ctx, tx, p)
	})
	if err != nil {
		return fmt.Errorf("record that %s of %s is %s: %w", op.Kind, op.PaymentID, status, err)
	}
	s.outbox.Wake()
	return nil
}

// refundID is the identifier of the refund that a command makes.
func refundID(k idempotency.Key) string {
	return id.Derived(id.Refund, k.Scope+"|"+k.Key)
}
