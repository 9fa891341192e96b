package event

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/agora-supergraph/agora/internal/database"
)

// Consumer applies events to a service's database, each once and in the order of its subject.
type Consumer struct {
	DB *database.DB
	// Name is the consumer's name, unique in the service, such as "orders.payments".
	Name string
	// Apply has the effect of an event, through tx alone. It sees every event of the sources that the consumer
	// is subscribed to, and does nothing for types that don't concern it. It may run again if it returns an
	// error, or if the transaction is repeated.
	Apply func(ctx context.Context, tx *database.Tx, e Event) error
	// Applied is called after the commit of an effect; nil for nothing.
	Applied func(ctx context.Context, e Event)
	// MaxAttempts is how often a failing event is tried before it becomes a dead letter. Zero means 25.
	MaxAttempts int
}

// errEarly says that an event came before its predecessor.
type errEarly struct{ sequence, last int64 }

func (e errEarly) Error() string {
	return fmt.Sprintf("event %d of its subject came before %d", e.sequence, e.last+1)
}

// Handle is the Handler of the consumer.
func (c *Consumer) Handle(ctx context.Context, d Delivery) error {
	applied := false
	err := c.DB.Tx(ctx, func(tx *database.Tx) error {
		fresh, err := c.receive(ctx, tx, d.Event)
		if err != nil || !fresh {
			return err
		}
		applied = true
		ctx := context.WithValue(WithCorrelation(ctx, d.Correlation), causationKey{}, d.ID)
		return c.Apply(ctx, tx, d.Event)
	})
	if err == nil {
		if applied && c.Applied != nil {
			c.Applied(ctx, d.Event)
		}
		return nil
	}
	if d.Attempt < c.maxAttempts() || ctx.Err() != nil {
		return fmt.Errorf("apply %s: %w", d.Type, err)
	}
	return c.bury(ctx, d.Event, err)
}

func (c *Consumer) maxAttempts() int {
	if c.MaxAttempts > 0 {
		return c.MaxAttempts
	}
	return 25
}

// receive notes that the event is here, and reports whether it is new. A consumer that has heard nothing of a
// subject takes it up with whatever comes first.
func (c *Consumer) receive(ctx context.Context, tx *database.Tx, e Event) (bool, error) {
	fresh, err := c.note(ctx, tx, e)
	if err != nil || !fresh {
		return false, err
	}
	var last int64
	err = tx.GetContext(ctx, &last, `SELECT last FROM inbox_sequence WHERE consumer = $1 AND source = $2 AND subject = $3`+tx.Dialect.ForUpdate(), c.Name, e.Source, e.Subject)
	known := !database.NoRows(err)
	if err != nil && known {
		return false, err
	}
	if known && e.Sequence > last+1 {
		return false, errEarly{e.Sequence, last}
	}
	if known && e.Sequence <= last {
		return false, nil
	}
	return true, c.advance(ctx, tx, e)
}

// note puts the event into the inbox, and reports whether it wasn't there.
func (c *Consumer) note(ctx context.Context, tx *database.Tx, e Event) (bool, error) {
	result, err := tx.ExecContext(ctx, `INSERT INTO inbox (consumer, event_id, received_us) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING`,
		c.Name, e.ID, database.Micros(time.Now()))
	if err != nil {
		return false, err
	}
	n, err := result.RowsAffected()
	return n == 1, err
}

// advance says that the next event of the subject is the one behind this.
func (c *Consumer) advance(ctx context.Context, tx *database.Tx, e Event) error {
	_, err := tx.ExecContext(ctx, `
		INSERT INTO inbox_sequence (consumer, source, subject, last) VALUES ($1, $2, $3, $4)
		ON CONFLICT (consumer, source, subject) DO UPDATE SET last = excluded.last WHERE inbox_sequence.last < excluded.last`,
		c.Name, e.Source, e.Subject, e.Sequence)
	return err
}

// bury sets aside an event that can't be applied, so that those behind it go on. One whose predecessors never came is
// such a one, too: it would hold up all events of its source for ever.
func (c *Consumer) bury(ctx context.Context, e Event, reason error) error {
	raw, err := json.Marshal(e)
	if err != nil {
		return err
	}
	return c.DB.Tx(ctx, func(tx *database.Tx) error {
		fresh, err := c.note(ctx, tx, e)
		if err != nil || !fresh {
			return err
		}
		if err := c.advance(ctx, tx, e); err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, `
			INSERT INTO dead_letter (consumer, event_id, event, reason, at_us) VALUES ($1, $2, $3, $4, $5)`,
			c.Name, e.ID, string(raw), reason.Error(), database.Micros(time.Now()))
		return err
	})
}
