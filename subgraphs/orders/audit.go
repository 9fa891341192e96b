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
	all, err := readOrders(ctx, s.db.Read, "1 = 1")
	if err != nil {
		return a, err
	}
	var plans []struct {
		OrderID string `db:"order_id"`
		Plan    string
	}
	if err := s.db.Read.SelectContext(ctx, &plans, `SELECT order_id, plan FROM saga`); err != nil {
		return a, fmt.Errorf("read sagas: %w", err)
	}
	planOf := map[string]plan{}
	for _, p := range plans {
		planOf[p.OrderID] = parsePlan(p.Plan)
	}
	for _, o := range all {
		left, known := planOf[o.ID]
		switch {
		case !known:
			a.Broken = append(a.Broken, fmt.Sprintf("order %s has no saga", o.ID))
		case len(left) == 0 && !settled(o.Status):
			a.Broken = append(a.Broken, fmt.Sprintf("order %s is %s, and its saga has nothing left to do", o.ID, o.Status))
		case len(left) > 0 && left[0] == await:
			a.Waiting = append(a.Waiting, o.ID)
		case len(left) > 0:
			a.Unsettled = append(a.Unsettled, o.ID)
		}
		if sold[o.Status] {
			a.Paid[o.ID] = o.Total
			for _, l := range o.Lines {
				a.Sold[l.VariantID] += l.Quantity
			}
		}
		if err := s.auditHistory(ctx, o, &a); err != nil {
			return a, err
		}
	}
	return a, nil
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
