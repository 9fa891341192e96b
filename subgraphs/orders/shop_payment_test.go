package orders_test

import (
	"strings"
	"time"

	"github.com/agora-supergraph/agora/internal/id"
)

// payment is what payments has of an order. Tokens do what the sandbox's do.
type payment struct {
	id, orderID, token, status         string
	amount, authorized, captured, back int64
	unknown                            int
	expires                            time.Time
	answers                            map[string]any // by idempotency key
	keys                               int            // commands that had an effect
}

// once gives the first answer of a key again, if it was a definite one. The key must be the step's, whoever sends it.
func (s *shop) once(p *payment, in map[string]any, step string, answer func() any) any {
	key := in["idempotencyKey"].(string)
	if want := "order:" + p.orderID + ":" + step; key != want && !strings.HasPrefix(key, want+":rfd_") {
		s.t.Errorf("%s came with the key %s, want %s", step, key, want)
	}
	if a, ok := p.answers[key]; ok {
		return a
	}
	a := answer()
	if p.status != "UNKNOWN" {
		p.answers[key] = a
		p.keys++
	}
	return a
}

func (p *payment) payload(errors ...any) any {
	if errors == nil {
		errors = []any{}
	}
	status := "FAILED"
	if len(errors) == 0 {
		status = "SUCCEEDED"
	}
	return object{"payload": object{"payment": p.view(), "refund": object{"status": status}, "userErrors": errors}}
}

func (p *payment) view() any {
	v := object{"id": p.id, "status": p.status, "amountRefunded": object{"minorUnits": p.back}}
	if p.status == "REQUIRES_ACTION" {
		v["nextAction"] = object{"expiresAt": p.expires.Format(time.RFC3339Nano)}
	}
	return v
}

func declined() any { return object{"code": "DECLINED", "message": "the card was declined"} }

func (s *shop) authorize(in map[string]any) any {
	orderID, token := in["orderId"].(string), in["paymentMethodToken"].(string)
	p := s.payments[orderID]
	if p == nil {
		p = &payment{id: id.New(id.Payment), orderID: orderID, token: token, amount: whole(in["amountMinorUnits"]), answers: map[string]any{}}
		if token == "tok_unknown" {
			p.unknown = 2
		}
		s.payments[orderID] = p
	}
	return s.once(p, in, "authorize", func() any {
		switch {
		case p.unknown > 0:
			p.unknown--
			p.status = "UNKNOWN"
			return p.payload()
		case token == "tok_decline":
			p.status = "DECLINED"
			return p.payload(declined())
		case token == "tok_3ds":
			p.status, p.expires = "REQUIRES_ACTION", s.now().Add(10*time.Minute)
			return p.payload()
		}
		p.status, p.authorized = "AUTHORIZED", p.amount
		return p.payload()
	})
}

// command runs a command on the payment that the input names.
func (s *shop) command(in map[string]any, step string, legal func(p *payment) bool, do func(p *payment) any) any {
	for _, p := range s.payments {
		if p.id == in["paymentId"].(string) {
			if _, again := p.answers[in["idempotencyKey"].(string)]; !again && !legal(p) {
				return p.payload(object{"code": "ILLEGAL_TRANSITION", "message": "illegal transition"})
			}
			return s.once(p, in, step, func() any { return do(p) })
		}
	}
	return refusal("NOT_FOUND", nil)
}

func (s *shop) capture(in map[string]any) any {
	return s.command(in, "capture", func(p *payment) bool { return p.status == "AUTHORIZED" }, func(p *payment) any {
		if p.token == "tok_capture_fail" {
			return p.payload(declined())
		}
		p.status, p.captured, p.authorized = "CAPTURED", p.amount, 0
		return p.payload()
	})
}

func (s *shop) void(in map[string]any) any {
	return s.command(in, "void", func(p *payment) bool { return p.status == "AUTHORIZED" || p.status == "REQUIRES_ACTION" }, func(p *payment) any {
		p.status, p.authorized = "VOIDED", 0
		return p.payload()
	})
}

func (s *shop) refund(in map[string]any) any {
	if amount, ok := in["amountMinorUnits"]; ok {
		return s.command(in, "repay", func(p *payment) bool { return p.captured > p.back }, func(p *payment) any {
			if p.token == "tok_refund_fail" || p.back+whole(amount) > p.captured {
				return p.payload(declined())
			}
			p.back += whole(amount)
			p.status = map[bool]string{true: "REFUNDED", false: "PARTIALLY_REFUNDED"}[p.back == p.captured]
			return p.payload()
		})
	}
	return s.command(in, "refund", func(p *payment) bool { return p.captured > p.back }, func(p *payment) any {
		p.status, p.back = "REFUNDED", p.captured
		return p.payload()
	})
}

func (s *shop) payment(in map[string]any) any {
	for _, p := range s.payments {
		if p.id == in["id"].(string) {
			return object{"payment": p.view()}
		}
	}
	return object{"payment": nil}
}

func (s *shop) paymentByKey(in map[string]any) any {
	for orderID, p := range s.payments {
		if in["key"].(string) == "order:"+orderID+":authorize" {
			return object{"paymentByKey": p.view()}
		}
	}
	return object{"paymentByKey": nil}
}

// confirm is the buyer's 3-D Secure challenge: it ends with a status.
func (s *shop) confirm(orderID, status string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	p := s.payments[orderID]
	if p.status = status; status == "AUTHORIZED" {
		p.authorized = p.amount
	}
}
