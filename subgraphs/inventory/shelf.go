package inventory

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/agora-supergraph/agora/internal/database"
	"github.com/agora-supergraph/agora/internal/id"
	"github.com/agora-supergraph/agora/internal/identity"
)

// shelf is the stock of some variants, locked by a transaction: what is decided from it is true at the commit. Changes
// are made in memory and written together, in a few statements however many there are.
type shelf struct {
	levels map[string]*Level
	before map[string]band
	// movements are the changes, and changed the rows that they concern.
	movements []movement
	changed   map[*At]bool
}

// change is what a movement does to a balance.
type change struct {
	kind                   string
	onHand, reserved, sold int64
	reference              string
}

// movement is a change at a location, by somebody: a row of the ledger.
type movement struct {
	change
	at    *At
	actor string
}

// lockShelf locks the rows of stock of some variants, in the order of their ids, so that no two transactions wait
// for each other.
func lockShelf(ctx context.Context, tx *database.Tx, variants []string) (*shelf, error) {
	sh := &shelf{levels: map[string]*Level{}, before: map[string]band{}, changed: map[*At]bool{}}
	variants = id.WellFormed(id.Variant, variants)
	if len(variants) == 0 {
		return sh, nil
	}
	list, args := database.In(nil, variants)
	var rows []At
	err := tx.SelectContext(ctx, &rows, `
		SELECT s.variant_id, s.location_id, s.on_hand, s.reserved, s.sold, s.version, s.updated_us,
			(SELECT rank FROM location p WHERE p.id = s.location_id) AS rank, (SELECT name FROM location p WHERE p.id = s.location_id) AS name, `+lowOf+`
		FROM stock s WHERE s.variant_id IN `+list+` ORDER BY s.variant_id, s.location_id`+tx.Dialect.ForUpdate(), args...)
	if err != nil {
		return nil, fmt.Errorf("lock stock: %w", err)
	}
	slices.SortStableFunc(rows, func(a, b At) int { return int(a.Rank - b.Rank) })
	for _, r := range rows {
		l := sh.levels[r.VariantID]
		if l == nil {
			l = &Level{}
			sh.levels[r.VariantID] = l
		}
		r.locked = r.Version
		l.add(r)
	}
	for variant, l := range sh.levels {
		sh.before[variant] = l.band()
	}
	return sh, nil
}

// available is what can be reserved of a variant.
func (sh *shelf) available(variant string) int64 {
	if l := sh.levels[variant]; l != nil {
		return l.Available()
	}
	return 0
}

// at is the balance of a variant at a location, or nil.
func (sh *shelf) at(variant, location string) *At {
	l := sh.levels[variant]
	if l == nil {
		return nil
	}
	for i := range l.At {
		if l.At[i].LocationID == location {
			return &l.At[i]
		}
	}
	return nil
}

// allocate says from where the units of a line come, of which there are enough: from the first location that has them
// all, for one parcel is better than two, or else from one after the other, by rank.
func (sh *shelf) allocate(l Line) []part {
	level := sh.levels[l.VariantID]
	for _, a := range level.At {
		if a.Available() >= l.Quantity {
			return []part{a.part(l.Quantity)}
		}
	}
	var parts []part
	left := l.Quantity
	for _, a := range level.At {
		if n := min(left, a.Available()); n > 0 {
			parts = append(parts, a.part(n))
			left -= n
		}
	}
	return parts
}

// part is what a reservation takes from there.
func (a At) part(n int64) part {
	return part{VariantID: a.VariantID, LocationID: a.LocationID, Quantity: n, Name: a.Name, Rank: a.Rank}
}

// move applies a change to the balance at a location. It reports false, and changes nothing, if the balance does not
// allow it.
func (sh *shelf) move(ctx context.Context, variant, location string, c change) bool {
	a := sh.at(variant, location)
	if a == nil {
		return false
	}
	onHand, reserved, sold := a.OnHand+c.onHand, a.Reserved+c.reserved, a.Sold+c.sold
	if onHand < reserved || reserved < 0 || sold < 0 {
		return false
	}
	a.OnHand, a.Reserved, a.Sold, a.Version = onHand, reserved, sold, a.Version+1
	l := sh.levels[variant]
	l.OnHand, l.Reserved, l.Sold, l.Version = l.OnHand+c.onHand, l.Reserved+c.reserved, l.Sold+c.sold, l.Version+1
	sh.movements = append(sh.movements, movement{c, a, identity.From(ctx).Actor()})
	sh.changed[a] = true
	return true
}

// write stores what was changed: the balances, the movements in the ledger, and an event for each variant that became
// low, ran out or came back.
func (s *Service) write(ctx context.Context, tx *database.Tx, sh *shelf) error {
	now := database.Micros(s.now())
	for a := range sh.changed {
		tx.Note(touched{a.VariantID, sh.levels[a.VariantID].Version})
		result, err := tx.ExecContext(ctx, `
			UPDATE stock SET on_hand = $1, reserved = $2, sold = $3, version = $4, updated_us = $5
			WHERE variant_id = $6 AND location_id = $7 AND version = $8`,
			a.OnHand, a.Reserved, a.Sold, a.Version, now, a.VariantID, a.LocationID, a.locked)
		if err != nil {
			return fmt.Errorf("write stock of %s: %w", a.VariantID, err)
		}
		if n, err := result.RowsAffected(); err != nil || n != 1 {
			return fmt.Errorf("write stock of %s at version %d: it was changed under the lock: %w", a.VariantID, a.locked, err)
		}
	}
	rows := make([][]any, len(sh.movements))
	for i, m := range sh.movements {
		rows[i] = []any{id.New("mov"), m.at.VariantID, m.at.LocationID, m.kind, m.onHand, m.reserved, m.sold, m.reference, m.actor, now}
	}
	err := insert(ctx, tx, `movement (id, variant_id, location_id, kind, on_hand, reserved, sold, reference, actor, at_us)`, rows)
	if err != nil {
		return fmt.Errorf("write movements: %w", err)
	}
	for _, variant := range sh.crossings() {
		if err := s.outbox.Append(ctx, tx, crossed(*sh.levels[variant])); err != nil {
			return err
		}
	}
	return nil
}

// crossings are the variants whose band has changed, sorted.
func (sh *shelf) crossings() []string {
	var variants []string
	for variant, l := range sh.levels {
		if l.band() != sh.before[variant] {
			variants = append(variants, variant)
		}
	}
	slices.Sort(variants)
	return variants
}

// maxArguments is how many arguments one statement has at most: SQLite takes 32,766.
const maxArguments = 10_000

// insert inserts rows into a table, many with one statement.
func insert(ctx context.Context, tx *database.Tx, into string, rows [][]any) error {
	for len(rows) > 0 {
		n := min(len(rows), maxArguments/len(rows[0]))
		var values []string
		var args []any
		for _, row := range rows[:n] {
			var list string
			list, args = database.Row(args, row)
			values = append(values, list)
		}
		if _, err := tx.ExecContext(ctx, `INSERT INTO `+into+` VALUES `+strings.Join(values, ", "), args...); err != nil {
			return err
		}
		rows = rows[n:]
	}
	return nil
}
