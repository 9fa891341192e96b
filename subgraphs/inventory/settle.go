package inventory

import (
	"context"
	"fmt"
	"time"

	"github.com/agora-supergraph/agora/internal/database"
	"github.com/agora-supergraph/agora/internal/idempotency"
	"github.com/agora-supergraph/agora/internal/identity"
)

// Commit makes a held reservation final: its units leave the shelf.
func (s *Service) Commit(ctx context.Context, orderID string) (*Reservation, error) {
	return s.settle(ctx, orderID, committed, held, change{kind: "SELL", onHand: -1, reserved: -1, sold: 1})
}

// Release lets go of a held reservation. One that has expired is as good as released.
func (s *Service) Release(ctx context.Context, orderID string) (*Reservation, error) {
	return s.settle(ctx, orderID, released, held, change{kind: "RELEASE", reserved: -1})
}

// Restock puts the units of a committed reservation back on the shelf, once: those that haven't been put back before.
func (s *Service) Restock(ctx context.Context, orderID string) (*Reservation, error) {
	return s.settle(ctx, orderID, restocked, committed, putBack)
}

// putBack is what restocking does to a balance, per unit.
var putBack = change{kind: "RESTOCK", onHand: 1, sold: -1}

// settle brings the reservation of an order from one state to another, and does per unit of each line what the change
// says. Repeated, it does nothing; from any other state it is refused.
func (s *Service) settle(ctx context.Context, orderID, to, from string, unit change) (*Reservation, error) {
	return s.on(ctx, orderID, func(w *writing, r *Reservation) error {
		switch {
		case r.State == to, to == released && r.State == expired:
			return nil
		case r.State != from && r.State == expired && to == committed:
			return nil // told by on, after the commit of its expiry
		case r.State != from:
			return refusals{refuse("ILLEGAL_TRANSITION", "the reservation is %s and can't become %s", r.State, to)}
		}
		return w.transfer(ctx, r, to, unit)
	}, to == committed)
}

// Extend holds a reservation for a time from now on, if that is longer than it is held anyway.
func (s *Service) Extend(ctx context.Context, orderID string, ttl time.Duration) (*Reservation, error) {
	return s.on(ctx, orderID, func(w *writing, r *Reservation) error {
		until := database.Micros(s.now().Add(ttl))
		switch {
		case r.State == expired:
			return nil // told by on
		case r.State != held:
			return refusals{refuse("ILLEGAL_TRANSITION", "the reservation is %s and can't be extended", r.State)}
		case until <= r.ExpiresUs:
			return nil
		}
		r.ExpiresUs = until
		_, err := w.tx.ExecContext(ctx, `UPDATE reservation SET expires_us = $1, updated_us = $2 WHERE id = $3`, until, database.Micros(s.now()), r.ID)
		return err
	}, true)
}

// RestockLines puts some units of a committed reservation back on the shelf, once by its key. With the last of them the
// reservation is restocked.
func (s *Service) RestockLines(ctx context.Context, orderID string, lines []Line, key string) (*Reservation, error) {
	lines = merge(lines)
	k := idempotency.Key{Scope: identity.From(ctx).Actor(), Operation: "stockRestock", Key: key, Request: idempotency.Digest([]any{orderID, lines})}
	return s.on(ctx, orderID, func(w *writing, r *Reservation) error {
		status, _, err := idempotency.Claim(ctx, w.tx, k)
		switch {
		case err != nil:
			return err
		case status == idempotency.Reused:
			return refusals{refuse("IDEMPOTENCY_KEY_REUSED", "the idempotency key was used with other parameters")}
		case status != idempotency.Claimed:
			return nil // it has been done: keys are claimed in the transaction of the whole effect
		case r.State != committed:
			return refusals{refuse("ILLEGAL_TRANSITION", "the reservation is %s: there is nothing to put back", r.State)}
		}
		return w.putBack(ctx, r, lines)
	}, false)
}

// putBack restocks lines of a reservation, or refuses if that is more than is left of them.
func (w *writing) putBack(ctx context.Context, r *Reservation, lines []Line) error {
	var refused refusals
	for _, l := range lines {
		left := l.Quantity
		for i := range r.parts {
			if p := &r.parts[i]; p.VariantID == l.VariantID && left > 0 && p.Quantity > p.Restocked {
				n := min(left, p.Quantity-p.Restocked)
				if err := w.restock(ctx, r, p, n); err != nil {
					return err
				}
				left -= n
			}
		}
		if left > 0 {
			refusal := refuse("EXCEEDS_SOLD", "%d can be put back", l.Quantity-left)
			refusal.VariantID, refusal.Available = l.VariantID, l.Quantity-left
			refused = append(refused, refusal)
		}
	}
	if len(refused) > 0 {
		return refused
	}
	for _, p := range r.parts {
		if p.Restocked < p.Quantity {
			return nil
		}
	}
	return w.become(ctx, r, restocked)
}

// restock puts units of a part back.
func (w *writing) restock(ctx context.Context, r *Reservation, p *part, n int64) error {
	if err := w.take(ctx, r, *p, putBack, n); err != nil {
		return err
	}
	p.Restocked += n
	_, err := w.tx.ExecContext(ctx, `UPDATE reservation_part SET restocked = $1 WHERE reservation_id = $2 AND variant_id = $3 AND location_id = $4`,
		p.Restocked, r.ID, p.VariantID, p.LocationID)
	return err
}

// on runs a command on the reservation of an order, which is locked, ended if its time is over, and written. With
// tellExpired, one that has expired is refused.
func (s *Service) on(ctx context.Context, orderID string, command func(w *writing, r *Reservation) error, tellExpired bool) (*Reservation, error) {
	if !database.Storable(orderID) {
		return nil, noReservation(orderID)
	}
	var r *Reservation
	err := s.db.Tx(ctx, func(tx *database.Tx) error {
		known, err := lockReservations(ctx, tx, []string{orderID})
		if err != nil {
			return err
		}
		if r = known[orderID]; r == nil {
			return noReservation(orderID)
		}
		sh, err := lockShelf(ctx, tx, variantsOf(r.Lines))
		if err != nil {
			return err
		}
		w := &writing{Service: s, tx: tx, shelf: sh}
		if err := w.lapse(ctx, r); err != nil {
			return err
		}
		if err := command(w, r); err != nil {
			return err
		}
		return w.flush(ctx)
	})
	if err != nil {
		return nil, err
	}
	s.outbox.Wake()
	if tellExpired && r.State == expired {
		return nil, refusals{refuse("RESERVATION_EXPIRED", "the reservation has expired at %s", database.Time(r.ExpiresUs).Format(time.RFC3339))}
	}
	return r, nil
}

// transfer moves the units of all parts, but those that were put back before, and gives the reservation its new state.
func (w *writing) transfer(ctx context.Context, r *Reservation, to string, unit change) error {
	for i := range r.parts {
		p := &r.parts[i]
		var err error
		if to == restocked {
			if left := p.Quantity - p.Restocked; left > 0 {
				err = w.restock(ctx, r, p, left)
			}
		} else {
			err = w.take(ctx, r, *p, unit, p.Quantity)
		}
		if err != nil {
			return err
		}
	}
	return w.become(ctx, r, to)
}

// take does per unit of a part what a change says.
func (w *writing) take(ctx context.Context, r *Reservation, p part, unit change, n int64) error {
	c := change{kind: unit.kind, onHand: unit.onHand * n, reserved: unit.reserved * n, sold: unit.sold * n, reference: r.OrderID}
	if !w.shelf.move(ctx, p.VariantID, p.LocationID, c) {
		return fmt.Errorf("%s %d of %s for order %s: the balance does not hold what the reservation says", unit.kind, n, p.VariantID, r.OrderID)
	}
	return nil
}

// become gives a reservation a new state, and tells of it.
func (w *writing) become(ctx context.Context, r *Reservation, to string) error {
	_, err := w.tx.ExecContext(ctx, `UPDATE reservation SET state = $1, updated_us = $2 WHERE id = $3`, to, database.Micros(w.now()), r.ID)
	if err != nil {
		return err
	}
	r.State = to
	return w.outbox.Append(ctx, w.tx, reservationEvent(r))
}
