package sandbox

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/agora-supergraph/agora/internal/database"
	"github.com/agora-supergraph/agora/internal/id"
	"github.com/agora-supergraph/agora/internal/idempotency"
	"github.com/agora-supergraph/agora/subgraphs/payments"
	"github.com/agora-supergraph/agora/subgraphs/payments/gen"
)

// Errors of requests.
var (
	// ErrKeyReused is the answer to a key that came with other parameters before.
	ErrKeyReused = errors.New("sandbox: the key was used for another request")
	// ErrRateLimited says that the request was not taken, and may come again.
	ErrRateLimited = errors.New("sandbox: too many requests")
	// ErrUnavailable says that something broke, before or behind the effect of the request.
	ErrUnavailable = errors.New("sandbox: something broke")
)

// Authorize holds an amount, unless the token says otherwise.
func (s *Sandbox) Authorize(ctx context.Context, a payments.Authorization) (payments.Result, error) {
	token := tokenFor(a.Token, a.Amount.MinorUnits)
	behaviour := behaviourOf(token)
	if behaviour.turnsAway != nil {
		if first, err := s.turnAway(ctx, a.Key); err != nil || first {
			return payments.Result{}, errors.Join(err, behaviour.turnsAway)
		}
	}
	a.Begun = time.Time{} // says nothing of what is wanted
	result, err := s.once(ctx, a.Key, a, func(tx *database.Tx) (charge, payments.Result, error) {
		ch := charge{
			ID: id.Derived("ch", a.Key), Token: token, OrderID: a.Order, Currency: a.Amount.Currency,
			Amount: a.Amount.MinorUnits, CreatedUs: database.Micros(s.cfg.Now()), RequestKey: a.Key,
		}
		r := s.become(&ch, behaviour.authorize(ch.ID))
		if err := insertCharge(ctx, tx, ch); err != nil {
			return ch, r, err
		}
		return ch, r, s.updateCharge(ctx, tx, &ch, true)
	})
	switch {
	case err != nil:
		return payments.Result{}, err
	case behaviour.late:
		<-ctx.Done() // booked, and the answer comes when nobody waits for it any more
		return payments.Result{}, ctx.Err()
	case behaviour.breaks:
		return payments.Result{}, ErrUnavailable
	case behaviour.slow:
		return result, sleep(ctx, s.cfg.Slow)
	}
	return result, nil
}

func sleep(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(d):
		return nil
	}
}

// turnAway reports whether a request comes for the first time.
func (s *Sandbox) turnAway(ctx context.Context, key string) (first bool, err error) {
	err = s.db.Tx(ctx, func(tx *database.Tx) error {
		result, err := tx.ExecContext(ctx, `INSERT INTO turned_away (key) VALUES ($1) ON CONFLICT DO NOTHING`, key)
		if err != nil {
			return err
		}
		n, err := result.RowsAffected()
		first = n == 1
		return err
	})
	return first, err
}

// Confirm ends a 3-D Secure challenge as the token says; the result "failed" fails any of them. A challenge that the
// buyer has ended on its page has ended so.
func (s *Sandbox) Confirm(ctx context.Context, c payments.Command, result string) (payments.Result, error) {
	return s.change(ctx, c, result, func(ch *charge) payments.Result {
		switch ch.State {
		case stateAction:
			return s.become(ch, behaviourOf(ch.Token).confirm(ch.ID, result))
		case stateAuthorized:
			r := done(ch)
			r.Expires = database.Time(ch.DueUs)
			return r
		}
		return refused(ch)
	})
}

// Capture takes what is held, or a part of it, and lets go of the rest.
func (s *Sandbox) Capture(ctx context.Context, c payments.Command) (payments.Result, error) {
	return s.change(ctx, c, "capture", func(ch *charge) payments.Result {
		if ch.State != stateAuthorized || c.Amount.MinorUnits > ch.Amount || behaviourOf(ch.Token).captureFails {
			return refused(ch)
		}
		ch.State, ch.Captured, ch.DueUs = stateCaptured, c.Amount.MinorUnits, 0
		return done(ch)
	})
}

// Void lets go of what is held. What has lapsed is let go already.
func (s *Sandbox) Void(ctx context.Context, c payments.Command) (payments.Result, error) {
	return s.change(ctx, c, "void", func(ch *charge) payments.Result {
		switch ch.State {
		case stateAuthorized, stateAction:
			ch.State, ch.DueUs = stateVoided, 0
			return done(ch)
		case stateVoided, stateLapsed:
			return done(ch)
		}
		return refused(ch)
	})
}

// Refund gives back what was taken, in parts or whole.
func (s *Sandbox) Refund(ctx context.Context, c payments.Command) (payments.Result, error) {
	return s.change(ctx, c, "refund", func(ch *charge) payments.Result {
		if c.Amount.MinorUnits > ch.Captured-ch.Refunded || behaviourOf(ch.Token).refundFails {
			return refused(ch)
		}
		ch.Refunded += c.Amount.MinorUnits
		return done(ch)
	})
}

func done(ch *charge) payments.Result {
	return payments.Result{Outcome: payments.Succeeded, Reference: ch.ID}
}

func refused(ch *charge) payments.Result {
	code := ch.DeclineCode
	if code == "" {
		code = gen.DeclineCodeGenericDecline
	}
	return payments.Result{Outcome: payments.Declined, Reference: ch.ID, DeclineCode: code}
}

// Retrieve says what became of the request with a key.
func (s *Sandbox) Retrieve(ctx context.Context, key string) (payments.Result, error) {
	var row struct {
		charge
		Answer string
	}
	err := s.db.Read.GetContext(ctx, &row, `SELECT c.*, r.answer FROM request r JOIN charge c ON c.id = r.charge_id WHERE r.key = $1`, key)
	if database.NoRows(err) {
		return payments.Result{}, payments.ErrKeyUnknown
	}
	if err != nil {
		return payments.Result{}, fmt.Errorf("sandbox: retrieve: %w", err)
	}
	r, err := decode(row.Answer)
	if err != nil || r.Outcome != payments.Pending {
		return r, err
	}
	switch s.age(&row.charge); row.State {
	case statePending:
		return r, nil
	case stateDeclined:
		return refused(&row.charge), nil
	}
	r = done(&row.charge)
	r.Expires = row.standing().Expires
	return r, nil
}

// change runs a request on a charge that exists.
func (s *Sandbox) change(ctx context.Context, c payments.Command, what string, fn func(ch *charge) payments.Result) (payments.Result, error) {
	c.Begun = time.Time{}
	return s.once(ctx, c.Key, []any{c, what}, func(tx *database.Tx) (charge, payments.Result, error) {
		ch, err := s.lockCharge(ctx, tx, c.Reference)
		if err != nil {
			return ch, payments.Result{}, err
		}
		before := ch
		r := fn(&ch)
		return ch, r, s.updateCharge(ctx, tx, &ch, ch != before)
	})
}

// once runs a request, or gives the answer that its key had before.
func (s *Sandbox) once(ctx context.Context, key string, parameters any, fn func(tx *database.Tx) (charge, payments.Result, error)) (payments.Result, error) {
	digest := idempotency.Digest(parameters)
	var result payments.Result
	err := s.db.Tx(ctx, func(tx *database.Tx) error {
		claimed, err := tx.ExecContext(ctx, `
			INSERT INTO request (key, digest, charge_id, answer, created_us) VALUES ($1, $2, '', '', $3) ON CONFLICT DO NOTHING`,
			key, digest, database.Micros(s.cfg.Now()))
		if err != nil {
			return err
		}
		if n, err := claimed.RowsAffected(); err != nil || n == 0 {
			result, err = answered(ctx, tx, key, digest)
			return err
		}
		ch, r, err := fn(tx)
		if err != nil {
			return err
		}
		raw, err := json.Marshal(r)
		if err != nil {
			return err
		}
		result = r
		_, err = tx.ExecContext(ctx, `UPDATE request SET charge_id = $1, answer = $2 WHERE key = $3`, ch.ID, string(raw), key)
		return err
	})
	if err != nil {
		return payments.Result{}, fmt.Errorf("sandbox: %w", err)
	}
	s.webhooks.Wake()
	return result, nil
}

func answered(ctx context.Context, tx *database.Tx, key, digest string) (payments.Result, error) {
	var row struct{ Digest, Answer string }
	if err := tx.GetContext(ctx, &row, `SELECT digest, answer FROM request WHERE key = $1`, key); err != nil {
		return payments.Result{}, err
	}
	if row.Digest != digest {
		return payments.Result{}, ErrKeyReused
	}
	return decode(row.Answer)
}

func decode(stored string) (payments.Result, error) {
	var r payments.Result
	if err := json.Unmarshal([]byte(stored), &r); err != nil {
		return r, fmt.Errorf("sandbox: decode answer: %w", err)
	}
	return r, nil
}
