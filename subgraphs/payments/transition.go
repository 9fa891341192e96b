package payments

import (
	"slices"

	"github.com/agora-supergraph/agora/subgraphs/payments/gen"
)

// kind is what an operation asks of the provider.
type kind string

const (
	authorize kind = "AUTHORIZE"
	confirm   kind = "CONFIRM"
	capture   kind = "CAPTURE"
	void      kind = "VOID"
	refund    kind = "REFUND"
	// expire is a void by the clock: of an authorisation that lapsed or an action that nobody took.
	expire kind = "EXPIRE"
)

// from lists the statuses in which an operation may begin. authorize is not in it: it makes the payment.
var from = map[kind][]gen.PaymentStatus{
	confirm: {gen.PaymentStatusRequiresAction},
	capture: {gen.PaymentStatusAuthorized},
	void:    {gen.PaymentStatusAuthorized, gen.PaymentStatusRequiresAction},
	refund:  {gen.PaymentStatusCaptured, gen.PaymentStatusPartiallyRefunded},
	expire:  {gen.PaymentStatusAuthorized, gen.PaymentStatusRequiresAction},
}

// to is the payment's status after an operation. What is not in it leaves the payment as it was before: a capture,
// void or refund that the provider declined changes nothing. A refund's status depends on amounts: see apply.
var to = map[kind]map[Outcome]gen.PaymentStatus{
	authorize: {Succeeded: gen.PaymentStatusAuthorized, Declined: gen.PaymentStatusDeclined, ActionRequired: gen.PaymentStatusRequiresAction},
	confirm:   {Succeeded: gen.PaymentStatusAuthorized, Declined: gen.PaymentStatusDeclined, ActionRequired: gen.PaymentStatusRequiresAction},
	capture:   {Succeeded: gen.PaymentStatusCaptured},
	void:      {Succeeded: gen.PaymentStatusVoided},
	refund:    {Succeeded: gen.PaymentStatusRefunded},
	expire:    {Succeeded: gen.PaymentStatusExpired},
}

// mayBegin reports whether the table allows an operation on a payment.
func mayBegin(k kind, status gen.PaymentStatus) bool { return slices.Contains(from[k], status) }

// apply is the payment after an operation whose outcome is known. It changes no row.
func apply(p payment, op operation, r Result) payment {
	p.Status = op.Before
	if status, ok := to[op.Kind][r.Outcome]; ok {
		p.Status = status
	}
	if r.Reference != "" {
		p.Reference = r.Reference
	}
	p.DeclineCode, p.ActionType, p.ActionURL = "", "", ""
	switch p.Status {
	case gen.PaymentStatusDeclined:
		p.DeclineCode, p.ExpiresUs = r.DeclineCode, 0
	case gen.PaymentStatusRequiresAction:
		p.ActionType, p.ActionURL = r.ActionType, r.ActionURL
	case gen.PaymentStatusAuthorized:
		p.Authorized = p.Amount
	case gen.PaymentStatusCaptured:
		p.ExpiresUs = 0
		if op.Kind == capture {
			p.Captured = op.Amount // what is left of it is let go: there is one capture
		}
	case gen.PaymentStatusVoided:
		p.ExpiresUs = 0
	case gen.PaymentStatusExpired:
		p.ExpiresUs = 0
		if p.Authorized == 0 { // the buyer never came back
			p.DeclineCode = gen.DeclineCodeAuthenticationRequired
		}
	}
	if op.Kind == refund && r.Outcome == Succeeded {
		if p.Refunded += op.Amount; p.Refunded < p.Captured {
			p.Status = gen.PaymentStatusPartiallyRefunded
		}
	}
	return p
}
