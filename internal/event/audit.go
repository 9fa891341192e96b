package event

import (
	"context"
	"fmt"
	"time"

	"github.com/agora-supergraph/agora/internal/database"
)

// Lag is how long an event may be on its way before an audit calls it lost: a relay that catches up with a bulk import on a
// busy machine takes minutes.
const Lag = 5 * time.Minute

// Unpublished are the events that a service has said and not published, although it has gone on for longer than Lag since:
// a sentence each.
func Unpublished(ctx context.Context, q database.Querier) ([]string, error) {
	var rows []struct {
		ID, Type, Subject string
	}
	err := q.SelectContext(ctx, &rows, `
		SELECT id, type, subject FROM outbox
		WHERE published_us IS NULL AND time_us < (SELECT MAX(COALESCE(published_us, time_us)) FROM outbox) - $1
		ORDER BY sequence, id`, Lag.Microseconds())
	if err != nil {
		return nil, fmt.Errorf("read outbox: %w", err)
	}
	var broken []string
	for _, r := range rows {
		broken = append(broken, fmt.Sprintf("event %s (%s of %s) was never published", r.ID, r.Type, r.Subject))
	}
	return broken, nil
}

// Published is the last sequence of each subject that a service has published, but for what may still be on its way.
func Published(ctx context.Context, q database.Querier) (map[string]int64, error) {
	return lasts(ctx, q, `
		SELECT subject, MAX(sequence) AS last FROM outbox
		WHERE published_us <= (SELECT MAX(COALESCE(published_us, time_us)) FROM outbox) - $1 GROUP BY subject`, Lag.Microseconds())
}

// Heard is the last sequence of each subject of a source that a consumer has taken in.
func Heard(ctx context.Context, q database.Querier, consumer, source string) (map[string]int64, error) {
	return lasts(ctx, q, `SELECT subject, last FROM inbox_sequence WHERE consumer = $1 AND source = $2`, consumer, source)
}

func lasts(ctx context.Context, q database.Querier, query string, args ...any) (map[string]int64, error) {
	var rows []struct {
		Subject string
		Last    int64
	}
	if err := q.SelectContext(ctx, &rows, query, args...); err != nil {
		return nil, fmt.Errorf("read sequences of events: %w", err)
	}
	all := make(map[string]int64, len(rows))
	for _, r := range rows {
		all[r.Subject] = r.Last
	}
	return all, nil
}

// Buried says, a sentence each, which events a service could not apply.
func Buried(ctx context.Context, q database.Querier) ([]string, error) {
	var rows []struct {
		Consumer string
		EventID  string `db:"event_id"`
		Reason   string
	}
	if err := q.SelectContext(ctx, &rows, `SELECT consumer, event_id, reason FROM dead_letter ORDER BY consumer, event_id`); err != nil {
		return nil, fmt.Errorf("read dead letters: %w", err)
	}
	var broken []string
	for _, r := range rows {
		broken = append(broken, fmt.Sprintf("event %s is a dead letter of %s: %s", r.EventID, r.Consumer, r.Reason))
	}
	return broken, nil
}
