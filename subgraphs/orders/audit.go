package orders

import (
	"context"
	"fmt"
	"time"

	"github.com/agora-supergraph/agora/internal/database"
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
	// Paid is what each confirmed order costs, without what was given back, in minor units.
	Paid map[string]int64
	// Orders are the orders at rest, by id.
	Orders map[string]Settled
	// Broken says, a sentence each, what must never be.
	Broken []string
}

// Settled is an order whose saga has nothing left to do, as other books must know it.
type Settled struct {
	Status string
	// Sold is what its buyer keeps, by variant.
	Sold map[string]int64
	// Owed is what money was taken for it and not given back, in minor units.
	Owed      int64
	Currency  string
	UpdatedUs int64
}

// View is a service that only reads a database: Audit works, and nothing that writes does.
func View(db *database.DB) *Service { return &Service{db: db, cfg: Config{Now: time.Now}} }

// sold are the statuses of orders whose goods and money have changed hands: some of it may have gone back since, and of an
// order that was refunded the goods may have stayed.
var sold = map[gen.OrderStatus]bool{
	gen.OrderStatusConfirmed: true, gen.OrderStatusFulfilled: true, gen.OrderStatusPartiallyRefunded: true, gen.OrderStatusRefunded: true,
}

// Audit reads the books. It is exact when nothing is under way.
func (s *Service) Audit(ctx context.Context) (Audit, error) {
	a := Audit{Sold: map[string]int64{}, Paid: map[string]int64{}, Orders: map[string]Settled{}}
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
		if a.progress(o, left, known) {
			a.Orders[o.ID] = o.settled()
		}
	}
	for _, check := range []func(context.Context, *Audit) error{s.auditHistory, s.auditSagas, s.auditDeadlines, s.auditKeys} {
		if err := check(ctx, &a); err != nil {
			return a, fmt.Errorf("audit orders: %w", err)
		}
	}
	return a, nil
}

// settled is what other books must say of an order at rest.
func (o *order) settled() Settled {
	b := Settled{Status: string(o.Status), Sold: map[string]int64{}, Currency: o.Currency, UpdatedUs: o.UpdatedUs}
	if sold[o.Status] {
		b.Owed = o.Total - o.RefundedAmount
		for _, l := range o.Lines {
			if kept := l.Quantity - l.Restocked; kept > 0 {
				b.Sold[l.VariantID] += kept
			}
		}
	}
	return b
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
		a.Paid[o.ID] = o.Total - o.RefundedAmount
		for _, l := range o.Lines {
			a.Sold[l.VariantID] += l.Quantity - l.Restocked
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

// auditHistory checks that the history of each order is a path in the table that leads to its status.
func (s *Service) auditHistory(ctx context.Context, a *Audit) error {
	var rows []struct {
		OrderID string `db:"order_id"`
		Status  gen.OrderStatus
		From    gen.OrderStatus `db:"from_status"`
		To      gen.OrderStatus `db:"to_status"`
	}
	err := s.db.Read.SelectContext(ctx, &rows, `
		SELECT o.id AS order_id, o.status, COALESCE(h.from_status, '') AS from_status, COALESCE(h.to_status, '') AS to_status
		FROM orders o LEFT JOIN order_history h ON h.order_id = o.id ORDER BY o.id, h.sequence`)
	if err != nil {
		return fmt.Errorf("read history: %w", err)
	}
	at := gen.OrderStatus("")
	for i, r := range rows {
		if i == 0 || rows[i-1].OrderID != r.OrderID {
			at = ""
		}
		if r.From != at || !mayBecome(r.From, r.To) {
			a.Broken = append(a.Broken, fmt.Sprintf("order %s went from %q to %q, being %q", r.OrderID, r.From, r.To, at))
		}
		at = r.To
		if last := i == len(rows)-1 || rows[i+1].OrderID != r.OrderID; last && at != r.Status {
			a.Broken = append(a.Broken, fmt.Sprintf("order %s is %s, and its history ends at %q", r.OrderID, r.Status, at))
		}
	}
	return nil
}

// grace is how long an order may take beyond its deadline: to be undone, and to be driven on after a crash.
const grace = time.Minute

// auditDeadlines checks that no order is under way beyond its deadline. Only a service that has done something since can
// be blamed: one that stands still drives nothing.
func (s *Service) auditDeadlines(ctx context.Context, a *Audit) error {
	var rows []saga
	err := s.db.Read.SelectContext(ctx, &rows, `
		SELECT `+sagaColumns+` FROM saga
		WHERE plan <> '' AND deadline_us < (SELECT COALESCE(MAX(at_us), 0) FROM order_history) - $1 ORDER BY order_id`, grace.Microseconds())
	if err != nil {
		return fmt.Errorf("read deadlines: %w", err)
	}
	for _, sg := range rows {
		a.Broken = append(a.Broken, fmt.Sprintf("order %s has %s still before it, although its deadline was %s",
			sg.OrderID, sg.Plan, database.Time(sg.DeadlineUs).Format(time.RFC3339)))
	}
	return nil
}

// auditKeys checks that each idempotency key has one order, and no order two keys.
func (s *Service) auditKeys(ctx context.Context, a *Audit) error {
	var rows []struct {
		Response string
		Keys     int64
		Orders   int64
	}
	err := s.db.Read.SelectContext(ctx, &rows, `
		SELECT k.response, COUNT(*) AS keys, COUNT(o.id) AS orders
		FROM idempotency k LEFT JOIN orders o ON o.id = SUBSTR(k.response, 2, LENGTH(k.response) - 2)
		WHERE k.operation IN ('checkout', 'orderCreate') AND k.response IS NOT NULL
		GROUP BY k.response HAVING COUNT(*) > 1 OR COUNT(o.id) = 0 ORDER BY k.response`)
	if err != nil {
		return fmt.Errorf("read idempotency keys: %w", err)
	}
	for _, r := range rows {
		if r.Orders == 0 {
			a.Broken = append(a.Broken, fmt.Sprintf("a checkout was answered with order %s, which doesn't exist", r.Response))
		} else {
			a.Broken = append(a.Broken, fmt.Sprintf("order %s was placed by %d keys", r.Response, r.Keys))
		}
	}
	return nil
}
