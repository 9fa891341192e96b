package inventory

import (
	"context"
	"slices"
	"strings"

	"github.com/agora-supergraph/agora/internal/database"
	"github.com/agora-supergraph/agora/internal/id"
)

// Level is the balance of a variant, over all locations.
type Level struct {
	VariantID string
	OnHand    int64
	Reserved  int64
	Sold      int64
	// Version grows with every change.
	Version   int64
	UpdatedUs int64
	// Low is the number of available units from which on the variant is low.
	Low int64
	// At are the balances that this one sums up, by rank of their location.
	At []At
}

// At is the balance of a variant at a location: a row of its table, with what belongs to it.
type At struct {
	VariantID  string `db:"variant_id"`
	LocationID string `db:"location_id"`
	OnHand     int64  `db:"on_hand"`
	Reserved   int64
	Sold       int64
	Version    int64
	UpdatedUs  int64 `db:"updated_us"`
	// Name and Rank are those of the location.
	Name string
	Rank int64
	// Low is the variant's.
	Low int64

	// locked is the version at which a shelf has locked it.
	locked int64
}

// Available is what can still be reserved.
func (l Level) Available() int64 { return l.OnHand - l.Reserved }

// Available is what can still be reserved at the location.
func (a At) Available() int64 { return a.OnHand - a.Reserved }

// add counts a location in.
func (l *Level) add(a At) {
	l.VariantID, l.Low = a.VariantID, a.Low
	l.OnHand, l.Reserved, l.Sold = l.OnHand+a.OnHand, l.Reserved+a.Reserved, l.Sold+a.Sold
	l.Version, l.UpdatedUs = l.Version+a.Version, max(l.UpdatedUs, a.UpdatedUs)
	l.At = append(l.At, a)
}

// band is what shoppers are told of an availability.
type band string

// The bands, worst first.
const (
	out  band = "OUT_OF_STOCK"
	low  band = "LOW_STOCK"
	good band = "IN_STOCK"
)

func (l Level) band() band {
	switch available := l.Available(); {
	case available <= 0:
		return out
	case available <= l.Low:
		return low
	}
	return good
}

// Line is a quantity of a variant.
type Line struct {
	VariantID string `db:"variant_id" json:"variantId"`
	Quantity  int64  `json:"quantity"`
}

// merge adds up lines of one variant and sorts them by variant.
func merge(lines []Line) []Line {
	total := map[string]int64{}
	for _, l := range lines {
		total[l.VariantID] += l.Quantity
	}
	merged := make([]Line, 0, len(total))
	for variant, quantity := range total {
		merged = append(merged, Line{variant, quantity})
	}
	slices.SortFunc(merged, func(a, b Line) int { return strings.Compare(a.VariantID, b.VariantID) })
	return merged
}

// Levels are the balances of variants, by id; a variant that the service doesn't know is not in it. Units of
// reservations whose time is over count as available already. One statement, whatever the number.
func (s *Service) Levels(ctx context.Context, variants []string) (map[string]Level, error) {
	if variants = id.WellFormed(id.Variant, variants); len(variants) == 0 {
		return nil, nil
	}
	list, args := database.In([]any{database.Micros(s.now())}, variants)
	var rows []At
	err := s.db.Read.SelectContext(ctx, &rows, levelsQuery+list+` ORDER BY p.rank, p.id`, args...)
	if err != nil {
		return nil, err
	}
	levels := make(map[string]Level, len(variants))
	for _, r := range rows {
		l := levels[r.VariantID]
		l.add(r)
		levels[r.VariantID] = l
	}
	return levels, nil
}

// lapsedParts are the parts of reservations whose time is over and that nobody has ended yet: few, however many there
// were before. CROSS JOIN keeps SQLite from beginning at the parts, of which a variant has one for every order ever.
const lapsedParts = `reservation r CROSS JOIN reservation_part l WHERE r.state = 'HELD' AND r.expires_us <= $1 AND l.reservation_id = r.id`

// lowOf is the number of available units from which on a variant of s is low: 5, if nobody has said otherwise.
const lowOf = `COALESCE((SELECT threshold FROM low_stock t WHERE t.variant_id = s.variant_id), 5) AS low`

const levelsQuery = `
	SELECT s.variant_id, s.location_id, s.on_hand, s.sold, s.version, s.updated_us, s.reserved - COALESCE(lapsed.units, 0) AS reserved,
		p.name, p.rank, ` + lowOf + `
	FROM stock s JOIN location p ON p.id = s.location_id
	LEFT JOIN (
		SELECT l.variant_id, l.location_id, CAST(SUM(l.quantity) AS BIGINT) AS units FROM ` + lapsedParts + ` GROUP BY l.variant_id, l.location_id
	) lapsed ON lapsed.variant_id = s.variant_id AND lapsed.location_id = s.location_id
	WHERE s.variant_id IN `
