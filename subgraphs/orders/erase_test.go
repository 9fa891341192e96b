package orders_test

import (
	"context"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/agora-supergraph/agora/internal/id"
	"github.com/agora-supergraph/agora/internal/identity"
	"github.com/agora-supergraph/agora/internal/subgraph"
)

func TestOfAnErasedUserTheOrdersStayAndTheAddressesGoWhenNothingIsToBeSentThere(t *testing.T) {
	each(t, func(t *testing.T, b *bench) {
		userID, staff := id.New(id.User), b.staff("orders:read", "orders:write")
		variant := b.shop.sell(6000, 9)
		over := b.buy(t, b.user(userID), purchase(userID, variant, 1, 6000, "tok_ok", "over")).Order
		b.fulfil(staff, over.ID, "f")
		underWay := b.buy(t, b.user(userID), purchase(userID, variant, 1, 6000, "tok_ok", "under way")).Order
		b.add(b.user(userID), object{"lines": []any{object{"variantId": variant, "quantity": 1}}})
		other := b.one("tok_ok").Order
		b.fulfil(staff, other.ID, "g")
		address := func(orderID string) string {
			return b.ask(staff, `query ($id: ID!) { order(id: $id) { shippingAddress { name line1 city postalCode countryCode } } }`, object{"id": orderID})
		}
		before := address(underWay.ID)
		const erased = `{"data":{"order":{"shippingAddress":{"name":"","line1":"","city":"","postalCode":"","countryCode":"GB"}}}}`

		b.publish("agora/users", "agora.users.user.deleted.v1", 1, userID, object{"userId": userID, "deletedAt": time.Now()})
		if got := address(over.ID); got != erased {
			t.Errorf("of an order that is over: %s", got)
		}
		if got := address(underWay.ID); got != before || got == erased {
			t.Errorf("an order that is to be sent goes to %s", got)
		}
		if got := address(other.ID); got == erased {
			t.Errorf("somebody else's order: %s", got)
		}
		if got := b.ask(b.user(userID), `query ($id: ID!) { _entities(representations: [{__typename: "User", id: $id}]) { ... on User { cart { id } } } }`, object{"id": userID}); strings.Contains(got, "cart_") {
			t.Errorf("the cart is left: %s", got)
		}
		b.fulfil(staff, underWay.ID, "h")
		if got := address(underWay.ID); got != erased {
			t.Errorf("of an order that was sent since: %s", got)
		}
		if status := b.status(over.ID); status != "FULFILLED" {
			t.Errorf("the order itself is %s", status)
		}
	})
}

func TestASubscriptionEndsWithTheTimeOfItsToken(t *testing.T) {
	each(t, func(t *testing.T, b *bench) {
		userID := id.New(id.User)
		order := b.buy(t, b.user(userID), purchase(userID, b.shop.sell(6000, 5), 1, 6000, "tok_ok", "key")).Order
		// Tokens are believed for some seconds more, since clocks differ.
		token, err := identity.AccessToken(b.key, "jti", userID, "ses", time.Now(), -9*time.Second, nil)
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
		defer cancel()
		variables, _ := json.Marshal(object{"id": order.ID})
		next := b.server.Subscribe(ctx, &subgraph.Request{
			Query: `subscription ($id: ID!) { orderUpdated(id: $id) { status } }`, Variables: variables, Header: caller(token).header(),
		})
		if first := string(next()); !strings.Contains(first, "CONFIRMED") {
			t.Errorf("first: %s", first)
		}
		if last := string(next()); !strings.Contains(last, "UNAUTHENTICATED") || next() != nil {
			t.Errorf("last: %s", last)
		}
	})
}
