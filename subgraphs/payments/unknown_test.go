package payments_test

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/agora-supergraph/agora/internal/fault"
	"github.com/agora-supergraph/agora/internal/id"
	"github.com/agora-supergraph/agora/subgraphs/payments"
)

// steps are a payment's way through every command that asks the provider.
var steps = []struct {
	name   string
	before []string
	want   string
}{
	{"capture", nil, "CAPTURED"},
	{"void", nil, "VOIDED"},
	{"refund", []string{"capture"}, "REFUNDED"},
	{"refund part", []string{"capture"}, "PARTIALLY_REFUNDED"},
}

func TestAnUnknownOutcomeIsResolvedByAskingWithTheSameKey(t *testing.T) {
	each(t, func(t *testing.T, b *bench) {
		for _, step := range steps {
			for _, lost := range []struct {
				name          string
				before, after int
			}{{"the request", 1, 0}, {"the answer", 0, 1}} {
				p := b.authorize("tok_ok").Payment
				for _, c := range step.before {
					b.do(c, p.ID, p.ID+c)
				}
				b.provider.lose(lost.before, lost.after)
				if got := b.do(step.name, p.ID, p.ID+"x"); got.status() != "UNKNOWN" {
					t.Errorf("%s without %s: %s", step.name, lost.name, got.status())
				}
				if got := b.do(step.name, p.ID, p.ID+"x"); got.status() != step.want || got.code() != "" {
					t.Errorf("%s asked again after %s was lost: %s %s", step.name, lost.name, got.status(), got.code())
				}
			}
		}
	})
}

func TestUnknownOutcomesAreResolvedWithoutAnybodyAsking(t *testing.T) {
	each(t, func(t *testing.T, b *bench) {
		ids := map[string]string{}
		for _, step := range steps {
			p := b.authorize("tok_ok").Payment
			for _, c := range step.before {
				b.do(c, p.ID, p.ID+c)
			}
			b.provider.lose(0, 1)
			b.do(step.name, p.ID, p.ID+"x")
			ids[p.ID] = step.want
		}
		for token, want := range map[string]string{"tok_timeout_ok": "AUTHORIZED", "tok_timeout_fail": "DECLINED"} {
			ids[b.authorize(token).Payment.ID] = want
		}
		defer b.run()()
		eventually(t, "every outcome is known", func() bool { return b.unresolved() == 0 })
		for paymentID, want := range ids {
			if got := b.status(paymentID); got != want {
				t.Errorf("resolved to %s, want %s", got, want)
			}
		}
	})
}

// status reads the status of a payment.
func (b *bench) status(paymentID string) string {
	b.t.Helper()
	answer := b.ask(b.as("payments:read"), `query ($id: ID!) { payment(id: $id) { status } }`, map[string]any{"id": paymentID})
	_, status, _ := strings.Cut(strings.TrimSuffix(answer, `"}}}`), `"status":"`)
	return status
}

// Whoever takes over from a request that seems to be lost may be quicker than its answer.
func TestAnAnswerThatComesWhenItsOutcomeIsRecordedChangesNothing(t *testing.T) {
	each(t, func(t *testing.T, b *bench) {
		p := b.authorize("tok_ok").Payment
		answered, goOn := make(chan struct{}), make(chan struct{})
		b.provider.hold(func() { close(answered); <-goOn })
		slow := make(chan shown)
		go func() {
			defer close(slow)
			slow <- b.command("paymentCapture", p.ID, "slow")
		}()
		<-answered
		b.clock.turn(time.Minute)
		defer b.run()()
		eventually(t, "the capture is taken over", func() bool { return b.status(p.ID) == "CAPTURED" })
		close(goOn)
		if got := <-slow; got.status() != "CAPTURED" || len(got.UserErrors) > 0 {
			t.Errorf("the slow answer: %+v", got)
		}
		log := b.ask(b.as("payments:read"), `query ($id: ID!) { payment(id: $id) { events { type } } }`, map[string]any{"id": p.ID})
		if strings.Count(log, "capture.succeeded") != 1 {
			t.Errorf("the payment's log is %s", log)
		}
	})
}

func TestALostAnswerIsFoundByTheCallersKey(t *testing.T) {
	each(t, func(t *testing.T, b *bench) {
		b.provider.lose(0, 1)
		orderID := id.New(id.Order)
		p := b.mutate("paymentAuthorize", "", payment(orderID, "tok_ok", "order:1:authorize")).Payment
		query := `query ($key: String!) { paymentByKey(idempotencyKey: $key) { id status } }`
		got := b.ask(b.as("payments:read"), query, map[string]any{"key": "order:1:authorize"})
		if want := `{"data":{"paymentByKey":{"id":"` + p.ID + `","status":"AUTHORIZED"}}}`; got != want {
			t.Errorf("paymentByKey = %s, want %s", got, want)
		}
		if got := b.ask(b.as("payments:read"), query, map[string]any{"key": "order:2:authorize"}); got != `{"data":{"paymentByKey":null}}` {
			t.Errorf("paymentByKey of a key that never came = %s", got)
		}
	})
}

// The points are global to the process, so this test does not run beside others.
func TestACrashAnywhereLosesNothing(t *testing.T) {
	for _, point := range payments.FaultPoints {
		for _, token := range []string{"tok_ok", "tok_decline", "tok_capture_fail", "tok_3ds_ok"} {
			t.Run(point+"/"+token, func(t *testing.T) {
				b := newBench(t, sqliteURL(t), sqliteURL(t), false)
				b.cfg.ProviderTimeout = time.Minute // longer than anybody waits here
				b.start()
				crash(t, point)
				input := payment(id.New(id.Order), token, "key")
				answer := b.ask(b.as("payments:write"), `mutation ($input: PaymentProcessInput!) { paymentProcess(input: $input) { payment { status } } }`, map[string]any{"input": input})
				if !strings.Contains(answer, `"code":"INTERNAL"`) {
					t.Fatalf("the fault did not show: %s", answer)
				}
				heal(t)
				b.cfg.Alone = token == "tok_ok"
				b.start()
				if !b.cfg.Alone {
					b.clock.turn(2 * time.Minute) // whoever sent the request is certainly gone
				}
				defer b.run()()
				want := map[string]string{"tok_ok": "CAPTURED", "tok_decline": "DECLINED", "tok_capture_fail": "AUTHORIZED", "tok_3ds_ok": "REQUIRES_ACTION"}[token]
				eventually(t, "the outcome is known", func() bool { return b.unresolved() == 0 })
				if got := b.mutate("paymentProcess", "", input); got.status() != want {
					t.Errorf("the same command after the crash: %s, want %s", got.status(), want)
				}
				b.compareBooks()
			})
		}
	}
}

// crash makes a fault point fail, as a crash at that place would: nothing is done behind it.
func crash(t *testing.T, point string) {
	t.Helper()
	if err := fault.Configure(point+"=error", 1); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { heal(t) })
	if err := fault.Point(point); !errors.Is(err, fault.ErrInjected) {
		t.Fatalf("point %s is not armed", point)
	}
}

func heal(t *testing.T) {
	t.Helper()
	if err := fault.Configure("", 0); err != nil {
		t.Fatal(err)
	}
}

func TestThreeDSecureIsAnActionWithADeadline(t *testing.T) {
	each(t, func(t *testing.T, b *bench) {
		confirm := func(token string) shown {
			p := b.authorize(token).Payment
			if p.NextAction == nil || p.NextAction.Type != "THREE_D_SECURE" {
				t.Fatalf("%s asks for no action: %+v", token, p)
			}
			return b.do("confirm", p.ID, p.ID+"c")
		}
		if got := confirm("tok_3ds_ok"); got.status() != "AUTHORIZED" || got.Payment.NextAction != nil {
			t.Errorf("tok_3ds_ok: %+v", got)
		}
		if got := confirm("tok_3ds_fail"); got.status() != "DECLINED" || got.Payment.DeclineCode != "AUTHENTICATION_REQUIRED" || got.code() != "DECLINED" {
			t.Errorf("tok_3ds_fail: %+v", got)
		}
		got := confirm("tok_3ds_abandon")
		if got.status() != "REQUIRES_ACTION" {
			t.Errorf("tok_3ds_abandon: %+v", got)
		}
		b.clock.turn(10*time.Minute + time.Second)
		if late := b.do("confirm", got.Payment.ID, "late"); late.code() != "ILLEGAL_TRANSITION" {
			t.Errorf("confirmed after the deadline: %+v", late)
		}
		defer b.run()()
		eventually(t, "the action lapses", func() bool { return b.status(got.Payment.ID) == "EXPIRED" })
	})
}

func TestAnAuthorisationLapsesAfterAWeek(t *testing.T) {
	each(t, func(t *testing.T, b *bench) {
		p := b.authorize("tok_ok").Payment
		b.clock.turn(7*24*time.Hour + time.Second)
		defer b.run()()
		eventually(t, "the authorisation lapses", func() bool { return b.status(p.ID) == "EXPIRED" })
		if got := b.do("capture", p.ID, "late"); got.code() != "ILLEGAL_TRANSITION" || got.status() != "EXPIRED" {
			t.Errorf("capture of what has lapsed: %+v", got)
		}
	})
}

func TestEventsTellOfEveryChangeInOrder(t *testing.T) {
	each(t, func(t *testing.T, b *bench) {
		p := b.authorize("tok_ok").Payment
		b.do("capture", p.ID, "c")
		b.do("refund", p.ID, "r")
		stop := b.run()
		var got []string
		for range 3 {
			e := <-b.events
			var data payments.Changed
			if err := e.Decode(&data); err != nil {
				t.Fatal(err)
			}
			if e.Subject != p.ID || e.Correlation != data.OrderID || data.UserID != buyer {
				t.Errorf("event %+v with %+v", e, data)
			}
			got = append(got, e.Type)
		}
		stop()
		want := []string{"agora.payments.payment.authorized.v1", "agora.payments.payment.captured.v1", "agora.payments.payment.refunded.v1"}
		if !slices.Equal(got, want) {
			t.Errorf("events %v, want %v", got, want)
		}
	})
}
