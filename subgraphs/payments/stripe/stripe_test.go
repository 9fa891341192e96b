package stripe

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/agora-supergraph/agora/internal/money"
	"github.com/agora-supergraph/agora/subgraphs/payments"
)

// exchange is a request that the adapter is to make, and what Stripe answers, in the shapes that its API documents.
type exchange struct {
	request string
	status  int
	body    string
	// replayed says that the key had this answer before.
	replayed bool
}

// record answers requests in turn, and fails the test if others come.
func record(t *testing.T, exchanges []exchange) *Provider {
	t.Helper()
	next := 0
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		got := r.Method + " " + r.URL.RequestURI()
		if len(body) > 0 {
			got += " " + string(body)
		}
		if r.Method == http.MethodPost && r.Header.Get("Idempotency-Key") != "op_1" {
			t.Errorf("%s has the key %q", got, r.Header.Get("Idempotency-Key"))
		}
		if r.Header.Get("Authorization") != "Bearer sk_test_1" || r.Header.Get("Stripe-Version") == "" {
			t.Errorf("%s has the headers %v", got, r.Header)
		}
		if next >= len(exchanges) {
			t.Errorf("one request too many: %s", got)
			return
		}
		e := exchanges[next]
		next++
		if diff := cmp.Diff(e.request, got); diff != "" {
			t.Errorf("request %d (-want +got):\n%s", next, diff)
		}
		if e.replayed {
			w.Header().Set("Idempotent-Replayed", "true")
		}
		w.WriteHeader(e.status)
		io.WriteString(w, e.body)
	}))
	t.Cleanup(server.Close)
	t.Cleanup(func() {
		if next != len(exchanges) {
			t.Errorf("%d requests of %d were made", next, len(exchanges))
		}
	})
	return &Provider{SecretKey: "sk_test_1", WebhookSecrets: []string{"whsec_a", "whsec_b"}, ReturnURL: "https://shop.test/back", URL: server.URL, Now: func() time.Time { return noon }}
}

var noon = time.Unix(1_760_000_000, 0).UTC()

const (
	create  = "POST /v1/payment_intents amount=2100&capture_method=manual&confirm=true&currency=eur&expand%5B%5D=latest_charge&metadata%5Bagora_key%5D=op_1&metadata%5Border%5D=ord_1&payment_method=pm_card_visa&payment_method_types%5B%5D=card&return_url=https%3A%2F%2Fshop.test%2Fback"
	read    = "GET /v1/payment_intents/pi_1?expand%5B%5D=latest_charge"
	find    = "GET /v1/payment_intents/search?expand%5B%5D=data.latest_charge&query=metadata%5B%27agora_key%27%5D%3A%27op_1%27"
	capture = "POST /v1/payment_intents/pi_1/capture amount_to_capture=2100"
	cancel  = "POST /v1/payment_intents/pi_1/cancel"
	giveout = "POST /v1/refunds amount=2100&metadata%5Bagora_key%5D=op_1&payment_intent=pi_1"
	refunds = "GET /v1/refunds?limit=100&payment_intent=pi_1"

	held     = `{"id":"pi_1","object":"payment_intent","amount":2100,"amount_capturable":2100,"amount_received":0,"capture_method":"manual","currency":"eur","last_payment_error":null,"next_action":null,"status":"requires_capture","latest_charge":{"id":"ch_1","object":"charge","amount_refunded":0,"captured":false,"payment_method_details":{"card":{"brand":"visa","capture_before":1760600000},"type":"card"}}}`
	taken    = `{"id":"pi_1","object":"payment_intent","amount":2100,"amount_capturable":0,"amount_received":2100,"currency":"eur","status":"succeeded","latest_charge":{"id":"ch_1","object":"charge","amount_refunded":500}}`
	acting   = `{"id":"pi_1","object":"payment_intent","currency":"eur","status":"requires_action","next_action":{"type":"redirect_to_url","redirect_to_url":{"return_url":"https://shop.test/back","url":"https://hooks.stripe.com/3ds/1"}},"latest_charge":null}`
	waiting  = `{"id":"pi_1","object":"payment_intent","currency":"eur","status":"processing","next_action":null,"latest_charge":null}`
	failed3d = `{"id":"pi_1","object":"payment_intent","currency":"eur","status":"requires_payment_method","last_payment_error":{"type":"invalid_request_error","code":"payment_intent_authentication_failure","message":"The provided PaymentMethod has failed authentication."},"latest_charge":null}`
	lapsed   = `{"id":"pi_1","object":"payment_intent","currency":"eur","status":"canceled","cancellation_reason":"automatic","latest_charge":null}`
	undone   = `{"id":"pi_1","object":"payment_intent","currency":"eur","status":"canceled","cancellation_reason":null,"latest_charge":null}`
	poor     = `{"error":{"type":"card_error","code":"card_declined","decline_code":"insufficient_funds","message":"Your card has insufficient funds.","payment_intent":{"id":"pi_1","object":"payment_intent","status":"requires_payment_method"}}}`
	stolen   = `{"error":{"type":"card_error","code":"card_declined","decline_code":"stolen_card","message":"Your card was declined."}}`
	expired  = `{"error":{"type":"card_error","code":"expired_card","message":"Your card has expired."}}`
	noMethod = `{"error":{"type":"invalid_request_error","code":"resource_missing","param":"payment_method","message":"No such PaymentMethod: 'pm_card_visa'"}}`
	notNow   = `{"error":{"type":"invalid_request_error","code":"payment_intent_unexpected_state","message":"This PaymentIntent could not be captured because it has a status of succeeded.","payment_intent":{"id":"pi_1"}}}`
	limited  = `{"error":{"type":"invalid_request_error","code":"rate_limit","message":"Request rate limit exceeded."}}`
	otherKey = `{"error":{"type":"idempotency_error","message":"Keys for idempotent requests can only be used with the same parameters they were first used with."}}`
	broken   = `{"error":{"type":"api_error","message":"Sorry! There was an error while talking to one of our backends."}}`
	given    = `{"id":"re_1","object":"refund","amount":2100,"status":"succeeded","metadata":{"agora_key":"op_1"}}`
	giving   = `{"id":"re_1","object":"refund","amount":2100,"status":"pending","metadata":{"agora_key":"op_1"}}`
)

var (
	success = payments.Result{Outcome: payments.Succeeded, Reference: "pi_1"}
	holding = payments.Result{Outcome: payments.Succeeded, Reference: "pi_1", Expires: time.Unix(1_760_600_000, 0).UTC()}
)

func authorize(begun time.Time) func(context.Context, *Provider) (payments.Result, error) {
	return func(ctx context.Context, p *Provider) (payments.Result, error) {
		return p.Authorize(ctx, payments.Authorization{Key: "op_1", Token: "pm_card_visa", Amount: money.New(2100, "EUR"), Order: "ord_1", Begun: begun})
	}
}

func command(run func(*Provider, context.Context, payments.Command) (payments.Result, error), begun time.Time) func(context.Context, *Provider) (payments.Result, error) {
	return func(ctx context.Context, p *Provider) (payments.Result, error) {
		return run(p, ctx, payments.Command{Key: "op_1", Reference: "pi_1", Amount: money.New(2100, "EUR"), Begun: begun})
	}
}

func TestRequestsAndAnswersAreThoseOfStripesAPI(t *testing.T) {
	confirm := func(p *Provider, ctx context.Context, c payments.Command) (payments.Result, error) {
		return p.Confirm(ctx, c, "ok")
	}
	long := noon.Add(-30 * time.Hour)
	for _, tt := range []struct {
		name      string
		run       func(context.Context, *Provider) (payments.Result, error)
		exchanges []exchange
		want      payments.Result
		unknown   bool
	}{
		{"authorised", authorize(noon), []exchange{{create, 200, held, false}}, holding, false},
		{"3-D Secure", authorize(noon), []exchange{{create, 200, acting, false}}, payments.Result{Outcome: payments.ActionRequired, Reference: "pi_1", ActionType: "THREE_D_SECURE", ActionURL: "https://hooks.stripe.com/3ds/1"}, false},
		{"being processed", authorize(noon), []exchange{{create, 200, waiting, false}}, payments.Result{Outcome: payments.Pending, Reference: "pi_1"}, false},
		{"was being processed", authorize(noon), []exchange{{create, 200, waiting, true}, {read, 200, held, false}}, holding, false},
		{"not enough money", authorize(noon), []exchange{{create, 402, poor, false}}, declined("pi_1", "INSUFFICIENT_FUNDS"), false},
		{"stolen", authorize(noon), []exchange{{create, 402, stolen, false}}, declined("", "LOST_CARD"), false},
		{"expired", authorize(noon), []exchange{{create, 402, expired, false}}, declined("", "EXPIRED_CARD"), false},
		{"no such method", authorize(noon), []exchange{{create, 400, noMethod, false}}, declined("", "PROCESSING_ERROR"), false},
		{"too many requests", authorize(noon), []exchange{{create, 429, limited, false}}, payments.Result{}, true},
		{"key of another request", authorize(noon), []exchange{{create, 400, otherKey, false}}, payments.Result{}, true},
		{"wrong API key", authorize(noon), []exchange{{create, 401, broken, false}}, payments.Result{}, true},
		{"broken", authorize(noon), []exchange{{create, 500, broken, false}}, payments.Result{}, true},
		{"no JSON", authorize(noon), []exchange{{create, 200, "<html>", false}}, payments.Result{}, true},
		{"broken before, and done", authorize(noon), []exchange{{create, 500, broken, true}, {find, 200, `{"object":"search_result","data":[` + held + `]}`, false}}, holding, false},
		{"broken before, and not done", authorize(noon), []exchange{{create, 500, broken, true}, {find, 200, `{"object":"search_result","data":[]}`, false}}, payments.Result{}, true},
		{"key forgotten, and done", authorize(long), []exchange{{find, 200, `{"data":[` + held + `]}`, false}}, holding, false},
		{"key forgotten, and not done", authorize(long), []exchange{{find, 200, `{"data":[]}`, false}, {create, 200, held, false}}, holding, false},

		{"confirmed", command(confirm, noon), []exchange{{read, 200, held, false}}, holding, false},
		{"confirmation failed", command(confirm, noon), []exchange{{read, 200, failed3d, false}}, declined("pi_1", "AUTHENTICATION_REQUIRED"), false},

		{"captured", command((*Provider).Capture, noon), []exchange{{capture, 200, taken, false}}, success, false},
		{"captured before", command((*Provider).Capture, noon), []exchange{{capture, 400, notNow, false}, {read, 200, taken, false}}, success, false},
		{"capture of what has lapsed", command((*Provider).Capture, noon), []exchange{{capture, 400, notNow, false}, {read, 200, lapsed, false}}, declined("pi_1", "GENERIC_DECLINE"), false},
		{"capture broke before, and done", command((*Provider).Capture, noon), []exchange{{capture, 500, broken, true}, {read, 200, taken, false}}, success, false},
		{"capture broke before, and not done", command((*Provider).Capture, noon), []exchange{{capture, 500, broken, true}, {read, 200, held, false}}, payments.Result{}, true},
		{"voided", command((*Provider).Void, noon), []exchange{{cancel, 200, undone, false}}, success, false},
		{"voided what has lapsed", command((*Provider).Void, noon), []exchange{{cancel, 400, notNow, false}, {read, 200, lapsed, false}}, success, false},
		{"refunded", command((*Provider).Refund, noon), []exchange{{giveout, 200, given, false}}, success, false},
		{"refund pending", command((*Provider).Refund, noon), []exchange{{giveout, 200, giving, false}}, payments.Result{Outcome: payments.Pending, Reference: "pi_1"}, false},
		{"refund was pending", command((*Provider).Refund, noon), []exchange{{giveout, 200, giving, true}, {"GET /v1/refunds/re_1", 200, given, false}}, success, false},
		{"refund, key forgotten, and done", command((*Provider).Refund, long), []exchange{{refunds, 200, `{"object":"list","data":[` + given + `]}`, false}}, success, false},
		{"refund, key forgotten, and not done", command((*Provider).Refund, long), []exchange{{refunds, 200, `{"data":[]}`, false}, {giveout, 200, given, false}}, success, false},
		{"refund broke before, and done", command((*Provider).Refund, noon), []exchange{{giveout, 500, broken, true}, {refunds, 200, `{"data":[` + given + `]}`, false}}, success, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, err := tt.run(t.Context(), record(t, tt.exchanges))
			if diff := cmp.Diff(tt.want, got); diff != "" || (err != nil) != tt.unknown {
				t.Errorf("%v (-want +got):\n%s", err, diff)
			}
		})
	}
}

func TestHowAPaymentStands(t *testing.T) {
	for body, want := range map[string]payments.State{
		held: {Standing: payments.Held, Expires: time.Unix(1_760_600_000, 0).UTC()}, taken: {Standing: payments.Taken, Captured: 2100, Refunded: 500},
		acting: {Standing: payments.Undecided}, waiting: {Standing: payments.Undecided}, lapsed: {Standing: payments.Lapsed}, undone: {Standing: payments.Released},
		failed3d: {Standing: payments.Refused, DeclineCode: "AUTHENTICATION_REQUIRED"},
	} {
		got, err := record(t, []exchange{{read, 200, body, false}}).Look(t.Context(), "pi_1")
		if diff := cmp.Diff(want, got); diff != "" || err != nil {
			t.Errorf("%s: %v\n%s", body, err, diff)
		}
	}
}

func TestAMethodIsDescribedAndOneThatIsNotThereIsUnknown(t *testing.T) {
	const card = `{"id":"pm_1","object":"payment_method","customer":"cus_1","card":{"brand":"visa","last4":"4242","exp_month":8,"exp_year":2031},"type":"card"}`
	get := "GET /v1/payment_methods/pm_1"
	got, err := record(t, []exchange{{get, 200, card, false}}).Method(t.Context(), "cus_1/pm_1")
	if want := (payments.Method{Token: "cus_1/pm_1", Brand: "visa", Last4: "4242", ExpMonth: 8, ExpYear: 2031}); err != nil || got != want {
		t.Errorf("Method = %v, %v", got, err)
	}
	for token, e := range map[string]exchange{"pm_1": {get, 404, noMethod, false}, "cus_2/pm_1": {get, 200, card, false}} {
		if _, err := record(t, []exchange{e}).Method(t.Context(), token); !errors.Is(err, payments.ErrTokenUnknown) {
			t.Errorf("Method(%q): %v", token, err)
		}
	}
	if _, err := record(t, []exchange{{get, 500, broken, false}}).Method(t.Context(), "pm_1"); err == nil || errors.Is(err, payments.ErrTokenUnknown) {
		t.Errorf("Method while Stripe is broken: %v", err)
	}
}

func TestWebhooksAreVerified(t *testing.T) {
	p := record(t, nil)
	body := []byte(`{"id":"evt_1","object":"event","type":"payment_intent.amount_capturable_updated","data":{"object":{"id":"pi_1","object":"payment_intent","metadata":{"agora_key":"op_1"}}}}`)
	sign := func(at time.Time, secret string) string {
		mac := hmac.New(sha256.New, []byte(secret))
		fmt.Fprintf(mac, "%d.%s", at.Unix(), body)
		return fmt.Sprintf("t=%d,v1=00ff,v1=%s,v0=6ffb", at.Unix(), hex.EncodeToString(mac.Sum(nil)))
	}
	for _, secret := range p.WebhookSecrets {
		n, err := p.Notification(http.Header{"Stripe-Signature": {sign(noon, secret)}}, body, noon)
		if want := (payments.Notification{ID: "evt_1", Type: "payment_intent.amount_capturable_updated", Reference: "pi_1", Key: "op_1"}); err != nil || n != want {
			t.Errorf("Notification = %+v, %v", n, err)
		}
	}
	for name, header := range map[string]string{
		"none": "", "another secret": sign(noon, "whsec_c"), "old": sign(noon.Add(-6*time.Minute), "whsec_a"), "of the future": sign(noon.Add(6*time.Minute), "whsec_a"), "no time": "v1=00", "nonsense": "t=1,v1=zz",
	} {
		if _, err := p.Notification(http.Header{"Stripe-Signature": {header}}, body, noon); !errors.Is(err, payments.ErrNotGenuine) {
			t.Errorf("%s: %v", name, err)
		}
	}
	body = []byte(`{"id":"evt_2","type":"charge.refunded","data":{"object":{"id":"ch_1","object":"charge","payment_intent":"pi_1"}}}`)
	if n, err := p.Notification(http.Header{"Stripe-Signature": {sign(noon, "whsec_a")}}, body, noon); err != nil || n.Reference != "pi_1" || n.Key != "" {
		t.Errorf("of a charge: %+v, %v", n, err)
	}
}

func TestAnOutcomeIsAskedForBySendingTheRequestAgain(t *testing.T) {
	if _, err := record(t, nil).Retrieve(t.Context(), "op_1"); !errors.Is(err, payments.ErrKeyUnknown) {
		t.Errorf("Retrieve: %v", err)
	}
}

func TestAmountsAreThoseOfStripe(t *testing.T) {
	for _, tt := range []struct {
		m    money.Money
		want int64
		ok   bool
	}{
		{money.New(2100, "EUR"), 2100, true},
		{money.New(2100, "JPY"), 2100, true},
		{money.New(2100, "ISK"), 210000, true},
		{money.New(21000, "KWD"), 21000, true},
		{money.New(21001, "KWD"), 21001, false},
		{money.New(1<<62, "UGX"), 0, false},
	} {
		got, ok := toStripe(tt.m)
		if ok != tt.ok || (ok && (got != tt.want || fromStripe(got, lower(tt.m.Currency)) != tt.m.MinorUnits)) {
			t.Errorf("toStripe(%s) = %d, %v", tt.m, got, ok)
		}
	}
}

var _ payments.Provider = (*Provider)(nil)
