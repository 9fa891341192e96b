package event

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/agora-supergraph/agora/internal/database"
	"github.com/agora-supergraph/agora/internal/fault"
	"github.com/agora-supergraph/agora/internal/telemetry"
)

// Outbox is a service's record of what it has to say, and the relay that says it. Make it with NewOutbox. It is safe for
// concurrent use.
type Outbox struct {
	db     *database.DB
	source string
	wake   chan struct{}
}

// NewOutbox returns the outbox of the service that is the source, such as "agora/orders".
func NewOutbox(db *database.DB, source string) *Outbox {
	return &Outbox{db: db, source: source, wake: make(chan struct{}, 1)}
}

// Append writes events into the outbox, in the transaction of what they tell of. Call Wake after its commit.
func (o *Outbox) Append(ctx context.Context, tx *database.Tx, events ...Event) error {
	correlation, causation := correlationOf(ctx)
	for _, e := range events {
		values := []any{
			e.ID, e.Type, e.Subject, database.Micros(time.Now()), correlation, causation, telemetry.Request(ctx), telemetry.Parent(ctx), string(e.Data),
		}
		if err := o.append(ctx, tx, e.Subject, values); err != nil {
			return fmt.Errorf("append event %s: %w", e.Type, err)
		}
	}
	return nil
}

// What gives an event its number, and what writes it down.
const (
	numbering = `INSERT INTO outbox_sequence (subject, last) VALUES ($%d, 1)
		ON CONFLICT (subject) DO UPDATE SET last = outbox_sequence.last + 1
		RETURNING last`
	appending = `INSERT INTO outbox (id, type, subject, time_us, correlation, causation, request, traceparent, data, sequence) `
)

var (
	number          = fmt.Sprintf(numbering, 1)
	appendNumbered  = appending + `VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)`
	numberAndAppend = `WITH numbered AS (` + fmt.Sprintf(numbering, 3) + `) ` + appending + `SELECT $1, $2, $3, $4, $5, $6, $7, $8, $9, last FROM numbered`
)

// append writes an event down: on Postgres at once, since a way to the server costs more than a statement.
func (o *Outbox) append(ctx context.Context, tx *database.Tx, subject string, values []any) error {
	if tx.Dialect == database.Postgres {
		_, err := tx.ExecContext(ctx, numberAndAppend, values...)
		return err
	}
	var sequence int64
	if err := tx.GetContext(ctx, &sequence, number, subject); err != nil {
		return err
	}
	_, err := tx.ExecContext(ctx, appendNumbered, append(values, sequence)...)
	return err
}

// Wake tells the relay that there is something to publish, so that it need not wait for its next look.
func (o *Outbox) Wake() {
	select {
	case o.wake <- struct{}{}:
	default:
	}
}

// The relay's batch, how often it looks without being woken, how often at most it looks for parked events, and how often it
// asks the bus whether it has all that was published.
const (
	relayBatch     = 200
	relayInterval  = time.Second
	reviveInterval = 100 * time.Millisecond
	repairInterval = 5 * time.Second
)

// Relay publishes what is unpublished until ctx ends, and again what the bus has lost. It also has those events tried
// again that the service's consumers have parked, and prunes their inboxes. Several replicas may run: what two of them
// publish, the inboxes take once.
func (o *Outbox) Relay(ctx context.Context, bus Bus, log *slog.Logger) error {
	o.measure()
	timer := time.NewTicker(relayInterval)
	defer timer.Stop()
	keeper, _ := bus.(Keeper)
	var checked, pruned, revived time.Time
	for {
		if keeper != nil && time.Since(checked) >= repairInterval {
			checked = time.Now()
			o.repairAndTell(ctx, keeper, log)
		}
		n, err := o.publish(ctx, bus)
		if time.Since(revived) >= reviveInterval {
			revived = time.Now()
			err = errors.Join(err, o.redeliver(ctx, bus))
		}
		if time.Since(pruned) >= pruneInterval {
			pruned = time.Now()
			err = errors.Join(err, prune(ctx, o.db, pruned.Add(-inboxLife)))
		}
		if ctx.Err() != nil {
			return nil
		}
		if err != nil {
			log.ErrorContext(ctx, "relay events", "source", o.source, "error", err)
		}
		if err == nil && n == relayBatch {
			continue
		}
		select {
		case <-ctx.Done():
			return nil
		case <-o.wake:
		case <-timer.C:
		}
	}
}

// publish sends one batch of what is unpublished. It takes rows by their mark and not by "id greater than the
// last", since rows become visible in the order of commits, not of ids. They go by their sequence, since ids are
// made before the transaction has its turn: of two events of one subject the first may have the greater id.
func (o *Outbox) publish(ctx context.Context, bus Bus) (int, error) {
	var rows []row
	err := o.db.Read.SelectContext(ctx, &rows, `
		SELECT id, type, subject, sequence, time_us, correlation, causation, request, traceparent, data
		FROM outbox WHERE published_us IS NULL ORDER BY sequence, id LIMIT $1`, relayBatch)
	if err != nil {
		return 0, err
	}
	events := make([]Event, len(rows))
	for i, r := range rows {
		events[i] = r.event(o.source)
	}
	if len(events) == 0 {
		return 0, nil
	}
	spans := watchPublishing(ctx, events)
	err = o.hand(ctx, bus, events)
	spans.end(o.source, len(events), err)
	if err != nil {
		return 0, err
	}
	return len(rows), nil
}

// hand gives a batch to the bus, and marks it as published.
func (o *Outbox) hand(ctx context.Context, bus Bus, events []Event) error {
	if keeper, ok := bus.(Keeper); ok {
		log, positions, err := keeper.Keep(ctx, events)
		if err = cmp.Or(err, fault.Point("event.published")); err != nil {
			return err
		}
		return o.markKept(ctx, events, log, positions)
	}
	if err := cmp.Or(bus.Publish(ctx, events), fault.Point("event.published")); err != nil {
		return err
	}
	return o.mark(ctx, events)
}

func ids(events []Event) []string {
	list := make([]string, len(events))
	for i, e := range events {
		list[i] = e.ID
	}
	return list
}

func (o *Outbox) mark(ctx context.Context, events []Event) error {
	return o.db.Tx(ctx, func(tx *database.Tx) error {
		list, args := database.In([]any{database.Micros(time.Now())}, ids(events))
		_, err := tx.ExecContext(ctx, `UPDATE outbox SET published_us = $1 WHERE id IN `+list, args...)
		return err
	})
}

type row struct {
	ID, Type, Subject, Correlation, Causation, Request, TraceParent, Data string
	Sequence                                                              int64
	TimeUs                                                                int64 `db:"time_us"`
}

func (r row) event(source string) Event {
	return Event{
		ID: r.ID, Source: source, Type: r.Type, Subject: r.Subject, Sequence: r.Sequence,
		Time: database.Time(r.TimeUs), Correlation: r.Correlation, Causation: r.Causation, Request: r.Request, TraceParent: r.TraceParent, Data: []byte(r.Data),
	}
}
