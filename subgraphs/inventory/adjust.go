package inventory

import (
	"context"
	"slices"
	"strconv"
	"strings"

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
	Delta     int64  `json:"delta"`
	// From is what must be on hand before; nil for whatever it is.
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

func (s *Service) adjustAll(ctx context.Context, tx *database.Tx, a Adjustment) error {
	// In the order of the variants, as everybody locks them; the changes of one variant stay in theirs.
	order := make([]int, len(a.Changes))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(i, j int) int { return strings.Compare(a.Changes[i].VariantID, a.Changes[j].VariantID) })
	var refused refusals
	for _, i := range order {
		c := a.Changes[i]
		refusal, err := s.adjust(ctx, tx, c, a)
		if err != nil {
			return err
		}
		if refusal != nil {
			refusal.Field = []string{"input", "changes", strconv.Itoa(i)}
			refusal.VariantID = c.VariantID
			refused = append(refused, refusal)
		}
	}
	if len(refused) > 0 {
		return refused
	}
	return nil
}

func (s *Service) adjust(ctx context.Context, tx *database.Tx, c Adjust, a Adjustment) (*Refusal, error) {
	if !id.Is(id.Variant, c.VariantID) {
		return refuse("NOT_FOUND", "this is no variant's id"), nil
	}
	var level Level
	err := tx.GetContext(ctx, &level, `SELECT variant_id, on_hand, reserved, sold, version, updated_us FROM stock WHERE variant_id = $1`+tx.Dialect.ForUpdate(), c.VariantID)
	if database.NoRows(err) {
		return refuse("NOT_FOUND", "there is no variant %s", c.VariantID), nil
	}
	if err != nil {
		return nil, err
	}
	if c.From != nil && *c.From != level.OnHand {
		return refuse("STALE_QUANTITY", "%d are on hand, not %d", level.OnHand, *c.From), nil
	}
	reference := a.Reference
	if reference == "" {
		reference = a.Key
	}
	ok, err := s.move(ctx, tx, c.VariantID, change{kind: a.Reason, onHand: c.Delta, reference: reference})
	if err != nil {
		return nil, err
	}
	if !ok {
		refusal := refuse("WOULD_GO_NEGATIVE", "%d are on hand and %d of them reserved: %d can be taken away at most", level.OnHand, level.Reserved, level.Available())
		refusal.Available = level.Available()
		return refusal, nil
	}
	return nil, nil
}

// Receive adds units to variants, of which some may be new: for a first stock, not for commands that may be
// repeated.
func (s *Service) Receive(ctx context.Context, lines []Line, reference string) error {
	err := s.db.Tx(ctx, func(tx *database.Tx) error {
		for _, l := range merge(lines) {
			if err := s.know(ctx, tx, l.VariantID); err != nil {
				return err
			}
			if l.Quantity == 0 {
				continue
			}
			if _, err := s.move(ctx, tx, l.VariantID, change{kind: "RECEIVED", onHand: l.Quantity, reference: reference}); err != nil {
				return err
			}
		}
		return nil
	})
	s.outbox.Wake()
	return err
}

// know makes the balance of a variant, unless there is one.
func (s *Service) know(ctx context.Context, tx *database.Tx, variant string) error {
	_, err := tx.ExecContext(ctx, `
		INSERT INTO stock (variant_id, on_hand, reserved, sold, version, updated_us) VALUES ($1, 0, 0, 0, 1, $2)
		ON CONFLICT (variant_id) DO NOTHING`, variant, database.Micros(s.now()))
	return err
}
