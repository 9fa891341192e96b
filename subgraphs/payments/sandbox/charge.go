package sandbox

import (
	"context"
	"fmt"
	"time"

	"github.com/agora-supergraph/agora/internal/database"
	"github.com/agora-supergraph/agora/subgraphs/payments"
	"github.com/agora-supergraph/agora/subgraphs/payments/gen"
)

// charge is an amount on a card: a row of its table.
type charge struct {
	ID          string
	Token       string
	OrderID     string `db:"order_id"`
	Currency    string
	Amount      int64
	State       string
	Captured    int64
	Refunded    int64
	CreatedUs   int64 `db:"created_us"`
	DueUs       int64 `db:"due_us"`
	Told        int64
	DeclineCode gen.DeclineCode `db:"decline_code"`
	RequestKey  string          `db:"request_key"`
}

const chargeColumns = `id, token, order_id, currency, amount, state, captured, refunded, created_us, due_us, told, decline_code, request_key`

// The states of a charge.
const (
	stateAction     = "ACTION_REQUIRED"
	statePending    = "PENDING"
	stateAuthorized = "AUTHORIZED"
	stateCaptured   = "CAPTURED"
	stateVoided     = "VOIDED"
	stateLapsed     = "LAPSED"
	stateDeclined   = "DECLINED"
)

// authorizationLife is how long a card's issuer holds an amount.
const authorizationLife = 7 * 24 * time.Hour

// become gives a charge the state that an answer to an authorisation means, and the answer what follows from it.
func (s *Sandbox) become(ch *charge, r payments.Result) payments.Result {
	ch.DueUs = 0
	switch r.Outcome {
	case payments.Succeeded:
		r.Expires = s.cfg.Now().Add(behaviourOf(ch.Token).life())
		ch.State, ch.DueUs = stateAuthorized, database.Micros(r.Expires)
	case payments.ActionRequired:
		ch.State = stateAction
		r.ActionType, r.ActionURL = "THREE_D_SECURE", s.actionURL(ch.ID)
	case payments.Pending:
		ch.State, ch.DueUs = statePending, database.Micros(s.cfg.Now().Add(s.cfg.Settle))
	default:
		ch.State, ch.DeclineCode = stateDeclined, r.DeclineCode
	}
	return r
}

// age lets time pass for a charge: what is pending is decided, what is held lapses. It reports whether anything changed.
func (s *Sandbox) age(ch *charge) bool {
	if ch.DueUs == 0 || ch.DueUs > database.Micros(s.cfg.Now()) {
		return false
	}
	switch ch.State {
	case statePending:
		b := behaviourOf(ch.Token)
		b.pending = false
		s.become(ch, b.authorize(ch.ID))
	case stateAuthorized:
		ch.State, ch.DueUs = stateLapsed, 0
	default:
		return false
	}
	return true
}

// standing is the charge in the words of the port.
func (ch *charge) standing() payments.State {
	st := payments.State{
		Standing: map[string]payments.Standing{
			stateAction: payments.Undecided, statePending: payments.Undecided, stateAuthorized: payments.Held, stateCaptured: payments.Taken,
			stateVoided: payments.Released, stateLapsed: payments.Lapsed, stateDeclined: payments.Refused,
		}[ch.State],
		Captured: ch.Captured, Refunded: ch.Refunded, DeclineCode: ch.DeclineCode,
	}
	if ch.State == stateAuthorized && ch.DueUs > 0 {
		st.Expires = database.Time(ch.DueUs)
	}
	return st
}

func insertCharge(ctx context.Context, tx *database.Tx, ch charge) error {
	_, err := tx.ExecContext(ctx, `
		INSERT INTO charge (id, token, order_id, currency, amount, state, created_us, due_us, decline_code, request_key)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)`,
		ch.ID, ch.Token, ch.OrderID, ch.Currency, ch.Amount, ch.State, ch.CreatedUs, ch.DueUs, ch.DeclineCode, ch.RequestKey)
	if err != nil {
		return fmt.Errorf("insert charge of %s: %w", ch.OrderID, err)
	}
	return nil
}

// lockCharge reads a charge that the transaction is going to change, as it is now.
func (s *Sandbox) lockCharge(ctx context.Context, tx *database.Tx, chargeID string) (charge, error) {
	var ch charge
	err := tx.GetContext(ctx, &ch, `SELECT `+chargeColumns+` FROM charge WHERE id = $1`+tx.Dialect.ForUpdate(), chargeID)
	if err != nil {
		return ch, fmt.Errorf("read charge %s: %w", chargeID, err)
	}
	if s.age(&ch) {
		return ch, s.updateCharge(ctx, tx, &ch, true)
	}
	return ch, nil
}

// updateCharge writes a charge, and tells of it if something happened to it.
func (s *Sandbox) updateCharge(ctx context.Context, tx *database.Tx, ch *charge, happened bool) error {
	if happened {
		if err := s.tell(ctx, tx, ch); err != nil {
			return err
		}
	}
	_, err := tx.ExecContext(ctx, `
		UPDATE charge SET state = $1, captured = $2, refunded = $3, due_us = $4, told = $5, decline_code = $6 WHERE id = $7`,
		ch.State, ch.Captured, ch.Refunded, ch.DueUs, ch.Told, ch.DeclineCode, ch.ID)
	if err != nil {
		return fmt.Errorf("update charge %s: %w", ch.ID, err)
	}
	return nil
}

// Look says how a charge stands.
func (s *Sandbox) Look(ctx context.Context, reference string) (payments.State, error) {
	var ch charge
	if err := s.db.Read.GetContext(ctx, &ch, `SELECT `+chargeColumns+` FROM charge WHERE id = $1`, reference); err != nil {
		return payments.State{}, fmt.Errorf("sandbox: look at charge %s: %w", reference, err)
	}
	s.age(&ch)
	return ch.standing(), nil
}

// tick is how often time passes in the book, and how often webhooks are looked for.
const tick = 100 * time.Millisecond

// pass writes down what time does to charges, until ctx ends.
func (s *Sandbox) pass(ctx context.Context) error {
	timer := time.NewTicker(tick)
	defer timer.Stop()
	for {
		if err := s.ageDue(ctx); err != nil && ctx.Err() == nil {
			s.cfg.Log.ErrorContext(ctx, "let time pass in the sandbox's book", "error", err)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-timer.C:
		}
	}
}

func (s *Sandbox) ageDue(ctx context.Context) error {
	var due []string
	err := s.db.Read.SelectContext(ctx, &due, `SELECT id FROM charge WHERE due_us > 0 AND due_us <= $1 ORDER BY due_us LIMIT 100`, database.Micros(s.cfg.Now()))
	if err != nil {
		return err
	}
	for _, chargeID := range due {
		err := s.db.Tx(ctx, func(tx *database.Tx) error {
			_, err := s.lockCharge(ctx, tx, chargeID)
			return err
		})
		if err != nil {
			return err
		}
	}
	if len(due) > 0 {
		s.webhooks.Wake()
	}
	return nil
}
