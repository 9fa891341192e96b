package main

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"
)

// undoing is a way in which staff undo an order that is paid, and the statuses that it comes to by that.
type undoing struct{ query, status string }

const (
	cancelQuery  = `mutation($id: ID!, $key: String!) { orderCancel(id: $id, input: {reason: STAFF, idempotencyKey: $key}) { order { status } userErrors { message } } }`
	giveQuery    = `mutation($id: ID!, $line: ID!, $key: String!) { orderRefund(id: $id, input: {lines: [{lineId: $line, quantity: 1}], idempotencyKey: $key}) { order { status } userErrors { message } } }`
	confirmQuery = `mutation($id: ID!, $key: String!) { paymentActionConfirm(paymentId: $id, input: {result: "done", idempotencyKey: $key}) { userErrors { message } } }`
)

var (
	cancelling = undoing{cancelQuery, "REFUNDED"}
	refunding  = undoing{giveQuery, "PARTIALLY_REFUNDED"} // the shipping is kept
)

// input is an order of one unit.
func (m *market) input(b int, key string, n int) map[string]any {
	return map[string]any{"i": map[string]any{
		"lines": []any{map[string]any{"variantId": m.variant, "quantity": 1}}, "addressId": m.buyers[b].address, "paymentMethodToken": m.cards[n%len(m.cards)],
		"expectedTotalMinorUnits": m.total, "idempotencyKey": key, "waitMs": 50,
	}}
}

// trade has all buyers order one unit after the other until ctx ends. Of what is paid at once staff cancel some, and
// refund some.
func (m *market) trade(ctx context.Context) {
	var wg sync.WaitGroup
	for b := range m.buyers {
		wg.Go(func() {
			for n := 0; ctx.Err() == nil; n++ {
				s, err := m.order(context.WithoutCancel(ctx), b, n)
				m.mu.Lock()
				m.orders = append(m.orders, s)
				if err != nil {
					m.failed++
				}
				m.mu.Unlock()
				if err != nil {
					time.Sleep(50 * time.Millisecond)
				}
			}
		})
	}
	wg.Wait()
}

// order sends the n-th order of a buyer, and what comes after it.
func (m *market) order(ctx context.Context, b, n int) (sent, error) {
	s := sent{buyer: b, input: m.input(b, fmt.Sprint("load ", b, " ", n, " ", time.Now().UnixNano()), n)}
	undo := map[int]undoing{2: cancelling, 5: refunding}[n%7]
	if undo != (undoing{}) {
		s.input["i"].(map[string]any)["waitMs"] = 1000
	}
	data, err := m.as(ctx, b).send(ctx, orderQuery, s.input)
	s.acknowledged = text(data, "orderCreate.order.id")
	if err != nil {
		return s, err
	}
	switch text(data, "orderCreate.order.status") {
	case "ACTION_REQUIRED":
		err = m.confirm(ctx, s, data)
	case "CONFIRMED":
		if s.undo = undo; undo != (undoing{}) {
			_, err = m.undo(ctx, s, data)
		}
	}
	return s, err
}

// confirm does what the buyer's bank asks for.
func (m *market) confirm(ctx context.Context, s sent, order map[string]any) error {
	payment := text(order, "orderCreate.order.payments.0.id")
	_, err := m.as(ctx, s.buyer).send(ctx, confirmQuery, map[string]any{"id": payment, "key": "confirm " + payment})
	return err
}

// undo has staff undo an order, by a key of the order, and returns its status.
func (m *market) undo(ctx context.Context, s sent, order map[string]any) (string, error) {
	id := text(order, "orderCreate.order.id")
	variables := map[string]any{"id": id, "key": "undo " + id}
	name := "orderCancel"
	if s.undo == refunding {
		name, variables["line"] = "orderRefund", text(order, "orderCreate.order.lines.0.id")
	}
	data, err := m.asStaff(ctx).send(ctx, s.undo.query, variables)
	if problem := text(data, name+".userErrors.0.message"); err == nil && problem != "" {
		err = fmt.Errorf("%s of %s: %s", name, id, problem)
	}
	return text(data, name+".order.status"), err
}

// settleTimeout is how long it may take, after what was broken is whole again, until every order has come to its end. On a
// machine that has time to spare that is far below the 30 s that are promised: the report says how long it took and how
// busy the machine was. What has not come to its end by then is stuck.
const settleTimeout = 3 * time.Minute

// settle sends an order again until it has come to its end, and what comes after it too, and returns its id and status.
func (m *market) settle(ctx context.Context, s sent) (id, status string, err error) {
	ctx, cancel := context.WithTimeout(ctx, settleTimeout)
	defer cancel()
	for {
		data, err := m.as(ctx, s.buyer).send(ctx, orderQuery, s.input)
		code := text(data, "orderCreate.userErrors.0.code")
		id, status = text(data, "orderCreate.order.id"), text(data, "orderCreate.order.status")
		switch {
		case status == "CONFIRMED" && s.undo != (undoing{}):
			status, err = m.undo(ctx, s, data)
		case status == "ACTION_REQUIRED":
			err = m.confirm(ctx, s, data)
		}
		switch {
		case status == "CONFIRMED" && s.undo == (undoing{}), status == "REJECTED", status == "CANCELLED", status != "" && status == s.undo.status:
			return id, status, nil
		case err == nil && status == "" && code != "" && code != "IDEMPOTENCY_IN_PROGRESS":
			return "", code, nil
		}
		select {
		case <-ctx.Done():
			return id, status, fmt.Errorf("order %q is %q: %w", id, status, errors.Join(err, ctx.Err()))
		case <-time.After(100 * time.Millisecond):
		}
	}
}
