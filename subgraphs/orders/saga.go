package orders

import (
	"cmp"
	"slices"
	"strings"

	"github.com/agora-supergraph/agora/subgraphs/orders/gen"
)

// step is one command to another service. Its key there is order:<id>:<step>.
type step string

const (
	reserve   step = "reserve"
	authorize step = "authorize"
	// await waits for the buyer's 3-D Secure challenge.
	await  step = "await"
	commit step = "commit"
	// capture is the pivot: before it everything is undone, behind it there is only forward.
	capture step = "capture"

	release step = "release"
	void    step = "void"
	restock step = "restock"
	refund  step = "refund"

	// repay and reshelve are a refund in part: money first, then goods.
	repay    step = "repay"
	reshelve step = "reshelve"
)

// plan is the steps that are left. It is stored as text.
type plan []step

// forward is the plan of a new order, giveBack that of one which is cancelled behind the pivot.
var (
	forward  = plan{reserve, authorize, commit, capture}
	giveBack = plan{refund, restock}
)

// definition says what a step does to the order, and what its failure entails.
type definition struct {
	// reached is the order's status when the step is done; empty if that changes nothing.
	reached gen.OrderStatus
	// undo takes back what was done before the step: the plan when it is refused, or the order is cancelled
	// before it.
	undo plan
	// giveUp is the plan when the order's deadline is over and nobody knows whether the step was done; nil means
	// that it is asked for ever. late is the order's reason then.
	giveUp plan
	late   gen.OrderCancelReason
	// refused is the order's status in the end, if the step is refused; empty if it stays as it is.
	refused gen.OrderStatus
	// point is the name of the step's fault points.
	point string
}

// definitions is the saga. Compensations have nothing but a point: they can't be refused, only tried again.
var definitions = map[step]definition{
	reserve: {
		reached: gen.OrderStatusStockReserved, undo: plan{}, refused: gen.OrderStatusRejected,
		giveUp: plan{release}, late: gen.OrderCancelReasonExpired, point: "orders.reserved",
	},
	authorize: {
		reached: gen.OrderStatusPaymentAuthorized, undo: plan{release}, refused: gen.OrderStatusRejected,
		giveUp: plan{void, release}, late: gen.OrderCancelReasonPaymentTimeout, point: "orders.authorized",
	},
	await: {
		reached: gen.OrderStatusPaymentAuthorized, undo: plan{void, release}, refused: gen.OrderStatusRejected,
		giveUp: plan{void, release}, late: gen.OrderCancelReasonPaymentTimeout, point: "orders.awaited",
	},
	commit: {
		undo: plan{void, release}, refused: gen.OrderStatusRejected, point: "orders.committed",
	},
	capture: {
		reached: gen.OrderStatusConfirmed, undo: plan{void, restock}, refused: gen.OrderStatusCancelled, point: "orders.captured",
	},
	release: {point: "orders.released"},
	void:    {point: "orders.voided"},
	restock: {point: "orders.restocked"},
	refund:  {point: "orders.refunded"},

	repay:    {point: "orders.repaid"},
	reshelve: {point: "orders.reshelved"},
}

// FaultPoints are the places where this service can be broken on purpose (see package fault): for each step, when
// its answer is there and not yet recorded, and when it is recorded; and around the commit of a new order.
func FaultPoints() []string {
	points := []string{"orders.placing", "orders.placed"}
	for _, d := range definitions {
		points = append(points, d.point, d.point+".recorded")
	}
	slices.Sort(points)
	return points
}

func (p plan) String() string {
	steps := make([]string, len(p))
	for i, s := range p {
		steps[i] = string(s)
	}
	return strings.Join(steps, ",")
}

func parsePlan(text string) plan {
	var p plan
	for s := range strings.SplitSeq(text, ",") {
		if s != "" {
			p = append(p, step(s))
		}
	}
	return p
}

// verdict is what came of a step.
type verdict struct {
	kind verdictKind
	// paymentID is the payment that the step made, if any.
	paymentID string
	// reason and failure say why the step was refused.
	reason  gen.OrderCancelReason
	failure *refusal
	// outcome is the order's status in the end, if the step decides it, and refunded what was given back altogether.
	outcome  gen.OrderStatus
	refunded int64
	// until is when the buyer's action lapses, in microseconds.
	until int64
	// err says why the outcome is unknown.
	err error
}

type verdictKind int

const (
	// unknown means to ask again, with the same key.
	unknown verdictKind = iota
	done
	refused
	// acting means that the buyer has to do something first.
	acting
	// waiting means that the buyer hasn't done it yet.
	waiting
)

// progress is where a saga stands: what record writes.
type progress struct {
	plan    plan
	outcome gen.OrderStatus
	reason  gen.OrderCancelReason
	// status is what the order becomes now; empty if it stays.
	status gen.OrderStatus
}

// advance is the next stand of a saga after a verdict, by the definitions alone.
func advance(at progress, v verdict, cancel gen.OrderCancelReason, late bool) progress {
	current := at.plan[0]
	d := definitions[current]
	next := progress{plan: at.plan[1:], outcome: at.outcome, reason: at.reason}
	switch v.kind {
	case done:
		next.status, next.outcome = d.reached, cmp.Or(v.outcome, next.outcome)
		if cancel != "" && d.undo != nil {
			next = cancelled(next, current, cancel)
		}
	case acting:
		next.plan, next.status = append(plan{await}, next.plan...), gen.OrderStatusActionRequired
	case refused:
		next.plan, next.outcome, next.reason = d.undo, d.refused, v.reason
		if cancel != "" {
			next.outcome, next.reason = gen.OrderStatusCancelled, cancel
		}
	default:
		next = progress{plan: at.plan, outcome: at.outcome, reason: at.reason}
		if late && d.giveUp != nil {
			next.plan, next.outcome, next.reason = d.giveUp, gen.OrderStatusRejected, d.late
			if cancel != "" {
				next.outcome, next.reason = gen.OrderStatusCancelled, cancel
			}
		}
	}
	return next
}

// cancelled turns around a saga that is to be cancelled, when one of its steps forward is done.
func cancelled(next progress, current step, reason gen.OrderCancelReason) progress {
	next.reason = reason
	if current == capture {
		next.plan, next.outcome = giveBack, gen.OrderStatusRefunded
		return next
	}
	next.plan, next.outcome = definitions[next.plan[0]].undo, gen.OrderStatusCancelled
	return next
}
