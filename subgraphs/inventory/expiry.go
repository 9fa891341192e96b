package inventory

import (
	"context"
	"time"

	"github.com/agora-supergraph/agora/internal/database"
	"github.com/agora-supergraph/agora/internal/idempotency"
)

// lapse ends a held reservation whose time is over.
func (w *writing) lapse(ctx context.Context, r *Reservation) error {
	if r.State != held || r.ExpiresUs > database.Micros(w.now()) {
		return nil
	}
	return w.transfer(ctx, r, expired, change{kind: "EXPIRE", reserved: -1})
}

// lapseOrders ends the reservations of orders whose time is over.
func (s *Service) lapseOrders(ctx context.Context, tx *database.Tx, orders []string) error {
	known, err := lockReservations(ctx, tx, orders)
	if err != nil {
		return err
	}
	var lines []Line
	for _, r := range known {
		lines = append(lines, r.Lines...)
	}
	sh, err := lockShelf(ctx, tx, variantsOf(lines))
	if err != nil {
		return err
	}
	w := &writing{Service: s, tx: tx, shelf: sh}
	for _, r := range known {
		if err := w.lapse(ctx, r); err != nil {
			return err
		}
	}
	return w.flush(ctx)
}

// The sweeper's rhythm, and how many reservations it ends in one transaction.
const (
	sweepInterval = 5 * time.Second
	sweepBatch    = 100
)

// sweep tidies up behind the clock: it ends expired reservations that nobody stumbled over, and so tells of them.
func (s *Service) sweep(ctx context.Context) error {
	ticker := time.NewTicker(sweepInterval)
	defer ticker.Stop()
	for {
		if err := s.Sweep(ctx); err != nil && ctx.Err() == nil {
			s.log.ErrorContext(ctx, "end expired reservations", "error", err)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-ticker.C:
		}
	}
}

// keyLife is how long a command with an idempotency key is known to have been carried out.
const keyLife = 7 * 24 * time.Hour

// forget prunes idempotency keys, every hour.
func (s *Service) forget(ctx context.Context) error {
	hourly := time.NewTicker(time.Hour)
	defer hourly.Stop()
	for {
		if err := idempotency.Prune(ctx, s.db, s.now().Add(-keyLife)); err != nil && ctx.Err() == nil {
			s.log.ErrorContext(ctx, "forget idempotency keys", "error", err)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-hourly.C:
		}
	}
}

// Sweep ends the reservations whose time is over.
func (s *Service) Sweep(ctx context.Context) error {
	for {
		var orders []string
		err := s.db.Tx(ctx, func(tx *database.Tx) error {
			orders = nil
			err := tx.SelectContext(ctx, &orders, `SELECT order_id FROM reservation WHERE state = 'HELD' AND expires_us <= $1 ORDER BY expires_us LIMIT $2`,
				database.Micros(s.now()), sweepBatch)
			if err != nil {
				return err
			}
			return s.lapseOrders(ctx, tx, orders)
		})
		if err != nil {
			return err
		}
		if len(orders) > 0 {
			s.outbox.Wake()
		}
		if len(orders) < sweepBatch {
			return nil
		}
	}
}
