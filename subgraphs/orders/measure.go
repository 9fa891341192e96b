package orders

import (
	"context"
	"time"

	"github.com/agora-supergraph/agora/internal/database"
	"github.com/agora-supergraph/agora/internal/telemetry"
)

// measure has the sagas that are under way counted whenever metrics are read.
func (s *Service) measure() {
	telemetry.Count("orders_sagas_unfinished", "Sagas that are not at their end.", Source, func(ctx context.Context) (n int64, err error) {
		err = s.db.Read.GetContext(ctx, &n, `SELECT COUNT(*) FROM saga WHERE plan <> ''`)
		return n, err
	})
	telemetry.Age("orders_saga_oldest_seconds", "The age of the oldest order whose saga is not at its end.", Source, func(ctx context.Context) (time.Duration, error) {
		var oldest *int64
		err := s.db.Read.GetContext(ctx, &oldest, `SELECT MIN(o.placed_us) FROM saga s JOIN orders o ON o.id = s.order_id WHERE s.plan <> ''`)
		if err != nil || oldest == nil {
			return 0, err
		}
		return s.now().Sub(database.Time(*oldest)), nil
	})
}
