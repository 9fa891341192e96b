package payments

import (
	"context"

	"github.com/agora-supergraph/agora/internal/identity"
	"github.com/agora-supergraph/agora/internal/money"
	"github.com/agora-supergraph/agora/subgraphs/payments/gen"
)

type orderFields struct{ s *Service }

// Order returns the resolver of Order's fields.
func (r resolver) Order() gen.OrderResolver { return orderFields(r) }

// visible are the payments of an order that the caller may see. Nobody but staff learns more of an order without
// any than that there is nothing to see: it may be somebody else's.
func (r orderFields) visible(ctx context.Context, obj *gen.Order) (payments []*gen.Payment, known bool, err error) {
	payments = obj.Payments
	if payments == nil { // reached through Payment.order, not as an entity
		byOrder, err := r.s.paymentsOf(ctx, []string{obj.ID}, asked{})
		if err != nil {
			return nil, false, err
		}
		payments = byOrder[obj.ID]
	}
	return payments, len(payments) > 0 || identity.From(ctx).Has("payments:read"), nil
}

// Payments resolves Order.payments.
func (r orderFields) Payments(ctx context.Context, obj *gen.Order) ([]*gen.Payment, error) {
	payments, known, err := r.visible(ctx, obj)
	if err != nil || !known {
		return nil, err
	}
	return payments, nil
}

// AmountCaptured resolves Order.amountCaptured: what was taken and not given back.
func (r orderFields) AmountCaptured(ctx context.Context, obj *gen.Order) (*money.Money, error) {
	payments, known, err := r.visible(ctx, obj)
	if err != nil || !known || len(payments) == 0 {
		return nil, err
	}
	sum := money.New(0, payments[0].AmountCaptured.Currency)
	for _, p := range payments {
		if sum, err = sum.Add(money.New(p.AmountCaptured.MinorUnits-p.AmountRefunded.MinorUnits, p.AmountCaptured.Currency)); err != nil {
			return nil, err
		}
	}
	return &sum, nil
}

// AmountDue resolves Order.amountDue: what of the order's total hasn't been taken. A refund doesn't make it due again.
func (r orderFields) AmountDue(ctx context.Context, obj *gen.Order) (*money.Money, error) {
	payments, known, err := r.visible(ctx, obj)
	if err != nil || !known || obj.Total.Currency == "" {
		return nil, err
	}
	due := obj.Total
	for _, p := range payments {
		if due, err = due.Add(money.New(-p.AmountCaptured.MinorUnits, p.AmountCaptured.Currency)); err != nil {
			return nil, err
		}
	}
	due.MinorUnits = max(due.MinorUnits, 0)
	return &due, nil
}

type userFields struct{ s *Service }

// User returns the resolver of User's fields.
func (r resolver) User() gen.UserResolver { return userFields(r) }

// PaymentMethods resolves User.paymentMethods.
func (r userFields) PaymentMethods(ctx context.Context, obj *gen.User) ([]*gen.PaymentMethod, error) {
	if !identity.From(ctx).May(obj.ID, "payments:read") {
		return nil, nil
	}
	if obj.PaymentMethods != nil {
		return obj.PaymentMethods, nil
	}
	methods, err := r.s.methodsOf(ctx, []string{obj.ID})
	return methods[obj.ID], err
}
