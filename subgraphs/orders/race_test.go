package orders_test

import (
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/agora-supergraph/agora/internal/database/databasetest"
	"github.com/agora-supergraph/agora/internal/fault"
	"github.com/agora-supergraph/agora/internal/id"
	"github.com/agora-supergraph/agora/subgraphs/orders"
)

func TestTwoHundredBuyersOfTwentyUnits(t *testing.T) {
	each(t, func(t *testing.T, b *bench) {
		variantID := b.shop.sell(6000, 20)
		answers := make([]payload, 200)
		var wg sync.WaitGroup
		for i := range answers {
			wg.Go(func() {
				userID := id.New(id.User)
				answers[i] = b.buy(t, b.user(userID), purchase(userID, variantID, 1, 6000, "tok_ok", "key"))
			})
		}
		wg.Wait()
		count := map[string]int{}
		for _, a := range answers {
			count[a.status()+" "+a.code()]++
		}
		if count["CONFIRMED "] != 20 || count["REJECTED INSUFFICIENT_STOCK"]+count[" INSUFFICIENT_STOCK"] != 180 {
			t.Errorf("answers: %v", count)
		}
	})
}

func TestFiftyEqualCheckoutsAtOnceAreOneOrderWithOneAnswer(t *testing.T) {
	each(t, func(t *testing.T, b *bench) {
		userID := id.New(id.User)
		cartID := b.fill(userID, b.shop.sell(6000, 100), 2)
		input := checkout(cartID, userID, 12000, "tok_ok", "fifty")
		answers := make([]payload, 50)
		var wg sync.WaitGroup
		for i := range answers {
			wg.Go(func() { answers[i] = b.checkout(t, userID, input) })
		}
		wg.Wait()
		for _, a := range answers {
			if a.status() != "CONFIRMED" || a.code() != "" || a.Order.ID != answers[0].Order.ID {
				t.Fatalf("an answer differs: %+v", a)
			}
		}
		direct := purchase(userID, b.shop.sell(6000, 100), 1, 6000, "tok_ok", "fifty")
		for i := range answers {
			wg.Go(func() { answers[i] = b.buy(t, b.user(userID), direct) })
		}
		wg.Wait()
		for _, a := range answers {
			if a.status() != "CONFIRMED" || a.code() != "" || a.Order.ID != answers[0].Order.ID {
				t.Fatalf("an answer differs: %+v", a)
			}
		}
		b.stop()
		b.replica = b.start()
		if got := b.buy(t, b.user(userID), direct); got.status() != "CONFIRMED" || got.Order.ID != answers[0].Order.ID {
			t.Errorf("the same key after a restart: %+v", got)
		}
		answers[0] = b.checkout(t, userID, input)
		if got := b.checkout(t, userID, input); got.status() != "CONFIRMED" || got.Order.ID != answers[0].Order.ID {
			t.Errorf("the same key after a restart: %+v", got)
		}
		input["paymentMethodToken"] = "tok_other"
		if got := b.checkout(t, userID, input); got.code() != "IDEMPOTENCY_KEY_REUSED" || got.Order != nil {
			t.Errorf("the same key with another card: %+v", got)
		}
	})
}

// ACIDRain's third attack: lines that are added when the total is known already.
func TestACartThatChangesDuringCheckoutIsNeverBoughtAtTheOldTotal(t *testing.T) {
	each(t, func(t *testing.T, b *bench) {
		cheap, dear := b.shop.sell(6000, 1000), b.shop.sell(90000, 1000)
		var wg sync.WaitGroup
		for range 20 {
			userID := id.New(id.User)
			cartID := b.fill(userID, cheap, 1)
			wg.Go(func() {
				got := b.checkout(t, userID, checkout(cartID, userID, 6000, "tok_ok", "key"))
				if got.code() != "" && got.code() != "VERSION_CONFLICT" && got.code() != "PRICE_CHANGED" {
					t.Errorf("checkout: %+v", got)
				}
			})
			wg.Go(func() {
				b.mutate(t, b.user(userID), "cartLinesAdd(input: $input)", "CartLinesAddInput", cartFields,
					object{"cartId": cartID, "lines": []any{object{"variantId": dear, "quantity": 1}}})
			})
		}
		wg.Wait()
		b.audit()
		b.shop.mu.Lock()
		defer b.shop.mu.Unlock()
		if n := b.shop.variants[dear].sold; n != 0 {
			t.Errorf("%d units were sold that nobody paid for", n)
		}
	})
}

func TestALineAddedWhileCheckoutAsksIsNeitherBoughtNorLost(t *testing.T) {
	each(t, func(t *testing.T, b *bench) {
		userID := id.New(id.User)
		cheap, dear := b.shop.sell(6000, 10), b.shop.sell(90000, 10)
		cartID := b.fill(userID, cheap, 1)
		b.shop.during("maxPurchasable", func() { b.fill(userID, dear, 1) })
		if got := b.checkout(t, userID, checkout(cartID, userID, 6000, "tok_ok", "key")); got.code() != "VERSION_CONFLICT" || got.Order != nil {
			t.Errorf("checkout at the old total: %+v", got)
		}
		if got := b.checkout(t, userID, checkout(cartID, userID, 96000, "tok_ok", "key2")); got.status() != "CONFIRMED" {
			t.Errorf("checkout at the new total: %+v", got)
		}
	})
}

func TestTwoReplicasNeverDriveTheSameOrder(t *testing.T) {
	each(t, func(t *testing.T, b *bench) {
		other := b.start()
		variantID := b.shop.sell(6000, 30)
		var wg sync.WaitGroup
		for i := range 60 {
			replica := []*replica{b.replica, other}[i%2]
			wg.Go(func() {
				userID := id.New(id.User)
				got := replica.buy(t, b.user(userID), purchase(userID, variantID, 1, 6000, "tok_ok", "key"))
				if got.status() != "CONFIRMED" && got.code() != "INSUFFICIENT_STOCK" {
					t.Errorf("order: %+v", got)
				}
			})
		}
		wg.Wait()
		b.shop.mu.Lock()
		defer b.shop.mu.Unlock()
		for orderID, p := range b.shop.payments {
			if p.keys != 2 {
				t.Errorf("%s had %d commands with an effect on its payment, want 2", orderID, p.keys)
			}
		}
	})
}

func TestOrdersOfAReplicaThatDiedAreCarriedOnByAnother(t *testing.T) {
	each(t, func(t *testing.T, b *bench) {
		b.shop.lose("paymentAuthorize", 1_000_000, 0)
		userID := id.New(id.User)
		input := purchase(userID, b.shop.sell(6000, 5), 1, 6000, "tok_ok", "key")
		input["waitMs"] = 0
		got := b.buy(t, b.user(userID), input)
		other := b.start()
		b.stop()
		b.shop.lose("paymentAuthorize", 0, 0)
		b.replica = other
		b.eventually("the order is confirmed", func() bool { return b.status(got.Order.ID) == "CONFIRMED" })
	})
}

// The points are global to the process, so this test does not run beside others.
func TestAServiceThatIsAloneCarriesOnAtOnce(t *testing.T) {
	b := newBench(t, databasetest.SQLite(t))
	b.cfg.Lease, b.cfg.Alone = time.Hour, true
	b.replica = b.start()
	if err := fault.Configure("orders.reserved=error", 1); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { fault.Configure("", 0) })
	b.provoke(payload{})
	b.stop()
	if err := fault.Configure("", 0); err != nil {
		t.Fatal(err)
	}
	b.replica = b.start()
	b.audit()
}

// The points are global to the process, so this test does not run beside others.
func TestACrashAnywhereEndsInATerminalStateWithBooksThatAgree(t *testing.T) {
	for _, point := range orders.FaultPoints() {
		t.Run(point, func(t *testing.T) {
			b := newBench(t, databasetest.SQLite(t))
			b.cfg.StepTimeout, b.cfg.Lease = 300*time.Millisecond, 400*time.Millisecond
			b.replica = b.start()
			var confirmed payload
			if point == "orders.refunded" || strings.HasPrefix(point, "orders.refunded.") {
				confirmed = b.one("tok_ok")
			}
			if err := fault.Configure(point+"=error", 1); err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { fault.Configure("", 0) })
			b.provoke(confirmed)
			b.stop()
			if err := fault.Configure("", 0); err != nil {
				t.Fatal(err)
			}
			b.replica = b.start()
			b.audit()
			for i, token := range tokens {
				userID := id.Derived(id.User, fmt.Sprint("crash", i))
				want := map[string]string{"tok_ok": "CONFIRMED", "tok_decline": "REJECTED", "tok_capture_fail": "CANCELLED", "tok_3ds": "REJECTED"}[token]
				got := b.buy(t, b.user(userID), purchase(userID, b.variant, 1, 6000, token, "key"))
				if got.status() == "ACTION_REQUIRED" { // the buyer had not confirmed before the crash
					b.refuseChallenge(got.Order.ID)
					b.eventually("the order is rejected", func() bool { return b.status(got.Order.ID) == "REJECTED" })
					continue
				}
				if got.status() != want {
					t.Errorf("%s after the crash: %+v, want %s", token, got, want)
				}
			}
			b.audit()
			if confirmed.Order != nil && b.status(confirmed.Order.ID) != "REFUNDED" {
				t.Errorf("the order that was cancelled is %s", b.status(confirmed.Order.ID))
			}
		})
	}
}

// The points are global to the process, so this test does not run beside others.
func TestAnOrderGoesOnWhoseDriverDiesBehindTheBuyersConfirmation(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, url string) {
		b := newBench(t, url)
		b.replica = b.start()
		got := b.one("tok_3ds")
		time.Sleep(200 * time.Millisecond) // the first driver has seen that the buyer has to act
		if err := fault.Configure("orders.awaited=error", 1); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { fault.Configure("", 0) })
		b.shop.confirm(got.Order.ID, "AUTHORIZED")
		b.publish("agora/payments", "agora.payments.payment.changed.v1", 1, id.New(id.Payment), object{"orderId": got.Order.ID, "status": "AUTHORIZED"})
		time.Sleep(200 * time.Millisecond) // a driver has looked, and ended
		if err := fault.Configure("", 0); err != nil {
			t.Fatal(err)
		}
		b.eventually("another one goes on", func() bool { return b.status(got.Order.ID) == "CONFIRMED" })
	})
}

// tokens take an order through all steps.
var tokens = []string{"tok_ok", "tok_decline", "tok_capture_fail", "tok_3ds"}

// provoke sends what passes every fault point, and pays no heed to the answers.
func (b *bench) provoke(confirmed payload) {
	b.variant = b.shop.sell(6000, 100)
	for i, token := range tokens {
		userID := id.Derived(id.User, fmt.Sprint("crash", i))
		input := purchase(userID, b.variant, 1, 6000, token, "key")
		input["waitMs"] = 300
		b.ask(b.user(userID), `mutation ($input: OrderCreateInput!) { orderCreate(input: $input) { order { status } } }`, object{"input": input})
	}
	b.shop.mu.Lock()
	var orderID string
	for id, p := range b.shop.payments {
		if p.token == "tok_3ds" {
			orderID = id
		}
	}
	b.shop.mu.Unlock()
	if orderID != "" {
		b.refuseChallenge(orderID)
	}
	if confirmed.Order != nil {
		b.ask(b.staff("orders:write", "payments:refund"), `mutation ($id: ID!) { orderCancel(id: $id, input: { reason: STAFF, idempotencyKey: "c" }) { order { status } } }`, object{"id": confirmed.Order.ID})
	}
}

// refuseChallenge fails the 3-D Secure challenge of an order.
func (b *bench) refuseChallenge(orderID string) {
	b.t.Helper()
	b.shop.confirm(orderID, "DECLINED")
	b.publish("agora/payments", "agora.payments.payment.declined.v1", 1, id.New(id.Payment), object{"orderId": orderID, "status": "DECLINED"})
}
