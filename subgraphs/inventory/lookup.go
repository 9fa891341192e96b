package inventory

import (
	"context"
	"fmt"
	"time"

	"github.com/agora-supergraph/agora/internal/cache"
	"github.com/agora-supergraph/agora/internal/database"
	"github.com/agora-supergraph/agora/internal/event"
	"github.com/agora-supergraph/agora/internal/id"
	"github.com/agora-supergraph/agora/internal/identity"
)

// What shoppers are told of availability goes through the cache, by variant, in the version of the balance; it holds until
// the next reservation of the variant lapses, since that gives units back without anybody doing anything. Reservations and
// adjustments are decided by the database alone, and staff and other services are answered by it.

// cacheTTL is how long balances are kept: changes drop them, so that this is for what nobody could tell of.
const cacheTTL = 30 * time.Second

// touched notes in a transaction that a balance has changed.
type touched struct {
	variant string
	version int64
}

// committed drops what a transaction has changed from the cache.
func (s *Service) committed(ctx context.Context, notes []any) {
	versions := map[string]int64{}
	for _, note := range notes {
		t := note.(touched)
		versions[t.variant] = max(versions[t.variant], t.version)
	}
	s.cache.Changed(ctx, versions) // what can't be told now is told later, without anybody's help
}

// heard drops a balance from the cache of which an event tells that it is another for shoppers, if the process that made
// the change did not.
func (s *Service) heard(ctx context.Context, d event.Delivery) error {
	if d.Type != crossedType {
		return nil
	}
	var data crossedData
	if err := d.Decode(&data); err != nil {
		return err
	}
	return s.cache.Heard(ctx, map[string]int64{d.Subject: data.Version})
}

// CacheStats are the numbers of the cache.
func (s *Service) CacheStats() cache.Stats { return s.cache.Stats() }

// levelsFor are the balances of variants for who asks: for shoppers without locations, and maybe out of the cache.
func (s *Service) levelsFor(ctx context.Context, variants []string) (map[string]Level, error) {
	who := identity.From(ctx)
	if s.cache == nil || who.Service != "" || who.Has("inventory:read") {
		return s.Levels(ctx, variants)
	}
	return s.cache.Get(ctx, id.WellFormed(id.Variant, variants), s.readLevels)
}

// readLevels reads balances with the instants at which they change by themselves. One statement.
func (s *Service) readLevels(ctx context.Context, variants []string) (map[string]cache.Entry[Level], error) {
	now := database.Micros(s.now())
	among, args := database.In([]any{now, now}, variants)
	list, args := database.In(args, variants)
	var rows []struct {
		At
		NextUs *int64 `db:"next_us"`
	}
	err := s.db.Read.SelectContext(ctx, &rows, `
		SELECT s.variant_id, s.on_hand, s.reserved - COALESCE(h.lapsed, 0) AS reserved, s.version, s.updated_us, `+lowOf+`, h.next_us
		FROM stock s
		LEFT JOIN (
			SELECT l.variant_id, l.location_id, CAST(SUM(CASE WHEN r.expires_us <= $1 THEN l.quantity ELSE 0 END) AS BIGINT) AS lapsed,
				MIN(CASE WHEN r.expires_us > $2 THEN r.expires_us END) AS next_us
			FROM reservation r CROSS JOIN reservation_part l
			WHERE r.state = 'HELD' AND l.reservation_id = r.id AND l.variant_id IN `+among+`
			GROUP BY l.variant_id, l.location_id
		) h ON h.variant_id = s.variant_id AND h.location_id = s.location_id
		WHERE s.variant_id IN `+list, args...)
	if err != nil {
		return nil, fmt.Errorf("read balances: %w", err)
	}
	found := make(map[string]cache.Entry[Level], len(variants))
	for _, r := range rows {
		e := found[r.VariantID]
		e.Value.add(r.At)
		e.Value.At, e.Version = nil, e.Value.Version
		if r.NextUs != nil && (e.Until.IsZero() || database.Time(*r.NextUs).Before(e.Until)) {
			e.Until = database.Time(*r.NextUs)
		}
		found[r.VariantID] = e
	}
	return found, nil
}
