package orders

import (
	"context"
	"fmt"

	"github.com/agora-supergraph/agora/subgraphs/orders/gen"
)

// Audit is what the books of orders say, to be compared with those of inventory, payments and the provider.
type Audit struct {
	// Unsettled are the orders whose saga has something left to do, and doesn't wait for the buyer.
	Unsettled []string
	// Waiting are the orders that wait for the buyer.
	Waiting []string
	// Sold is how many units of a variant belong to confirmed orders.
	Sold map[string]int64
	// Paid is what each confirmed order costs, in minor units.
	Paid map[string]int64
	// Broken says, a sentence each, what must never be.
	Broken []string
}

// sold are the statuses of orders whose goods and money have changed hands.
var sold = map[gen.OrderStatus]bool{
	gen.OrderStatusConfirmed: true, gen.OrderStatusFulfilled: true, gen.OrderStatusPartiallyRefunded: true,
}

// Audit reads the books. It is exact when nothing is under way.
func (s *Service) Audit(ctx context.Context) (Audit, error) {
	a := Audit{Sold: map[string]int64{}, Paid: map[string]int64{}}
	// The sagas first: whose saga is done by now has an order that is done.
	plans, err := s.plans(ctx)
	if err != nil {
		return a, err
	}
	all, err := readOrders(ctx, s.db.Read, "1 = 1")
	if err != nil {
		return a, err
	}
	for _, o := range all {
		left, known := plans[o.ID]
		if !a.progress(o, left, known) {
			continue
		}
		if err := s.auditHistory(ctx, o, &a); err != nil {
			return a, err
		}
	}
	return a, s.auditSagas(ctx, &a)
}

// plans are the plans of all sagas, by order.
func (s *Service) plans(ctx context.Context) (map[string]plan, error) {
	var rows []struct {
		OrderID string `db:"order_id"`
		Plan    string
	}
	if err := s.db.Read.SelectContext(ctx, &rows, `SELECT order_id, plan FROM saga`); err != nil {
		return nil, fmt.Errorf("read sagas: %w", err)
	}
	plans := make(map[string]plan, len(rows))
	for _, r := range rows {
		plans[r.OrderID] = parsePlan(r.Plan)
	}
	return plans, nil
}

// progress adds an order to the books, and reports whether it is at rest.
func (a *Audit) progress(o *order, left plan, known bool) bool {
	if sold[o.Status] {
		a.Paid[o.ID] = o.Total
		for _, l := range o.Lines {
			a.Sold[l.VariantID] += l.Quantity
		}
	}
	switch {
	case !known: // placed since the sagas were read
		a.Unsettled = append(a.Unsettled, o.ID)
	case len(left) > 0 && left[0] == await:
		a.Waiting = append(a.Waiting, o.ID)
	case len(left) > 0:
		a.Unsettled = append(a.Unsettled, o.ID)
	case !settled(o.Status):
		a.Broken = append(a.Broken, fmt.Sprintf("order %s is %s, and its saga has nothing left to do", o.ID, o.Status))
	default:
		return true
	}
	return false
}

// auditSagas checks that every order has a saga.
func (s *Service) auditSagas(ctx context.Context, a *Audit) error {
	var orphans []string
	err := s.db.Read.SelectContext(ctx, &orphans, `SELECT o.id FROM orders o LEFT JOIN saga g ON g.order_id = o.id WHERE g.order_id IS NULL ORDER BY o.id`)
	if err != nil {
		return fmt.Errorf("look for orders without a saga: %w", err)
	}
	for _, orderID := range orphans {
		a.Broken = append(a.Broken, fmt.Sprintf("order %s has no saga", orderID))
	}
	return nil
}

// auditHistory checks that an order's history is a path in the table that leads to its status.
func (s *Service) auditHistory(ctx context.Context, o *order, a *Audit) error {
	chapters, err := readHistory(ctx, s.db.Read, o.ID, 0)
	if err != nil {
		return err
	}
	at := gen.OrderStatus("")
	for _, c := range chapters {
		if c.From != at || !mayBecome(c.From, c.To) {
			a.Broken = append(a.Broken, fmt.Sprintf("order %s went from %q to %q, being %q", o.ID, c.From, c.To, at))
		}
		at = c.To
	}
	if at != o.Status {
		a.Broken = append(a.Broken, fmt.Sprintf("order %s is %s, and its history ends at %q", o.ID, o.Status, at))
	}
	return nil
}
