package event

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/agora-supergraph/agora/internal/database"
)

// dueBatch is how many subjects with something parked a relay goes on with at a time.
const dueBatch = 100

// redeliver has what is parked and due tried again.
func (o *Outbox) redeliver(ctx context.Context, bus Bus) error {
	var due []struct{ Consumer, Event string }
	err := o.db.Read.SelectContext(ctx, &due, `
		SELECT consumer, MIN(event) AS event FROM parked WHERE due_us <= $1
		GROUP BY consumer, source, subject ORDER BY MIN(due_us) LIMIT $2`, database.Micros(time.Now()), dueBatch)
	if err != nil {
		return fmt.Errorf("look for parked events: %w", err)
	}
	var errs []error
	for _, d := range due {
		delivery := Delivery{Attempt: 1, Parked: true}
		if err := json.Unmarshal([]byte(d.Event), &delivery.Event); err != nil {
			return fmt.Errorf("decode parked event of %s: %w", d.Consumer, err)
		}
		errs = append(errs, bus.Redeliver(ctx, d.Consumer, delivery))
	}
	return errors.Join(errs...)
}

// Inboxes forget what they received longer ago than inboxLife: sequences tell old events as well, and no bus keeps them
// as long.
const (
	pruneInterval = time.Hour
	inboxLife     = 30 * 24 * time.Hour
)

// prune forgets what was received before a time.
func prune(ctx context.Context, db *database.DB, before time.Time) error {
	err := db.Tx(ctx, func(tx *database.Tx) error {
		_, err := tx.ExecContext(ctx, `DELETE FROM inbox WHERE received_us < $1`, database.Micros(before))
		return err
	})
	if err != nil {
		return fmt.Errorf("prune inboxes: %w", err)
	}
	return nil
}
