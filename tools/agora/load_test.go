package main

import (
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"time"
)

// placedByKey finds what became of the order of a key: the same request again.
func placedByKey(b buyer, input map[string]any) (status, id string) {
	data := b.settle(createQuery, input)
	return text(data, "orderCreate.order.status"), text(data, "orderCreate.order.id")
}

// sent is an order that was sent, and the id by which it was acknowledged, if it was.
type sent struct {
	buyer        int
	input        map[string]any
	acknowledged string
}

// orderUntilTheEnd has all people order one unit after the other until the program is gone.
func orderUntilTheEnd(people []buyer, variant string, total int) (all []sent) {
	cards := []string{"tok_ok", "tok_ok", "tok_decline", "tok_timeout_ok"}
	var mu sync.Mutex
	var wg sync.WaitGroup
	for i, b := range people {
		wg.Go(func() {
			for n := 0; ; n++ {
				s := sent{buyer: i, input: map[string]any{"i": map[string]any{
					"lines": []any{map[string]any{"variantId": variant, "quantity": 1}}, "addressId": b.address, "paymentMethodToken": cards[n%len(cards)],
					"expectedTotalMinorUnits": total, "idempotencyKey": fmt.Sprint("load ", i, " ", n), "waitMs": 50,
				}}}
				r, err := b.send(createQuery, s.input)
				if err == nil {
					s.acknowledged = text(r.Data, "orderCreate.order.id")
				}
				mu.Lock()
				all = append(all, s)
				mu.Unlock()
				if err != nil {
					return
				}
			}
		})
	}
	wg.Wait()
	return all
}

// paidOrders counts the orders that money was captured for: the whole total of confirmed ones, and nothing of others.
func paidOrders(people []buyer, p *program, total int) int {
	paid := 0
	for _, b := range people {
		b.program = p
		mine := b.do(`{ me { orders(first: 100) { totalCount edges { node { status payments { status amountCaptured { minorUnits } amountRefunded { minorUnits } } } } } } }`, nil)
		for i := range min(number(mine, "me.orders.totalCount"), 100) {
			order := at(mine, fmt.Sprint("me.orders.edges.", i, ".node"))
			captured := number(order, "payments.0.amountCaptured.minorUnits")
			if want := map[bool]int{true: total, false: 0}[text(order, "status") == "CONFIRMED"]; captured != want {
				p.Errorf("%v has %d captured, want %d", order, captured, want)
			}
			if captured > 0 {
				paid++
			}
		}
	}
	return paid
}

func TestKill9AtARandomMomentUnderLoadLosesNothing(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	p := start(t, folder)
	variant, sku, _ := p.variantWith(1000)
	people := make([]buyer, 4)
	for i := range people {
		people[i] = p.newBuyer()
	}
	total := number(people[0].do(addQuery, map[string]any{"v": variant, "n": 1}), "cartLinesAdd.cart.total.minorUnits")
	var all []sent
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		all = orderUntilTheEnd(people, variant, total)
	}()
	moment := 300*time.Millisecond + rand.N(1500*time.Millisecond)
	time.Sleep(moment)
	p.kill()
	<-ended
	t.Logf("killed after %v and %d orders", moment, len(all))

	p = start(t, folder)
	confirmed := 0
	for _, s := range all {
		b := people[s.buyer]
		b.program = p
		status, id := placedByKey(b, s.input)
		if s.acknowledged != "" && s.acknowledged != id {
			t.Errorf("%v: acknowledged as order %s, and now it is %q", s.input, s.acknowledged, id)
		}
		switch status {
		case "CONFIRMED":
			confirmed++
		case "REJECTED":
		default:
			t.Errorf("%v: %s is %q", s.input, id, status)
		}
	}
	stock := p.staff().do(stockQuery, map[string]any{"sku": sku})
	if number(stock, "variant.stockLevel.sold") != confirmed || number(stock, "variant.stockLevel.onHand") != 1000-confirmed || number(stock, "variant.stockLevel.reserved") != 0 {
		t.Errorf("%d orders are confirmed, and the stock is %v", confirmed, stock)
	}
	if paid := paidOrders(people, p, total); paid != confirmed {
		t.Errorf("%d orders are paid, %d are confirmed", paid, confirmed)
	}
	auditFolder(t, folder)
}
