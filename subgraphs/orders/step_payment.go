package orders

import (
	"context"
	"fmt"
	"time"

	"github.com/agora-supergraph/agora/internal/database"
	"github.com/agora-supergraph/agora/subgraphs/orders/gen"
)

// paymentPayload is what the commands of the payments service answer.
type paymentPayload struct {
	Payload struct {
		Payment    *payment
		UserErrors []struct{ Code, Message string }
	}
}

// payment is what the saga looks at of a payment.
type payment struct {
	ID, Status string
	NextAction *struct{ ExpiresAt time.Time }
}

const paymentFields = `id status nextAction { expiresAt }`

func (p paymentPayload) code() string {
	if len(p.Payload.UserErrors) == 0 {
		return ""
	}
	return p.Payload.UserErrors[0].Code
}

func (p paymentPayload) message() string {
	if len(p.Payload.UserErrors) == 0 {
		return "the payment was declined"
	}
	return p.Payload.UserErrors[0].Message
}

// status is the payment's status, or "".
func (p paymentPayload) status() string {
	if p.Payload.Payment == nil {
		return ""
	}
	return p.Payload.Payment.Status
}

func (p paymentPayload) err() error {
	return fmt.Errorf("the payment is %q, refused with %q: %s", p.status(), p.code(), p.message())
}

// keyOf is the idempotency key of a step's command.
func keyOf(orderID string, s step) string { return "order:" + orderID + ":" + string(s) }

func declined(message string) verdict {
	return verdict{
		kind: refused, reason: gen.OrderCancelReasonPaymentDeclined,
		failure: refuse(gen.OrderErrorCodePaymentDeclined, input("paymentMethodToken"), "%s", message),
	}
}

func tooLate() verdict {
	return verdict{
		kind: refused, reason: gen.OrderCancelReasonPaymentTimeout,
		failure: refuse(gen.OrderErrorCodePaymentDeclined, input("paymentMethodToken"), "the payment was not completed in time"),
	}
}

// authorize holds the order's total on the buyer's card.
func (s *Service) authorize(ctx context.Context, sg saga, o *order) verdict {
	var p paymentPayload
	err := s.cfg.Payments.Do(ctx, `mutation ($input: PaymentProcessInput!) { payload: paymentAuthorize(input: $input) { payment { `+paymentFields+` } userErrors { code message } } }`,
		map[string]any{"input": map[string]any{
			"orderId": o.ID, "userId": o.UserID, "amountMinorUnits": o.Total, "currency": o.Currency,
			"paymentMethodToken": sg.Token, "idempotencyKey": keyOf(o.ID, authorize),
		}}, &p)
	if err != nil {
		return verdict{err: err}
	}
	if p.Payload.Payment == nil {
		if p.code() == "INVALID_INPUT" {
			return declined(p.message())
		}
		return verdict{err: p.err()}
	}
	v := s.held(p.Payload.Payment, p.message())
	v.paymentID = p.Payload.Payment.ID
	return v
}

// held is what a payment's status says about its authorisation.
func (s *Service) held(p *payment, message string) verdict {
	switch p.Status {
	case "AUTHORIZED", "CAPTURED", "PARTIALLY_REFUNDED": // staff may have been faster than the capture
		return verdict{kind: done}
	case "DECLINED":
		return declined(message)
	case "VOIDED", "EXPIRED", "REFUNDED":
		return tooLate()
	case "REQUIRES_ACTION":
		v := verdict{kind: acting, until: database.Micros(s.now())}
		if p.NextAction != nil {
			v.until = database.Micros(p.NextAction.ExpiresAt)
		}
		return v
	}
	return verdict{err: fmt.Errorf("the payment is %s", p.Status)}
}

// await looks whether the buyer has done what the bank wants.
func (s *Service) await(ctx context.Context, sg saga, _ *order) verdict {
	if sg.Cancel != "" {
		return verdict{kind: refused}
	}
	if sg.Expired {
		return expired()
	}
	var answer struct{ Payment *payment }
	err := s.cfg.Payments.Do(ctx, `query ($id: ID!) { payment(id: $id) { `+paymentFields+` } }`, map[string]any{"id": sg.PaymentID}, &answer)
	if err != nil {
		return verdict{err: err}
	}
	if answer.Payment == nil {
		return verdict{err: fmt.Errorf("there is no payment %s", sg.PaymentID)}
	}
	v := s.held(answer.Payment, "the buyer's bank did not confirm the payment")
	switch {
	case v.kind == acting && s.nowMicros() >= sg.DeadlineUs:
		return tooLate()
	case v.kind == acting:
		return verdict{kind: waiting}
	}
	return v
}

// payment sends a command about the saga's payment.
func (s *Service) payment(ctx context.Context, field, orderID, paymentID string, current step) (paymentPayload, error) {
	inputType := "PaymentCommandInput"
	if current == refund {
		inputType = "RefundCreateInput"
	}
	var p paymentPayload
	err := s.cfg.Payments.Do(ctx, `mutation ($input: `+inputType+`!) { payload: `+field+`(input: $input) { payment { `+paymentFields+` } userErrors { code message } } }`,
		map[string]any{"input": map[string]any{"paymentId": paymentID, "idempotencyKey": keyOf(orderID, current)}}, &p)
	return p, err
}

// capture takes the money.
func (s *Service) capture(ctx context.Context, sg saga, o *order) verdict {
	p, err := s.payment(ctx, "paymentCapture", o.ID, sg.PaymentID, capture)
	if err != nil {
		return verdict{err: err}
	}
	switch p.status() {
	case "CAPTURED", "PARTIALLY_REFUNDED", "REFUNDED":
		return verdict{kind: done}
	case "VOIDED", "EXPIRED":
		return tooLate()
	case "AUTHORIZED":
		if p.code() == "DECLINED" {
			return declined(p.message())
		}
	}
	return verdict{err: p.err()}
}

// void lets go of the payment, whatever became of it: what staff have captured meanwhile is given back.
func (s *Service) void(ctx context.Context, sg saga, o *order) verdict {
	paymentID := sg.PaymentID
	if paymentID == "" { // the answer to authorize never came
		var answer struct{ PaymentByKey *payment }
		err := s.cfg.Payments.Do(ctx, `query ($key: String!) { paymentByKey(idempotencyKey: $key) { `+paymentFields+` } }`,
			map[string]any{"key": keyOf(o.ID, authorize)}, &answer)
		if err != nil {
			return verdict{err: err}
		}
		if answer.PaymentByKey == nil {
			return verdict{kind: done}
		}
		paymentID = answer.PaymentByKey.ID
	}
	p, err := s.payment(ctx, "paymentVoid", o.ID, paymentID, void)
	if err == nil && (p.status() == "CAPTURED" || p.status() == "PARTIALLY_REFUNDED") {
		p, err = s.payment(ctx, "refundCreate", o.ID, paymentID, refund)
	}
	if err != nil {
		return verdict{err: err}
	}
	switch p.status() {
	case "VOIDED", "DECLINED", "EXPIRED", "REFUNDED":
		return verdict{kind: done, paymentID: paymentID}
	}
	return verdict{err: p.err(), paymentID: paymentID}
}

// refund gives back what is left of the payment.
func (s *Service) refund(ctx context.Context, sg saga, o *order) verdict {
	p, err := s.payment(ctx, "refundCreate", o.ID, sg.PaymentID, refund)
	if err != nil {
		return verdict{err: err}
	}
	if p.status() == "REFUNDED" {
		return verdict{kind: done}
	}
	return verdict{err: p.err()}
}
