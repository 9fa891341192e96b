package inventory

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/agora-supergraph/agora/internal/database"
	"github.com/agora-supergraph/agora/internal/id"
)

// request is a reservation that somebody waits for.
type request struct {
	ctx     context.Context
	orderID string
	lines   []Line // merged
	ttl     time.Duration

	// The verdict: one of the two, when decided; or why there is none.
	reservation *Reservation
	refused     refusals
	err         error

	// turn tells a request that waits what comes next: see combiner.
	turn chan turn
}

// Reserve holds all lines for an order, or none, for a time. It is idempotent by order: the same lines get the
// reservation that exists, in whatever state it is; other lines are refused.
func (s *Service) Reserve(ctx context.Context, orderID string, lines []Line, ttl time.Duration) (*Reservation, error) {
	r := &request{ctx: ctx, orderID: orderID, lines: merge(lines), ttl: ttl, turn: make(chan turn, 1)}
	if err := s.combinerFor(r).do(r, s.reserveAll); err != nil {
		return nil, err
	}
	if r.refused != nil {
		return nil, r.refused
	}
	return r.reservation, nil
}

// reserveAll decides requests in one transaction, in turn: each gets its own verdict. If the transaction fails, each is
// tried by itself, so that none suffers from another's.
func (s *Service) reserveAll(ctx context.Context, batch []*request) {
	err := s.db.Tx(ctx, func(tx *database.Tx) error { return s.decide(ctx, tx, batch) })
	switch {
	case database.IsUnique(err): // another replica has just reserved for one of these orders
		s.reserveAll(ctx, batch)
	case err != nil && len(batch) > 1:
		for i := range batch {
			s.reserveAll(ctx, batch[i:i+1])
		}
	case err != nil:
		batch[0].err = fmt.Errorf("reserve for order %s: %w", batch[0].orderID, err)
	default:
		for _, r := range batch {
			r.err = nil
		}
		s.outbox.Wake()
	}
}

// decide locks what the requests concern, ends what has expired, and takes the units off the shelf in memory; then all
// is written at once.
func (s *Service) decide(ctx context.Context, tx *database.Tx, batch []*request) error {
	var orders []string
	var lines []Line
	for _, r := range batch {
		orders, lines = append(orders, r.orderID), append(lines, r.lines...)
	}
	lines = merge(lines)
	known, err := s.concerned(ctx, tx, orders, lines)
	if err != nil {
		return err
	}
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
	for _, r := range batch {
		r.reservation, r.refused = w.reserve(r, known[r.orderID])
		if r.reservation != nil {
			known[r.orderID] = r.reservation // for the same order again
		}
	}
	return w.flush(ctx)
}

// variantsOf are the variants of lines; they may repeat.
func variantsOf(lines []Line) []string {
	variants := make([]string, len(lines))
	for i, l := range lines {
		variants[i] = l.VariantID
	}
	return variants
}

// concerned locks the reservations that orders have already, and those that hold units of lines although their time is
// over.
func (s *Service) concerned(ctx context.Context, tx *database.Tx, orders []string, lines []Line) (map[string]*Reservation, error) {
	list, args := database.In([]any{database.Micros(s.now())}, variantsOf(lines))
	query := lapsedQuery + list
	list, args = database.In(args, orders)
	var found []string
	err := tx.SelectContext(ctx, &found, query+orOfOrders+list, args...)
	if err != nil {
		return nil, err
	}
	return lockReservations(ctx, tx, found)
}

// orOfOrders goes on behind lapsedQuery. It leaves double ones in: to tell them apart SQLite would read all reservations ever,
// in their order.
const orOfOrders = ` UNION ALL SELECT order_id FROM reservation WHERE order_id IN `

const lapsedQuery = `SELECT r.order_id FROM ` + lapsedParts + ` AND l.variant_id IN `

// writing collects what a transaction changes: of the shelf, and of reservations.
type writing struct {
	*Service
	tx    *database.Tx
	shelf *shelf
	// made are new reservations, with the requests that they are for.
	made     []*Reservation
	requests []*request
}

// reserve takes the units of a request off the shelf, or says why not. existing is the order's reservation, if it has
// one.
func (w *writing) reserve(r *request, existing *Reservation) (*Reservation, refusals) {
	if existing != nil {
		if !slices.Equal(existing.Lines, r.lines) {
			return nil, refusals{refuse("IDEMPOTENCY_KEY_REUSED", "order %s has a reservation of other lines", r.orderID)}
		}
		return existing, nil
	}
	var short refusals
	for _, l := range r.lines {
		if available := w.shelf.available(l.VariantID); available < l.Quantity {
			refusal := refuse("INSUFFICIENT_STOCK", "%d wanted, %d available", l.Quantity, max(available, 0))
			refusal.VariantID, refusal.Available = l.VariantID, max(available, 0)
			short = append(short, refusal)
		}
	}
	if len(short) > 0 {
		return nil, short
	}
	held := &Reservation{ID: id.New(id.Reservation), OrderID: r.orderID, State: held, ExpiresUs: database.Micros(w.now().Add(r.ttl))}
	for _, l := range r.lines {
		for _, p := range w.shelf.allocate(l) {
			if !w.shelf.move(r.ctx, p.VariantID, p.LocationID, change{kind: "RESERVE", reserved: p.Quantity, reference: r.orderID}) {
				panic(fmt.Sprintf("%d of %s at %s were available, and can't be taken", p.Quantity, p.VariantID, p.LocationID))
			}
			p.ReservationID = held.ID
			held.take(p)
		}
	}
	w.made, w.requests = append(w.made, held), append(w.requests, r)
	return held, nil
}

// flush writes everything.
func (w *writing) flush(ctx context.Context) error {
	if err := w.write(ctx, w.tx, w.shelf); err != nil {
		return err
	}
	now := database.Micros(w.now())
	var rows, parts [][]any
	for _, r := range w.made {
		rows = append(rows, []any{r.ID, r.OrderID, r.State, r.ExpiresUs, now, now})
		for _, p := range r.parts {
			parts = append(parts, []any{r.ID, p.VariantID, p.LocationID, p.Quantity})
		}
	}
	if err := insert(ctx, w.tx, `reservation (id, order_id, state, expires_us, created_us, updated_us)`, rows); err != nil {
		return err
	}
	if err := insert(ctx, w.tx, `reservation_part (reservation_id, variant_id, location_id, quantity)`, parts); err != nil {
		return err
	}
	for i, r := range w.made {
		if err := w.outbox.Append(context.WithoutCancel(w.requests[i].ctx), w.tx, reservationEvent(r)); err != nil {
			return err
		}
	}
	return nil
}
