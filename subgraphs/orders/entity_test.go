package orders_test

import (
	"strings"
	"testing"

	"github.com/agora-supergraph/agora/internal/id"
)

func TestReferencesOfAllKindsAreResolvedInOneBatch(t *testing.T) {
	each(t, func(t *testing.T, b *bench) {
		userID := id.New(id.User)
		who := b.user(userID)
		pen := b.shop.sell(250, 100)
		order := b.buy(t, who, purchase(userID, b.shop.sell(6000, 5), 1, 6000, "tok_ok", "key")).Order
		cart := b.add(who, object{"lines": lines(pen, 3)}).Cart
		lineID := b.line(who, order.ID)
		query := `query ($r: [_Any!]!) { _entities(representations: $r) { __typename
			... on Order { number } ... on OrderLine { variant { id sku } } ... on Cart { version owner { id } }
			... on CartLine { quantity lineTotal { amount currency } } ... on User { cart { id } } } }`
		price := object{"minorUnits": 250, "currency": "EUR"}
		references := []any{
			object{"__typename": "Order", "id": order.ID},
			object{"__typename": "CartLine", "id": cart.Lines[0].ID, "variant": object{"id": pen, "price": price}},
			object{"__typename": "Order", "number": order.Number},
			object{"__typename": "Order", "id": id.New(id.Order)},
			object{"__typename": "CartLine", "id": cart.Lines[0].ID},
			object{"__typename": "Cart", "id": cart.ID},
			object{"__typename": "OrderLine", "id": lineID},
			object{"__typename": "User", "id": userID},
		}
		shown := `{"data":{"_entities":[{"__typename":"Order","number":"` + order.Number + `"},` +
			`{"__typename":"CartLine","quantity":3,"lineTotal":{"amount":"7.50","currency":"EUR"}},` +
			`{"__typename":"Order","number":"` + order.Number + `"},null,` +
			`{"__typename":"CartLine","quantity":3,"lineTotal":null},` +
			`{"__typename":"Cart","version":1,"owner":{"id":"` + userID + `"}},` +
			`{"__typename":"OrderLine","variant":{"id":"` + b.variantOf(order.ID) + `","sku":"SKU-6000"}},` +
			`{"__typename":"User","cart":{"id":"` + cart.ID + `"}}]}}`
		hidden := `{"data":{"_entities":[null,null,null,null,null,null,null,{"__typename":"User","cart":null}]}}`
		for name, tt := range map[string]struct {
			who  caller
			want string
		}{"the owner": {who, shown}, "staff": {b.staff("orders:read"), shown}, "a stranger": {b.user(id.New(id.User)), hidden}, "nobody": {"", hidden}} {
			if got := b.ask(tt.who, query, object{"r": references}); got != tt.want {
				t.Errorf("%s sees\n%s\nwant\n%s", name, got, tt.want)
			}
		}
	})
}

// line is the id of the first line of an order.
func (b *bench) line(who caller, orderID string) string {
	b.t.Helper()
	answer := b.ask(who, `query ($id: ID!) { order(id: $id) { lines { id } } }`, object{"id": orderID})
	_, lineID, _ := strings.Cut(strings.TrimSuffix(answer, `"}]}}}`), `"lines":[{"id":"`)
	return lineID
}

// variantOf is the only variant that is reserved for an order.
func (b *bench) variantOf(orderID string) string {
	b.shop.mu.Lock()
	defer b.shop.mu.Unlock()
	for variantID := range b.shop.reservations[orderID].lines {
		return variantID
	}
	return ""
}

func TestCheckoutSaysWhichServiceIsAwayAndWritesNothing(t *testing.T) {
	each(t, func(t *testing.T, b *bench) {
		userID := id.New(id.User)
		input := purchase(userID, b.shop.sell(6000, 5), 1, 6000, "tok_ok", "key")
		mutation := `mutation ($input: OrderCreateInput!) { orderCreate(input: $input) { order { status } userErrors { code } } }`
		for operation, service := range map[string]string{"user(": "users", "sku price": "products", "maxPurchasable": "inventory"} {
			b.shop.lose(operation, 100, 0)
			if got := b.ask(b.user(userID), mutation, object{"input": input}); !strings.Contains(got, `"code":"SERVICE_UNAVAILABLE"`) || !strings.Contains(got, service) {
				t.Errorf("without %s: %s", service, got)
			}
			b.shop.lose(operation, 0, 0)
		}
		if books, err := b.service.Audit(t.Context()); err != nil || len(books.Paid)+len(books.Unsettled) > 0 {
			t.Errorf("written meanwhile: %+v, %v", books, err)
		}
		want := `{"data":{"orderCreate":{"order":{"status":"CONFIRMED"},"userErrors":[]}}}`
		if got := b.ask(b.user(userID), mutation, object{"input": input}); got != want {
			t.Errorf("when all are back: %s", got)
		}
	})
}
