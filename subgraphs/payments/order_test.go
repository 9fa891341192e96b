package payments_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/agora-supergraph/agora/internal/id"
	"github.com/agora-supergraph/agora/internal/subgraph"
)

// orders answers for the orders service, which has one order of 21.00 EUR.
func orders(t *testing.T, orderID, customer string) *subgraph.Client {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var in struct{ Variables struct{ ID string } }
		if err := json.NewDecoder(r.Body).Decode(&in); err != nil {
			t.Error(err)
		}
		if in.Variables.ID != orderID {
			fmt.Fprint(w, `{"data":{"order":null}}`)
			return
		}
		fmt.Fprintf(w, `{"data":{"order":{"customer":{"id":%q},"total":{"minorUnits":2100,"currency":"EUR"}}}}`, customer)
	}))
	t.Cleanup(server.Close)
	return &subgraph.Client{Service: "payments", Secret: secret, URL: server.URL}
}

func TestStaffPayOnlyForOrdersThatThereAre(t *testing.T) {
	each(t, func(t *testing.T, b *bench) {
		orderID := id.New(id.Order)
		b.cfg.Orders = orders(t, orderID, buyer)
		b.start()
		pay := func(change object) shown {
			t.Helper()
			input := payment(orderID, "tok_ok", "staff")
			delete(input, "userId")
			for k, v := range change {
				input[k] = v
			}
			return b.mutateAs(b.staff(), "paymentProcess", "", input)
		}
		for name, tt := range map[string]struct {
			change object
			code   string
		}{
			"no such order":  {object{"orderId": id.New(id.Order)}, "NOT_FOUND"},
			"somebody else":  {object{"userId": id.New(id.User)}, "INVALID_INPUT"},
			"other currency": {object{"currency": "USD"}, "INVALID_INPUT"},
			"too much":       {object{"amountMinorUnits": 2101}, "AMOUNT_TOO_LARGE"},
		} {
			if got := pay(tt.change); got.code() != tt.code || got.Payment != nil {
				t.Errorf("%s: %+v", name, got)
			}
		}
		got := pay(nil)
		if got.status() != "CAPTURED" {
			t.Fatalf("staff pay: %+v", got)
		}
		shown := b.ask(b.user(buyer), `query ($r: [_Any!]!) { _entities(representations: $r) { ... on Payment { status } } }`,
			object{"r": []any{object{"__typename": "Payment", "id": got.Payment.ID}}})
		if shown != `{"data":{"_entities":[{"status":"CAPTURED"}]}}` {
			t.Errorf("the buyer sees %s", shown)
		}
		if other := b.mutate("paymentAuthorize", "", payment(id.New(id.Order), "tok_ok", "checkout")); other.status() != "AUTHORIZED" {
			t.Errorf("the checkout is not believed: %+v", other)
		}
	})
}

func TestWhatIsOldIsForgotten(t *testing.T) {
	each(t, func(t *testing.T, b *bench) {
		stop := b.run()
		p := b.authorize("tok_ok").Payment
		b.do("capture", p.ID, "c")
		eventually(t, "the webhooks are heard", func() bool { return len(b.hearings()) == 2 })
		stop()
		rows := func() (n int) {
			err := b.service.DB().Read.Get(&n, `SELECT (SELECT COUNT(*) FROM notification) + (SELECT COUNT(*) FROM idempotency)`)
			if err != nil {
				t.Fatal(err)
			}
			return n
		}
		b.clock.turn(8 * 24 * time.Hour)
		stop = b.run()
		eventually(t, "the answers are forgotten, and the webhooks not", func() bool { return rows() == 2 })
		stop()
		b.clock.turn(31 * 24 * time.Hour)
		stop = b.run()
		eventually(t, "the webhooks are forgotten", func() bool { return rows() == 0 })
		stop()
	})
}
