package payments

import (
	"context"
	"errors"

	"github.com/agora-supergraph/agora/internal/identity"
	"github.com/agora-supergraph/agora/internal/subgraph"
	"github.com/agora-supergraph/agora/subgraphs/payments/gen"
)

type mutations struct{ s *Service }

// payload is an answer as GraphQL wants it.
func payload(a answer, err error) (*gen.PaymentPayload, error) {
	if err != nil {
		return nil, err
	}
	return &gen.PaymentPayload{Payment: a.Payment, UserErrors: a.Errors}, nil
}

// need refuses who doesn't have a scope.
func need(ctx context.Context, scope, what string) error {
	if identity.From(ctx).Has(scope) {
		return nil
	}
	return subgraph.Forbidden(what)
}

// PaymentMethodAdd resolves Mutation.paymentMethodAdd.
func (m mutations) PaymentMethodAdd(ctx context.Context, input gen.PaymentMethodAddInput) (*gen.PaymentMethodPayload, error) {
	if identity.From(ctx).Subject == "" {
		return nil, subgraph.Errorf("UNAUTHENTICATED", "log in to save a payment method")
	}
	method, err := m.s.addMethod(ctx, input)
	var r *refusal
	if errors.As(err, &r) {
		return &gen.PaymentMethodPayload{UserErrors: r.present()}, nil
	}
	if err != nil {
		return nil, err
	}
	return &gen.PaymentMethodPayload{PaymentMethod: method, UserErrors: []*gen.PaymentUserError{}}, nil
}

// PaymentActionConfirm resolves Mutation.paymentActionConfirm.
func (m mutations) PaymentActionConfirm(ctx context.Context, paymentID string, input gen.PaymentActionConfirmInput) (*gen.PaymentPayload, error) {
	if identity.From(ctx).Anonymous() {
		return nil, subgraph.Errorf("UNAUTHENTICATED", "log in to confirm a payment")
	}
	return payload(m.s.confirm(ctx, paymentID, input))
}

// PaymentProcess resolves Mutation.paymentProcess.
func (m mutations) PaymentProcess(ctx context.Context, input gen.PaymentProcessInput) (*gen.PaymentPayload, error) {
	if err := need(ctx, "payments:write", "process payments"); err != nil {
		return nil, err
	}
	return payload(m.s.pay(ctx, "paymentProcess", input, true))
}

// PaymentAuthorize resolves Mutation.paymentAuthorize.
func (m mutations) PaymentAuthorize(ctx context.Context, input gen.PaymentProcessInput) (*gen.PaymentPayload, error) {
	if err := need(ctx, "payments:write", "authorise payments"); err != nil {
		return nil, err
	}
	return payload(m.s.pay(ctx, "paymentAuthorize", input, false))
}

// PaymentCapture resolves Mutation.paymentCapture.
func (m mutations) PaymentCapture(ctx context.Context, input gen.PaymentCommandInput) (*gen.PaymentPayload, error) {
	if err := need(ctx, "payments:write", "capture payments"); err != nil {
		return nil, err
	}
	return payload(m.s.onPayment(ctx, capture, "paymentCapture", input))
}

// PaymentVoid resolves Mutation.paymentVoid.
func (m mutations) PaymentVoid(ctx context.Context, input gen.PaymentCommandInput) (*gen.PaymentPayload, error) {
	if err := need(ctx, "payments:write", "void payments"); err != nil {
		return nil, err
	}
	return payload(m.s.onPayment(ctx, void, "paymentVoid", input))
}

// RefundCreate resolves Mutation.refundCreate.
func (m mutations) RefundCreate(ctx context.Context, input gen.RefundCreateInput) (*gen.RefundPayload, error) {
	if err := need(ctx, "payments:refund", "refund payments"); err != nil {
		return nil, err
	}
	a, err := m.s.refund(ctx, input)
	if err != nil {
		return nil, err
	}
	return &gen.RefundPayload{Refund: a.Refund, Payment: a.Payment, UserErrors: a.Errors}, nil
}
