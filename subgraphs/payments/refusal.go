package payments

import (
	"fmt"
	"strings"

	"github.com/agora-supergraph/agora/subgraphs/payments/gen"
)

// refusal is an error that the caller can do something about: a user error of the payload.
type refusal struct {
	code    gen.PaymentErrorCode
	message string
	field   []string
	// payment is the one concerned, if it may be shown.
	payment string
	// busy says that it is refused because a command on the payment is open, which may be resolved.
	busy bool
}

// Error is the message.
func (r *refusal) Error() string { return r.message }

func (r *refusal) present() []*gen.PaymentUserError {
	return []*gen.PaymentUserError{{Code: r.code, Message: r.message, Field: r.field}}
}

func refuse(code gen.PaymentErrorCode, field []string, format string, args ...any) *refusal {
	return &refusal{code: code, field: field, message: fmt.Sprintf(format, args...)}
}

func invalid(field, format string, args ...any) *refusal {
	return refuse(gen.PaymentErrorCodeInvalidInput, []string{"input", field}, format, args...)
}

func noPayment(paymentID string) *refusal {
	return refuse(gen.PaymentErrorCodeNotFound, []string{"input", "paymentId"}, "there is no payment %.50q", paymentID)
}

// illegal says that the table doesn't allow an operation.
func illegal(k kind, p payment) *refusal {
	r := refuse(gen.PaymentErrorCodeIllegalTransition, nil, "a payment that is %s does not allow %s", p.Status, strings.ToLower(string(k)))
	r.payment = p.ID
	return r
}

// declined tells the buyer why.
func declined(code gen.DeclineCode) *gen.PaymentUserError {
	reason := map[gen.DeclineCode]string{
		gen.DeclineCodeInsufficientFunds:      "there is not enough money on the card",
		gen.DeclineCodeExpiredCard:            "the card has expired",
		gen.DeclineCodeIncorrectCvc:           "the security code is wrong",
		gen.DeclineCodeLostCard:               "the card is reported lost",
		gen.DeclineCodeProcessingError:        "the card could not be processed: try again or use another one",
		gen.DeclineCodeAuthenticationRequired: "the buyer was not authenticated",
	}[code]
	if reason == "" {
		reason = "the bank gives no reason: use another card"
	}
	return &gen.PaymentUserError{Code: gen.PaymentErrorCodeDeclined, Message: "the payment was declined: " + reason}
}
