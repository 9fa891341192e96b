package payments_test

import (
	"strings"
	"testing"

	"github.com/agora-supergraph/agora/internal/database/databasetest"
	"github.com/agora-supergraph/agora/internal/id"
)

func sqliteURL(t *testing.T) string {
	t.Helper()
	return databasetest.SQLite(t)
}

const entities = `query ($r: [_Any!]!) { _entities(representations: $r) {
	... on Order { id payments { status refunds { status } } amountCaptured { minorUnits } amountDue { amount currency } }
	... on Payment { id order { id } }
	... on User { paymentMethods { token brand last4 } }
} }`

func TestPaymentsAreShownToWhoPaidAndToStaff(t *testing.T) {
	each(t, func(t *testing.T, b *bench) {
		orderID, other := id.New(id.Order), id.New(id.Order)
		p := b.mutate("paymentProcess", "", payment(orderID, "tok_ok", "k")).Payment
		b.do("refund part", p.ID, "r")
		b.mutate("paymentAuthorize", "", payment(other, "tok_decline", "k2"))
		ask := func(who caller) string {
			return b.ask(who, entities, map[string]any{"r": []any{
				map[string]any{"__typename": "Order", "id": orderID, "total": map[string]any{"minorUnits": 2600, "currency": "EUR"}},
				map[string]any{"__typename": "Payment", "id": p.ID},
				map[string]any{"__typename": "Order", "id": id.Derived(id.Order, "nothing paid"), "total": map[string]any{"minorUnits": 2600, "currency": "EUR"}},
				map[string]any{"__typename": "Order", "id": other},
			}})
		}
		unpaid, paid := id.Derived(id.Order, "nothing paid"), `{"id":"`+orderID+`","payments":[{"status":"PARTIALLY_REFUNDED","refunds":[{"status":"SUCCEEDED"}]}],"amountCaptured":{"minorUnits":2000},"amountDue":{"amount":"5.00","currency":"EUR"}},{"id":"`+p.ID+`","order":{"id":"`+orderID+`"}},`
		declined := `{"id":"` + other + `","payments":[{"status":"DECLINED","refunds":[]}],"amountCaptured":{"minorUnits":0},"amountDue":null}`
		nothing := func(orderID string) string {
			return `{"id":"` + orderID + `","payments":null,"amountCaptured":null,"amountDue":null}`
		}
		for _, tt := range []struct {
			name string
			who  caller
			want string
		}{
			{"who paid", b.user(buyer), paid + nothing(unpaid) + "," + declined},
			{"a stranger", b.user(id.New(id.User)), nothing(orderID) + ",null," + nothing(unpaid) + "," + nothing(other)},
			{"staff", b.as("payments:read"), paid + `{"id":"` + unpaid + `","payments":[],"amountCaptured":null,"amountDue":{"amount":"26.00","currency":"EUR"}},` + declined},
		} {
			if got, want := ask(tt.who), `{"data":{"_entities":[`+tt.want+`]}}`; got != want {
				t.Errorf("%s sees\n%s\nwant\n%s", tt.name, got, want)
			}
		}
	})
}

func TestCommandsNeedTheirScopes(t *testing.T) {
	each(t, func(t *testing.T, b *bench) {
		for _, tt := range []struct{ name, operation string }{
			{"authorise", `mutation { paymentAuthorize(input: {orderId: "o", amountMinorUnits: 1, currency: "EUR", paymentMethodToken: "t", idempotencyKey: "k"}) { payment { id } } }`},
			{"process", `mutation { paymentProcess(input: {orderId: "o", amountMinorUnits: 1, currency: "EUR", paymentMethodToken: "t", idempotencyKey: "k"}) { payment { id } } }`},
			{"capture", `mutation { paymentCapture(input: {paymentId: "p", idempotencyKey: "k"}) { payment { id } } }`},
			{"void", `mutation { paymentVoid(input: {paymentId: "p", idempotencyKey: "k"}) { payment { id } } }`},
			{"refund", `mutation { refundCreate(input: {paymentId: "p", idempotencyKey: "k"}) { payment { id } } }`},
			{"payment", `{ payment(id: "p") { id } }`},
			{"paymentByKey", `{ paymentByKey(idempotencyKey: "k") { id } }`},
		} {
			if got := b.ask(b.user(buyer), tt.operation, nil); !strings.Contains(got, `"code":"FORBIDDEN"`) {
				t.Errorf("%s by a shopper: %s", tt.name, got)
			}
		}
		p := b.authorize("tok_3ds_ok").Payment
		confirm := map[string]any{"result": "ok", "idempotencyKey": "c"}
		if got := b.mutateAs(b.user(id.New(id.User)), "paymentActionConfirm", `paymentId: "`+p.ID+`", `, confirm); got.code() != "NOT_FOUND" || got.Payment != nil {
			t.Errorf("confirmed by a stranger: %+v", got)
		}
		if got := b.mutateAs(b.user(buyer), "paymentActionConfirm", `paymentId: "`+p.ID+`", `, confirm); got.status() != "AUTHORIZED" {
			t.Errorf("confirmed by the buyer: %+v", got)
		}
	})
}

func TestSavedMethodsAreTokensOfTheirOwner(t *testing.T) {
	each(t, func(t *testing.T, b *bench) {
		add := func(token, key string) string {
			return b.ask(b.user(buyer), `mutation ($input: PaymentMethodAddInput!) { paymentMethodAdd(input: $input) { paymentMethod { token brand last4 } userErrors { code } } }`,
				map[string]any{"input": map[string]any{"providerToken": token, "idempotencyKey": key}})
		}
		first := add("tok_visa", "m1")
		if !strings.Contains(first, `"token":"tok_visa","brand":"visa"`) {
			t.Errorf("add a card: %s", first)
		}
		if again := add("tok_visa", "m1"); again != first {
			t.Errorf("the same again: %s", again)
		}
		if got := add("tok_mastercard", "m1"); !strings.Contains(got, "IDEMPOTENCY_KEY_REUSED") {
			t.Errorf("the same key for another card: %s", got)
		}
		for _, token := range []string{"4242424242424242", "tok_of_nobody", ""} {
			if got := add(token, "m2"); !strings.Contains(got, "INVALID_INPUT") {
				t.Errorf("add %q: %s", token, got)
			}
		}
		add("tok_mastercard", "m3")
		user := map[string]any{"r": []any{map[string]any{"__typename": "User", "id": buyer}}}
		if got := b.ask(b.user(buyer), entities, user); strings.Count(got, `"brand"`) != 2 {
			t.Errorf("the owner's methods: %s", got)
		}
		if got := b.ask(b.user(id.New(id.User)), entities, user); got != `{"data":{"_entities":[{"paymentMethods":null}]}}` {
			t.Errorf("the methods of somebody else: %s", got)
		}
	})
}

func TestStaffSeeTheLogOfAPayment(t *testing.T) {
	each(t, func(t *testing.T, b *bench) {
		p := b.authorize("tok_ok").Payment
		b.do("capture", p.ID, "c")
		got := b.ask(b.as("payments:read"), `query ($id: ID!) { payment(id: $id) { events { type amount { amount } } } }`, map[string]any{"id": p.ID})
		want := `{"data":{"payment":{"events":[{"type":"authorize.requested","amount":{"amount":"21.00"}},{"type":"authorize.succeeded","amount":{"amount":"21.00"}},{"type":"capture.requested","amount":{"amount":"21.00"}},{"type":"capture.succeeded","amount":{"amount":"21.00"}}]}}}`
		if got != want {
			t.Errorf("log = %s\nwant  %s", got, want)
		}
	})
}
