package payments

import (
	"context"
	"strings"
	"unicode"

	"github.com/agora-supergraph/agora/internal/database"
	"github.com/agora-supergraph/agora/internal/id"
	"github.com/agora-supergraph/agora/internal/identity"
	"github.com/agora-supergraph/agora/internal/money"
	"github.com/agora-supergraph/agora/subgraphs/payments/gen"
)

// maxText bounds the strings of inputs, in bytes.
const maxText = 500

// pay authorises an amount for an order: paymentAuthorize, and paymentProcess, which captures it at once.
func (s *Service) pay(ctx context.Context, operationName string, in gen.PaymentProcessInput, captureAtOnce bool) (answer, error) {
	payer := identity.From(ctx).Subject
	if in.UserID != nil {
		payer = *in.UserID
	}
	if err := checkPayment(in, payer); err != nil {
		return answer{Errors: err.present()}, nil
	}
	payer, err := s.checkOrder(ctx, in)
	if err != nil {
		return refusedInput(err)
	}
	k, err := keyOf(ctx, operationName, in.IdempotencyKey, in)
	if err != nil {
		return refusedInput(err)
	}
	return s.command(ctx, k, func(tx *database.Tx) (operation, error) {
		live, err := liveOf(ctx, tx, in.OrderID)
		if err != nil {
			return operation{}, err
		}
		if live {
			return operation{}, alreadyPaid(in.OrderID)
		}
		p := payment{
			ID: id.Derived(id.Payment, k.Scope+"|"+k.Operation+"|"+k.Key), OrderID: in.OrderID, UserID: payer,
			MethodToken: in.PaymentMethodToken, Currency: in.Currency, Amount: in.AmountMinorUnits,
			Status: gen.PaymentStatusProcessing, CaptureAtOnce: captureAtOnce, CreatedUs: s.nowMicros(),
		}
		err = insertPayment(ctx, tx, p)
		if database.IsUnique(err) {
			return operation{}, alreadyPaid(in.OrderID)
		}
		return s.newOperation(p, authorize, p.Amount, k), err
	})
}

func alreadyPaid(orderID string) *refusal {
	return refuse(gen.PaymentErrorCodeIllegalTransition, []string{"input", "orderId"}, "the order %s has a payment already", orderID)
}

func checkPayment(in gen.PaymentProcessInput, payer string) *refusal {
	switch {
	case !id.Is(id.Order, in.OrderID):
		return invalid("orderId", "%.50q is no id of an order", in.OrderID)
	case !id.Is(id.User, payer):
		return invalid("userId", "say whose payment it is: %.50q is no id of a user", payer)
	case in.AmountMinorUnits <= 0:
		return invalid("amountMinorUnits", "an amount must be more than 0")
	case !money.ValidCurrency(in.Currency):
		return invalid("currency", "%.10q is no ISO 4217 code", in.Currency)
	}
	return checkToken(in.PaymentMethodToken, "paymentMethodToken")
}

// checkToken refuses what can't be a token, above all card numbers: they must not be stored or logged here.
func checkToken(token, field string) *refusal {
	digits := strings.Map(func(r rune) rune {
		if unicode.IsDigit(r) {
			return r
		}
		return -1
	}, token)
	switch {
	case token == "" || len(token) > maxText || !database.Storable(token):
		return invalid(field, "a token has 1 to %d bytes", maxText)
	case len(digits) >= 12 && len(digits) <= 19 && !strings.ContainsFunc(token, unicode.IsLetter):
		return invalid(field, "send a token of the payment provider, never a card number")
	}
	return nil
}
