package event

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/agora-supergraph/agora/internal/database"
	"github.com/agora-supergraph/agora/internal/telemetry"
)

// The states of a parked event.
const (
	parkedEarly   = "EARLY"
	parkedFailed  = "FAILED"
	parkedRevived = "REVIVED"
)

// newcomerPatience is how long the first event that is heard of a subject waits for its predecessors at least, and until
// they are no longer expected. If they don't come, they were published before the consumer was there. What comes later than
// that is a dead letter.
const newcomerPatience = time.Minute

// parkedRow is an event that waits, and why.
type parkedRow struct {
	Sequence int64
	Event    string
	State    string
	Attempts int
	DueUs    int64 `db:"due_us"`
}

// parkEarly sets an event aside until its predecessor has come, in the transaction that has seen it missing. It is looked at
// again soon: a predecessor that another replica had in hand at that moment has not seen it.
func (c *Consumer) parkEarly(ctx context.Context, tx *database.Tx, e Event, reason errEarly) error {
	due := time.Now().Add(Backoff(1))
	return c.insertParked(ctx, tx, e, parkedRow{State: parkedEarly, DueUs: database.Micros(due)}, reason.Error())
}

// park sets an event aside until its next attempt.
func (c *Consumer) park(ctx context.Context, d Delivery, reason error) error {
	due := time.Now().Add(Backoff(d.Attempt))
	return c.DB.Tx(ctx, func(tx *database.Tx) error {
		return c.insertParked(ctx, tx, d.Event, parkedRow{State: parkedFailed, Attempts: d.Attempt, DueUs: database.Micros(due)}, reason.Error())
	})
}

func (c *Consumer) insertParked(ctx context.Context, tx *database.Tx, e Event, p parkedRow, reason string) error {
	raw, err := json.Marshal(e)
	if err != nil {
		return err
	}
	_, err = tx.ExecContext(ctx, `
		INSERT INTO parked (consumer, source, subject, sequence, event, state, attempts, reason, due_us)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) ON CONFLICT DO NOTHING`,
		c.Name, e.Source, e.Subject, e.Sequence, string(raw), p.State, p.Attempts, reason, p.DueUs)
	return err
}

// goOn applies what is parked of a subject, in its order, as far as it goes.
func (c *Consumer) goOn(ctx context.Context, source, subject string) error {
	for {
		if more, err := c.unpark(ctx, source, subject); err != nil || !more {
			return err
		}
	}
}

// unpark tries the first parked event of a subject, and reports whether the one behind it may be tried.
func (c *Consumer) unpark(ctx context.Context, source, subject string) (more bool, err error) {
	var e Event
	var p parkedRow
	var fresh bool
	var reason error
	err = c.DB.Tx(ctx, func(tx *database.Tx) error {
		e, p, fresh, more, reason = Event{}, parkedRow{}, false, false, nil
		last, known, err := c.last(ctx, tx, source, subject)
		if err != nil {
			return err
		}
		if p, err = c.firstParked(ctx, tx, source, subject); err != nil || p.Event == "" {
			return err
		}
		if err := json.Unmarshal([]byte(p.Event), &e); err != nil {
			return fmt.Errorf("decode parked event: %w", err)
		}
		inTurn := p.Sequence == last+1 || p.State == parkedRevived
		if waiting := p.DueUs > database.Micros(time.Now()); waiting && (!inTurn || p.State == parkedFailed) {
			return nil
		}
		if !known && !inTurn && (p.Attempts == 0 || c.expects(e)) {
			return c.delay(ctx, tx, e)
		}
		if known && !inTurn && p.Sequence > last {
			reason = errEarly{p.Sequence, last}
			return reason
		}
		more = true
		switch {
		case p.State == parkedRevived:
			fresh, reason = true, c.effect(ctx, tx, e)
		case p.Sequence > last:
			fresh, reason = c.apply(ctx, tx, e)
		}
		if reason != nil {
			return reason
		}
		return c.deleteParked(ctx, tx, e)
	})
	switch {
	case err == nil && fresh:
		c.tell(ctx, e)
		return more, nil
	case err == nil || reason == nil || ctx.Err() != nil:
		return more && err == nil, err
	}
	return c.again(ctx, e, p, reason)
}

// firstParked is the event of a subject that is to be tried first; none has no Event.
func (c *Consumer) firstParked(ctx context.Context, tx *database.Tx, source, subject string) (p parkedRow, err error) {
	err = tx.GetContext(ctx, &p, `
		SELECT sequence, event, state, attempts, due_us FROM parked WHERE consumer = $1 AND source = $2 AND subject = $3
		ORDER BY sequence LIMIT 1`+tx.Dialect.ForUpdate(), c.Name, source, subject)
	if database.NoRows(err) {
		return parkedRow{}, nil
	}
	return p, err
}

// again counts an attempt that failed, and reports whether it was the last one, so that those behind it go on.
func (c *Consumer) again(ctx context.Context, e Event, p parkedRow, reason error) (bool, error) {
	early := errors.As(reason, &errEarly{})
	if !early || p.Attempts+1 < c.maxAttempts() || !c.expects(e) {
		p.Attempts++
	}
	if p.Attempts >= c.maxAttempts() || p.State == parkedRevived {
		return true, c.bury(ctx, e, reason)
	}
	if !early {
		p.State = parkedFailed
	}
	due := time.Now().Add(Backoff(p.Attempts))
	return false, c.DB.Tx(ctx, func(tx *database.Tx) error {
		_, err := tx.ExecContext(ctx, `
			UPDATE parked SET state = $1, attempts = $2, reason = $3, due_us = $4
			WHERE consumer = $5 AND source = $6 AND subject = $7 AND sequence = $8`,
			p.State, p.Attempts, reason.Error(), database.Micros(due), c.Name, e.Source, e.Subject, e.Sequence)
		return err
	})
}

// delay has the first events of a subject wait on.
func (c *Consumer) delay(ctx context.Context, tx *database.Tx, e Event) error {
	_, err := tx.ExecContext(ctx, `UPDATE parked SET due_us = $1, attempts = 1 WHERE consumer = $2 AND source = $3 AND subject = $4 AND sequence >= $5`,
		database.Micros(time.Now().Add(newcomerPatience)), c.Name, e.Source, e.Subject, e.Sequence)
	return err
}

func (c *Consumer) deleteParked(ctx context.Context, tx *database.Tx, e Event) error {
	_, err := tx.ExecContext(ctx, `DELETE FROM parked WHERE consumer = $1 AND source = $2 AND subject = $3 AND sequence = $4`,
		c.Name, e.Source, e.Subject, e.Sequence)
	return err
}

// bury sets aside for good an event that can't be applied, so that those behind it go on. One whose predecessors never
// came is such a one, too: it would hold up all events of its subject for ever.
func (c *Consumer) bury(ctx context.Context, e Event, reason error) error {
	telemetry.Handled(c.Name, telemetry.Dead, e.Time)
	raw, err := json.Marshal(e)
	if err != nil {
		return err
	}
	return c.DB.Tx(ctx, func(tx *database.Tx) error {
		if err := c.deleteParked(ctx, tx, e); err != nil {
			return err
		}
		if _, err := c.note(ctx, tx, e); err != nil {
			return err
		}
		if err := c.advance(ctx, tx, e); err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, `
			INSERT INTO dead_letter (consumer, event_id, event, reason, at_us) VALUES ($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING`,
			c.Name, e.ID, string(raw), reason.Error(), database.Micros(time.Now()))
		return err
	})
}
