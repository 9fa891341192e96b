package event

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"time"

	"github.com/agora-supergraph/agora/internal/database"
)

// A bus that keeps events in a log may come back with an older state of it, or with an empty one. The outbox knows for
// each event the log and the position where the bus has it. So it sees what is gone: events in another log than the one
// there is; events behind the log's end; and events at whose position the log has, since, been given another one.

// repairAndTell publishes again what the bus has lost, as far as it can be told now.
func (o *Outbox) repairAndTell(ctx context.Context, keeper Keeper, log *slog.Logger) {
	n, err := o.repair(ctx, keeper)
	switch {
	case ctx.Err() != nil:
	case err != nil:
		log.ErrorContext(ctx, "compare the outbox with the bus", "source", o.source, "error", err)
	case n > 0:
		log.WarnContext(ctx, "the bus has lost events: they are published again", "source", o.source, "events", n)
	}
}

// unpublish has events published again.
const unpublish = `UPDATE outbox SET published_us = NULL, log = '', position = 0 WHERE published_us IS NOT NULL`

// What is gone is next to nothing, and must not be found by reading all that is published: these are ranges of the index (log,
// position), which has positions above 0. Postgres keeps plans that it has made while the table was all but empty; for a list
// of positions such a plan would read all of the log.
const (
	inEarlierLog = ` AND position > 0 AND log < $1 AND published_us > $2 AND published_us < $3`
	inLaterLog   = ` AND position > 0 AND log > $1 AND published_us > $2 AND published_us < $3`
	behindEnd    = ` AND position > 0 AND log = $1 AND position > $2 AND published_us < $3`
	atPositions  = ` AND position > 0 AND log = $1 AND position >= $2 AND position <= $3`
)

// repair unmarks the events that the bus should still have, and has not. It returns how many they are.
func (o *Outbox) repair(ctx context.Context, keeper Keeper) (int64, error) {
	// Marked before the bus is asked: what is published meanwhile is not taken for lost.
	now := time.Now()
	log, err := keeper.Log(ctx, o.source)
	if err != nil {
		return 0, err
	}
	kept := database.Micros(now.Add(-log.Keeps))
	var n int64
	err = o.db.Tx(ctx, func(tx *database.Tx) error {
		n = 0
		for _, lost := range []struct {
			where string
			args  []any
		}{
			{inEarlierLog, []any{log.ID, kept, database.Micros(now)}},
			{inLaterLog, []any{log.ID, kept, database.Micros(now)}},
			{behindEnd, []any{log.ID, log.Last, database.Micros(now)}},
		} {
			result, err := tx.ExecContext(database.PlanEachTime(ctx), unpublish+lost.where, lost.args...)
			if err != nil {
				return err
			}
			rows, err := result.RowsAffected()
			if err != nil {
				return err
			}
			n += rows
		}
		return nil
	})
	if err != nil {
		return 0, fmt.Errorf("unmark lost events: %w", err)
	}
	return n, nil
}

// markKept notes where the bus has events. Others that were at these positions are gone: the log has lost its end, and
// grown again.
func (o *Outbox) markKept(ctx context.Context, events []Event, log string, positions []int64) error {
	return o.db.Tx(ctx, func(tx *database.Tx) error {
		at, args := database.In([]any{log, slices.Min(positions), slices.Max(positions)}, positions)
		of, args := database.In(args, ids(events))
		if _, err := tx.ExecContext(ctx, unpublish+atPositions+` AND position IN `+at+` AND id NOT IN `+of, args...); err != nil {
			return err
		}
		// One statement for the batch: position by id. The casts tell Postgres the types of its parameters. Each size of a batch
		// has a text of its own.
		var position strings.Builder
		args = []any{database.Micros(time.Now()), log}
		for i, e := range events {
			args = append(args, e.ID, positions[i])
			fmt.Fprintf(&position, " WHEN $%d THEN CAST($%d AS BIGINT)", len(args)-1, len(args))
		}
		of, args = database.In(args, ids(events))
		_, err := tx.ExecContext(database.PlanEachTime(ctx), `UPDATE outbox SET published_us = $1, log = $2, position = CASE id`+position.String()+` END WHERE id IN `+of, args...)
		return err
	})
}
