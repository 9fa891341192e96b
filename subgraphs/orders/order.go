package orders

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/agora-supergraph/agora/internal/database"
	"github.com/agora-supergraph/agora/internal/money"
	"github.com/agora-supergraph/agora/subgraphs/orders/gen"
)

// order is a row of its table, with its lines.
type order struct {
	ID           string
	Number       string
	UserID       string `db:"user_id"`
	Status       gen.OrderStatus
	CancelReason gen.OrderCancelReason `db:"cancel_reason"`
	Currency     string
	Subtotal     int64
	Shipping     int64
	Total        int64
	// RefundedAmount is what has been given back of the total.
	RefundedAmount int64 `db:"refunded"`
	Address        string
	TrackingNumber string `db:"tracking_number"`
	Failure        string
	PlacedUs       int64  `db:"placed_us"`
	UpdatedUs      int64  `db:"updated_us"`
	Lines          []line `db:"-"`
}

// line is what was bought, as it was then.
type line struct {
	ID          string `db:"line_id"`
	VariantID   string `db:"variant_id"`
	SKU         string `db:"sku"`
	ProductName string `db:"product_name"`
	Quantity    int64  `db:"quantity"`
	UnitPrice   int64  `db:"unit_price"`
	// Refunded and Restocked are how many of the units were paid back, and put back on the shelf.
	Refunded  int64 `db:"refunded_quantity"`
	Restocked int64 `db:"restocked"`
}

const (
	orderColumns = `o.id, o.number, o.user_id, o.status, o.cancel_reason, o.currency, o.subtotal, o.shipping, o.total, o.refunded, o.address,
	o.tracking_number, o.failure, o.placed_us, o.updated_us`
	lineColumns = `l.id AS line_id, l.variant_id, l.sku, l.product_name, l.quantity, l.unit_price, l.refunded_quantity, l.restocked`
)

// readOrders reads the orders of a condition with their lines, in one query, oldest first.
func readOrders(ctx context.Context, q database.Querier, where string, args ...any) ([]*order, error) {
	var rows []struct {
		order
		line
	}
	err := q.SelectContext(ctx, &rows, `
		SELECT `+orderColumns+`, `+lineColumns+` FROM orders o JOIN order_line l ON l.order_id = o.id
		WHERE `+where+` ORDER BY o.placed_us, o.id, l.position`, args...)
	if err != nil {
		return nil, fmt.Errorf("read orders: %w", err)
	}
	var all []*order
	for _, r := range rows {
		if len(all) == 0 || all[len(all)-1].ID != r.order.ID {
			o := r.order
			all = append(all, &o)
		}
		last := all[len(all)-1]
		last.Lines = append(last.Lines, r.line)
	}
	return all, nil
}

func (o *order) money(minorUnits int64) money.Money { return money.New(minorUnits, o.Currency) }

// present is the order as clients see it.
func (o *order) present() *gen.Order {
	shown := &gen.Order{
		ID: o.ID, Number: o.Number, Customer: gen.User{ID: o.UserID}, Status: o.Status,
		Subtotal: o.money(o.Subtotal), Shipping: o.money(o.Shipping), Total: o.money(o.Total), Refunded: o.money(o.RefundedAmount),
		PlacedAt: database.Time(o.PlacedUs), UpdatedAt: database.Time(o.UpdatedUs),
		Lines: make([]*gen.OrderLine, len(o.Lines)),
	}
	if o.CancelReason != "" {
		shown.CancelReason = &o.CancelReason
	}
	if err := json.Unmarshal([]byte(o.Address), &shown.ShippingAddress); err != nil {
		panic(fmt.Sprintf("order %s has the address %q: %v", o.ID, o.Address, err)) // we wrote it
	}
	for i, l := range o.Lines {
		shown.Lines[i] = l.present(o.Currency)
	}
	return shown
}

func (l line) present(currency string) *gen.OrderLine {
	price := money.New(l.UnitPrice, currency)
	return &gen.OrderLine{
		ID: l.ID, Quantity: int(l.Quantity), RefundedQuantity: int(l.Refunded), RestockedQuantity: int(l.Restocked), ProductName: l.ProductName, UnitPrice: price,
		// It fits: checkout added it up before the order was placed.
		LineTotal: money.New(l.UnitPrice*l.Quantity, currency),
		Variant:   &gen.ProductVariant{ID: l.VariantID, Sku: l.SKU},
	}
}

// refusals are what the buyer is told about the order, if it was refused or waits for the buyer.
func (o *order) refusals() refusals {
	switch {
	case o.Status == gen.OrderStatusActionRequired:
		return refusals{refuse(gen.OrderErrorCodePaymentActionRequired, nil, "the bank wants the buyer to confirm the payment: see the order's payments for the next action")}
	case o.Failure == "" || (o.Status != gen.OrderStatusRejected && o.Status != gen.OrderStatusCancelled):
		return nil
	}
	r := &refusal{}
	if err := json.Unmarshal([]byte(o.Failure), r); err != nil {
		panic(fmt.Sprintf("order %s has the failure %q: %v", o.ID, o.Failure, err)) // we wrote it
	}
	return refusals{r}
}

// insertOrder writes a new order with its lines.
func insertOrder(ctx context.Context, tx *database.Tx, o *order) error {
	_, err := tx.ExecContext(ctx, `
		INSERT INTO orders (id, number, user_id, status, currency, subtotal, shipping, total, address, placed_us, updated_us)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)`,
		o.ID, o.Number, o.UserID, o.Status, o.Currency, o.Subtotal, o.Shipping, o.Total, o.Address, o.PlacedUs, o.UpdatedUs)
	if err != nil {
		return fmt.Errorf("insert order: %w", err)
	}
	for i, l := range o.Lines {
		_, err := tx.ExecContext(ctx, `
			INSERT INTO order_line (id, order_id, position, variant_id, sku, product_name, quantity, unit_price)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8)`,
			l.ID, o.ID, i, l.VariantID, l.SKU, l.ProductName, l.Quantity, l.UnitPrice)
		if err != nil {
			return fmt.Errorf("insert line %d of order: %w", i, err)
		}
	}
	return nil
}

// keepFailure stores what the buyer is told of a refusal.
func keepFailure(ctx context.Context, tx *database.Tx, orderID string, r *refusal) error {
	raw, err := json.Marshal(r)
	if err != nil {
		return err
	}
	_, err = tx.ExecContext(ctx, `UPDATE orders SET failure = $1 WHERE id = $2`, string(raw), orderID)
	return err
}
