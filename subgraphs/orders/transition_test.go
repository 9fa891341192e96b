package orders

import (
	"fmt"
	"testing"

	"github.com/agora-supergraph/agora/subgraphs/orders/gen"
)

func TestEveryStatusIsInTheTableAndCanBeReached(t *testing.T) {
	reached := map[gen.OrderStatus]bool{}
	var walk func(gen.OrderStatus)
	walk = func(s gen.OrderStatus) {
		if reached[s] {
			return
		}
		reached[s] = true
		for _, to := range transitions[s] {
			walk(to)
		}
	}
	walk("")
	for _, s := range gen.AllOrderStatus {
		if _, ok := transitions[s]; !ok || !reached[s] {
			t.Errorf("%s: in the table %v, can be reached %v", s, ok, reached[s])
		}
	}
}

// The end of an order is an end, and money that was taken is given back before an order is anything but sold.
func TestWhatTheTableForbids(t *testing.T) {
	for _, from := range gen.AllOrderStatus {
		for _, to := range gen.AllOrderStatus {
			paid := sold[from] || from == gen.OrderStatusRefunded
			end := to == gen.OrderStatusRejected || to == gen.OrderStatusCancelled
			switch {
			case from == to && mayBecome(from, to),
				paid && end && mayBecome(from, to),
				final(from) && from != gen.OrderStatusFulfilled && mayBecome(from, to),
				to == gen.OrderStatusPending && mayBecome(from, to),
				to == gen.OrderStatusConfirmed && from != gen.OrderStatusPaymentAuthorized && mayBecome(from, to),
				to == gen.OrderStatusFulfilled && !sold[from] && mayBecome(from, to):
				t.Errorf("%s may become %s", from, to)
			}
		}
	}
}

// world is what a saga has done to stock and money.
type world struct {
	stock, money string
	status       gen.OrderStatus
}

// situation is a saga and its world at one moment.
type situation struct {
	plan    string
	outcome gen.OrderStatus
	cancel  gen.OrderCancelReason
	world   world
}

// effects are what a step does when it is done: the state that it finds, and the one that it leaves.
var effects = map[step]func(w *world) bool{
	reserve:   func(w *world) bool { return w.turn(&w.stock, "held", "none") },
	authorize: func(w *world) bool { return w.turn(&w.money, "held", "none") },
	await:     func(w *world) bool { return w.turn(&w.money, "held", "asked") },
	commit:    func(w *world) bool { return w.turn(&w.stock, "sold", "held") },
	capture:   func(w *world) bool { return w.turn(&w.money, "taken", "held") },
	release:   func(w *world) bool { return w.turn(&w.stock, "none", "held", "none") },
	void:      func(w *world) bool { return w.turn(&w.money, "none", "held", "asked", "none") },
	restock:   func(w *world) bool { return w.turn(&w.stock, "none", "sold") },
	refund:    func(w *world) bool { return w.turn(&w.money, "none", "taken") },
}

func (w *world) turn(what *string, to string, from ...string) bool {
	for _, f := range from {
		if *what == f {
			*what = to
			return true
		}
	}
	return false
}

// Every verdict at every step, with and without a cancellation and the deadline, followed to its end: every path ends,
// every change of status is in the table, and in the end stock is sold and money taken, or neither.
func TestEveryPathOfTheSagaEndsWithNothingHeld(t *testing.T) {
	seen := map[situation]bool{}
	queue := []situation{{forward.String(), gen.OrderStatusConfirmed, "", world{"none", "none", gen.OrderStatusPending}}}
	ends := map[gen.OrderStatus]int{}
	for len(queue) > 0 {
		at := queue[0]
		queue = queue[1:]
		if seen[at] {
			continue
		}
		seen[at] = true
		if at.plan == "" {
			ends[at.world.status]++
			sold := at.world.status == gen.OrderStatusConfirmed
			if sold != (at.world.stock == "sold") || sold != (at.world.money == "taken") || !sold && (at.world.stock != "none" || at.world.money != "none") {
				t.Errorf("it ends %+v", at.world)
			}
			continue
		}
		queue = append(queue, follow(t, at)...)
	}
	for _, s := range []gen.OrderStatus{gen.OrderStatusConfirmed, gen.OrderStatusRejected, gen.OrderStatusCancelled, gen.OrderStatusRefunded} {
		if ends[s] == 0 {
			t.Errorf("no path ends %s", s)
		}
	}
	t.Logf("%d situations, ends: %v", len(seen), ends)
}

// follow is what may come of a situation.
func follow(t *testing.T, at situation) []situation {
	t.Helper()
	current := parsePlan(at.plan)[0]
	d := definitions[current]
	var all []situation
	try := func(name string, v verdict, happened, late bool) {
		next := at
		if happened && !effects[current](&next.world) {
			t.Errorf("%s is done in %+v", current, at.world)
			return
		}
		if v.kind == acting {
			next.world.money = "asked"
		}
		if v.kind == refused && current == await {
			next.world.money = "none" // declined or lapsed; void is done all the same
		}
		p := advance(progress{plan: parsePlan(at.plan), outcome: at.outcome}, v, at.cancel, late)
		next.plan, next.outcome = p.plan.String(), p.outcome
		become(t, &next.world, p.status, fmt.Sprintf("%s %s", current, name))
		if len(p.plan) == 0 {
			become(t, &next.world, p.outcome, fmt.Sprintf("%s %s, the end", current, name))
		}
		all = append(all, next)
	}
	try("done", verdict{kind: done}, true, false)
	if d.undo != nil {
		try("refused", verdict{kind: refused}, false, false)
		cancelled := at
		cancelled.cancel = gen.OrderCancelReasonCustomer
		all = append(all, cancelled)
	}
	if current == authorize {
		try("acting", verdict{kind: acting}, false, false)
	}
	if d.giveUp != nil {
		try("given up", verdict{}, false, true)
		try("given up though it was done", verdict{}, true, true)
	}
	return all
}

func become(t *testing.T, w *world, to gen.OrderStatus, how string) {
	t.Helper()
	if to == "" || to == w.status {
		return
	}
	if !mayBecome(w.status, to) {
		t.Errorf("%s: %s becomes %s", how, w.status, to)
	}
	w.status = to
}
