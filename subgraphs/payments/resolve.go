package payments

import (
	"context"
	"errors"
	"fmt"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/agora-supergraph/agora/internal/database"
	"github.com/agora-supergraph/agora/internal/id"
	"github.com/agora-supergraph/agora/internal/idempotency"
	"github.com/agora-supergraph/agora/subgraphs/payments/gen"
)

// scopeSelf is the scope of operations that the service begins by itself: nobody waits for their answer.
const scopeSelf = "payments"

// keyLife is how long the answer to a command is given again.
const keyLife = 7 * 24 * time.Hour

// notificationLife is how long a webhook of the provider is known again.
const notificationLife = 30 * 24 * time.Hour

// sweepBatch is how many operations a sweep takes on, and sweepParallel how many of them at a time.
const (
	sweepBatch    = 100
	sweepParallel = 8
)

// patience is how much longer the pauses are where the provider has said that it needs time: it tells when it is done.
const patience = 5

// backoff is the pause before an unknown outcome is asked for again by itself.
func backoff(attempts int64) time.Duration {
	return min(200*time.Millisecond<<min(attempts, 8), 30*time.Second)
}

// sweep resolves unknown outcomes and lets lapse what has expired, until ctx ends.
func (s *Service) sweep(ctx context.Context) error {
	timer := time.NewTicker(s.cfg.SweepInterval)
	defer timer.Stop()
	hourly := time.NewTicker(time.Hour)
	defer hourly.Stop()
	if err := s.prune(ctx); err != nil && ctx.Err() == nil { // a service that never runs for an hour prunes too
		s.cfg.Log.ErrorContext(ctx, "forget what is old", "error", err)
	}
	for {
		for _, look := range []func(context.Context) error{s.resolveDue, s.expireDue} {
			if err := look(ctx); err != nil && ctx.Err() == nil {
				s.cfg.Log.ErrorContext(ctx, "sweep payments", "error", err)
			}
		}
		select {
		case <-ctx.Done():
			return nil
		case <-timer.C:
		case <-hourly.C:
			if err := s.prune(ctx); err != nil {
				s.cfg.Log.ErrorContext(ctx, "forget what is old", "error", err)
			}
		}
	}
}

// prune forgets the answers to commands, and the provider's webhooks, that are too old to come again: providers send
// theirs for days, not weeks.
func (s *Service) prune(ctx context.Context) error {
	forgotten := s.db.Tx(ctx, func(tx *database.Tx) error {
		_, err := tx.ExecContext(ctx, `DELETE FROM notification WHERE received_us < $1`, database.Micros(s.now().Add(-notificationLife)))
		return err
	})
	return errors.Join(forgotten, idempotency.Prune(ctx, s.db, s.now().Add(-keyLife)))
}

func (s *Service) resolveDue(ctx context.Context) error {
	var due []operation
	err := s.db.Read.SelectContext(ctx, &due, `
		SELECT `+operationColumns+` FROM operation
		WHERE state IN ('INTENT', 'UNKNOWN') AND due_us <= $1 ORDER BY due_us LIMIT $2`, s.nowMicros(), sweepBatch)
	if err != nil {
		return fmt.Errorf("look for open operations: %w", err)
	}
	var g errgroup.Group
	g.SetLimit(sweepParallel)
	for _, op := range due {
		g.Go(func() error { return s.resolve(ctx, op) })
	}
	return g.Wait()
}

// resolve takes over an operation whose outcome isn't known and carries it on. It does nothing while somebody
// else is at it: an operation is taken over by one compare-and-set.
func (s *Service) resolve(ctx context.Context, op operation) error {
	taken := false
	err := s.db.Tx(ctx, func(tx *database.Tx) error {
		result, err := tx.ExecContext(ctx, `
			UPDATE operation SET state = 'INTENT', attempts = attempts + 1, due_us = $1
			WHERE key = $2 AND attempts = $3 AND (state = 'UNKNOWN' OR (state = 'INTENT' AND due_us <= $4))`,
			s.callEnds(), op.Key, op.Attempts, s.nowMicros())
		if err != nil {
			return err
		}
		n, err := result.RowsAffected()
		taken = n == 1
		return err
	})
	if err != nil {
		return fmt.Errorf("take over operation %s: %w", op.Key, err)
	}
	if !taken {
		return nil
	}
	op.State, op.Attempts = stateIntent, op.Attempts+1
	_, err = s.drive(ctx, op)
	return err
}

// inherit makes the operations of processes that are gone due, as all are when a service that is alone starts.
func (s *Service) inherit(ctx context.Context) error {
	err := s.db.Tx(ctx, func(tx *database.Tx) error {
		_, err := tx.ExecContext(ctx, `UPDATE operation SET due_us = 0 WHERE state IN ('INTENT', 'UNKNOWN')`)
		return err
	})
	if err != nil {
		return fmt.Errorf("inherit operations: %w", err)
	}
	return nil
}

// resolveOpen resolves the open operation of a payment, if it has one, because somebody asks.
func (s *Service) resolveOpen(ctx context.Context, paymentID string) error {
	if !id.Is(id.Payment, paymentID) {
		return nil // and whoever asks is told that there is none
	}
	op, err := openOperation(ctx, s.db.Read, paymentID)
	if database.NoRows(err) {
		return nil
	}
	if err != nil {
		return err
	}
	return s.resolve(ctx, op)
}

// expireDue voids authorisations that have lapsed, and those whose buyer hasn't acted in time.
func (s *Service) expireDue(ctx context.Context) error {
	var due []string
	err := s.db.Read.SelectContext(ctx, &due, `
		SELECT id FROM payment WHERE expires_us > 0 AND expires_us <= $1 AND status IN ('REQUIRES_ACTION', 'AUTHORIZED')
		ORDER BY expires_us LIMIT $2`, s.nowMicros(), sweepBatch)
	if err != nil {
		return fmt.Errorf("look for what has lapsed: %w", err)
	}
	var errs []error
	for _, paymentID := range due {
		errs = append(errs, s.expire(ctx, paymentID))
	}
	return errors.Join(errs...)
}

func (s *Service) expire(ctx context.Context, paymentID string) error {
	var op *operation
	err := s.db.Tx(ctx, func(tx *database.Tx) error {
		op = nil
		p, err := lockPayment(ctx, tx, paymentID)
		if err != nil || !mayBegin(expire, p.Status) || p.ExpiresUs == 0 || p.ExpiresUs > s.nowMicros() {
			return err
		}
		if _, err := openOperation(ctx, tx, p.ID); !database.NoRows(err) {
			return err // a capture or a confirmation is on its way, and may win
		}
		next := s.newOperation(p, expire, p.Amount, idempotency.Key{Scope: scopeSelf, Operation: "expire", Key: fmt.Sprintf("%s:%d", p.ID, p.ExpiresUs)})
		if p.Status == gen.PaymentStatusRequiresAction {
			next.Detail = "action"
		}
		op = &next
		return s.intend(ctx, tx, next)
	})
	if err != nil {
		return fmt.Errorf("expire payment %s: %w", paymentID, err)
	}
	if op == nil {
		return nil
	}
	_, err = s.drive(ctx, *op)
	return err
}

// Unresolved counts the operations whose outcome isn't recorded: none, when everything is at rest.
func (s *Service) Unresolved(ctx context.Context) (int, error) {
	var n int
	err := s.db.Read.GetContext(ctx, &n, `SELECT COUNT(*) FROM operation WHERE state IN ('INTENT', 'UNKNOWN')`)
	if err != nil {
		return 0, fmt.Errorf("count open operations: %w", err)
	}
	return n, nil
}
