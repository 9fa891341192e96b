package orders_test

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/agora-supergraph/agora/internal/id"
	"github.com/agora-supergraph/agora/internal/subgraph"
)

func (b *bench) cancel(who caller, orderID, reason, key string) payload {
	b.t.Helper()
	return b.mutate(b.t, who, `orderCancel(id: "`+orderID+`", input: $input)`, "OrderCancelInput", orderFields, object{"reason": reason, "idempotencyKey": key})
}

func (b *bench) fulfil(who caller, orderID, key string) payload {
	b.t.Helper()
	return b.mutate(b.t, who, `orderFulfil(id: "`+orderID+`", input: $input)`, "OrderFulfilInput", orderFields, object{"trackingNumber": "T1", "idempotencyKey": key})
}

func TestAConfirmedOrderIsRefundedAndRestockedWhenItIsCancelled(t *testing.T) {
	each(t, func(t *testing.T, b *bench) {
		userID := id.New(id.User)
		who := b.user(userID)
		order := b.buy(t, who, purchase(userID, b.shop.sell(6000, 5), 1, 6000, "tok_ok", "key")).Order
		if got := b.cancel(b.user(id.New(id.User)), order.ID, "CUSTOMER", "c"); got.code() != "NOT_FOUND" || got.Order != nil {
			t.Errorf("cancelled by a stranger: %+v", got)
		}
		if got := b.cancel(who, order.ID, "FRAUD", "c"); got.code() != "INVALID_INPUT" {
			t.Errorf("cancelled by the buyer for fraud: %+v", got)
		}
		for range 2 { // the same key again has the same effect, once
			if got := b.cancel(who, order.ID, "CUSTOMER", "c"); got.status() != "REFUNDED" || got.Order.CancelReason != "CUSTOMER" {
				t.Errorf("cancelled: %+v", got)
			}
		}
		if got := b.cancel(who, order.ID, "CUSTOMER", "c2"); got.code() != "ILLEGAL_TRANSITION" {
			t.Errorf("cancelled twice: %+v", got)
		}
	})
}

func TestAnOrderThatWaitsForItsBuyerIsUndoneWhenItIsCancelled(t *testing.T) {
	each(t, func(t *testing.T, b *bench) {
		order := b.one("tok_3ds").Order
		if got := b.cancel(b.staff("orders:write", "orders:read"), order.ID, "FRAUD", "c"); got.status() != "CANCELLED" || got.Order.CancelReason != "FRAUD" {
			t.Errorf("cancelled: %+v", got)
		}
	})
}

// A cancellation may come at any moment of the saga: what comes of it is undone, before the pivot and behind it.
func TestACancellationAtAnyMomentOfCheckoutUndoesEverything(t *testing.T) {
	each(t, func(t *testing.T, b *bench) {
		for _, operation := range []string{"stockReserve", "paymentAuthorize", "stockCommit", "paymentCapture"} {
			for _, lost := range []loss{{requests: 2}, {answers: 2}} {
				b.shop.lose(operation, lost.requests, lost.answers)
				userID := id.New(id.User)
				input := purchase(userID, b.shop.sell(6000, 5), 1, 6000, "tok_ok", "key")
				input["waitMs"] = 0
				order := b.buy(t, b.user(userID), input).Order
				time.Sleep(20 * time.Millisecond)
				b.cancel(b.user(userID), order.ID, "CUSTOMER", "c")
				b.eventually(fmt.Sprintf("an order cancelled during %s %v is undone", operation, lost), func() bool {
					status := b.status(order.ID) // behind the pivot, if the cancellation came too late for anything else
					return status == "CANCELLED" || status == "REFUNDED"
				})
			}
		}
	})
}

// What a driver knows of its saga is old when the answer to a step comes.
func TestACancellationWhileAStepIsUnderWayIsNotOverlooked(t *testing.T) {
	each(t, func(t *testing.T, b *bench) {
		for operation, want := range map[string]string{
			"stockReserve": "CANCELLED", "paymentAuthorize": "CANCELLED", "stockCommit": "CANCELLED", "paymentCapture": "REFUNDED",
		} {
			placed := make(chan string, 1)
			userID := id.New(id.User)
			cancelled := make(chan payload, 1)
			b.shop.during(operation, func() {
				orderID := <-placed
				go func() { cancelled <- b.cancel(b.user(userID), orderID, "CUSTOMER", "c") }()
				time.Sleep(100 * time.Millisecond) // until the wish is written down
			})
			input := purchase(userID, b.shop.sell(6000, 5), 1, 6000, "tok_ok", "key")
			input["waitMs"] = 0
			placed <- b.buy(t, b.user(userID), input).Order.ID
			if got := <-cancelled; got.status() != want {
				t.Errorf("cancelled during %s: %+v", operation, got)
			}
		}
	})
}

func TestAFulfilledOrderIsFinal(t *testing.T) {
	each(t, func(t *testing.T, b *bench) {
		staff := b.staff("orders:write", "orders:read")
		userID := id.New(id.User)
		order := b.buy(t, b.user(userID), purchase(userID, b.shop.sell(6000, 5), 1, 6000, "tok_ok", "key")).Order
		if answer := b.ask(b.user(userID), `mutation ($id: ID!) { orderFulfil(id: $id, input: { idempotencyKey: "f" }) { order { id } } }`, object{"id": order.ID}); !strings.Contains(answer, "FORBIDDEN") {
			t.Errorf("fulfilled by the buyer: %s", answer)
		}
		for range 2 {
			if got := b.fulfil(staff, order.ID, "f"); got.status() != "FULFILLED" {
				t.Errorf("fulfilled: %+v", got)
			}
		}
		if got := b.fulfil(staff, order.ID, "f2"); got.code() != "ILLEGAL_TRANSITION" {
			t.Errorf("fulfilled twice: %+v", got)
		}
		if got := b.cancel(b.user(userID), order.ID, "CUSTOMER", "c"); got.code() != "ILLEGAL_TRANSITION" {
			t.Errorf("cancelled when fulfilled: %+v", got)
		}
		if got := b.fulfil(staff, b.one("tok_decline").Order.ID, "f3"); got.code() != "ILLEGAL_TRANSITION" {
			t.Errorf("fulfilled when rejected: %+v", got)
		}
	})
}

func TestRefundsByStaffShowInTheOrder(t *testing.T) {
	each(t, func(t *testing.T, b *bench) {
		order := b.one("tok_ok").Order
		for i, status := range []string{"PARTIALLY_REFUNDED", "REFUNDED"} {
			refunded := []int{2000, 6000}[i]
			b.publish("agora/payments", "agora.payments.payment."+strings.ToLower(status)+".v1", int64(i+1), "pay_1", object{"orderId": order.ID, "status": status, "amountRefunded": object{"minorUnits": refunded, "currency": "EUR"}})
			if got := b.status(order.ID); got != status {
				t.Errorf("order is %s, want %s", got, status)
			}
		}
		b.shop.mu.Lock()
		defer b.shop.mu.Unlock()
		p := b.shop.payments[order.ID] // the buyer keeps the goods
		p.back = p.captured
	})
}

func TestAnOrderIsShownToItsBuyerAndToStaff(t *testing.T) {
	each(t, func(t *testing.T, b *bench) {
		userID := id.New(id.User)
		order := b.buy(t, b.user(userID), purchase(userID, b.shop.sell(2000, 5), 2, 4500, "tok_ok", "key")).Order
		query := `query ($id: ID, $number: String) { order(id: $id, number: $number) { id subtotal { amount } shipping { amount } total { amount currency }
			lines { quantity productName unitPrice { amount } lineTotal { amount } variant { sku } } shippingAddress { name line2 countryCode } } }`
		want := `{"data":{"order":{"id":"` + order.ID + `","subtotal":{"amount":"40.00"},"shipping":{"amount":"5.00"},"total":{"amount":"45.00","currency":"EUR"},` +
			`"lines":[{"quantity":2,"productName":"Thing at 2000","unitPrice":{"amount":"20.00"},"lineTotal":{"amount":"40.00"},"variant":{"sku":"SKU-2000"}}],` +
			`"shippingAddress":{"name":"Ada","line2":null,"countryCode":"GB"}}}}`
		typed := strings.ToLower(strings.ReplaceAll(order.Number, "-", " "))
		for name, tt := range map[string]struct {
			who       caller
			variables map[string]any
			want      string
		}{
			"the buyer, by id":                 {b.user(userID), object{"id": order.ID}, want},
			"the buyer, by number":             {b.user(userID), object{"number": order.Number}, want},
			"the buyer, who types it":          {b.user(userID), object{"number": typed}, want},
			"staff":                            {b.staff("orders:read"), object{"id": order.ID}, want},
			"a stranger, by id":                {b.user(id.New(id.User)), object{"id": order.ID}, `{"data":{"order":null}}`},
			"a stranger, by number":            {b.user(id.New(id.User)), object{"number": order.Number}, `{"data":{"order":null}}`},
			"the buyer, with another number":   {b.user(userID), object{"number": "7K3M-9QX2-TV4"}, `{"data":{"order":null}}`},
			"the buyer, with an id of no kind": {b.user(userID), object{"id": "1' OR '1'='1"}, `{"data":{"order":null}}`},
		} {
			if got := b.ask(tt.who, query, tt.variables); got != tt.want {
				t.Errorf("%s sees\n%s\nwant\n%s", name, got, tt.want)
			}
		}
		if got := b.ask("", query, object{"id": order.ID}); !strings.Contains(got, "UNAUTHENTICATED") {
			t.Errorf("nobody sees %s", got)
		}
	})
}

func TestASubscriptionStreamsEveryStatusToTheEnd(t *testing.T) {
	each(t, func(t *testing.T, b *bench) {
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
		defer cancel()
		userID := id.New(id.User)
		input := purchase(userID, b.shop.sell(6000, 5), 1, 6000, "tok_ok", "key")
		input["waitMs"] = 0
		b.shop.lose("stockReserve", 1_000_000, 0) // until somebody listens
		order := b.buy(t, b.user(userID), input).Order
		variables, _ := json.Marshal(object{"id": order.ID})
		subscribe := func(who caller) func() []byte {
			return b.server.Subscribe(ctx, &subgraph.Request{
				Query: `subscription ($id: ID!) { orderUpdated(id: $id) { status } }`, Variables: variables, Header: who.header(),
			})
		}
		next := subscribe(b.user(userID))
		var got []string
		for event := next(); event != nil; event = next() {
			b.shop.lose("stockReserve", 0, 0)
			_, status, _ := strings.Cut(strings.TrimSuffix(string(event), `"}}}`), `"status":"`)
			if got = append(got, status); status == "CONFIRMED" {
				b.fulfil(b.staff("orders:write"), order.ID, "f")
			}
		}
		if diff := cmp.Diff([]string{"PENDING", "STOCK_RESERVED", "PAYMENT_AUTHORIZED", "CONFIRMED", "FULFILLED"}, got); diff != "" {
			t.Errorf("streamed (-want +got):\n%s", diff)
		}
		if event := string(subscribe(b.user(id.New(id.User)))()); !strings.Contains(event, "NOT_FOUND") {
			t.Errorf("a stranger is told %s", event)
		}
	})
}

func TestPagesOfOrdersNeitherRepeatNorSkip(t *testing.T) {
	each(t, func(t *testing.T, b *bench) {
		userID := id.New(id.User)
		who, variantID := b.user(userID), b.shop.sell(6000, 100)
		var placed []string
		for i := range 7 {
			token := []string{"tok_ok", "tok_decline"}[i%2]
			placed = append([]string{b.buy(t, who, purchase(userID, variantID, 1, 6000, token, fmt.Sprint(i))).Order.ID}, placed...)
		}
		b.one("tok_ok") // somebody else's
		for _, arguments := range []string{"first: 3", "last: 3"} {
			ids, total := b.pages(who, userID, arguments, "")
			if diff := cmp.Diff(placed, ids); diff != "" || total != 7 {
				t.Errorf("%s: %d in all (-want +got):\n%s", arguments, total, diff)
			}
		}
		if ids, total := b.pages(who, userID, "first: 2", ", filter: { statuses: [REJECTED] }"); len(ids) != 3 || total != 3 {
			t.Errorf("the rejected ones: %v of %d", ids, total)
		}
		if ids, _ := b.pages(who, userID, "first: 2", `, filter: { placedAfter: "2999-01-01T00:00:00Z" }`); len(ids) != 0 {
			t.Errorf("those of the future: %v", ids)
		}
		if got := b.ask(who, `query ($r: [_Any!]!) { _entities(representations: $r) { ... on User { orders { totalCount } cart { id } } } }`,
			object{"r": []any{object{"__typename": "User", "id": id.New(id.User)}}}); got != `{"data":{"_entities":[{"orders":null,"cart":null}]}}` {
			t.Errorf("somebody else's orders: %s", got)
		}
	})
}

// pages reads all pages of a user's orders.
func (b *bench) pages(who caller, userID, arguments, filter string) (ids []string, total int) {
	b.t.Helper()
	backward := strings.HasPrefix(arguments, "last")
	cursor := ""
	for range 10 {
		answer := b.ask(who, `query ($r: [_Any!]!) { _entities(representations: $r) { ... on User { orders(`+arguments+cursor+filter+`) {
			totalCount edges { node { id } } pageInfo { hasNextPage hasPreviousPage startCursor endCursor } } } } }`,
			object{"r": []any{object{"__typename": "User", "id": userID}}})
		var response struct {
			Data struct {
				Entities []struct {
					Orders *struct {
						TotalCount int
						Edges      []struct{ Node struct{ ID string } }
						PageInfo   struct {
							HasNextPage, HasPreviousPage bool
							StartCursor, EndCursor       string
						}
					}
				} `json:"_entities"`
			}
		}
		if err := json.Unmarshal([]byte(answer), &response); err != nil || len(response.Data.Entities) != 1 || response.Data.Entities[0].Orders == nil {
			b.t.Fatalf("orders answered %s", answer)
		}
		page := response.Data.Entities[0].Orders
		total = page.TotalCount
		var these []string
		for _, e := range page.Edges {
			these = append(these, e.Node.ID)
		}
		if backward {
			ids, cursor = append(these, ids...), fmt.Sprintf(", before: %q", page.PageInfo.StartCursor)
		} else {
			ids, cursor = append(ids, these...), fmt.Sprintf(", after: %q", page.PageInfo.EndCursor)
		}
		if more := page.PageInfo.HasNextPage && !backward || page.PageInfo.HasPreviousPage && backward; !more {
			return ids, total
		}
	}
	b.t.Fatal("there is no end of pages")
	return nil, 0
}
