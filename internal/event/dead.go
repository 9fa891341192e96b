package event

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/agora-supergraph/agora/internal/database"
)

// DeadLetter is an event that a consumer could not apply.
type DeadLetter struct {
	Event
	// Consumer is whose it is, and Reason the error of its last attempt.
	Consumer, Reason string
	// At is when it was given up.
	At time.Time
}

// DeadLetters are those of a service, the oldest first.
func DeadLetters(ctx context.Context, q database.Querier) ([]DeadLetter, error) {
	var rows []struct {
		Consumer, Event, Reason string
		AtUs                    int64 `db:"at_us"`
	}
	if err := q.SelectContext(ctx, &rows, `SELECT consumer, event, reason, at_us FROM dead_letter ORDER BY at_us, consumer, event_id`); err != nil {
		return nil, fmt.Errorf("read dead letters: %w", err)
	}
	letters := make([]DeadLetter, len(rows))
	for i, r := range rows {
		letters[i] = DeadLetter{Consumer: r.Consumer, Reason: r.Reason, At: database.Time(r.AtUs)}
		if err := json.Unmarshal([]byte(r.Event), &letters[i].Event); err != nil {
			return nil, fmt.Errorf("decode dead letter of %s: %w", r.Consumer, err)
		}
	}
	return letters, nil
}

// Revive has dead letters tried once more, at the consumer's next look: later events of their subjects may have been
// applied since. The running service does it; one that fails again is a dead letter again.
func Revive(ctx context.Context, db *database.DB, letters ...DeadLetter) error {
	err := db.Tx(ctx, func(tx *database.Tx) error {
		for _, l := range letters {
			c := Consumer{Name: l.Consumer}
			if err := c.insertParked(ctx, tx, l.Event, parkedRow{State: parkedRevived}, l.Reason); err != nil {
				return err
			}
			if _, err := tx.ExecContext(ctx, `DELETE FROM dead_letter WHERE consumer = $1 AND event_id = $2`, l.Consumer, l.ID); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("revive dead letters: %w", err)
	}
	return nil
}

// Forget makes a consumer one that has heard nothing of a source: it applies again whatever is published again. Call
// it only for consumers whose effect may be had twice, such as those that build an index.
func Forget(ctx context.Context, db *database.DB, consumer, source string) error {
	err := db.Tx(ctx, func(tx *database.Tx) error {
		// The inbox does not say where an event came from: what else it forgets is known by its sequence.
		if _, err := tx.ExecContext(ctx, `DELETE FROM inbox WHERE consumer = $1`, consumer); err != nil {
			return err
		}
		_, err := tx.ExecContext(ctx, `DELETE FROM inbox_sequence WHERE consumer = $1 AND source = $2`, consumer, source)
		return err
	})
	if err != nil {
		return fmt.Errorf("forget what %s has heard of %s: %w", consumer, source, err)
	}
	return nil
}

// Replay has all events of a service since a time published again, and returns how many they are. Consumers that have
// seen them drop them.
func Replay(ctx context.Context, db *database.DB, since time.Time) (n int64, err error) {
	err = db.Tx(ctx, func(tx *database.Tx) error {
		result, err := tx.ExecContext(ctx, `UPDATE outbox SET published_us = NULL, log = '', position = 0 WHERE published_us IS NOT NULL AND time_us >= $1`, database.Micros(since))
		if err != nil {
			return err
		}
		n, err = result.RowsAffected()
		return err
	})
	if err != nil {
		return 0, fmt.Errorf("replay events: %w", err)
	}
	return n, nil
}
