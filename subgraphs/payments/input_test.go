package payments_test

import (
	"strings"
	"testing"

	"github.com/agora-supergraph/agora/internal/id"
)

// What can't be is answered as what isn't there, or as the caller's mistake, never as ours: on both engines, of which
// Postgres takes no NUL.
func TestTextThatCanNotBeStoredIsTheCallersMistake(t *testing.T) {
	each(t, func(t *testing.T, b *bench) {
		staff := b.as("payments:read", "payments:write", "payments:refund")
		with := func(name string) map[string]any {
			input := payment(id.New(id.Order), "tok_ok", "k")
			input[name] = "\x00"
			return input
		}
		const process = `mutation ($v: PaymentProcessInput!) { paymentProcess(input: $v) { userErrors { code } } }`
		for name, tt := range map[string]struct {
			query string
			value any
			want  string
		}{
			"payment":        {`query ($v: ID!) { payment(id: $v) { id } }`, "\x00", `{"payment":null}`},
			"payment by key": {`query ($v: String!) { paymentByKey(idempotencyKey: $v) { id } }`, "\x00", `{"paymentByKey":null}`},
			"confirm":        {`mutation ($v: ID!) { paymentActionConfirm(paymentId: $v, input: { result: "ok", idempotencyKey: "k" }) { userErrors { code } } }`, "\x00", `"NOT_FOUND"`},
			"result":         {`mutation ($v: String!) { paymentActionConfirm(paymentId: "p", input: { result: $v, idempotencyKey: "k" }) { userErrors { code } } }`, "\x00", `"INVALID_INPUT"`},
			"capture":        {`mutation ($v: ID!) { paymentCapture(input: { paymentId: $v, idempotencyKey: "k" }) { userErrors { code } } }`, "\x00", `"NOT_FOUND"`},
			"key":            {`mutation ($v: String!) { paymentVoid(input: { paymentId: "p", idempotencyKey: $v }) { userErrors { code } } }`, "\x00", `"INVALID_INPUT"`},
			"refund":         {`mutation ($v: ID!) { refundCreate(input: { paymentId: $v, idempotencyKey: "k" }) { userErrors { code } } }`, "\x00", `"NOT_FOUND"`},
			"reason":         {`mutation ($v: String!) { refundCreate(input: { paymentId: "p", reason: $v, idempotencyKey: "k" }) { userErrors { code } } }`, "\x00", `"INVALID_INPUT"`},
			"order":          {process, with("orderId"), `"INVALID_INPUT"`},
			"payer":          {process, with("userId"), `"INVALID_INPUT"`},
			"currency":       {process, with("currency"), `"INVALID_INPUT"`},
			"token":          {process, with("paymentMethodToken"), `"INVALID_INPUT"`},
			"key of process": {process, with("idempotencyKey"), `"INVALID_INPUT"`},
			"references": {
				`query ($v: [_Any!]!) { _entities(representations: $v) { ... on Order { payments { id } } ... on User { paymentMethods { token } } ... on Payment { id } } }`,
				[]any{object{"__typename": "Payment", "id": "\x00"}, object{"__typename": "Order", "id": "\x00"}, object{"__typename": "User", "id": "\x00"}},
				`{"data":{"_entities":[null,{"payments":[]},{"paymentMethods":[]}]}}`,
			},
		} {
			if got := b.ask(staff, tt.query, object{"v": tt.value}); !strings.Contains(got, tt.want) {
				t.Errorf("%s: %s, want %s", name, got, tt.want)
			}
		}
	})
}

type object = map[string]any
