package orders_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/agora-supergraph/agora/internal/id"
)

func TestAnOrderIsConfirmedWithItsHistory(t *testing.T) {
	each(t, func(t *testing.T, b *bench) {
		got := b.one("tok_ok")
		if got.status() != "CONFIRMED" || got.code() != "" || got.Order.Total.MinorUnits != 6000 {
			t.Fatalf("order: %+v", got)
		}
		if diff := cmp.Diff([]string{"PENDING", "STOCK_RESERVED", "PAYMENT_AUTHORIZED", "CONFIRMED"}, b.history(got.Order.ID)); diff != "" {
			t.Errorf("history (-want +got):\n%s", diff)
		}
	})
}

func TestARefusalUndoesWhatWasDone(t *testing.T) {
	each(t, func(t *testing.T, b *bench) {
		for _, tt := range []struct{ token, status, reason, code string }{
			{"tok_decline", "REJECTED", "PAYMENT_DECLINED", "PAYMENT_DECLINED"},
			{"tok_capture_fail", "CANCELLED", "PAYMENT_DECLINED", "PAYMENT_DECLINED"},
		} {
			got := b.one(tt.token)
			if got.status() != tt.status || got.Order.CancelReason != tt.reason || got.code() != tt.code {
				t.Errorf("%s: %+v", tt.token, got)
			}
		}
	})
}

func TestTheLastUnitGoneMeanwhileIsARefusalThatSaysHowManyThereAre(t *testing.T) {
	each(t, func(t *testing.T, b *bench) {
		userID := id.New(id.User)
		variantID := b.shop.sell(6000, 3)
		b.shop.vanish = 2 // between the answer of availability and the reservation
		got := b.buy(t, b.user(userID), purchase(userID, variantID, 2, 12000, "tok_ok", "key"))
		if got.status() != "REJECTED" || got.Order.CancelReason != "OUT_OF_STOCK" || got.code() != "INSUFFICIENT_STOCK" {
			t.Fatalf("order: %+v", got)
		}
		if e := got.UserErrors[0]; e.Available == nil || *e.Available != 1 || e.Variant == nil || e.Variant.ID != variantID {
			t.Errorf("refusal: %+v", e)
		}
	})
}

// Whatever is lost on the way, the order ends as it would have, and nothing happens twice.
func TestAnUnknownOutcomeIsAskedAgainWithTheSameKey(t *testing.T) {
	each(t, func(t *testing.T, b *bench) {
		for _, tt := range []struct{ operation, token, status string }{
			{"stockReserve", "tok_ok", "CONFIRMED"},
			{"paymentAuthorize", "tok_ok", "CONFIRMED"},
			{"paymentAuthorize", "tok_unknown", "CONFIRMED"},
			{"paymentAuthorize", "tok_decline", "REJECTED"},
			{"stockCommit", "tok_ok", "CONFIRMED"},
			{"paymentCapture", "tok_ok", "CONFIRMED"},
			{"paymentCapture", "tok_capture_fail", "CANCELLED"},
			{"stockRelease", "tok_decline", "REJECTED"},
			{"paymentVoid", "tok_capture_fail", "CANCELLED"},
			{"stockRestock", "tok_capture_fail", "CANCELLED"},
		} {
			for name, lost := range map[string]loss{"the request": {requests: 1}, "the answer": {answers: 1}, "both": {2, 2}} {
				b.shop.lose(tt.operation, lost.requests, lost.answers)
				if got := b.one(tt.token); got.status() != tt.status {
					t.Errorf("%s of %s without %s: %+v, want %s", tt.token, tt.operation, name, got, tt.status)
				}
			}
		}
	})
}

func TestAServiceThatIsAwayTooLongEndsTheOrderBeforeItsReservationDoes(t *testing.T) {
	each(t, func(t *testing.T, b *bench) {
		for _, operation := range []string{"stockReserve", "paymentAuthorize"} {
			b.shop.lose(operation, 1_000_000, 0)
			userID := id.New(id.User)
			input := purchase(userID, b.shop.sell(6000, 5), 1, 6000, "tok_ok", "key")
			input["waitMs"] = 0
			got := b.buy(t, b.user(userID), input)
			if got.code() != "" || got.Order == nil {
				t.Fatalf("order: %+v", got)
			}
			b.clock.turn(15 * time.Minute)
			b.eventually("the order is rejected", func() bool { return b.status(got.Order.ID) == "REJECTED" })
			b.shop.lose(operation, 0, 0)
		}
	})
}

func TestThreeDSecureResumesWhenThePaymentsServiceSaysSo(t *testing.T) {
	each(t, func(t *testing.T, b *bench) {
		for _, tt := range []struct{ confirmed, status, reason string }{
			{"AUTHORIZED", "CONFIRMED", ""},
			{"DECLINED", "REJECTED", "PAYMENT_DECLINED"},
			{"EXPIRED", "REJECTED", "PAYMENT_TIMEOUT"},
		} {
			got := b.one("tok_3ds")
			if got.status() != "ACTION_REQUIRED" || got.code() != "PAYMENT_ACTION_REQUIRED" {
				t.Fatalf("order: %+v", got)
			}
			b.shop.confirm(got.Order.ID, tt.confirmed)
			b.publish("agora/payments", "agora.payments.payment.changed.v1", 1, id.New(id.Payment), object{"orderId": got.Order.ID, "status": tt.confirmed})
			b.eventually("the order is "+tt.status, func() bool { return b.status(got.Order.ID) == tt.status })
		}
	})
}

func TestAnActionThatNobodyTakesLapsesBeforeTheReservation(t *testing.T) {
	each(t, func(t *testing.T, b *bench) {
		got := b.one("tok_3ds")
		b.clock.turn(10*time.Minute + time.Second)
		b.eventually("the order is rejected", func() bool { return b.status(got.Order.ID) == "REJECTED" })
	})
}

func TestAReservationThatExpiresEndsTheOrderThatWaits(t *testing.T) {
	each(t, func(t *testing.T, b *bench) {
		got := b.one("tok_3ds")
		b.publish("agora/inventory", "agora.inventory.reservation.expired.v1", 1, id.New(id.Reservation), object{"orderId": got.Order.ID})
		b.eventually("the order is rejected", func() bool { return b.status(got.Order.ID) == "REJECTED" })
	})
}

func TestAReservationThatExpiresWhileThePaymentIsAuthorizedEndsTheOrderAtOnce(t *testing.T) {
	each(t, func(t *testing.T, b *bench) {
		placed := make(chan string, 1)
		b.shop.during("paymentAuthorize", func() {
			b.publish("agora/inventory", "agora.inventory.reservation.expired.v1", 1, id.New(id.Reservation), object{"orderId": <-placed})
			time.Sleep(100 * time.Millisecond) // until that is written down
		})
		userID := id.New(id.User)
		input := purchase(userID, b.shop.sell(6000, 5), 1, 6000, "tok_3ds", "key")
		input["waitMs"] = 0
		order := b.buy(t, b.user(userID), input).Order
		placed <- order.ID
		b.eventually("the order is rejected", func() bool { return b.status(order.ID) == "REJECTED" })
	})
}

func TestAReservationThatExpiredBeforeItsCommitIsRefused(t *testing.T) {
	each(t, func(t *testing.T, b *bench) {
		b.shop.lose("stockCommit", 3, 0)
		userID := id.New(id.User)
		input := purchase(userID, b.shop.sell(6000, 5), 1, 6000, "tok_ok", "key")
		input["waitMs"] = 0
		got := b.buy(t, b.user(userID), input)
		b.eventually("the payment is authorised", func() bool { return b.status(got.Order.ID) == "PAYMENT_AUTHORIZED" })
		b.clock.turn(15*time.Minute + time.Second)
		b.eventually("the order is rejected", func() bool { return b.status(got.Order.ID) == "REJECTED" })
	})
}
