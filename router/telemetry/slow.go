package telemetry

import (
	"context"
	"log/slog"
	"strconv"
	"time"

	"github.com/agora-supergraph/agora/router/serve"
)

// logSlow writes an operation with its plan, and when each fetch began and ended, by the fetch's id in the plan. The caller
// holds mu.
func (r *request) logSlow(ctx context.Context, id string, done time.Time, op serve.Operation) {
	attributes := []slog.Attr{
		slog.String("id", id), slog.String("operation", op.Name), slog.String("kind", op.Kind), slog.String("code", op.Code), slog.Float64("cost", op.Cost),
		slog.Duration("duration", done.Sub(r.began)), slog.Duration("subgraphs", op.Subgraphs), slog.String("trace", op.Trace),
		slog.Bool("planned", r.planned),
	}
	for i, f := range r.ended {
		attributes = append(attributes, slog.Attr{Key: "fetch." + strconv.Itoa(i), Value: slog.GroupValue(
			slog.Int("id", f.Fetch.ID), slog.String("subgraph", f.Subgraph), slog.Duration("began", f.Began.Sub(r.began)), slog.Duration("ended", f.Done.Sub(r.began)),
			slog.Int("representations", f.Representations), slog.Int("sent", f.Sent), slog.Int("received", f.Received), slog.Int("errors", f.Errors),
		)})
	}
	if r.plan != nil {
		attributes = append(attributes, slog.String("plan", r.plan.String()))
	}
	r.t.log.LogAttrs(ctx, slog.LevelWarn, "slow operation", attributes...)
}
