package orders

import (
	"context"

	"github.com/agora-supergraph/agora/internal/telemetry"
)

// measure has the sagas that are under way counted whenever metrics are read.
func (s *Service) measure() {
	telemetry.Gauge("orders_sagas_unfinished", "Sagas that are not at their end.", Source, func(ctx context.Context) (n float64, err error) {
		err = s.db.Read.GetContext(ctx, &n, `SELECT COUNT(*) FROM saga WHERE plan <> ''`)
		return n, err
	})
	telemetry.Gauge("orders_saga_oldest_seconds", "The age of the oldest order whose saga is not at its end.", Source, func(ctx context.Context) (float64, error) {
		var oldest *int64
		err := s.db.Read.GetContext(ctx, &oldest, `SELECT MIN(o.placed_us) FROM saga s JOIN orders o ON o.id = s.order_id WHERE s.plan <> ''`)
		if err != nil || oldest == nil {
			return 0, err
		}
		return float64(s.nowMicros()-*oldest) / 1e6, nil
	})
}
