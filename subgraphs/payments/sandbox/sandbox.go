// Package sandbox is a payment provider for development and tests: it moves no money, keeps a book of its own in
// its own database, and does what a card's token says (see tokens.go), always the same. It is idempotent by key:
// a key that comes again gets its first answer, and is refused with other parameters. Its book can be compared
// with the ledger of the payments service, to the cent.
package sandbox

import (
	"context"
	"embed"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"time"

	"github.com/agora-supergraph/agora/internal/database"
	"github.com/agora-supergraph/agora/internal/id"
	"github.com/agora-supergraph/agora/internal/idempotency"
	"github.com/agora-supergraph/agora/subgraphs/payments"
	"github.com/agora-supergraph/agora/subgraphs/payments/gen"
)

//go:embed migrations
var migrations embed.FS

// authorizationLife is how long a card's issuer holds an amount.
const authorizationLife = 7 * 24 * time.Hour

// Config is what the sandbox needs.
type Config struct {
	// Database is the URL of its own database: see database.Open.
	Database string
	// Now is the clock. Nil means time.Now.
	Now func() time.Time
}

// Sandbox is a payments.Provider. It is safe for concurrent use.
type Sandbox struct {
	db  *database.DB
	now func() time.Time
}

// New opens the sandbox's database.
func New(ctx context.Context, cfg Config) (*Sandbox, error) {
	own, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return nil, fmt.Errorf("sandbox: %w", err)
	}
	db, err := database.Open(ctx, cfg.Database, own)
	if err != nil {
		return nil, fmt.Errorf("sandbox: %w", err)
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	return &Sandbox{db, cfg.Now}, nil
}

// Close closes the database.
func (s *Sandbox) Close() error { return s.db.Close() }

// ErrKeyReused is the answer to a key that came with other parameters before.
var ErrKeyReused = errors.New("sandbox: the key was used for another request")

// charge is an amount on a card: a row of its table.
type charge struct {
	ID        string
	Token     string
	OrderID   string `db:"order_id"`
	Currency  string
	Amount    int64
	State     string
	Captured  int64
	Refunded  int64
	CreatedUs int64 `db:"created_us"`
}

// The states of a charge.
const (
	stateAction     = "ACTION_REQUIRED"
	stateAuthorized = "AUTHORIZED"
	stateCaptured   = "CAPTURED"
	stateVoided     = "VOIDED"
	stateDeclined   = "DECLINED"
)

// Authorize holds an amount, unless the token says otherwise.
func (s *Sandbox) Authorize(ctx context.Context, a payments.Authorization) (payments.Result, error) {
	behaviour := behaviourOf(a.Token)
	result, err := s.once(ctx, a.Key, a, func(tx *database.Tx) (charge, payments.Result, error) {
		c := charge{
			ID: id.Derived("ch", a.Key), Token: a.Token, OrderID: a.Order, Currency: a.Amount.Currency,
			Amount: a.Amount.MinorUnits, CreatedUs: database.Micros(s.now()),
		}
		r := behaviour.authorize(c.ID)
		c.State = stateOf(r.Outcome)
		if r.Outcome == payments.Succeeded {
			r.Expires = s.now().Add(authorizationLife)
		}
		_, err := tx.ExecContext(ctx, `
			INSERT INTO charge (id, token, order_id, currency, amount, state, created_us) VALUES ($1, $2, $3, $4, $5, $6, $7)`,
			c.ID, c.Token, c.OrderID, c.Currency, c.Amount, c.State, c.CreatedUs)
		return c, r, err
	})
	if err == nil && behaviour.late {
		<-ctx.Done() // booked, and the answer comes when nobody waits for it any more
		return payments.Result{}, ctx.Err()
	}
	return result, err
}

func stateOf(o payments.Outcome) string {
	switch o {
	case payments.Succeeded:
		return stateAuthorized
	case payments.ActionRequired:
		return stateAction
	}
	return stateDeclined
}

// Confirm ends a 3-D Secure challenge as the token says; the result "failed" fails any of them.
func (s *Sandbox) Confirm(ctx context.Context, c payments.Command, result string) (payments.Result, error) {
	return s.change(ctx, c, result, func(ch *charge) payments.Result {
		if ch.State != stateAction {
			return refused(ch)
		}
		r := behaviourOf(ch.Token).confirm(ch.ID, result)
		ch.State = stateOf(r.Outcome)
		if r.Outcome == payments.Succeeded {
			r.Expires = s.now().Add(authorizationLife)
		}
		return r
	})
}

// Capture takes what is held.
func (s *Sandbox) Capture(ctx context.Context, c payments.Command) (payments.Result, error) {
	return s.change(ctx, c, "capture", func(ch *charge) payments.Result {
		if ch.State != stateAuthorized || c.Amount.MinorUnits > ch.Amount || behaviourOf(ch.Token).captureFails {
			return refused(ch)
		}
		ch.State, ch.Captured = stateCaptured, c.Amount.MinorUnits
		return done(ch)
	})
}

// Void lets go of what is held.
func (s *Sandbox) Void(ctx context.Context, c payments.Command) (payments.Result, error) {
	return s.change(ctx, c, "void", func(ch *charge) payments.Result {
		if ch.State != stateAuthorized && ch.State != stateAction {
			return refused(ch)
		}
		ch.State = stateVoided
		return done(ch)
	})
}

// Refund gives back what was taken, in parts or whole.
func (s *Sandbox) Refund(ctx context.Context, c payments.Command) (payments.Result, error) {
	return s.change(ctx, c, "refund", func(ch *charge) payments.Result {
		if c.Amount.MinorUnits > ch.Captured-ch.Refunded {
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
	return payments.Result{Outcome: payments.Declined, Reference: ch.ID, DeclineCode: gen.DeclineCodeGenericDecline}
}

// Retrieve says what became of the request with a key.
func (s *Sandbox) Retrieve(ctx context.Context, key string) (payments.Result, error) {
	var stored string
	err := s.db.Read.GetContext(ctx, &stored, `SELECT answer FROM request WHERE key = $1`, key)
	if database.NoRows(err) {
		return payments.Result{}, payments.ErrKeyUnknown
	}
	if err != nil {
		return payments.Result{}, fmt.Errorf("sandbox: retrieve: %w", err)
	}
	return decode(stored)
}

// change runs a request on a charge that exists.
func (s *Sandbox) change(ctx context.Context, c payments.Command, what string, fn func(ch *charge) payments.Result) (payments.Result, error) {
	return s.once(ctx, c.Key, []any{c, what}, func(tx *database.Tx) (charge, payments.Result, error) {
		var ch charge
		err := tx.GetContext(ctx, &ch, `
			SELECT id, token, order_id, currency, amount, state, captured, refunded, created_us FROM charge WHERE id = $1`+tx.Dialect.ForUpdate(), c.Reference)
		if err != nil {
			return ch, payments.Result{}, fmt.Errorf("read charge %s: %w", c.Reference, err)
		}
		r := fn(&ch)
		_, err = tx.ExecContext(ctx, `UPDATE charge SET state = $1, captured = $2, refunded = $3 WHERE id = $4`, ch.State, ch.Captured, ch.Refunded, ch.ID)
		return ch, r, err
	})
}

// once runs a request, or gives the answer that its key had before.
func (s *Sandbox) once(ctx context.Context, key string, parameters any, fn func(tx *database.Tx) (charge, payments.Result, error)) (payments.Result, error) {
	digest := idempotency.Digest(parameters)
	var result payments.Result
	err := s.db.Tx(ctx, func(tx *database.Tx) error {
		claimed, err := tx.ExecContext(ctx, `
			INSERT INTO request (key, digest, charge_id, answer, created_us) VALUES ($1, $2, '', '', $3) ON CONFLICT DO NOTHING`,
			key, digest, database.Micros(s.now()))
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

// Book is what the provider holds and has taken, an order a row, sorted by order: orders of which it holds and took
// nothing have a row of zeros. Compare it with payments.Service.Balances.
func (s *Sandbox) Book(ctx context.Context) ([]payments.Balance, error) {
	var rows []payments.Balance
	err := s.db.Read.SelectContext(ctx, &rows, `
		SELECT order_id, currency,
			CAST(SUM(CASE WHEN state = 'AUTHORIZED' THEN amount ELSE 0 END) AS BIGINT) AS authorized,
			CAST(SUM(captured - refunded) AS BIGINT) AS captured
		FROM charge GROUP BY order_id, currency ORDER BY order_id, currency`)
	if err != nil {
		return nil, fmt.Errorf("sandbox: sum up the book: %w", err)
	}
	return rows, nil
}
