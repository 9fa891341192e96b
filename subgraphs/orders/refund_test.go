package orders_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/agora-supergraph/agora/internal/id"
)

// refundOf sends a refund of a line of an order.
func (b *bench) refundOf(who caller, orderID string, input map[string]any) payload {
	b.t.Helper()
	return b.mutate(b.t, who, `orderRefund(id: "`+orderID+`", input: $input)`, "OrderRefundInput", orderFields, input)
}

// figures are what an order says of its refunds.
func (b *bench) figures(orderID string) string {
	b.t.Helper()
	answer := b.ask(b.staff("orders:read"), `query ($id: ID!) { order(id: $id) { status refunded { minorUnits } lines { refundedQuantity restockedQuantity } } }`, object{"id": orderID})
	return strings.TrimSuffix(strings.TrimPrefix(answer, `{"data":{"order":`), `}}`)
}

func TestAPaidOrderIsRefundedInParts(t *testing.T) {
	each(t, func(t *testing.T, b *bench) {
		userID := id.New(id.User)
		staff := b.staff("payments:refund", "orders:read")
		order := b.buy(t, b.user(userID), purchase(userID, b.shop.sell(6000, 5), 3, 18000, "tok_ok", "key")).Order
		line := b.line(staff, order.ID)
		part := func(quantity int, restock bool, key string) object {
			return object{"lines": []any{object{"lineId": line, "quantity": quantity, "restock": restock}}, "idempotencyKey": key}
		}
		for _, step := range []struct {
			input              object
			code, field, state string
		}{
			{part(1, true, "one"), "", "", "PARTIALLY_REFUNDED 6000 1 1"},
			{part(1, true, "one"), "", "", "PARTIALLY_REFUNDED 6000 1 1"},
			{part(2, true, "one"), "IDEMPOTENCY_KEY_REUSED", "input idempotencyKey", "PARTIALLY_REFUNDED 6000 1 1"},
			{part(3, true, "three"), "INVALID_INPUT", "input lines 0 quantity", "PARTIALLY_REFUNDED 6000 1 1"},
			{object{"extraMinorUnits": 12001, "idempotencyKey": "much"}, "INVALID_INPUT", "input extraMinorUnits", "PARTIALLY_REFUNDED 6000 1 1"},
			{object{"idempotencyKey": "nothing"}, "INVALID_INPUT", "input", "PARTIALLY_REFUNDED 6000 1 1"},
			{object{"lines": []any{object{"lineId": "oln_x", "quantity": 1}}, "idempotencyKey": "none"}, "NOT_FOUND", "input lines 0 lineId", "PARTIALLY_REFUNDED 6000 1 1"},
			{object{"extraMinorUnits": 500, "reason": "a scratch", "idempotencyKey": "goodwill"}, "", "", "PARTIALLY_REFUNDED 6500 1 1"},
			{part(1, false, "kept"), "", "", "PARTIALLY_REFUNDED 12500 2 1"},
			{part(1, true, "last"), "INVALID_INPUT", "input", "PARTIALLY_REFUNDED 12500 2 1"},
			{object{"extraMinorUnits": 5500, "idempotencyKey": "rest"}, "", "", "REFUNDED 18000 2 1"},
			{object{"extraMinorUnits": 0, "idempotencyKey": "again"}, "INVALID_INPUT", "input", "REFUNDED 18000 2 1"},
		} {
			got := b.refundOf(staff, order.ID, step.input)
			field := ""
			if len(got.UserErrors) > 0 {
				field = strings.Join(got.UserErrors[0].Field, " ")
			}
			var status string
			var refunded, back, shelved int
			if _, err := fmt.Sscanf(b.figures(order.ID), `{"status":%q,"refunded":{"minorUnits":%d},"lines":[{"refundedQuantity":%d,"restockedQuantity":%d}]`, &status, &refunded, &back, &shelved); err != nil {
				t.Fatalf("%v: %s", err, b.figures(order.ID))
			}
			if state := fmt.Sprint(status, " ", refunded, " ", back, " ", shelved); got.code() != step.code || field != step.field || state != step.state {
				t.Errorf("%v: %q at %q, and then %s; want %q at %q, and %s", step.input, got.code(), field, state, step.code, step.field, step.state)
			}
		}
	})
}

func TestARefundSurvivesLostAnswersAndOneThatIsDeclinedChangesNothing(t *testing.T) {
	each(t, func(t *testing.T, b *bench) {
		userID := id.New(id.User)
		staff := b.staff("payments:refund", "orders:read", "orders:write")
		order := b.buy(t, b.user(userID), purchase(userID, b.shop.sell(6000, 5), 2, 12000, "tok_ok", "key")).Order
		input := object{"lines": []any{object{"lineId": b.line(staff, order.ID), "quantity": 1}}, "idempotencyKey": "r"}
		b.shop.lose("refundCreate", 1, 1)
		b.shop.lose("stockRestock", 1, 1)
		b.refundOf(staff, order.ID, input)
		b.eventually("the refund is carried out", func() bool {
			return b.figures(order.ID) == `{"status":"PARTIALLY_REFUNDED","refunded":{"minorUnits":6000},"lines":[{"refundedQuantity":1,"restockedQuantity":1}]}`
		})
		if got := b.cancel(staff, order.ID, "STAFF", "c"); got.status() != "REFUNDED" {
			t.Errorf("cancelled afterwards: %+v", got)
		}

		failing := b.buy(t, b.user(userID), purchase(userID, b.shop.sell(6000, 5), 1, 6000, "tok_refund_fail", "other")).Order
		got := b.refundOf(staff, failing.ID, object{"extraMinorUnits": 1000, "idempotencyKey": "declined"})
		if got.code() != "PAYMENT_DECLINED" || b.figures(failing.ID) != `{"status":"CONFIRMED","refunded":{"minorUnits":0},"lines":[{"refundedQuantity":0,"restockedQuantity":0}]}` {
			t.Errorf("a refund that is declined: %+v, %s", got, b.figures(failing.ID))
		}
	})
}

func TestOnlyWhoMayRefundCancelsAPaidOrderOfSomebodyElse(t *testing.T) {
	each(t, func(t *testing.T, b *bench) {
		userID := id.New(id.User)
		buyer, warehouse := b.user(userID), b.staff("orders:write", "inventory:write")
		order := b.buy(t, buyer, purchase(userID, b.shop.sell(6000, 5), 1, 6000, "tok_ok", "key")).Order
		cancel := `mutation ($id: ID!, $r: OrderCancelReason!) { orderCancel(id: $id, input: { reason: $r, idempotencyKey: "w" }) { order { status } userErrors { code } } }`
		refund := `mutation ($id: ID!) { orderRefund(id: $id, input: { extraMinorUnits: 1, idempotencyKey: "w" }) { order { status } } }`
		for _, answer := range []string{
			b.ask(warehouse, cancel, object{"id": order.ID, "r": "STAFF"}), b.ask(warehouse, refund, object{"id": order.ID}), b.ask(buyer, refund, object{"id": order.ID}),
		} {
			if !strings.Contains(answer, "FORBIDDEN") || b.status(order.ID) != "CONFIRMED" {
				t.Errorf("answered %s; the order is %s", answer, b.status(order.ID))
			}
		}
		if answer := b.ask(buyer, cancel, object{"id": order.ID, "r": "CUSTOMER"}); !strings.Contains(answer, `"REFUNDED"`) {
			t.Errorf("the buyer cancels: %s", answer)
		}
		waiting := b.one("tok_3ds").Order
		if got := b.cancel(warehouse, waiting.ID, "STAFF", "w"); got.status() != "CANCELLED" {
			t.Errorf("the warehouse cancels what isn't paid: %+v", got)
		}
	})
}

func TestAnotherCurrencyThanTheBuyerSawIsAnotherPrice(t *testing.T) {
	each(t, func(t *testing.T, b *bench) {
		userID := id.New(id.User)
		input := purchase(userID, b.shop.sell(6000, 5), 1, 6000, "tok_ok", "key")
		input["expectedCurrency"] = "JPY"
		if got := b.buy(t, b.user(userID), input); got.code() != "PRICE_CHANGED" {
			t.Errorf("6000 yen: %+v", got)
		}
		input["expectedCurrency"] = "EUR"
		if got := b.buy(t, b.user(userID), input); got.status() != "CONFIRMED" {
			t.Errorf("60.00 euros: %+v", got)
		}
	})
}
