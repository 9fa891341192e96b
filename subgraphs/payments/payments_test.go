package payments_test

import (
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/agora-supergraph/agora/internal/id"
	"github.com/agora-supergraph/agora/subgraphs/payments/sandbox"
)

func TestEachTokenOfTheSandboxDoesWhatItSays(t *testing.T) {
	each(t, func(t *testing.T, b *bench) {
		tested, ids := map[string]bool{}, map[string]string{}
		for _, tt := range []struct{ token, status, decline, code string }{
			{"tok_ok", "AUTHORIZED", "", ""},
			{"tok_visa", "AUTHORIZED", "", ""},
			{"tok_mastercard", "AUTHORIZED", "", ""},
			{"tok_decline", "DECLINED", "GENERIC_DECLINE", "DECLINED"},
			{"tok_insufficient_funds", "DECLINED", "INSUFFICIENT_FUNDS", "DECLINED"},
			{"tok_expired_card", "DECLINED", "EXPIRED_CARD", "DECLINED"},
			{"tok_incorrect_cvc", "DECLINED", "INCORRECT_CVC", "DECLINED"},
			{"tok_lost_card", "DECLINED", "LOST_CARD", "DECLINED"},
			{"tok_fraudulent", "DECLINED", "FRAUDULENT", "DECLINED"},
			{"tok_processing_error", "DECLINED", "PROCESSING_ERROR", "DECLINED"},
			{"tok_of_nobody", "DECLINED", "GENERIC_DECLINE", "DECLINED"},
			{"tok_3ds_ok", "REQUIRES_ACTION", "", ""},
			{"tok_3ds_fail", "REQUIRES_ACTION", "", ""},
			{"tok_3ds_abandon", "REQUIRES_ACTION", "", ""},
			{"tok_timeout_ok", "UNKNOWN", "", ""},
			{"tok_timeout_fail", "UNKNOWN", "", ""},
			{"tok_capture_fail", "AUTHORIZED", "", ""},
			{"tok_refund_fail", "AUTHORIZED", "", ""},
			{"tok_slow", "AUTHORIZED", "", ""},
			{"tok_error", "UNKNOWN", "", ""},
			{"tok_error_ok", "UNKNOWN", "", ""},
			{"tok_error_fail", "UNKNOWN", "", ""},
			{"tok_rate_limited", "UNKNOWN", "", ""},
			{"tok_auth_expires", "AUTHORIZED", "", ""},
			{"tok_webhook_only", "PROCESSING", "", ""},
			{"tok_webhook_decline", "PROCESSING", "", ""},
			{"tok_webhook_dup", "AUTHORIZED", "", ""},
			{"tok_webhook_reorder", "AUTHORIZED", "", ""},
			{"tok_by_amount", "AUTHORIZED", "", ""},
		} {
			tested[tt.token] = true
			got := b.authorize(tt.token)
			ids[tt.token] = got.Payment.ID
			if got.status() != tt.status || got.Payment.DeclineCode != tt.decline || got.code() != tt.code {
				t.Errorf("authorise %s = %s %s %s, want %s %s %s", tt.token, got.status(), got.Payment.DeclineCode, got.code(), tt.status, tt.decline, tt.code)
			}
		}
		for _, token := range sandbox.Tokens() {
			if !tested[token] {
				t.Errorf("nobody tests %s", token)
			}
		}
		defer b.run()()
		eventually(t, "every outcome is known", func() bool { return b.unresolved() == 0 })
		for token, want := range map[string]string{
			"tok_timeout_ok": "AUTHORIZED", "tok_timeout_fail": "DECLINED", "tok_error": "AUTHORIZED", "tok_error_ok": "AUTHORIZED", "tok_error_fail": "DECLINED",
			"tok_rate_limited": "AUTHORIZED", "tok_webhook_only": "AUTHORIZED", "tok_webhook_decline": "DECLINED",
		} {
			if got := b.status(ids[token]); got != want {
				t.Errorf("%s comes to %s, want %s", token, got, want)
			}
		}
	})
}

func TestTheAmountMayDecideWhatTheSandboxDoes(t *testing.T) {
	each(t, func(t *testing.T, b *bench) {
		for amount, want := range map[int64]string{2100: "AUTHORIZED", 2101: "DECLINED", 2103: "REQUIRES_ACTION", 5: "UNKNOWN", 107: "PROCESSING"} {
			orderID := id.New(id.Order)
			input := payment(orderID, "tok_by_amount", orderID)
			input["amountMinorUnits"] = amount
			if got := b.mutate("paymentAuthorize", "", input); got.status() != want {
				t.Errorf("%d comes to %s, want %s", amount, got.status(), want)
			}
		}
		defer b.run()()
		eventually(t, "every outcome is known", func() bool { return b.unresolved() == 0 })
	})
}

func TestRefundThatTheProviderDeclinesLeavesTheMoneyTaken(t *testing.T) {
	each(t, func(t *testing.T, b *bench) {
		p := b.authorize("tok_refund_fail").Payment
		b.do("capture", p.ID, "c")
		if got := b.do("refund", p.ID, "r"); got.status() != "CAPTURED" || got.code() != "DECLINED" || got.Refund.Status != "FAILED" {
			t.Errorf("refund: %+v", got)
		}
	})
}

// unresolved counts the operations whose outcome isn't recorded.
func (b *bench) unresolved() int {
	b.t.Helper()
	n, err := b.service.Unresolved(b.t.Context())
	if err != nil {
		b.t.Fatal(err)
	}
	return n
}

// Every command in every status: what the table allows happens, all else is refused and changes nothing.
func TestCommandsDoWhatTheTableAllowsAndNothingElse(t *testing.T) {
	commands := []string{"capture", "void", "refund", "confirm"}
	states := []struct {
		name, token string
		before      []string
		want        map[string]string // the status after each legal command
	}{
		{"REQUIRES_ACTION", "tok_3ds_ok", nil, map[string]string{"void": "VOIDED", "confirm": "AUTHORIZED"}},
		{"AUTHORIZED", "tok_ok", nil, map[string]string{"capture": "CAPTURED", "void": "VOIDED"}},
		{"CAPTURED", "tok_ok", []string{"capture"}, map[string]string{"refund": "REFUNDED"}},
		{"PARTIALLY_REFUNDED", "tok_ok", []string{"capture", "refund part"}, map[string]string{"refund": "REFUNDED"}},
		{"REFUNDED", "tok_ok", []string{"capture", "refund"}, nil},
		{"VOIDED", "tok_ok", []string{"void"}, nil},
		{"DECLINED", "tok_decline", nil, nil},
	}
	each(t, func(t *testing.T, b *bench) {
		for _, state := range states {
			for _, command := range commands {
				p := b.authorize(state.token).Payment
				for i, c := range state.before {
					b.do(c, p.ID, fmt.Sprintf("%s:%d", p.ID, i))
				}
				got := b.do(command, p.ID, p.ID+":tested")
				want, legal := state.want[command]
				if !legal {
					want = state.name
				}
				if got.status() != want || (got.code() == "") != legal {
					t.Errorf("%s of a payment that is %s: %s %s, want %s", command, state.name, got.status(), got.code(), want)
				}
				if !legal && got.code() != "ILLEGAL_TRANSITION" {
					t.Errorf("%s of a payment that is %s is refused with %s", command, state.name, got.code())
				}
			}
		}
	})
}

// do runs a command by its short name.
func (b *bench) do(command, paymentID, key string) shown {
	b.t.Helper()
	switch command {
	case "capture":
		return b.command("paymentCapture", paymentID, key)
	case "void":
		return b.command("paymentVoid", paymentID, key)
	case "confirm":
		return b.mutate("paymentActionConfirm", fmt.Sprintf("paymentId: %q, ", paymentID), map[string]any{"result": "ok", "idempotencyKey": key})
	case "refund part":
		return b.mutate("refundCreate", "", map[string]any{"paymentId": paymentID, "amountMinorUnits": 100, "idempotencyKey": key})
	case "refund":
		return b.mutate("refundCreate", "", map[string]any{"paymentId": paymentID, "idempotencyKey": key})
	}
	b.t.Fatalf("no command %q", command)
	return shown{}
}

func TestRefundsNeverExceedWhatWasCaptured(t *testing.T) {
	each(t, func(t *testing.T, b *bench) {
		p := b.authorize("tok_ok").Payment
		b.do("capture", p.ID, "capture"+p.ID)
		refund := func(amount int64, key string) shown {
			return b.mutate("refundCreate", "", map[string]any{"paymentId": p.ID, "amountMinorUnits": amount, "idempotencyKey": key})
		}
		if got := refund(2101, "r0"); got.code() != "AMOUNT_TOO_LARGE" || got.status() != "CAPTURED" {
			t.Errorf("refund of more than all: %s %s", got.status(), got.code())
		}
		if got := refund(0, "r0"); got.code() != "INVALID_INPUT" {
			t.Errorf("refund of nothing: %s", got.code())
		}
		if got := refund(1500, "r1"); got.status() != "PARTIALLY_REFUNDED" || got.Refund.Status != "SUCCEEDED" {
			t.Errorf("first refund: %+v", got)
		}
		if got := refund(601, "r2"); got.code() != "AMOUNT_TOO_LARGE" {
			t.Errorf("refund of more than is left: %s", got.code())
		}
		if got := refund(600, "r2"); got.status() != "REFUNDED" || got.Payment.AmountRefunded.MinorUnits != 2100 {
			t.Errorf("refund of what is left: %+v", got.Payment)
		}
	})
}

func TestCaptureThatTheProviderDeclinesLeavesTheAmountHeld(t *testing.T) {
	each(t, func(t *testing.T, b *bench) {
		p := b.authorize("tok_capture_fail").Payment
		if got := b.do("capture", p.ID, "c"); got.status() != "AUTHORIZED" || got.code() != "DECLINED" {
			t.Errorf("capture: %s %s", got.status(), got.code())
		}
		if got := b.do("capture", p.ID, "c"); got.status() != "AUTHORIZED" || got.code() != "DECLINED" {
			t.Errorf("the same capture again: %s %s", got.status(), got.code())
		}
		if got := b.do("void", p.ID, "v"); got.status() != "VOIDED" {
			t.Errorf("void: %s %s", got.status(), got.code())
		}
	})
}

func TestACaptureMayTakeAPartOnce(t *testing.T) {
	each(t, func(t *testing.T, b *bench) {
		p := b.authorize("tok_ok").Payment
		capture := func(amount int64, key string) shown {
			return b.mutate("paymentCapture", "", map[string]any{"paymentId": p.ID, "amountMinorUnits": amount, "idempotencyKey": key})
		}
		if got := capture(2101, "c0"); got.code() != "AMOUNT_TOO_LARGE" || got.status() != "AUTHORIZED" {
			t.Errorf("capture of more than is held: %+v", got)
		}
		if got := capture(0, "c0"); got.code() != "INVALID_INPUT" {
			t.Errorf("capture of nothing: %+v", got)
		}
		if got := b.mutate("paymentVoid", "", map[string]any{"paymentId": p.ID, "amountMinorUnits": 5, "idempotencyKey": "v"}); got.code() != "INVALID_INPUT" {
			t.Errorf("void of a part: %+v", got)
		}
		if got := capture(1500, "c1"); got.status() != "CAPTURED" || got.Payment.AmountCaptured.MinorUnits != 1500 {
			t.Errorf("capture of a part: %+v", got.Payment)
		}
		if got := capture(600, "c2"); got.code() != "ILLEGAL_TRANSITION" {
			t.Errorf("capture of the rest: %+v", got)
		}
		if got := b.do("refund", p.ID, "r"); got.status() != "REFUNDED" || got.Payment.AmountRefunded.MinorUnits != 1500 {
			t.Errorf("refund: %+v", got.Payment)
		}
	})
}

func TestProcessAuthorisesAndCapturesAtOnce(t *testing.T) {
	each(t, func(t *testing.T, b *bench) {
		orderID := id.New(id.Order)
		if got := b.mutate("paymentProcess", "", payment(orderID, "tok_ok", "p1")); got.status() != "CAPTURED" || got.Payment.AmountCaptured.MinorUnits != 2100 {
			t.Errorf("process: %+v", got)
		}
		if got := b.mutate("paymentProcess", "", payment(orderID, "tok_ok", "p2")); got.code() != "ILLEGAL_TRANSITION" {
			t.Errorf("a second payment of the order: %+v", got)
		}
		got := b.mutate("paymentProcess", "", payment(id.New(id.Order), "tok_3ds_ok", "p3"))
		if got.status() != "REQUIRES_ACTION" {
			t.Fatalf("process with 3-D Secure: %+v", got)
		}
		if got := b.do("confirm", got.Payment.ID, "p4"); got.status() != "CAPTURED" {
			t.Errorf("confirmed: %+v", got)
		}
		if got := b.mutate("paymentProcess", "", payment(id.New(id.Order), "tok_decline", "p5")); got.status() != "DECLINED" || got.code() != "DECLINED" {
			t.Errorf("process of a card that is declined: %+v", got)
		}
	})
}

func TestADeclinedOrderCanBePaidWithAnotherCard(t *testing.T) {
	each(t, func(t *testing.T, b *bench) {
		orderID := id.New(id.Order)
		b.mutate("paymentAuthorize", "", payment(orderID, "tok_decline", "a1"))
		if got := b.mutate("paymentAuthorize", "", payment(orderID, "tok_ok", "a2")); got.status() != "AUTHORIZED" {
			t.Errorf("authorise with another card: %+v", got)
		}
	})
}

func TestFiftyEqualCommandsAtOnceHaveOneEffectAndOneAnswer(t *testing.T) {
	each(t, func(t *testing.T, b *bench) {
		input := payment(id.New(id.Order), "tok_ok", "fifty")
		answers := make([]shown, 50)
		var wg sync.WaitGroup
		for i := range answers {
			wg.Go(func() { answers[i] = b.mutate("paymentAuthorize", "", input) })
		}
		wg.Wait()
		for _, a := range answers {
			if a.Payment == nil || a.Payment.ID != answers[0].Payment.ID || (a.code() != "" && a.code() != "IDEMPOTENCY_IN_PROGRESS") {
				t.Fatalf("an answer differs: %+v", a)
			}
		}
		b.start() // as after a restart
		if got := b.mutate("paymentAuthorize", "", input); got.status() != "AUTHORIZED" || got.Payment.ID != answers[0].Payment.ID || got.code() != "" {
			t.Errorf("the same key after a restart: %+v", got)
		}
		input["amountMinorUnits"] = 2200
		if got := b.mutate("paymentAuthorize", "", input); got.code() != "IDEMPOTENCY_KEY_REUSED" || got.Payment != nil {
			t.Errorf("the same key with another amount: %+v", got)
		}
	})
}

func TestTheFirstAnswerIsGivenAgainEvenWhenThePaymentHasMovedOn(t *testing.T) {
	each(t, func(t *testing.T, b *bench) {
		orderID := id.New(id.Order)
		p := b.mutate("paymentAuthorize", "", payment(orderID, "tok_ok", "k")).Payment
		b.do("capture", p.ID, "c")
		if got := b.mutate("paymentAuthorize", "", payment(orderID, "tok_ok", "k")); got.status() != "AUTHORIZED" {
			t.Errorf("the answer again: %s", got.status())
		}
	})
}

func TestBadInputIsRefusedBeforeAnythingIsWritten(t *testing.T) {
	each(t, func(t *testing.T, b *bench) {
		for name, change := range map[string]map[string]any{
			"no amount":       {"amountMinorUnits": 0},
			"negative amount": {"amountMinorUnits": -5},
			"currency":        {"currency": "eur"},
			"order":           {"orderId": "prod_1"},
			"user":            {"userId": "somebody"},
			"card number":     {"paymentMethodToken": "4242 4242 4242 4242"},
			"no token":        {"paymentMethodToken": ""},
			"no key":          {"idempotencyKey": ""},
			"long key":        {"idempotencyKey": strings.Repeat("k", 256)},
		} {
			input := payment(id.New(id.Order), "tok_ok", "bad"+name)
			for k, v := range change {
				input[k] = v
			}
			if got := b.mutate("paymentAuthorize", "", input); got.code() != "INVALID_INPUT" || got.Payment != nil {
				t.Errorf("%s: %+v", name, got)
			}
		}
		if got := b.do("capture", id.New(id.Payment), "nothing"); got.code() != "NOT_FOUND" {
			t.Errorf("capture of a payment that isn't there: %+v", got)
		}
	})
}
