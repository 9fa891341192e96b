package payments_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/agora-supergraph/agora/internal/event"
)

func TestOfAnErasedUserTheBooksStayAndTheCardsGo(t *testing.T) {
	each(t, func(t *testing.T, b *bench) {
		who := b.user(buyer)
		b.ask(who, `mutation { paymentMethodAdd(input: {providerToken: "tok_ok", idempotencyKey: "m"}) { paymentMethod { last4 } } }`, nil)
		paid := b.authorize("tok_ok").Payment
		b.command("paymentCapture", paid.ID, "c")
		methods := func() string {
			return b.ask(who, `query ($id: ID!) { _entities(representations: [{__typename: "User", id: $id}]) { ... on User { paymentMethods { last4 } } } }`, map[string]any{"id": buyer})
		}
		if got := methods(); !strings.Contains(got, "last4") {
			t.Fatalf("saved: %s", got)
		}
		bus := &event.Local{Log: b.cfg.Log}
		b.service.Subscribe(bus)
		erased := event.New("agora.users.user.deleted.v1", buyer, map[string]any{"userId": buyer, "deletedAt": time.Now()})
		erased.Source, erased.Sequence, erased.Time = "agora/users", 1, time.Now()
		for range 2 { // events come twice
			if err := bus.Publish(context.Background(), []event.Event{erased}); err != nil {
				t.Fatal(err)
			}
		}
		if got := methods(); strings.Contains(got, "last4") {
			t.Errorf("left behind: %s", got)
		}
		if got := b.mutate("refundCreate", "", map[string]any{"paymentId": paid.ID, "amountMinorUnits": 100, "idempotencyKey": "r"}); got.code() != "" {
			t.Errorf("what was paid can't be refunded any more: %+v", got)
		}
		ours, err := b.service.Balances(context.Background())
		if err != nil || len(ours) != 1 || ours[0].Captured != 2000 {
			t.Errorf("the books say %+v, %v", ours, err)
		}
	})
}
