package inventory

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/agora-supergraph/agora/internal/database"
	"github.com/agora-supergraph/agora/internal/id"
)

// The states of a reservation. HELD is the only one that it leaves, but for COMMITTED by a restock.
const (
	held      = "HELD"
	committed = "COMMITTED"
	released  = "RELEASED"
	expired   = "EXPIRED"
	restocked = "RESTOCKED"
)

// Reservation holds units for an order.
type Reservation struct {
	ID        string
	OrderID   string `db:"order_id"`
	State     string
	ExpiresUs int64  `db:"expires_us"`
	Lines     []Line `db:"-"`
}

// Refusal is why a command was not carried out: for the caller to act on.
type Refusal struct {
	// Code is one of the InventoryErrorCode.
	Code    string
	Message string
	// Field is the path into the mutation's input, if the refusal concerns one field of it.
	Field []string
	// VariantID is the variant concerned, if any, and Available how many there are of it.
	VariantID string
	Available int64
}

// Error is the message.
func (r *Refusal) Error() string { return r.Message }

func refuse(code, format string, args ...any) *Refusal {
	return &Refusal{Code: code, Message: fmt.Sprintf(format, args...)}
}

// refusals are all the reasons against one command.
type refusals []*Refusal

// Error is the first message.
func (r refusals) Error() string { return r[0].Message }

// reservationOf is the reservation of an order with its lines, or nil. With lock, its row is the
// transaction's.
func reservationOf(ctx context.Context, q database.Querier, lock, orderID string) (*Reservation, error) {
	var r Reservation
	err := q.GetContext(ctx, &r, `SELECT id, order_id, state, expires_us FROM reservation WHERE order_id = $1`+lock, orderID)
	if database.NoRows(err) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return &r, q.SelectContext(ctx, &r.Lines, `SELECT variant_id, quantity FROM reservation_line WHERE reservation_id = $1 ORDER BY variant_id`, r.ID)
}

// Reserve holds all lines for an order, or none, for a time. It is idempotent by order: the same lines get the
// reservation that exists, in whatever state it is; other lines are refused.
func (s *Service) Reserve(ctx context.Context, orderID string, lines []Line, ttl time.Duration) (*Reservation, error) {
	lines = merge(lines)
	var r *Reservation
	err := s.db.Tx(ctx, func(tx *database.Tx) error {
		var err error
		if r, err = reservationOf(ctx, tx, tx.Dialect.ForUpdate(), orderID); err != nil {
			return err
		}
		if r != nil {
			if !slices.Equal(r.Lines, lines) {
				return refusals{refuse("IDEMPOTENCY_KEY_REUSED", "order %s has a reservation of other lines", orderID)}
			}
			return s.lapse(ctx, tx, r)
		}
		r, err = s.hold(ctx, tx, orderID, lines, ttl)
		return err
	})
	if database.IsUnique(err) { // another replica has just reserved for this order
		return s.Reserve(ctx, orderID, lines, ttl)
	}
	if err != nil {
		return nil, err
	}
	s.outbox.Wake()
	return r, nil
}

func (s *Service) hold(ctx context.Context, tx *database.Tx, orderID string, lines []Line, ttl time.Duration) (*Reservation, error) {
	if err := s.lapseVariants(ctx, tx, lines); err != nil {
		return nil, err
	}
	now := s.now()
	r := &Reservation{ID: id.New(id.Reservation), OrderID: orderID, State: held, ExpiresUs: database.Micros(now.Add(ttl)), Lines: lines}
	_, err := tx.ExecContext(ctx, `INSERT INTO reservation (id, order_id, state, expires_us, created_us, updated_us) VALUES ($1, $2, $3, $4, $5, $6)`,
		r.ID, r.OrderID, r.State, r.ExpiresUs, database.Micros(now), database.Micros(now))
	if err != nil {
		return nil, err
	}
	var short refusals
	for _, l := range lines {
		ok, err := s.move(ctx, tx, l.VariantID, change{kind: "RESERVE", reserved: l.Quantity, reference: orderID})
		if err != nil {
			return nil, err
		}
		if !ok {
			refusal, err := s.shortage(ctx, tx, l)
			if err != nil {
				return nil, err
			}
			short = append(short, refusal)
			continue
		}
		_, err = tx.ExecContext(ctx, `INSERT INTO reservation_line (reservation_id, variant_id, quantity) VALUES ($1, $2, $3)`, r.ID, l.VariantID, l.Quantity)
		if err != nil {
			return nil, err
		}
	}
	if len(short) > 0 {
		return nil, short // and all that was held is rolled back
	}
	return r, s.outbox.Append(ctx, tx, reservationEvent(r))
}

func (s *Service) shortage(ctx context.Context, tx *database.Tx, l Line) (*Refusal, error) {
	var available int64
	err := tx.GetContext(ctx, &available, `SELECT on_hand - reserved FROM stock WHERE variant_id = $1`, l.VariantID)
	if err != nil && !database.NoRows(err) {
		return nil, err
	}
	refusal := refuse("INSUFFICIENT_STOCK", "%d wanted, %d available", l.Quantity, available)
	refusal.VariantID, refusal.Available = l.VariantID, available
	return refusal, nil
}

// Commit makes a held reservation final: its units leave the shelf.
func (s *Service) Commit(ctx context.Context, orderID string) (*Reservation, error) {
	return s.settle(ctx, orderID, committed, held, change{kind: "SELL", onHand: -1, reserved: -1, sold: 1})
}

// Release lets go of a held reservation. One that has expired is as good as released.
func (s *Service) Release(ctx context.Context, orderID string) (*Reservation, error) {
	return s.settle(ctx, orderID, released, held, change{kind: "RELEASE", reserved: -1})
}

// Restock puts the units of a committed reservation back on the shelf, once.
func (s *Service) Restock(ctx context.Context, orderID string) (*Reservation, error) {
	return s.settle(ctx, orderID, restocked, committed, change{kind: "RESTOCK", onHand: 1, sold: -1})
}

// settle brings the reservation of an order from one state to another, and does per unit of each line what the change
// says. Repeated, it does nothing; from any other state it is refused.
func (s *Service) settle(ctx context.Context, orderID, to, from string, unit change) (*Reservation, error) {
	if !database.Storable(orderID) {
		return nil, noReservation(orderID)
	}
	var r *Reservation
	err := s.db.Tx(ctx, func(tx *database.Tx) error {
		var err error
		if r, err = reservationOf(ctx, tx, tx.Dialect.ForUpdate(), orderID); err != nil {
			return err
		}
		if r == nil {
			return noReservation(orderID)
		}
		if err := s.lapse(ctx, tx, r); err != nil {
			return err
		}
		switch {
		case r.State == to, to == released && r.State == expired:
			return nil
		case r.State != from && r.State == expired && to == committed:
			return nil // told below, after the commit of its expiry
		case r.State != from:
			return refusals{refuse("ILLEGAL_TRANSITION", "the reservation is %s and can't become %s", r.State, to)}
		}
		return s.transfer(ctx, tx, r, to, unit)
	})
	if err != nil {
		return nil, err
	}
	s.outbox.Wake()
	if to == committed && r.State == expired {
		return nil, refusals{refuse("RESERVATION_EXPIRED", "the reservation has expired at %s", database.Time(r.ExpiresUs).Format(time.RFC3339))}
	}
	return r, nil
}

func noReservation(orderID string) error {
	return refusals{refuse("NOT_FOUND", "order %.50q has no reservation", orderID)}
}

// transfer moves the units of all lines and gives the reservation its new state.
func (s *Service) transfer(ctx context.Context, tx *database.Tx, r *Reservation, to string, unit change) error {
	for _, l := range r.Lines {
		c := change{kind: unit.kind, onHand: unit.onHand * l.Quantity, reserved: unit.reserved * l.Quantity, sold: unit.sold * l.Quantity, reference: r.OrderID}
		ok, err := s.move(ctx, tx, l.VariantID, c)
		if err != nil {
			return err
		}
		if !ok {
			return fmt.Errorf("%s %d of %s for order %s: the balance does not hold what the reservation says", unit.kind, l.Quantity, l.VariantID, r.OrderID)
		}
	}
	_, err := tx.ExecContext(ctx, `UPDATE reservation SET state = $1, updated_us = $2 WHERE id = $3`, to, database.Micros(s.now()), r.ID)
	if err != nil {
		return err
	}
	r.State = to
	return s.outbox.Append(ctx, tx, reservationEvent(r))
}
