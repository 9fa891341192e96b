package inventory

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"github.com/agora-supergraph/agora/internal/database"
)

// Audit is what the books of inventory say, to be compared with those of orders.
type Audit struct {
	// Sold is what the reservation of each order has sold and not put back, by variant; an order whose reservation
	// sold nothing has an empty entry.
	Sold map[string]map[string]int64
	// Held are the orders that units are held for.
	Held map[string]bool
	// Broken says, a sentence each, what must never be.
	Broken []string
}

// View is a service that only reads a database: Audit works, and nothing that writes does.
func View(db *database.DB) *Service { return &Service{db: db, now: time.Now, log: slog.Default()} }

// Audit reads the books, and checks that they add up. Each check is one statement, so what happens meanwhile
// doesn't disturb it.
func (s *Service) Audit(ctx context.Context) (Audit, error) {
	a := Audit{Sold: map[string]map[string]int64{}, Held: map[string]bool{}}
	for _, check := range []func(context.Context, *Audit) error{s.auditReservations, s.auditLedger, s.auditBalances, s.auditExpiry} {
		if err := check(ctx, &a); err != nil {
			return a, fmt.Errorf("audit inventory: %w", err)
		}
	}
	return a, nil
}

// auditReservations reads what reservations hold and have sold.
func (s *Service) auditReservations(ctx context.Context, a *Audit) error {
	var rows []struct {
		OrderID   string `db:"order_id"`
		State     string
		VariantID string `db:"variant_id"`
		Quantity  int64
	}
	err := s.db.Read.SelectContext(ctx, &rows, `
		SELECT r.order_id, r.state, l.variant_id, l.quantity - l.restocked AS quantity FROM reservation r JOIN reservation_part l ON l.reservation_id = r.id`)
	for _, r := range rows {
		if a.Sold[r.OrderID] == nil {
			a.Sold[r.OrderID] = map[string]int64{}
		}
		switch r.State {
		case committed:
			if r.Quantity > 0 { // not all put back
				a.Sold[r.OrderID][r.VariantID] += r.Quantity
			}
		case held:
			a.Held[r.OrderID] = true
		}
	}
	return err
}

// sums are three figures of a balance, and what they should be.
type sums struct {
	VariantID  string `db:"variant_id"`
	LocationID string `db:"location_id"`
	OnHand     int64  `db:"on_hand"`
	Reserved   int64
	Sold       int64
	// The same by another book.
	OtherOnHand   int64 `db:"other_on_hand"`
	OtherReserved int64 `db:"other_reserved"`
	OtherSold     int64 `db:"other_sold"`
}

// auditLedger checks that the movements of a variant at a location sum up to its balance, and that the balance is possible.
func (s *Service) auditLedger(ctx context.Context, a *Audit) error {
	var rows []sums
	err := s.db.Read.SelectContext(ctx, &rows, `
		SELECT s.variant_id, s.location_id, s.on_hand, s.reserved, s.sold, COALESCE(m.on_hand, 0) AS other_on_hand, COALESCE(m.reserved, 0) AS other_reserved, COALESCE(m.sold, 0) AS other_sold
		FROM stock s LEFT JOIN (
			SELECT variant_id, location_id, CAST(SUM(on_hand) AS BIGINT) AS on_hand, CAST(SUM(reserved) AS BIGINT) AS reserved, CAST(SUM(sold) AS BIGINT) AS sold
			FROM movement GROUP BY variant_id, location_id
		) m ON m.variant_id = s.variant_id AND m.location_id = s.location_id
		WHERE s.on_hand <> COALESCE(m.on_hand, 0) OR s.reserved <> COALESCE(m.reserved, 0) OR s.sold <> COALESCE(m.sold, 0)
			OR s.reserved < 0 OR s.reserved > s.on_hand
		ORDER BY s.variant_id, s.location_id`)
	for _, r := range rows {
		a.Broken = append(a.Broken, fmt.Sprintf("of %s at %s %d are on hand, %d reserved and %d sold, but its movements sum up to %d, %d and %d",
			r.VariantID, r.LocationID, r.OnHand, r.Reserved, r.Sold, r.OtherOnHand, r.OtherReserved, r.OtherSold))
	}
	return err
}

// auditBalances checks that what is reserved and sold of a variant is what reservations hold and have sold.
func (s *Service) auditBalances(ctx context.Context, a *Audit) error {
	var rows []sums
	err := s.db.Read.SelectContext(ctx, &rows, `
		SELECT s.variant_id, s.location_id, s.reserved, s.sold, COALESCE(l.reserved, 0) AS other_reserved, COALESCE(l.sold, 0) AS other_sold
		FROM stock s LEFT JOIN (
			SELECT l.variant_id, l.location_id,
				CAST(SUM(CASE WHEN r.state = 'HELD' THEN l.quantity ELSE 0 END) AS BIGINT) AS reserved,
				CAST(SUM(CASE WHEN r.state = 'COMMITTED' THEN l.quantity - l.restocked ELSE 0 END) AS BIGINT) AS sold
			FROM reservation r JOIN reservation_part l ON l.reservation_id = r.id GROUP BY l.variant_id, l.location_id
		) l ON l.variant_id = s.variant_id AND l.location_id = s.location_id
		WHERE s.reserved <> COALESCE(l.reserved, 0) OR s.sold <> COALESCE(l.sold, 0)
		ORDER BY s.variant_id, s.location_id`)
	for _, r := range rows {
		a.Broken = append(a.Broken, fmt.Sprintf("of %s at %s %d are reserved and %d sold, but reservations hold %d and have sold %d",
			r.VariantID, r.LocationID, r.Reserved, r.Sold, r.OtherReserved, r.OtherSold))
	}
	return err
}

// auditExpiry checks that the sweeper ends what has expired. Only a service that has done something since can be blamed:
// one that stands still sweeps nothing.
func (s *Service) auditExpiry(ctx context.Context, a *Audit) error {
	var rows []Reservation
	err := s.db.Read.SelectContext(ctx, &rows, `
		SELECT id, order_id, state, expires_us FROM reservation
		WHERE state = 'HELD' AND expires_us < (SELECT COALESCE(MAX(at_us), 0) FROM movement) - $1 ORDER BY expires_us`,
		(2 * sweepInterval).Microseconds())
	for _, r := range rows {
		a.Broken = append(a.Broken, fmt.Sprintf("reservation %s of order %s is still held, although it expired at %s",
			r.ID, r.OrderID, database.Time(r.ExpiresUs).Format(time.RFC3339)))
	}
	return err
}
