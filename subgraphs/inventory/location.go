package inventory

import (
	"context"
	"strconv"
	"unicode/utf8"

	"github.com/agora-supergraph/agora/internal/database"
	"github.com/agora-supergraph/agora/internal/id"
)

// Location is where units lie.
type Location struct {
	ID   string
	Name string
	// Rank says from where units are taken first: the lowest rank, and of equal ones the lowest id.
	Rank int64
}

const prefixLocation = "loc"

// MainLocation is the location of units of which nobody says where they lie. It is there from the beginning.
var MainLocation = id.Derived(prefixLocation, "main")

// The bounds of locations: each is read with every lock of a variant.
const (
	maxLocations = 100
	maxName      = 100 // characters
	maxRank      = 1000
)

// Locations are all locations, by rank.
func (s *Service) Locations(ctx context.Context) ([]Location, error) {
	var all []Location
	return all, s.db.Read.SelectContext(ctx, &all, `SELECT id, name, rank FROM location ORDER BY rank, id`)
}

// checkLocation refuses what no location may be.
func checkLocation(l Location) refusals {
	var wrong refusals
	if n := utf8.RuneCountInString(l.Name); n == 0 || n > maxName || !database.Storable(l.Name) {
		wrong.invalid("a name has 1 to "+strconv.Itoa(maxName)+" characters", "name")
	}
	if l.Rank < 0 || l.Rank > maxRank {
		wrong.invalid("a rank is 0 to "+strconv.Itoa(maxRank), "rank")
	}
	return wrong
}

// SaveLocation stores a location: a new one if it has no id.
func (s *Service) SaveLocation(ctx context.Context, l Location) (Location, error) {
	if wrong := checkLocation(l); len(wrong) > 0 {
		return l, wrong
	}
	err := s.db.Tx(ctx, func(tx *database.Tx) error {
		if l.ID != "" {
			return updateLocation(ctx, tx, l)
		}
		var n int
		if err := tx.GetContext(ctx, &n, `SELECT COUNT(*) FROM location`); err != nil {
			return err
		}
		if n >= maxLocations {
			return refusals{refuse("INVALID_INPUT", "there may be %d locations", maxLocations)}
		}
		l.ID = id.New(prefixLocation)
		_, err := tx.ExecContext(ctx, `INSERT INTO location (id, name, rank) VALUES ($1, $2, $3)`, l.ID, l.Name, l.Rank)
		return err
	})
	if database.IsUnique(err) {
		var taken refusals
		taken.invalid("there is a location of this name", "name")
		return l, taken
	}
	return l, err
}

func updateLocation(ctx context.Context, tx *database.Tx, l Location) error {
	result, err := tx.ExecContext(ctx, `UPDATE location SET name = $1, rank = $2 WHERE id = $3`, l.Name, l.Rank, l.ID)
	if err != nil {
		return err
	}
	if n, err := result.RowsAffected(); err != nil || n == 1 {
		return err
	}
	return refusals{noLocation(l.ID)}
}

func noLocation(locationID string) *Refusal {
	return refuse("NOT_FOUND", "there is no location %.50q", locationID)
}

// SetLowStock says from how many available units on a variant is low. The new number counts from the next change on.
func (s *Service) SetLowStock(ctx context.Context, variant string, threshold int64) error {
	var wrong refusals
	if threshold < 0 || threshold > maxQuantity {
		wrong.invalid("a threshold is 0 to "+strconv.Itoa(maxQuantity), "threshold")
		return wrong
	}
	known, err := s.Levels(ctx, []string{variant})
	if err != nil {
		return err
	}
	if _, ok := known[variant]; !ok {
		refusal := refuse("NOT_FOUND", "there is no variant %.50q", variant)
		refusal.Field = []string{"input", "variantId"}
		return refusals{refusal}
	}
	return s.db.Tx(ctx, func(tx *database.Tx) error {
		_, err := tx.ExecContext(ctx, `
			INSERT INTO low_stock (variant_id, threshold) VALUES ($1, $2)
			ON CONFLICT (variant_id) DO UPDATE SET threshold = excluded.threshold`, variant, threshold)
		if err != nil {
			return err
		}
		return nextVersion(ctx, tx, variant)
	})
}

// nextVersion gives the balance of a variant another version, for what has changed beside it.
func nextVersion(ctx context.Context, tx *database.Tx, variant string) error {
	_, err := tx.ExecContext(ctx, `UPDATE stock SET version = version + 1 WHERE variant_id = $1 AND location_id = $2`, variant, MainLocation)
	if err != nil {
		return err
	}
	var version int64
	err = tx.GetContext(ctx, &version, `SELECT CAST(SUM(version) AS BIGINT) FROM stock WHERE variant_id = $1`, variant)
	tx.Note(touched{variant, version})
	return err
}
