package inventory

import (
	"context"
	"slices"

	"github.com/agora-supergraph/agora/internal/database"
	"github.com/agora-supergraph/agora/internal/id"
	"github.com/agora-supergraph/agora/internal/identity"
)

// Level is the balance of a variant.
type Level struct {
	VariantID string `db:"variant_id"`
	OnHand    int64  `db:"on_hand"`
	Reserved  int64
	Sold      int64
	Version   int64
	UpdatedUs int64 `db:"updated_us"`
}

// Available is what can still be reserved.
func (l Level) Available() int64 { return l.OnHand - l.Reserved }

// lowStock is the number of available units from which on a variant is low.
const lowStock = 5

// band is what shoppers are told of an availability.
type band string

// The bands, worst first.
const (
	out  band = "OUT_OF_STOCK"
	low  band = "LOW_STOCK"
	good band = "IN_STOCK"
)

func bandOf(available int64) band {
	switch {
	case available <= 0:
		return out
	case available <= lowStock:
		return low
	}
	return good
}

// Line is a quantity of a variant.
type Line struct {
	VariantID string `db:"variant_id" json:"variantId"`
	Quantity  int64  `json:"quantity"`
}

// merge adds up lines of one variant and sorts them by variant: the order in which rows are locked, so that no two
// transactions wait for each other.
func merge(lines []Line) []Line {
	total := map[string]int64{}
	for _, l := range lines {
		total[l.VariantID] += l.Quantity
	}
	merged := make([]Line, 0, len(total))
	for variant, quantity := range total {
		merged = append(merged, Line{variant, quantity})
	}
	slices.SortFunc(merged, func(a, b Line) int {
		if a.VariantID < b.VariantID {
			return -1
		}
		return 1
	})
	return merged
}

// Levels are the balances of variants, by id; a variant that the service doesn't know is not in it. Units of
// reservations whose time is over count as available already. One statement, whatever the number.
func (s *Service) Levels(ctx context.Context, variants []string) (map[string]Level, error) {
	if variants = id.WellFormed(id.Variant, variants); len(variants) == 0 {
		return nil, nil
	}
	list, args := database.In([]any{database.Micros(s.now())}, variants)
	var rows []Level
	err := s.db.Read.SelectContext(ctx, &rows, levelsQuery+list, args...)
	if err != nil {
		return nil, err
	}
	levels := make(map[string]Level, len(rows))
	for _, l := range rows {
		levels[l.VariantID] = l
	}
	return levels, nil
}

// lapsedLines are the lines of reservations whose time is over and that nobody has ended yet: few, however many there
// were before. CROSS JOIN keeps SQLite from beginning at the lines, of which a variant has one for every order ever.
const lapsedLines = `reservation r CROSS JOIN reservation_line l WHERE r.state = 'HELD' AND r.expires_us <= $1 AND l.reservation_id = r.id`

const levelsQuery = `
	SELECT s.variant_id, s.on_hand, s.sold, s.version, s.updated_us, s.reserved - COALESCE(lapsed.units, 0) AS reserved
	FROM stock s
	LEFT JOIN (SELECT l.variant_id, CAST(SUM(l.quantity) AS BIGINT) AS units FROM ` + lapsedLines + ` GROUP BY l.variant_id) lapsed ON lapsed.variant_id = s.variant_id
	WHERE s.variant_id IN `

// change is what a movement does to a balance.
type change struct {
	kind                   string
	onHand, reserved, sold int64
	reference              string
}

// move applies a change to a variant's balance if the balance allows it, and writes it into the ledger. It reports
// false, and changes nothing, if there are too few units.
func (s *Service) move(ctx context.Context, tx *database.Tx, variant string, c change) (bool, error) {
	now := database.Micros(s.now())
	var after Level
	err := tx.GetContext(ctx, &after, `
		UPDATE stock SET on_hand = on_hand + $1, reserved = reserved + $2, sold = sold + $3, version = version + 1, updated_us = $4
		WHERE variant_id = $5 AND on_hand + $1 >= reserved + $2 AND reserved + $2 >= 0 AND on_hand + $1 >= 0 AND sold + $3 >= 0
		RETURNING variant_id, on_hand, reserved, sold, version, updated_us`, c.onHand, c.reserved, c.sold, now, variant)
	if database.NoRows(err) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	_, err = tx.ExecContext(ctx, `
		INSERT INTO movement (id, variant_id, kind, on_hand, reserved, sold, reference, actor, at_us)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)`,
		id.New("mov"), variant, c.kind, c.onHand, c.reserved, c.sold, c.reference, identity.From(ctx).Actor(), now)
	if err != nil {
		return false, err
	}
	before := after.Available() - c.onHand + c.reserved
	if bandOf(before) != bandOf(after.Available()) {
		return true, s.outbox.Append(ctx, tx, crossed(after))
	}
	return true, nil
}
