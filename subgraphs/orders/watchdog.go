package orders

import (
	"context"
	"crypto/rand"
	"fmt"
	"time"

	"github.com/agora-supergraph/agora/internal/database"
	"github.com/agora-supergraph/agora/internal/idempotency"
)

// keyLife is how long the answer to a command is given again.
const keyLife = 7 * 24 * time.Hour

// watchBatch is how many sagas the watchdog takes on at a look.
const watchBatch = 100

// watchdog looks for sagas that stand still, on start and ever after, and hands them to the drivers.
func (s *Service) watchdog(ctx context.Context) error {
	timer := time.NewTicker(s.cfg.WatchInterval)
	defer timer.Stop()
	hourly := time.NewTicker(time.Hour)
	defer hourly.Stop()
	s.tidy(ctx)
	for {
		if err := s.takeOver(ctx); err != nil && ctx.Err() == nil {
			s.cfg.Log.ErrorContext(ctx, "look for sagas that stand still", "error", err)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-timer.C:
		case <-s.wake:
		case <-hourly.C:
			s.tidy(ctx)
		}
	}
}

// tidy forgets what nobody comes back to.
func (s *Service) tidy(ctx context.Context) {
	if err := idempotency.Prune(ctx, s.db, s.now().Add(-keyLife)); err != nil {
		s.cfg.Log.ErrorContext(ctx, "forget idempotency keys", "error", err)
	}
	if err := s.PruneCarts(ctx); err != nil {
		s.cfg.Log.ErrorContext(ctx, "forget anonymous carts", "error", err)
	}
}

// takeOver leases the sagas that are due and nobody's.
func (s *Service) takeOver(ctx context.Context) error {
	var due []string
	now := s.nowMicros()
	err := s.db.Read.SelectContext(ctx, &due, `
		SELECT order_id FROM saga WHERE plan <> '' AND next_us <= $1 AND lease_until_us <= $2 ORDER BY next_us LIMIT $3`, now, now, watchBatch)
	if err != nil {
		return err
	}
	for _, orderID := range due {
		if cap(s.queue)-len(s.queue) < 2 {
			return nil // the drivers have enough to do
		}
		l := lease{orderID: orderID, owner: newOwner()}
		taken, err := s.take(ctx, l)
		if err != nil {
			return fmt.Errorf("take over the saga of %s: %w", orderID, err)
		}
		if taken {
			s.enqueue(l)
		}
	}
	return nil
}

// beingLooked is the time at which a saga that waits for the buyer is due while a driver looks whether it has to go on
// waiting. It is past: if the driver dies, another one looks. An event that comes meanwhile makes it 0.
const beingLooked = 1

// take leases a saga by one compare-and-set: of several replicas one has it.
func (s *Service) take(ctx context.Context, l lease) (bool, error) {
	var n int64
	now := s.nowMicros()
	err := s.db.Tx(ctx, func(tx *database.Tx) error {
		result, err := tx.ExecContext(ctx, `
			UPDATE saga SET lease_owner = $1, lease_until_us = $2,
				next_us = CASE WHEN plan LIKE 'await%' THEN $3 ELSE next_us END
			WHERE order_id = $4 AND plan <> '' AND next_us <= $5 AND lease_until_us <= $6`,
			l.owner, database.Micros(s.now().Add(s.cfg.Lease)), beingLooked, l.orderID, now, now)
		if err != nil {
			return err
		}
		n, err = result.RowsAffected()
		return err
	})
	return n == 1, err
}

// inherit takes the leases from drivers that are gone, as all are when a service that is alone starts.
func (s *Service) inherit(ctx context.Context) error {
	err := s.db.Tx(ctx, func(tx *database.Tx) error {
		_, err := tx.ExecContext(ctx, `UPDATE saga SET lease_owner = '', lease_until_us = 0 WHERE lease_owner <> ''`)
		return err
	})
	if err != nil {
		return fmt.Errorf("inherit sagas: %w", err)
	}
	return nil
}

// newOwner names a driver: another one for every lease, so that a lease that was lost is noticed.
func newOwner() string { return rand.Text() }

// nudge calls the watchdog at once.
func (s *Service) nudge() {
	select {
	case s.wake <- struct{}{}:
	default:
	}
}
