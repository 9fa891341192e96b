package orders_test

import (
	"strings"
	"testing"

	"github.com/agora-supergraph/agora/internal/id"
	"github.com/agora-supergraph/agora/internal/page"
)

// What can't be is answered as what isn't there, or as the caller's mistake, never as ours: on both engines, of which
// Postgres takes no NUL.
func TestTextThatCanNotBeStoredIsTheCallersMistake(t *testing.T) {
	each(t, func(t *testing.T, b *bench) {
		userID := id.New(id.User)
		buyer, staff := b.user(userID), b.staff("orders:read", "orders:write")
		pen := b.shop.sell(250, 100)
		cartID := b.fill(userID, pen, 1)
		with := func(input map[string]any, name string) map[string]any {
			input[name] = "\x00"
			return input
		}
		for name, tt := range map[string]struct {
			who             caller
			query, variable string
			value           any
			want            string
		}{
			"order by id":             {buyer, `query ($v: ID!) { order(id: $v) { id } }`, "v", "\x00", `{"order":null}`},
			"order by number":         {buyer, `query ($v: String!) { order(number: $v) { id } }`, "v", "\x00", `{"order":null}`},
			"cart":                    {buyer, `query ($v: ID!) { cart(id: $v) { id } }`, "v", "\x00", `{"cart":null}`},
			"cursor":                  {staff, `query ($v: String!) { orders(after: $v) { edges { cursor } } }`, "v", page.Cursor("1", "\x00"), `"BAD_USER_INPUT"`},
			"cancel":                  {buyer, `mutation ($v: ID!) { orderCancel(id: $v, input: { reason: CUSTOMER, idempotencyKey: "k" }) { userErrors { code } } }`, "v", "\x00", `"NOT_FOUND"`},
			"key of cancel":           {buyer, `mutation ($v: String!) { orderCancel(id: "x", input: { reason: CUSTOMER, idempotencyKey: $v }) { userErrors { code } } }`, "v", "\x00", `"INVALID_INPUT"`},
			"tracking number":         {staff, `mutation ($v: String!) { orderFulfil(id: "x", input: { trackingNumber: $v, idempotencyKey: "k" }) { userErrors { code } } }`, "v", "\x00", `"INVALID_INPUT"`},
			"watch":                   {buyer, `subscription ($v: ID!) { orderUpdated(id: $v) { id } }`, "v", "\x00", `"NOT_FOUND"`},
			"key of cartLinesAdd":     {buyer, `mutation ($v: CartLinesAddInput!) { cartLinesAdd(input: $v) { userErrors { code } } }`, "v", with(object{"lines": lines(pen, 1)}, "idempotencyKey"), `"INVALID_INPUT"`},
			"empty key":               {buyer, `mutation ($v: CartLinesAddInput!) { cartLinesAdd(input: $v) { userErrors { code } } }`, "v", object{"lines": lines(pen, 1), "idempotencyKey": ""}, `"INVALID_INPUT"`},
			"cart of cartLinesAdd":    {buyer, `mutation ($v: CartLinesAddInput!) { cartLinesAdd(input: $v) { userErrors { code } } }`, "v", with(object{"lines": lines(pen, 1)}, "cartId"), `"NOT_FOUND"`},
			"cart of cartLinesUpdate": {buyer, `mutation ($v: CartLinesUpdateInput!) { cartLinesUpdate(input: $v) { userErrors { code } } }`, "v", with(object{"lines": []any{}}, "cartId"), `"NOT_FOUND"`},
			"key of checkout":         {buyer, `mutation ($v: CheckoutInput!) { checkout(input: $v) { userErrors { code } } }`, "v", with(checkout(cartID, userID, 1, "tok_ok", "k"), "idempotencyKey"), `"INVALID_INPUT"`},
			"cart of checkout":        {buyer, `mutation ($v: CheckoutInput!) { checkout(input: $v) { userErrors { code } } }`, "v", with(checkout(cartID, userID, 1, "tok_ok", "k"), "cartId"), `"NOT_FOUND"`},
			"token":                   {buyer, `mutation ($v: CheckoutInput!) { checkout(input: $v) { userErrors { code } } }`, "v", with(checkout(cartID, userID, 1, "tok_ok", "k"), "paymentMethodToken"), `"INVALID_INPUT"`},
			"total that is no number": {buyer, `mutation ($v: Int64!) { orderCreate(input: { lines: [], addressId: "a", paymentMethodToken: "t", expectedTotalMinorUnits: $v, idempotencyKey: "k" }) { userErrors { code } } }`, "v", "twelve", `"BAD_USER_INPUT"`},
			"time that is none":       {staff, `query ($v: DateTime!) { orders(filter: { placedAfter: $v }) { totalCount } }`, "v", "yesterday", `"BAD_USER_INPUT"`},
			"references": {
				buyer, `query ($v: [_Any!]!) { _entities(representations: $v) { __typename } }`, "v",
				[]any{
					object{"__typename": "Order", "id": "\x00"},
					object{"__typename": "OrderLine", "id": "\x00"},
					object{"__typename": "Cart", "id": "\x00"},
					object{"__typename": "CartLine", "id": "\x00"},
				},
				`{"data":{"_entities":[null,null,null,null]}}`,
			},
		} {
			if got := b.ask(tt.who, tt.query, object{tt.variable: tt.value}); !strings.Contains(got, tt.want) {
				t.Errorf("%s: %s, want %s", name, got, tt.want)
			}
		}
	})
}
