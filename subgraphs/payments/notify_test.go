package payments_test

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/agora-supergraph/agora/internal/id"
	"github.com/agora-supergraph/agora/internal/money"
	"github.com/agora-supergraph/agora/internal/webhook"
	"github.com/agora-supergraph/agora/subgraphs/payments"
)

// heard is a webhook of the provider.
type heard struct {
	header http.Header
	body   []byte
}

// hear hands a webhook to the service, and keeps it if it was accepted.
func (b *bench) hear(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return
	}
	status := b.notify(heard{r.Header, body})
	w.WriteHeader(status)
	if status == http.StatusNoContent {
		b.hearing.Lock()
		defer b.hearing.Unlock()
		b.heard = append(b.heard, heard{r.Header, body})
	}
}

// notify hands a webhook to the service, and returns the status of its answer.
func (b *bench) notify(h heard) int {
	r := httptest.NewRequest(http.MethodPost, "/webhooks/provider", bytes.NewReader(h.body))
	r.Header = h.header
	w := httptest.NewRecorder()
	b.service.Notifications().ServeHTTP(w, r)
	return w.Code
}

// hearings is what was heard so far.
func (b *bench) hearings() []heard {
	b.hearing.Lock()
	defer b.hearing.Unlock()
	return slices.Clone(b.heard)
}

func TestAWebhookTellsThatAPendingPaymentIsDecided(t *testing.T) {
	each(t, func(t *testing.T, b *bench) {
		b.cfg.SweepInterval = time.Hour // so that nobody asks but for the webhook
		b.start()
		defer b.run()()
		for token, want := range map[string]string{"tok_webhook_only": "AUTHORIZED", "tok_webhook_decline": "DECLINED"} {
			p := b.authorize(token).Payment
			eventually(t, token+" is decided", func() bool { return b.status(p.ID) == want })
		}
	})
}

func TestWhatTheBuyerDoesOnThePageOfTheBankIsHeardOf(t *testing.T) {
	each(t, func(t *testing.T, b *bench) {
		defer b.run()()
		answer := func(p shown, result string) {
			t.Helper()
			u, err := url.Parse(p.Payment.NextAction.RedirectURL)
			if err != nil {
				t.Fatal(err)
			}
			got, err := http.PostForm(b.remote.URL+u.Path, url.Values{"result": {result}})
			if err != nil {
				t.Fatal(err)
			}
			defer got.Body.Close()
			page, err := io.ReadAll(got.Body)
			if err != nil || !strings.Contains(string(page), "needs nothing more") {
				t.Errorf("the page says %s, %v", page, err)
			}
		}
		process := func(token string) shown {
			orderID := id.New(id.Order)
			return b.mutate("paymentProcess", "", payment(orderID, token, orderID))
		}
		paid, refused := process("tok_3ds_ok"), process("tok_3ds_ok")
		answer(paid, "ok")
		answer(refused, "failed")
		eventually(t, "the payment is captured", func() bool { return b.status(paid.Payment.ID) == "CAPTURED" })
		eventually(t, "the payment is declined", func() bool { return b.status(refused.Payment.ID) == "DECLINED" })
		late := process("tok_3ds_ok")
		answer(late, "ok")
		if got := b.do("confirm", late.Payment.ID, "late"); got.status() != "CAPTURED" && got.code() != "ILLEGAL_TRANSITION" {
			t.Errorf("confirmed by the shop too: %+v", got)
		}
		eventually(t, "the payment is captured", func() bool { return b.status(late.Payment.ID) == "CAPTURED" })
	})
}

func TestWhatWasDoneAtTheProviderIsBookedHereToo(t *testing.T) {
	each(t, func(t *testing.T, b *bench) {
		defer b.run()()
		deed := func(p shown, run func(payments.Command) (payments.Result, error), amount int64) {
			t.Helper()
			reference := b.reference(p.Payment.ID)
			if _, err := run(payments.Command{Key: id.New("dash"), Reference: reference, Amount: money.New(amount, "EUR")}); err != nil {
				t.Fatal(err)
			}
		}
		ctx := t.Context()
		captured, voided := b.authorize("tok_ok"), b.authorize("tok_ok")
		deed(captured, func(c payments.Command) (payments.Result, error) { return b.sandbox.Capture(ctx, c) }, 1500)
		deed(voided, func(c payments.Command) (payments.Result, error) { return b.sandbox.Void(ctx, c) }, 2100)
		eventually(t, "the capture is heard of", func() bool { return b.status(captured.Payment.ID) == "CAPTURED" })
		eventually(t, "the void is heard of", func() bool { return b.status(voided.Payment.ID) == "VOIDED" })
		deed(captured, func(c payments.Command) (payments.Result, error) { return b.sandbox.Refund(ctx, c) }, 400)
		eventually(t, "the refund is heard of", func() bool { return b.status(captured.Payment.ID) == "PARTIALLY_REFUNDED" })
		if got := b.do("refund", captured.Payment.ID, "rest"); got.status() != "REFUNDED" || got.Payment.AmountRefunded.MinorUnits != 1500 {
			t.Errorf("refund of the rest: %+v", got.Payment)
		}
	})
}

// reference is the provider's name of a payment.
func (b *bench) reference(paymentID string) string {
	b.t.Helper()
	answer := b.ask(b.as("payments:read"), `query ($id: ID!) { payment(id: $id) { events { providerReference } } }`, map[string]any{"id": paymentID})
	_, after, _ := strings.Cut(answer, `"providerReference":"`)
	reference, _, _ := strings.Cut(after, `"`)
	return reference
}

func TestDuplicateAndReorderedWebhooksChangeNothing(t *testing.T) {
	each(t, func(t *testing.T, b *bench) {
		stop := b.run()
		ids := map[string]string{}
		for _, token := range []string{"tok_webhook_dup", "tok_webhook_reorder"} {
			p := b.authorize(token).Payment
			b.do("capture", p.ID, p.ID+"c")
			b.do("refund part", p.ID, p.ID+"r")
			ids[p.ID] = "PARTIALLY_REFUNDED"
		}
		eventually(t, "all webhooks are heard", func() bool { return len(b.hearings()) == 12 })
		stop()
		all := b.hearings()
		slices.Reverse(all)
		for _, h := range append(all, all...) {
			if status := b.notify(h); status != http.StatusNoContent {
				t.Errorf("the same webhook again: %d", status)
			}
		}
		for i, h := range all { // never heard before, by their ids, and older than what is known
			if err := webhook.Sign(h.header, fmt.Sprint("again", i), b.clock.now(), h.body, webhookSecret); err != nil {
				t.Fatal(err)
			}
			if status := b.notify(h); status != http.StatusNoContent {
				t.Errorf("an old state in a new webhook: %d", status)
			}
		}
		for paymentID, want := range ids {
			if got := b.do("capture", paymentID, "again"+paymentID); got.status() != want || got.Payment.AmountRefunded.MinorUnits != 100 {
				t.Errorf("after all that: %+v", got.Payment)
			}
		}
	})
}

func TestForgedAndOldWebhooksAreRefused(t *testing.T) {
	each(t, func(t *testing.T, b *bench) {
		p := b.authorize("tok_ok").Payment
		body := func(reference string) []byte {
			return []byte(`{"type":"charge.captured","data":{"charge":"` + reference + `"}}`)
		}
		signed := func(at time.Time, body []byte, secret string) heard {
			h := heard{http.Header{}, body}
			if err := webhook.Sign(h.header, "msg_"+fmt.Sprint(at.UnixNano()), at, body, secret); err != nil {
				t.Fatal(err)
			}
			return h
		}
		genuine := body(b.reference(p.ID))
		tampered := signed(b.clock.now(), genuine, webhookSecret)
		tampered.body = body("ch_of_somebody")
		for name, tt := range map[string]struct {
			h    heard
			want int
		}{
			"genuine":          {signed(b.clock.now(), genuine, webhookSecret), http.StatusNoContent},
			"of no payment":    {signed(b.clock.now(), body("ch_of_somebody"), webhookSecret), http.StatusNoContent},
			"another secret":   {signed(b.clock.now(), genuine, webhook.NewSecret()), http.StatusUnauthorized},
			"another body":     {tampered, http.StatusUnauthorized},
			"no signature":     {heard{http.Header{}, genuine}, http.StatusUnauthorized},
			"old":              {signed(b.clock.now().Add(-6*time.Minute), genuine, webhookSecret), http.StatusUnauthorized},
			"of the future":    {signed(b.clock.now().Add(6*time.Minute), genuine, webhookSecret), http.StatusUnauthorized},
			"no JSON":          {signed(b.clock.now(), []byte("{"), webhookSecret), http.StatusBadRequest},
			"NUL":              {signed(b.clock.now(), body(`\u0000`), webhookSecret), http.StatusBadRequest},
			"more than is fit": {heard{http.Header{}, make([]byte, 300<<10)}, http.StatusRequestEntityTooLarge},
		} {
			if got := b.notify(tt.h); got != tt.want {
				t.Errorf("%s: %d, want %d", name, got, tt.want)
			}
		}
		if got := b.status(p.ID); got != "AUTHORIZED" {
			t.Errorf("a webhook that lied made the payment %s", got)
		}
	})
}

func TestAWebhookComesAgainWhenTheProviderCanNotBeAsked(t *testing.T) {
	each(t, func(t *testing.T, b *bench) {
		p := b.authorize("tok_ok").Payment
		h := heard{http.Header{}, []byte(`{"type":"charge.captured","data":{"charge":"` + b.reference(p.ID) + `"}}`)}
		if err := webhook.Sign(h.header, "msg", b.clock.now(), h.body, webhookSecret); err != nil {
			t.Fatal(err)
		}
		b.provider.lose(1, 0)
		if got := b.notify(h); got != http.StatusServiceUnavailable {
			t.Errorf("while the provider is away: %d", got)
		}
		if got := b.notify(h); got != http.StatusNoContent {
			t.Errorf("when it is back: %d", got)
		}
	})
}

func TestAnAuthorisationThatTheProviderLetsLapseIsExpired(t *testing.T) {
	each(t, func(t *testing.T, b *bench) {
		p := b.authorize("tok_auth_expires").Payment
		b.clock.turn(time.Minute + time.Second)
		if got := b.do("capture", p.ID, "late"); got.status() != "AUTHORIZED" || got.code() != "DECLINED" {
			t.Errorf("capture of what has lapsed: %+v", got)
		}
		defer b.run()()
		eventually(t, "it is expired", func() bool { return b.status(p.ID) == "EXPIRED" })
	})
}
