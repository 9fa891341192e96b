package inventory

import (
	"cmp"
	"context"
	"fmt"
	"strconv"

	"github.com/agora-supergraph/agora/internal/database"
	"github.com/agora-supergraph/agora/internal/id"
	"github.com/agora-supergraph/agora/internal/idempotency"
	"github.com/agora-supergraph/agora/internal/identity"
)

// Adjustment counts goods in or out.
type Adjustment struct {
	Changes []Adjust `json:"changes"`
	// Reason is one of StockReason.
	Reason    string `json:"reason"`
	Reference string `json:"reference"`
	// Key makes it happen once.
	Key string `json:"-"`
}

// Adjust changes what is on hand of a variant.
type Adjust struct {
	VariantID string `json:"variantId"`
	// LocationID is where; empty for the main location.
	LocationID string `json:"locationId,omitempty"`
	Delta      int64  `json:"delta"`
	// From is what must be on hand there before; nil for whatever it is.
	From *int64 `json:"from"`
}

// Adjust makes all changes of an adjustment, or none; a key that comes again gets the first answer.
func (s *Service) Adjust(ctx context.Context, a Adjustment) error {
	key := idempotency.Key{Scope: identity.From(ctx).Actor(), Operation: "stockAdjust", Key: a.Key, Request: idempotency.Digest(a)}
	err := s.db.Tx(ctx, func(tx *database.Tx) error {
		status, _, err := idempotency.Claim(ctx, tx, key)
		if err != nil {
			return err
		}
		switch status {
		case idempotency.Reused:
			return refusals{refuse("IDEMPOTENCY_KEY_REUSED", "the idempotency key was used with other parameters")}
		case idempotency.Claimed:
			// A refusal is not stored: nothing has happened, and the caller may try again.
			return s.adjustAll(ctx, tx, a)
		}
		return nil // it has been done: keys are claimed in the transaction of the whole effect
	})
	s.outbox.Wake()
	return err
}

// adjustAll makes all changes in their order, or refuses those that can't be made.
func (s *Service) adjustAll(ctx context.Context, tx *database.Tx, a Adjustment) error {
	sh, err := s.shelfFor(ctx, tx, a)
	if err != nil {
		return err
	}
	reference := cmp.Or(a.Reference, a.Key)
	var refused refusals
	for i, c := range a.Changes {
		if refusal := sh.adjust(ctx, c, change{kind: a.Reason, onHand: c.Delta, reference: reference}); refusal != nil {
			refusal.Field = []string{"input", "changes", strconv.Itoa(i)}
			refusal.VariantID = c.VariantID
			refused = append(refused, refusal)
		}
	}
	if len(refused) > 0 {
		return refused
	}
	return s.write(ctx, tx, sh)
}

// shelfFor locks the stock of an adjustment. A variant that was never at a location gets a balance there, if both exist.
func (s *Service) shelfFor(ctx context.Context, tx *database.Tx, a Adjustment) (*shelf, error) {
	var lines []Line
	for _, c := range a.Changes {
		lines = append(lines, Line{c.VariantID, 0})
	}
	lines = merge(lines)
	for _, c := range a.Changes {
		if !id.Is(id.Variant, c.VariantID) || !id.Is(prefixLocation, c.LocationID) {
			continue
		}
		_, err := tx.ExecContext(ctx, `
			INSERT INTO stock (variant_id, location_id, on_hand, reserved, sold, version, updated_us)
			SELECT s.variant_id, p.id, 0, 0, 0, 1, s.updated_us FROM stock s CROSS JOIN location p
			WHERE s.variant_id = $1 AND s.location_id = $2 AND p.id = $3
			ON CONFLICT (variant_id, location_id) DO NOTHING`, c.VariantID, MainLocation, c.LocationID)
		if err != nil {
			return nil, err
		}
	}
	return lockShelf(ctx, tx, variantsOf(lines))
}

// adjust makes one change, or says why it can't be made.
func (sh *shelf) adjust(ctx context.Context, c Adjust, by change) *Refusal {
	if sh.levels[c.VariantID] == nil {
		return refuse("NOT_FOUND", "there is no variant %.50q", c.VariantID)
	}
	location := cmp.Or(c.LocationID, MainLocation)
	at := sh.at(c.VariantID, location)
	switch {
	case at == nil:
		return noLocation(c.LocationID)
	case c.From != nil && *c.From != at.OnHand:
		return refuse("STALE_QUANTITY", "%d are on hand, not %d", at.OnHand, *c.From)
	case !sh.move(ctx, c.VariantID, location, by):
		refusal := refuse("WOULD_GO_NEGATIVE", "%d are on hand and %d of them reserved: %d can be taken away at most", at.OnHand, at.Reserved, at.Available())
		refusal.Available = at.Available()
		return refusal
	}
	return nil
}

// Receive adds units to variants at the main location, of which some may be new: for a first stock, not for commands that may be
// repeated.
func (s *Service) Receive(ctx context.Context, lines []Line, reference string) error {
	err := s.db.Tx(ctx, func(tx *database.Tx) error {
		lines := merge(lines)
		for _, l := range lines {
			if err := s.know(ctx, tx, l.VariantID); err != nil {
				return err
			}
		}
		sh, err := lockShelf(ctx, tx, variantsOf(lines))
		if err != nil {
			return err
		}
		for _, l := range lines {
			if l.Quantity > 0 && !sh.move(ctx, l.VariantID, MainLocation, change{kind: "RECEIVED", onHand: l.Quantity, reference: reference}) {
				return fmt.Errorf("receive %d of %q: it is no variant's id", l.Quantity, l.VariantID)
			}
		}
		return s.write(ctx, tx, sh)
	})
	s.outbox.Wake()
	return err
}

// know makes the balance of a variant at the main location, unless there is one.
func (s *Service) know(ctx context.Context, tx *database.Tx, variant string) error {
	_, err := tx.ExecContext(ctx, `
		INSERT INTO stock (variant_id, location_id, on_hand, reserved, sold, version, updated_us) VALUES ($1, $2, 0, 0, 0, 1, $3)
		ON CONFLICT (variant_id, location_id) DO NOTHING`, variant, MainLocation, database.Micros(s.now()))
	tx.Note(touched{variant, 1})
	return err
}
