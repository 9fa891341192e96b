package payments_test

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/agora-supergraph/agora/internal/id"
	"github.com/agora-supergraph/agora/internal/identity"
	"github.com/agora-supergraph/agora/internal/webhook"
)

// finance is somebody of staff.
var finance = id.New(id.User)

// staff is the token of somebody who sees to webhooks.
func (b *bench) staff() caller {
	b.t.Helper()
	token, err := identity.AccessToken(b.key, "jti", finance, "ses", time.Now(), time.Hour, []string{"payments:read", "payments:write", "payments:refund"})
	if err != nil {
		b.t.Fatal(err)
	}
	return caller(token)
}

// endpointAnswer is what the mutations on endpoints answer.
type endpointAnswer struct {
	Endpoint *struct {
		ID, URL    string
		EventTypes []string
		Enabled    bool
	}
	Secret     string
	Replayed   int
	UserErrors []struct{ Code, Message string }
}

func (a endpointAnswer) code() string {
	if len(a.UserErrors) == 0 {
		return ""
	}
	return a.UserErrors[0].Code
}

const endpointFields = ` { endpoint { id url eventTypes enabled } secret userErrors { code message } } }`

func (b *bench) webhookDo(mutation string, variables object) endpointAnswer {
	b.t.Helper()
	var response struct{ Data struct{ A endpointAnswer } }
	answer := b.ask(b.staff(), mutation, variables)
	if err := json.Unmarshal([]byte(answer), &response); err != nil || strings.Contains(answer, `"errors"`) {
		b.t.Fatalf("%s: %s", mutation, answer)
	}
	return response.Data.A
}

func (b *bench) createEndpoint(url, key string, types ...string) endpointAnswer {
	b.t.Helper()
	return b.webhookDo(`mutation ($i: WebhookEndpointCreateInput!) { a: webhookEndpointCreate(input: $i)`+endpointFields,
		object{"i": object{"url": url, "eventTypes": types, "idempotencyKey": key}})
}

// shopReceiver is somebody who is told.
type shopReceiver struct {
	*httptest.Server
	mu     sync.Mutex
	status int
	got    []heard
}

func newReceiver(t *testing.T) *shopReceiver {
	r := &shopReceiver{status: http.StatusOK}
	r.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		body, err := io.ReadAll(req.Body)
		if err != nil {
			return
		}
		r.mu.Lock()
		defer r.mu.Unlock()
		r.got = append(r.got, heard{req.Header, body})
		w.WriteHeader(r.status)
	}))
	t.Cleanup(r.Close)
	return r
}

func (r *shopReceiver) answer(status int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.status = status
}

func (r *shopReceiver) requests() []heard {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]heard(nil), r.got...)
}

func TestStaffHaveOthersToldOfPaymentsByWebhook(t *testing.T) {
	each(t, func(t *testing.T, b *bench) {
		shop := newReceiver(t)
		made := b.createEndpoint(shop.URL, "k", "agora.payments.payment.captured.v1")
		if made.Endpoint == nil || !strings.HasPrefix(made.Secret, "whsec_") {
			t.Fatalf("create: %+v", made)
		}
		if again := b.createEndpoint(shop.URL, "k", "agora.payments.payment.captured.v1"); again.Endpoint == nil || again.Endpoint.ID != made.Endpoint.ID || again.Secret != "" {
			t.Errorf("the same again: %+v", again)
		}
		if other := b.createEndpoint(shop.URL, "k", "*"); other.code() != "IDEMPOTENCY_KEY_REUSED" {
			t.Errorf("the same key for another: %+v", other)
		}
		defer b.run()()
		shop.answer(http.StatusInternalServerError)
		p := b.authorize("tok_ok").Payment
		b.do("capture", p.ID, "c")
		const list = `query ($f: WebhookDeliveryFilter) { webhookDeliveries(first: 5, filter: $f) { edges { node { id status attempts responseStatus eventType } } pageInfo { hasNextPage } } }`
		failed := object{"f": object{"endpointId": made.Endpoint.ID, "status": "FAILED", "eventType": "agora.payments.payment.captured.v1"}}
		eventually(t, "the delivery has failed", func() bool {
			return strings.Contains(b.ask(b.staff(), list, failed), `"status":"FAILED","attempts":3,"responseStatus":500`)
		})
		shop.answer(http.StatusOK)
		replay := b.webhookDo(`mutation ($id: ID!, $t: DateTime!) { a: webhookEndpointReplay(id: $id, since: $t) { replayed userErrors { code message } } }`,
			object{"id": made.Endpoint.ID, "t": b.clock.now().Add(-time.Hour).UTC().Format(time.RFC3339)})
		if replay.Replayed != 1 {
			t.Errorf("replay: %+v", replay)
		}
		eventually(t, "it is told", func() bool { return len(shop.requests()) == 4 })
		last := shop.requests()[3]
		var body struct {
			Type, Subject string
			Sequence      int
			Data          struct{ Status string }
		}
		_, err := webhook.Verify(last.header, last.body, b.clock.now(), made.Secret)
		if err != nil || json.Unmarshal(last.body, &body) != nil || body.Subject != p.ID || body.Data.Status != "CAPTURED" || body.Sequence != 2 {
			t.Errorf("told %s, %v", last.body, err)
		}
		rotated := b.webhookDo(`mutation ($id: ID!) { a: webhookEndpointRotateSecret(id: $id)`+endpointFields, object{"id": made.Endpoint.ID})
		if rotated.Secret == "" || rotated.Secret == made.Secret {
			t.Errorf("rotate: %+v", rotated)
		}
		off := b.webhookDo(`mutation ($id: ID!) { a: webhookEndpointUpdate(id: $id, input: { enabled: false, eventTypes: ["*"] })`+endpointFields, object{"id": made.Endpoint.ID})
		if off.Endpoint == nil || off.Endpoint.Enabled || off.Endpoint.EventTypes[0] != "*" {
			t.Errorf("update: %+v", off)
		}
		gone := b.webhookDo(`mutation ($id: ID!) { a: webhookEndpointDelete(id: $id)`+endpointFields, object{"id": made.Endpoint.ID})
		if got := b.ask(b.staff(), `{ webhookEndpoints { edges { node { id } } } }`, nil); gone.code() != "" || got != `{"data":{"webhookEndpoints":{"edges":[]}}}` {
			t.Errorf("delete: %+v, %s", gone, got)
		}
		if again := b.webhookDo(`mutation ($id: ID!) { a: webhookEndpointDelete(id: $id)`+endpointFields, object{"id": made.Endpoint.ID}); again.code() != "NOT_FOUND" {
			t.Errorf("delete again: %+v", again)
		}
	})
}

func TestOnlyStaffSeeToWebhooksAndNotEverywhere(t *testing.T) {
	each(t, func(t *testing.T, b *bench) {
		for name, who := range map[string]caller{"a shopper": b.user(buyer), "a service": b.as("payments:read", "payments:write", "payments:refund")} {
			for _, operation := range []string{
				`{ webhookEndpoints { edges { node { id } } } }`, `{ webhookDeliveries { edges { node { id } } } }`,
				`mutation { webhookEndpointCreate(input: { url: "https://example.com", eventTypes: ["*"], idempotencyKey: "k" }) { secret } }`,
				`mutation { webhookEndpointUpdate(id: "x", input: {}) { secret } }`, `mutation { webhookEndpointRotateSecret(id: "x") { secret } }`,
				`mutation { webhookEndpointDelete(id: "x") { secret } }`, `mutation { webhookDeliveryReplay(id: "x") { replayed } }`,
				`mutation { webhookEndpointReplay(id: "x", since: "2026-01-01T00:00:00Z") { replayed } }`,
			} {
				if got := b.ask(who, operation, nil); !strings.Contains(got, `"code":"FORBIDDEN"`) {
					t.Errorf("%s: %s: %s", name, operation, got)
				}
			}
		}
		b.cfg.Webhooks.Private = false
		b.start()
		for _, url := range []string{"http://example.com", "https://127.0.0.1", "https://[::1]/", "ftp://example.com", "", "\x00"} {
			if got := b.createEndpoint(url, "bad", "*"); got.code() != "INVALID_INPUT" {
				t.Errorf("endpoint at %q: %+v", url, got)
			}
		}
		for _, typ := range []string{"", "a b", "A.*"} {
			if got := b.createEndpoint("https://example.com", "bad", typ); got.code() != "INVALID_INPUT" {
				t.Errorf("endpoint for %q: %+v", typ, got)
			}
		}
	})
}
