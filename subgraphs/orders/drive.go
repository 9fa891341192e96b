package orders

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/agora-supergraph/agora/internal/database"
	"github.com/agora-supergraph/agora/internal/fault"
	"github.com/agora-supergraph/agora/subgraphs/orders/gen"
)

// lease is the right to drive the saga of an order.
type lease struct {
	orderID, owner string
	// begun is a saga that has just been written by this process; nil for one that has to be read.
	begun *begun
}

// begun is a saga at its beginning, and its order. From untilUs on somebody else may have gone on with it.
type begun struct {
	saga    saga
	order   *order
	untilUs int64
}

// saga is a row of its table.
type saga struct {
	OrderID    string `db:"order_id"`
	Plan       string
	Outcome    gen.OrderStatus
	Reason     gen.OrderCancelReason
	Cancel     gen.OrderCancelReason
	Canceller  string `db:"cancel_actor"`
	Expired    bool
	Token      string
	PaymentID  string `db:"payment_id"`
	Attempts   int64
	DeadlineUs int64  `db:"deadline_us"`
	LeaseOwner string `db:"lease_owner"`
	// RefundID is the refund that repay and reshelve carry out.
	RefundID string `db:"refund_id"`
}

const sagaColumns = `order_id, plan, outcome, reason, cancel, cancel_actor, expired, token, payment_id, attempts, deadline_us, lease_owner, refund_id`

// errLost says that the saga belongs to another driver now, or is at its end.
var errLost = errors.New("the lease on the saga is lost")

// commands are what the steps ask of other services.
var commands = map[step]func(s *Service, ctx context.Context, sg saga, o *order) verdict{
	reserve: (*Service).reserve, authorize: (*Service).authorize, await: (*Service).await,
	commit: (*Service).commit, capture: (*Service).capture,
	release: (*Service).release, void: (*Service).void, restock: (*Service).restock, refund: (*Service).refund,
	repay: (*Service).repay, reshelve: (*Service).reshelve,
}

// drivers drives sagas off the queue, one after another, until ctx ends.
func (s *Service) drivers(ctx context.Context) error {
	for {
		select {
		case <-ctx.Done():
			return nil
		case l := <-s.queue:
			err := s.drive(ctx, l)
			switch {
			case err == nil, errors.Is(err, errLost):
			case ctx.Err() != nil:
				s.letGo(context.WithoutCancel(ctx), l)
			default:
				s.cfg.Log.ErrorContext(ctx, "drive saga", "order", l.orderID, "error", err)
			}
		}
	}
}

// enqueue hands a saga to the drivers. If they are too many, the watchdog comes back to it.
func (s *Service) enqueue(l lease) {
	select {
	case s.queue <- l:
	default:
	}
}

// drive takes a saga's steps, one after another, until there is none left or one has to wait.
func (s *Service) drive(ctx context.Context, l lease) error {
	ctx = s.outbox.Resume(ctx, l.orderID)
	sg, o, err := s.load(ctx, l)
	if err != nil {
		return err
	}
	for {
		current := parsePlan(sg.Plan)[0]
		v := s.command(ctx, current, sg, &o)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err := fault.Point(definitions[current].point); err != nil {
			return err
		}
		var on bool
		if sg, on, err = s.record(ctx, l, current, sg, &o, v); err != nil {
			return err
		}
		if err := fault.Point(definitions[current].point + ".recorded"); err != nil || !on {
			return err
		}
	}
}

// command sends a step's command.
func (s *Service) command(ctx context.Context, current step, sg saga, o *order) verdict {
	ctx, cancel := context.WithTimeout(ctx, s.cfg.StepTimeout)
	defer cancel()
	v := commands[current](s, ctx, sg, o)
	if v.kind == unknown {
		s.cfg.Log.WarnContext(ctx, "outcome unknown", "order", sg.OrderID, "step", current, "attempt", sg.Attempts+1, "error", v.err)
	}
	return v
}

// load reads a saga that the driver has the lease on, and its order.
func (s *Service) load(ctx context.Context, l lease) (saga, order, error) {
	if l.begun != nil && s.nowMicros() < l.begun.untilUs {
		return l.begun.saga, *l.begun.order, nil
	}
	var sg saga
	err := s.db.Read.GetContext(ctx, &sg, `SELECT `+sagaColumns+` FROM saga WHERE order_id = $1`, l.orderID)
	if err != nil {
		return sg, order{}, fmt.Errorf("read saga of %s: %w", l.orderID, err)
	}
	if sg.LeaseOwner != l.owner || sg.Plan == "" {
		return sg, order{}, errLost
	}
	found, err := readOrders(ctx, s.db.Read, "o.id = $1", l.orderID)
	if err != nil || len(found) == 0 {
		return sg, order{}, fmt.Errorf("read order %s: %w", l.orderID, err)
	}
	return sg, *found[0], nil
}

// lockSaga reads a saga that the transaction is going to change. Whoever changes an order locks its saga first.
func lockSaga(ctx context.Context, tx *database.Tx, orderID string) (saga, error) {
	var sg saga
	err := tx.GetContext(ctx, &sg, `SELECT `+sagaColumns+` FROM saga WHERE order_id = $1`+tx.Dialect.ForUpdate(), orderID)
	if err != nil {
		return sg, fmt.Errorf("lock saga of %s: %w", orderID, err)
	}
	return sg, nil
}

// record writes the result of a step and the intent of the next one, in one transaction. It returns the saga as it is then, and
// whether the driver is to go on. known is the saga as the driver read or wrote it last, and o its order: nearly always nobody has
// changed them since, which the writing finds out, so that nothing is read again.
func (s *Service) record(ctx context.Context, l lease, current step, known saga, o *order, v verdict) (sg saga, on bool, err error) {
	var status gen.OrderStatus
	err = s.db.Tx(ctx, func(tx *database.Tx) (err error) {
		var next progress
		sg = known
		next, on = s.after(sg, current, v)
		written, err := s.writeSaga(ctx, tx, &sg, next, v, on)
		if err == nil && !written {
			if sg, err = lockSaga(ctx, tx, l.orderID); err != nil {
				return err
			}
			if sg.LeaseOwner != l.owner || !strings.HasPrefix(sg.Plan, string(current)) {
				return errLost
			}
			next, on = s.after(sg, current, v)
			_, err = s.writeSaga(ctx, tx, &sg, next, v, on)
		}
		if err != nil {
			return err
		}
		if status, err = s.move(ctx, tx, *o, next, v, sg); err != nil {
			return err
		}
		return s.keepBooks(ctx, tx, sg, current, v)
	})
	if err != nil {
		return sg, false, fmt.Errorf("record %s of %s: %w", current, l.orderID, err)
	}
	if status != "" {
		o.Status = status
		s.outbox.Wake()
		s.hub.notify(l.orderID, status)
	}
	return sg, on, nil
}

// after is the next stand of a saga, and whether its driver is to go on with that.
func (s *Service) after(sg saga, current step, v verdict) (next progress, on bool) {
	at := progress{plan: parsePlan(sg.Plan), outcome: sg.Outcome, reason: sg.Reason}
	next = advance(at, v, sg.Cancel, s.nowMicros() >= sg.DeadlineUs)
	repeated := len(next.plan) == len(at.plan) && next.plan[0] == current
	return next, len(next.plan) > 0 && !repeated
}

// move gives the order the statuses that follow from a step. It returns the last of them, or "".
func (s *Service) move(ctx context.Context, tx *database.Tx, o order, next progress, v verdict, sg saga) (gen.OrderStatus, error) {
	actor := "checkout"
	if sg.Canceller != "" {
		actor = sg.Canceller
	}
	if next.status != "" {
		if err := s.become(ctx, tx, o, change{to: next.status, actor: "checkout"}); err != nil {
			return "", err
		}
		o.Status = next.status
	}
	if v.kind == refused && v.failure != nil && next.outcome != "" {
		if err := keepFailure(ctx, tx, o.ID, v.failure); err != nil {
			return "", err
		}
	}
	if len(next.plan) > 0 || next.outcome == "" || next.outcome == next.status {
		return next.status, nil
	}
	return next.outcome, s.become(ctx, tx, o, change{to: next.outcome, reason: next.reason, actor: actor})
}

// writeSaga stores the saga's next stand, and makes sg it, unless the saga is not as sg says any more: then it writes nothing and
// reports so. A driver that stops lets go of its lease.
func (s *Service) writeSaga(ctx context.Context, tx *database.Tx, sg *saga, next progress, v verdict, on bool) (written bool, err error) {
	before := *sg
	if v.kind == waiting {
		return waitOn(ctx, tx, before)
	}
	attempts, nextUs, until := int64(0), s.nowMicros(), database.Micros(s.now().Add(s.cfg.Lease))
	if !on {
		sg.LeaseOwner, until = "", 0
		if len(next.plan) > 0 {
			attempts, nextUs = sg.Attempts+1, database.Micros(s.now().Add(s.backoff(sg.Attempts)))
		}
	}
	if v.kind == acting {
		sg.DeadlineUs = min(sg.DeadlineUs, v.until)
		nextUs = sg.DeadlineUs
	}
	sg.Plan, sg.Outcome, sg.Reason, sg.Attempts = next.plan.String(), next.outcome, next.reason, attempts
	sg.PaymentID = cmp.Or(v.paymentID, sg.PaymentID)
	result, err := tx.ExecContext(ctx, `
		UPDATE saga SET plan = $1, outcome = $2, reason = $3, payment_id = $4, attempts = $5, deadline_us = $6, next_us = $7,
			lease_owner = $8, lease_until_us = $9
		WHERE order_id = $10 AND plan = $11 AND cancel = $12 AND expired = $13 AND lease_owner = $14`,
		sg.Plan, sg.Outcome, sg.Reason, sg.PaymentID, sg.Attempts, sg.DeadlineUs, nextUs, sg.LeaseOwner, until,
		before.OrderID, before.Plan, before.Cancel, before.Expired, before.LeaseOwner)
	return changed(result, err)
}

// waitOn has a saga wait for the buyer until its deadline, unless an event has said meanwhile that it need not.
func waitOn(ctx context.Context, tx *database.Tx, sg saga) (written bool, err error) {
	result, err := tx.ExecContext(ctx, `
		UPDATE saga SET lease_owner = '', lease_until_us = 0, next_us = CASE WHEN next_us = $1 THEN deadline_us ELSE next_us END
		WHERE order_id = $2 AND plan = $3 AND cancel = $4 AND expired = $5 AND lease_owner = $6`,
		beingLooked, sg.OrderID, sg.Plan, sg.Cancel, sg.Expired, sg.LeaseOwner)
	return changed(result, err)
}

// changed reports whether a statement has changed a saga.
func changed(result sql.Result, err error) (bool, error) {
	if err != nil {
		return false, fmt.Errorf("write saga: %w", err)
	}
	n, err := result.RowsAffected()
	return n == 1, err
}

func (s *Service) unlease(ctx context.Context, tx *database.Tx, l lease) error {
	_, err := tx.ExecContext(ctx, `UPDATE saga SET lease_owner = '', lease_until_us = 0 WHERE order_id = $1 AND lease_owner = $2`, l.orderID, l.owner)
	return err
}

// letGo gives a lease back, so that others need not wait until it is over.
func (s *Service) letGo(ctx context.Context, l lease) {
	err := s.db.Tx(ctx, func(tx *database.Tx) error { return s.unlease(ctx, tx, l) })
	if err != nil {
		s.cfg.Log.WarnContext(ctx, "let go of saga", "order", l.orderID, "error", err)
	}
}

// abandon gives back the leases of sagas that no driver has begun with.
func (s *Service) abandon(ctx context.Context) {
	for {
		select {
		case l := <-s.queue:
			s.letGo(ctx, l)
		default:
			return
		}
	}
}

// backoff is the pause before a step is tried again.
func (s *Service) backoff(attempts int64) time.Duration {
	return min(s.cfg.Retry<<min(attempts, 10), 5*time.Second)
}
