package inventory

import (
	"context"
	"fmt"

	"github.com/agora-supergraph/agora/internal/database"
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
	ExpiresUs int64 `db:"expires_us"`
	// Lines are the units by variant, sorted.
	Lines []Line `db:"-"`

	parts []part
}

// part is what a reservation takes from one location: a row of its table.
type part struct {
	ReservationID string `db:"reservation_id"`
	VariantID     string `db:"variant_id"`
	LocationID    string `db:"location_id"`
	Quantity      int64
	// Restocked is how many of the units that were sold have been put back.
	Restocked int64
	// Name and Rank are those of the location.
	Name string
	Rank int64
}

// take adds a part, behind those of the variants before it.
func (r *Reservation) take(p part) {
	r.parts = append(r.parts, p)
	if n := len(r.Lines); n > 0 && r.Lines[n-1].VariantID == p.VariantID {
		r.Lines[n-1].Quantity += p.Quantity
		return
	}
	r.Lines = append(r.Lines, Line{p.VariantID, p.Quantity})
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

func noReservation(orderID string) error {
	return refusals{refuse("NOT_FOUND", "order %.50q has no reservation", orderID)}
}

// lockReservations reads the reservations of some orders with their parts, by order. Their rows are the transaction's,
// locked in the order of their orders' ids. Locks of stock come behind them.
func lockReservations(ctx context.Context, tx *database.Tx, orders []string) (map[string]*Reservation, error) {
	found := map[string]*Reservation{}
	if len(orders) == 0 {
		return found, nil
	}
	list, args := database.In(nil, orders)
	var rows []*Reservation
	err := tx.SelectContext(ctx, &rows, `SELECT id, order_id, state, expires_us FROM reservation WHERE order_id IN `+list+` ORDER BY order_id`+tx.Dialect.ForUpdate(), args...)
	if err != nil || len(rows) == 0 {
		return found, err
	}
	byID, ids := map[string]*Reservation{}, []string(nil)
	for _, r := range rows {
		found[r.OrderID], byID[r.ID], ids = r, r, append(ids, r.ID)
	}
	parts, err := readParts(ctx, tx, ids)
	for _, p := range parts {
		byID[p.ReservationID].take(p)
	}
	return found, err
}

// readParts reads the parts of reservations, by variant and the rank of their location.
func readParts(ctx context.Context, q database.Querier, reservations []string) ([]part, error) {
	list, args := database.In(nil, reservations)
	var parts []part
	return parts, q.SelectContext(ctx, &parts, `
		SELECT l.reservation_id, l.variant_id, l.location_id, l.quantity, l.restocked, p.name, p.rank
		FROM reservation_part l JOIN location p ON p.id = l.location_id
		WHERE l.reservation_id IN `+list+` ORDER BY l.reservation_id, l.variant_id, p.rank, p.id`, args...)
}
