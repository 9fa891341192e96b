package inventory

import (
	"context"
	"slices"
	"time"

	"github.com/agora-supergraph/agora/internal/database"
)

// lapse ends a held reservation whose time is over.
func (s *Service) lapse(ctx context.Context, tx *database.Tx, r *Reservation) error {
	if r.State != held || r.ExpiresUs > database.Micros(s.now()) {
		return nil
	}
	return s.transfer(ctx, tx, r, expired, change{kind: "EXPIRE", reserved: -1})
}

// lapseVariants ends the reservations that hold units of these variants although their time is over, so that
// the units can be reserved in the same transaction.
func (s *Service) lapseVariants(ctx context.Context, tx *database.Tx, lines []Line) error {
	variants := make([]string, len(lines))
	for i, l := range lines {
		variants[i] = l.VariantID
	}
	list, args := database.In([]any{database.Micros(s.now())}, variants)
	var orders []string
	err := tx.SelectContext(ctx, &orders, lapsedQuery+list, args...)
	if err != nil {
		return err
	}
	slices.Sort(orders)
	return s.lapseOrders(ctx, tx, slices.Compact(orders))
}

const lapsedQuery = `SELECT r.order_id FROM ` + lapsedLines + ` AND l.variant_id IN `

func (s *Service) lapseOrders(ctx context.Context, tx *database.Tx, orders []string) error {
	for _, order := range orders {
		r, err := reservationOf(ctx, tx, tx.Dialect.ForUpdate(), order)
		if err != nil {
			return err
		}
		if r == nil {
			continue
		}
		if err := s.lapse(ctx, tx, r); err != nil {
			return err
		}
	}
	return nil
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
