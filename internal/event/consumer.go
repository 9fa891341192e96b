package event

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/agora-supergraph/agora/internal/database"
	"github.com/agora-supergraph/agora/internal/fault"
	"github.com/agora-supergraph/agora/internal/telemetry"
)

// Consumer applies events to a service's database, each once and in the order of its subject. An event that comes
// before its predecessor, or that can't be applied, is parked in the database together with those of its subject that
// come behind it, and tried again by the service's Relay: nobody else waits for it. Several replicas may run the same
// consumer.
type Consumer struct {
	DB *database.DB
	// Name is the consumer's name, unique in the service, such as "orders.payments".
	Name string
	// Apply has the effect of an event, through tx alone. It sees every event of the sources that the consumer
	// is subscribed to, and does nothing for types that don't concern it. It may run again if it returns an
	// error, or if the transaction is repeated.
	Apply func(ctx context.Context, tx *database.Tx, e Event) error
	// Applied is called after the commit of an effect, for those that are committed together in any order; nil for nothing.
	Applied func(ctx context.Context, e Event)
	// MaxAttempts is how often a failing event is tried before it becomes a dead letter. Zero means 25, which takes
	// some 85 s.
	MaxAttempts int
	// Patience is how long after its publication an event that came before its predecessor goes on waiting for it, however
	// often that was in vain. Zero means 10 min: a bus or a replica that is overloaded may sit for minutes on what it has.
	Patience time.Duration
}

// errEarly says that an event came before its predecessor.
type errEarly struct{ sequence, last int64 }

func (e errEarly) Error() string {
	return fmt.Sprintf("event %d of its subject came before %d", e.sequence, e.last+1)
}

// errLate says that an event came when the consumer had begun with a later one of its subject.
type errLate struct{ sequence, first int64 }

func (e errLate) Error() string {
	return fmt.Sprintf("event %d of its subject came after the consumer had begun with %d", e.sequence, e.first)
}

// quickAttempts are made by the bus, at once: what they don't cure is parked.
const quickAttempts = 3

// Handle is the Handler of the consumer.
func (c *Consumer) Handle(ctx context.Context, d Delivery) error {
	if d.Parked {
		return c.goOn(ctx, d.Source, d.Subject)
	}
	one, err := c.take(ctx, d.Event)
	switch {
	case errors.As(err, &errLate{}):
		return c.bury(ctx, d.Event, err)
	case err == nil && !one.followed:
		return nil
	case err == nil:
		return c.goOn(ctx, d.Source, d.Subject)
	case ctx.Err() != nil, d.Attempt < min(quickAttempts, c.maxAttempts()):
		return fmt.Errorf("apply %s: %w", d.Type, err)
	case d.Attempt < c.maxAttempts():
		return c.park(ctx, d, err)
	}
	if err := c.bury(ctx, d.Event, err); err != nil {
		return err
	}
	return c.goOn(ctx, d.Source, d.Subject)
}

func (c *Consumer) maxAttempts() int {
	if c.MaxAttempts > 0 {
		return c.MaxAttempts
	}
	return 25
}

// expects reports whether the predecessors of an event may still come.
func (c *Consumer) expects(e Event) bool {
	return time.Since(e.Time) < cmp.Or(c.Patience, 10*time.Minute)
}

// HandleAll is the BatchHandler of the consumer: all events in one transaction, or none.
func (c *Consumer) HandleAll(ctx context.Context, batch []Delivery) error {
	var all []taken
	err := c.DB.Tx(ctx, func(tx *database.Tx) error {
		all = nil
		for _, d := range batch {
			one, err := c.takeIn(ctx, tx, d.Event)
			if err != nil {
				return err
			}
			all = append(all, one)
		}
		return nil
	})
	if err != nil {
		return err
	}
	applied := false
	for i, one := range all {
		if one.fresh {
			c.tell(ctx, batch[i].Event)
			applied = true
		}
	}
	if !applied {
		return nil
	}
	if err := fault.Point("event.applied"); err != nil {
		return err
	}
	for i, one := range all {
		if !one.followed {
			continue
		}
		if err := c.goOn(ctx, batch[i].Source, batch[i].Subject); err != nil {
			return err
		}
	}
	return nil
}

// taken is what has come of an event: whether it was applied, and whether others of its subject are parked.
type taken struct{ fresh, followed bool }

// take applies an event if its turn has come, and parks it if it hasn't.
func (c *Consumer) take(ctx context.Context, e Event) (one taken, err error) {
	err = c.DB.Tx(ctx, func(tx *database.Tx) (err error) {
		one, err = c.takeIn(ctx, tx, e)
		return err
	})
	if err == nil && one.fresh {
		c.tell(ctx, e)
		err = fault.Point("event.applied")
	}
	return one, err
}

func (c *Consumer) takeIn(ctx context.Context, tx *database.Tx, e Event) (taken, error) {
	one, err := c.takeTurn(ctx, tx, e)
	if err != nil {
		return taken{}, err
	}
	if one.fresh {
		return one, c.effect(ctx, tx, e)
	}
	last, known, err := c.last(ctx, tx, e.Source, e.Subject)
	switch {
	case err != nil:
		return taken{}, err
	case known && e.Sequence <= last:
		return taken{}, c.refuseLate(ctx, tx, e)
	case e.Sequence > last+1:
		return taken{}, c.parkEarly(ctx, tx, e, errEarly{e.Sequence, last})
	}
	one.fresh, err = c.apply(ctx, tx, e)
	return one, err
}

// refuseLate is errLate for an event that the consumer has never had, though it has had later ones of the subject: it was
// given up while it was on its way. Any other one was had before.
func (c *Consumer) refuseLate(ctx context.Context, tx *database.Tx, e Event) error {
	var first int64
	err := tx.GetContext(ctx, &first, `
		SELECT first FROM inbox_sequence WHERE consumer = $1 AND source = $2 AND subject = $3 AND first > $4
		AND NOT EXISTS (SELECT 1 FROM inbox WHERE consumer = $1 AND event_id = $5)`, c.Name, e.Source, e.Subject, e.Sequence, e.ID)
	switch {
	case database.NoRows(err):
		return nil
	case err != nil:
		return err
	}
	return errLate{e.Sequence, first}
}

// last is the sequence of the subject's event that was applied last, and whether there was one. Until the transaction
// ends, no other one goes on with a subject that is known.
func (c *Consumer) last(ctx context.Context, tx *database.Tx, source, subject string) (last int64, known bool, err error) {
	err = tx.GetContext(ctx, &last, `SELECT last FROM inbox_sequence WHERE consumer = $1 AND source = $2 AND subject = $3`+tx.Dialect.ForUpdate(), c.Name, source, subject)
	if database.NoRows(err) {
		return 0, false, nil
	}
	return last, err == nil, err
}

// apply has the effect of an event whose turn has come, and reports whether it is new.
func (c *Consumer) apply(ctx context.Context, tx *database.Tx, e Event) (bool, error) {
	fresh, err := c.note(ctx, tx, e)
	if err != nil || !fresh {
		return false, err
	}
	if err := c.advance(ctx, tx, e); err != nil {
		return false, err
	}
	return true, c.effect(ctx, tx, e)
}

func (c *Consumer) effect(ctx context.Context, tx *database.Tx, e Event) error {
	ctx, span := watchEffect(ctx, c.Name, e)
	err := c.Apply(context.WithValue(WithCorrelation(ctx, e.Correlation), causationKey{}, e.ID), tx, e)
	telemetry.End(span, err)
	if err != nil {
		telemetry.Handled(c.Name, telemetry.Failed, e.Time)
	}
	return err
}

func (c *Consumer) tell(ctx context.Context, e Event) {
	telemetry.Handled(c.Name, telemetry.Applied, e.Time)
	if c.Applied != nil {
		c.Applied(ctx, e)
	}
}

// What notes an event in the inbox, what says that the next one of its subject is the one behind it, and what says so if its own
// turn has come.
const (
	noting    = `INSERT INTO inbox (consumer, event_id, received_us) `
	advancing = `INSERT INTO inbox_sequence (consumer, source, subject, last, first) `
	forwards  = ` ON CONFLICT (consumer, source, subject) DO UPDATE SET last = excluded.last WHERE inbox_sequence.last `

	inTurn = advancing + `SELECT $1, $2, $3, CAST($4 AS BIGINT), CAST($4 AS BIGINT)
		WHERE $4 = 1 OR EXISTS (SELECT 1 FROM inbox_sequence WHERE consumer = $1 AND source = $2 AND subject = $3)` + forwards + `= excluded.last - 1`
	parkedBehind = `SELECT COUNT(*) > 0 FROM parked WHERE consumer = $1 AND source = $2 AND subject = $3`

	takingTurn = `WITH turn AS (` + inTurn + ` RETURNING consumer),
		noted AS (` + noting + `SELECT consumer, $5, CAST($6 AS BIGINT) FROM turn ON CONFLICT DO NOTHING RETURNING consumer)
		SELECT (SELECT COUNT(*) > 0 FROM noted), (` + parkedBehind + `)`
)

// takeTurn notes an event whose turn has come, as nearly all have: on Postgres in one statement, like Outbox.Append. Until the
// transaction ends, no other one goes on with its subject.
func (c *Consumer) takeTurn(ctx context.Context, tx *database.Tx, e Event) (one taken, err error) {
	if tx.Dialect == database.Postgres {
		row := tx.QueryRowxContext(ctx, takingTurn, c.Name, e.Source, e.Subject, e.Sequence, e.ID, database.Micros(time.Now()))
		err = row.Scan(&one.fresh, &one.followed)
		return one, err
	}
	result, err := tx.ExecContext(ctx, inTurn, c.Name, e.Source, e.Subject, e.Sequence)
	if err != nil {
		return one, err
	}
	if n, err := result.RowsAffected(); err != nil || n == 0 {
		return one, err
	}
	if one.fresh, err = c.note(ctx, tx, e); err != nil {
		return one, err
	}
	err = tx.GetContext(ctx, &one.followed, parkedBehind, c.Name, e.Source, e.Subject)
	return one, err
}

// note puts the event into the inbox, and reports whether it wasn't there.
func (c *Consumer) note(ctx context.Context, tx *database.Tx, e Event) (bool, error) {
	result, err := tx.ExecContext(ctx, noting+`VALUES ($1, $2, $3) ON CONFLICT DO NOTHING`, c.Name, e.ID, database.Micros(time.Now()))
	if err != nil {
		return false, err
	}
	n, err := result.RowsAffected()
	return n == 1, err
}

// advance says that the next event of the subject is the one behind this.
func (c *Consumer) advance(ctx context.Context, tx *database.Tx, e Event) error {
	_, err := tx.ExecContext(ctx, advancing+`VALUES ($1, $2, $3, $4, $4)`+forwards+`< excluded.last`, c.Name, e.Source, e.Subject, e.Sequence)
	return err
}
