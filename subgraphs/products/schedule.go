package products

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/agora-supergraph/agora/internal/database"
	"github.com/agora-supergraph/agora/internal/idempotency"
	"github.com/agora-supergraph/agora/internal/identity"
	"github.com/agora-supergraph/agora/subgraphs/products/gen"
)

// A scheduled price begins by the clock: whoever reads a variant sees the last price that has begun by the instant of
// the operation, and one operation has one instant. Nothing has to run for that. What is stored beside it for lists,
// the price range of the product, is brought up to date by the next change of its prices, or by Run within a second.

// maxScheduled is how many prices are scheduled of a variant, in the catalogue and in each price list.
const maxScheduled = 50

// schedule replaces the prices that a variant is going to have; a key that comes again does nothing.
func (s *Service) schedule(ctx context.Context, input gen.VariantPriceScheduleInput) error {
	if err := checkSchedule(input).err(); err != nil {
		return err
	}
	key := idempotency.Key{Scope: identity.From(ctx).Actor(), Operation: "variantPriceSchedule", Key: input.IdempotencyKey, Request: idempotency.Digest(input)}
	var answer string
	err := s.db.Tx(ctx, func(tx *database.Tx) error {
		return once(ctx, tx, key, &answer, func() (string, error) { return input.VariantID, s.scheduleIn(ctx, tx, input) })
	})
	s.outbox.Wake()
	return err
}

func checkSchedule(input gen.VariantPriceScheduleInput) refusals {
	var r refusals
	r.checkKey(input.IdempotencyKey, "input", "idempotencyKey")
	if n := len(input.Prices); n > maxScheduled {
		r.refuse(gen.CatalogueErrorCodeInvalidInput, []string{"input", "prices"}, "a variant has %d scheduled prices at most, not %d", maxScheduled, n)
		return r
	}
	begins := map[int64]bool{}
	for i, p := range input.Prices {
		at := []string{"input", "prices", strconv.Itoa(i)}
		r.checkPrice(p.Price, below(at, "price")...)
		r.checkCompareAt(p.CompareAt, p.Price, below(at, "compareAt")...)
		if from := database.Micros(p.From); begins[from] {
			r.refuse(gen.CatalogueErrorCodeInvalidInput, below(at, "from"), "another price begins at the same instant")
		} else {
			begins[from] = true
		}
	}
	return r
}

func (s *Service) scheduleIn(ctx context.Context, tx *database.Tx, input gen.VariantPriceScheduleInput) error {
	p, err := s.lockPrices(ctx, tx, input.VariantID, input.ExpectedVersion)
	if err != nil {
		return err
	}
	var r refusals
	now := database.Micros(s.now())
	for i, price := range input.Prices {
		at := []string{"input", "prices", strconv.Itoa(i)}
		if database.Micros(price.From) <= now {
			r.refuse(gen.CatalogueErrorCodeInvalidInput, below(at, "from"), "it is in the past: variantPriceSet sets the price of now")
		}
		if price.Price.Currency != p.Currency {
			r.refuse(gen.CatalogueErrorCodeInvalidPrice, below(at, "price", "currency"), "the product has prices in %s", p.Currency)
		}
	}
	if err := r.err(); err != nil {
		return err
	}
	if _, err := tx.ExecContext(ctx, `DELETE FROM scheduled_price WHERE variant_id = $1`, input.VariantID); err != nil {
		return fmt.Errorf("replace scheduled prices: %w", err)
	}
	for _, price := range input.Prices {
		_, err := tx.ExecContext(ctx, `INSERT INTO scheduled_price (variant_id, from_us, price, compare_at) VALUES ($1, $2, $3, $4)`,
			input.VariantID, database.Micros(price.From), price.Price.MinorUnits, minorUnits(price.CompareAt))
		if err != nil {
			return fmt.Errorf("schedule price: %w", err)
		}
	}
	if err := p.next(ctx, tx); err != nil {
		return err
	}
	return s.store(ctx, tx, p)
}

// minorUnits are those of an amount that may be missing.
func minorUnits(m *gen.MoneyInput) *int64 {
	if m == nil {
		return nil
	}
	return &m.MinorUnits
}

// How often Run looks for prices that are due and for idempotency keys that are too old, and how long keys are kept.
const (
	settleInterval = time.Second
	pruneInterval  = time.Hour
	keyLife        = 48 * time.Hour
)

// upkeep settles the prices that are due, indexes products whose categories have changed, and forgets old idempotency keys, until ctx ends.
func (s *Service) upkeep(ctx context.Context) {
	tick := time.NewTicker(settleInterval)
	defer tick.Stop()
	var pruned time.Time
	for {
		err := errors.Join(s.settleDue(ctx), s.reindexDue(ctx))
		if now := s.now(); now.Sub(pruned) >= pruneInterval {
			pruned = now
			err = errors.Join(err, idempotency.Prune(ctx, s.db, now.Add(-keyLife)))
		}
		if err != nil && ctx.Err() == nil {
			s.log.ErrorContext(ctx, "settle prices, index products and prune keys", "error", err)
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
	}
}

// settleDue settles the prices of all products that are due. Replicas may do so at the same time: the row of the product
// decides.
func (s *Service) settleDue(ctx context.Context) error {
	var due []string
	err := s.db.Read.SelectContext(ctx, &due, `SELECT id FROM product WHERE reprice_us <= $1 ORDER BY reprice_us`, database.Micros(s.now()))
	if err != nil {
		return fmt.Errorf("look for prices that are due: %w", err)
	}
	for _, id := range due {
		err := s.db.Tx(ctx, func(tx *database.Tx) error {
			p, err := lockProduct(ctx, tx, `p.id = $1`, id)
			if err != nil || p == nil {
				return err
			}
			return s.settle(ctx, tx, p)
		})
		if err != nil {
			return fmt.Errorf("settle prices of product %s: %w", id, err)
		}
	}
	if len(due) > 0 {
		s.outbox.Wake()
	}
	return nil
}
