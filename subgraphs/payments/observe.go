package payments

import (
	"context"
	"fmt"

	"github.com/agora-supergraph/agora/internal/database"
	"github.com/agora-supergraph/agora/internal/id"
	"github.com/agora-supergraph/agora/internal/idempotency"
	"github.com/agora-supergraph/agora/subgraphs/payments/gen"
)

// deed is something that a provider did without being asked.
type deed struct {
	kind    kind
	amount  int64
	outcome Outcome
}

// deedBetween is what a provider must have done next, so that a payment as we know it came to stand as the provider
// says; none if there is nothing. It only ever leads forward: a state that is older than what we know asks for nothing.
func deedBetween(p payment, st State) (deed, bool) {
	switch p.Status {
	case gen.PaymentStatusRequiresAction:
		switch st.Standing {
		case Held, Taken:
			return deed{confirm, p.Amount, Succeeded}, true
		case Refused:
			return deed{confirm, p.Amount, Declined}, true
		case Released:
			return deed{void, p.Amount, Succeeded}, true
		case Lapsed:
			return deed{expire, p.Amount, Succeeded}, true
		}
	case gen.PaymentStatusAuthorized:
		switch {
		case st.Standing == Taken && st.Captured > 0 && st.Captured <= p.Authorized:
			return deed{capture, st.Captured, Succeeded}, true
		case st.Standing == Released:
			return deed{void, p.Amount, Succeeded}, true
		case st.Standing == Lapsed:
			return deed{expire, p.Amount, Succeeded}, true
		}
	case gen.PaymentStatusCaptured, gen.PaymentStatusPartiallyRefunded:
		if more := st.Refunded - p.Refunded; more > 0 && st.Refunded <= p.Captured {
			return deed{refund, more, Succeeded}, true
		}
	}
	return deed{}, false
}

// commandObserved is the command to which what a provider did by itself is booked.
const commandObserved = "observed"

// catchUp records all that the provider did by itself, each as an operation that has succeeded: with its ledger entries,
// its line in the log and its event, like one that was asked for. It returns what is to be done next, if anything.
func (s *Service) catchUp(ctx context.Context, tx *database.Tx, p payment, reference string, st State) (*operation, error) {
	var last operation
	for {
		d, ok := deedBetween(p, st)
		if !ok {
			return s.captureAtOnce(ctx, tx, p, last)
		}
		key := idempotency.Key{Scope: scopeSelf, Operation: commandObserved, Key: fmt.Sprintf("%s:%s:%d", p.ID, d.kind, p.Refunded+d.amount)}
		op := s.newOperation(p, d.kind, d.amount, key)
		if d.kind == refund {
			op.RefundID, op.Detail = id.Derived(id.Refund, op.Key), "made at the payment provider"
		}
		if err := insertOperation(ctx, tx, op); err != nil {
			return nil, err
		}
		r := Result{Outcome: d.outcome, Reference: reference, Expires: st.Expires}
		if d.outcome == Declined {
			r.DeclineCode = st.DeclineCode
		}
		after := apply(p, op, r)
		s.setExpiry(&after, op, r)
		if err := s.recordOutcome(ctx, tx, p, after, &op, r); err != nil {
			return nil, err
		}
		p, last = after, op
	}
}
