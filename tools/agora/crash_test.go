package main

import (
	"fmt"
	"testing"
	"time"
)

// crashes are the places on the way of an order that succeeds where the program dies: when an answer is there and
// not yet recorded, and when it is.
var crashes = []string{
	"orders.placing", "orders.placed", "orders.reserved", "orders.reserved.recorded", "orders.authorized", "orders.authorized.recorded",
	"orders.committed", "orders.committed.recorded", "orders.captured", "orders.captured.recorded",
	"payments.intended", "payments.asked", "payments.recorded",
}

func TestAnOrderSurvivesKill9AtAnyStepOfItsCheckout(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	p := start(t, folder)
	variant, sku, _ := p.variantWith(1000)
	b := p.newBuyer()
	total := number(b.do(addQuery, map[string]any{"v": variant, "n": 2}), "cartLinesAdd.cart.total.minorUnits")
	p.interrupt()

	confirmed := 0
	for _, point := range crashes {
		input := map[string]any{"i": map[string]any{
			"lines": []any{map[string]any{"variantId": variant, "quantity": 2}}, "addressId": b.address, "paymentMethodToken": "tok_ok",
			"expectedTotalMinorUnits": total, "idempotencyKey": "crash at " + point, "waitMs": 10000,
		}}
		p = start(t, folder, "AGORA_FAULTS="+point+"=kill")
		b.program = p
		if r, err := b.send(createQuery, input); err == nil {
			t.Errorf("%s: the program lives and answers %v", point, r)
			continue
		}
		<-p.ended

		p = start(t, folder)
		b.program = p
		// The buyer never saw an answer and tries again: one order comes of it, whether or not the first try was stored.
		again := b.settle(createQuery, input)
		if text(again, "orderCreate.order.status") != "CONFIRMED" {
			t.Errorf("%s: after the restart: %v", point, again)
		}
		confirmed++
		stock := p.staff().do(stockQuery, map[string]any{"sku": sku})
		if number(stock, "variant.stockLevel.sold") != 2*confirmed || number(stock, "variant.stockLevel.reserved") != 0 {
			t.Errorf("%s: %d orders of 2 units are confirmed, and the stock is %v", point, confirmed, stock)
		}
		if status := p.interrupt(); status != 0 {
			t.Errorf("%s: exit status %d", point, status)
		}
		auditFolder(t, folder)
	}
	p = start(t, folder)
	b.program = p
	mine := b.do(`{ me { orders(first: 100) { totalCount edges { node { status payments { status amountCaptured { minorUnits } } } } } } }`, nil)
	if number(mine, "me.orders.totalCount") != confirmed {
		t.Errorf("%d orders, want %d: %v", number(mine, "me.orders.totalCount"), confirmed, mine)
	}
	for i := range confirmed {
		node := fmt.Sprintf("me.orders.edges.%d.node.", i)
		if text(mine, node+"payments.0.status") != "CAPTURED" || number(mine, node+"payments.0.amountCaptured.minorUnits") != total || at(mine, node+"payments.1") != nil {
			t.Errorf("order %d is paid by %v", i, at(mine, node+"payments"))
		}
	}
	auditFolder(t, folder)
}

// settle sends an order until it is final, as a buyer's program would that has lost its answer or got a pending order.
func (b buyer) settle(query string, input map[string]any) map[string]any {
	deadline := time.Now().Add(time.Minute)
	for {
		r, err := b.send(query, input)
		if err != nil {
			b.Error(err)
			return nil
		}
		status := text(r.Data, "orderCreate.order.status")
		final := status == "CONFIRMED" || status == "REJECTED" || status == "CANCELLED"
		if final || (status == "" && text(r.Data, "orderCreate.userErrors.0.code") != "IDEMPOTENCY_IN_PROGRESS" && len(r.Errors) == 0) || time.Now().After(deadline) {
			return r.Data
		}
		time.Sleep(200 * time.Millisecond)
	}
}
