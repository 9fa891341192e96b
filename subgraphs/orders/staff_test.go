package orders_test

import (
	"testing"

	"github.com/agora-supergraph/agora/internal/id"
)

// capturedByStaff is what payments has of an order whose buyer has confirmed and whose money staff have taken.
func (s *shop) capturedByStaff(orderID string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	p := s.payments[orderID]
	p.status, p.captured = "CAPTURED", p.amount
}

func TestMoneyThatStaffTookEarlyBelongsToTheOrderOrIsGivenBack(t *testing.T) {
	each(t, func(t *testing.T, b *bench) {
		cancelled := b.one("tok_3ds").Order
		b.eventually("the saga waits for the buyer", func() bool { return b.shop.wasAsked("payment(id") })
		b.shop.capturedByStaff(cancelled.ID)
		if got := b.cancel(b.staff("orders:write"), cancelled.ID, "STAFF", "c"); got.status() != "CANCELLED" {
			t.Errorf("cancelled: %+v", got)
		}
		confirmed := b.one("tok_3ds").Order
		b.shop.capturedByStaff(confirmed.ID)
		b.publish("agora/payments", "agora.payments.payment.captured.v1", 1, id.New(id.Payment), object{"orderId": confirmed.ID, "status": "CAPTURED"})
		b.eventually("the order is confirmed", func() bool { return b.status(confirmed.ID) == "CONFIRMED" })
		b.audit()
	})
}

func TestARefundThatIsHeardOfBeforeTheCaptureIsNotForgotten(t *testing.T) {
	each(t, func(t *testing.T, b *bench) {
		b.shop.lose("paymentCapture", 0, 4)
		userID := id.New(id.User)
		input := purchase(userID, b.shop.sell(6000, 5), 1, 6000, "tok_ok", "key")
		input["waitMs"] = 0
		order := b.buy(t, b.user(userID), input).Order
		b.eventually("the money is taken", func() bool {
			b.shop.mu.Lock()
			defer b.shop.mu.Unlock()
			p := b.shop.payments[order.ID]
			return p != nil && p.status == "CAPTURED"
		})
		if status := b.status(order.ID); status != "PAYMENT_AUTHORIZED" {
			t.Fatalf("the order is %s before the answer to capture is there", status)
		}
		b.publish("agora/payments", "agora.payments.payment.partially_refunded.v1", 1, id.New(id.Payment), object{"orderId": order.ID, "status": "PARTIALLY_REFUNDED"})
		b.eventually("the order is partially refunded", func() bool { return b.status(order.ID) == "PARTIALLY_REFUNDED" })
	})
}
