package sandbox

import (
	"cmp"
	"context"
	"hash/fnv"
	"maps"
	"slices"
	"strconv"
	"time"

	"github.com/agora-supergraph/agora/subgraphs/payments"
	"github.com/agora-supergraph/agora/subgraphs/payments/gen"
)

// behaviour is what a token makes the provider do.
type behaviour struct {
	brand string
	// decline refuses the authorisation.
	decline gen.DeclineCode
	// challenge asks for 3-D Secure first; confirmed says how it ends, and nothing if it never does.
	challenge bool
	confirmed payments.Outcome
	// pending leaves the authorisation undecided for a while: a webhook tells when it isn't any more.
	pending bool
	// late books the authorisation, and answers when the caller has given up.
	late bool
	// slow books the authorisation, and answers after Config.Slow.
	slow bool
	// breaks books the authorisation, and answers that something broke.
	breaks bool
	// turnsAway is the answer to an authorisation that comes for the first time: nothing is booked.
	turnsAway error
	// captureFails and refundFails refuse to take what is held, and to give back what was taken.
	captureFails, refundFails bool
	// lapses is how long the amount is held, if that is not a week.
	lapses time.Duration
	// copies is how often each webhook is sent, if not once; disorder sends the later ones first.
	copies   int
	disorder bool
}

// tokens are all that the sandbox knows.
var tokens = map[string]behaviour{
	"tok_ok":                 {brand: "visa"},
	"tok_visa":               {brand: "visa"},
	"tok_mastercard":         {brand: "mastercard"},
	"tok_decline":            {brand: "visa", decline: gen.DeclineCodeGenericDecline},
	"tok_insufficient_funds": {brand: "visa", decline: gen.DeclineCodeInsufficientFunds},
	"tok_expired_card":       {brand: "mastercard", decline: gen.DeclineCodeExpiredCard},
	"tok_incorrect_cvc":      {brand: "visa", decline: gen.DeclineCodeIncorrectCvc},
	"tok_lost_card":          {brand: "mastercard", decline: gen.DeclineCodeLostCard},
	"tok_fraudulent":         {brand: "visa", decline: gen.DeclineCodeFraudulent},
	"tok_processing_error":   {brand: "visa", decline: gen.DeclineCodeProcessingError},
	"tok_3ds_ok":             {brand: "visa", challenge: true, confirmed: payments.Succeeded},
	"tok_3ds_fail":           {brand: "visa", challenge: true, confirmed: payments.Declined},
	"tok_3ds_abandon":        {brand: "visa", challenge: true, confirmed: payments.ActionRequired},
	"tok_timeout_ok":         {brand: "visa", late: true},
	"tok_timeout_fail":       {brand: "visa", late: true, decline: gen.DeclineCodeProcessingError},
	"tok_slow":               {brand: "visa", slow: true},
	"tok_error":              {brand: "visa", turnsAway: ErrUnavailable},
	"tok_error_ok":           {brand: "visa", breaks: true},
	"tok_error_fail":         {brand: "visa", breaks: true, decline: gen.DeclineCodeProcessingError},
	"tok_rate_limited":       {brand: "visa", turnsAway: ErrRateLimited},
	"tok_capture_fail":       {brand: "mastercard", captureFails: true},
	"tok_refund_fail":        {brand: "mastercard", refundFails: true},
	"tok_auth_expires":       {brand: "visa", lapses: time.Minute},
	"tok_webhook_only":       {brand: "visa", pending: true},
	"tok_webhook_decline":    {brand: "visa", pending: true, decline: gen.DeclineCodeGenericDecline},
	"tok_webhook_dup":        {brand: "visa", copies: 3},
	"tok_webhook_reorder":    {brand: "visa", disorder: true},
	byAmount:                 {brand: "visa"},
}

// byAmount is the token that leaves it to the amount: load tests vary that, and keep one card.
const byAmount = "tok_by_amount"

// amounts are the last two digits of an amount in minor units that mean another token; all others mean tok_ok.
var amounts = map[int64]string{
	1: "tok_decline", 2: "tok_insufficient_funds", 3: "tok_3ds_ok", 4: "tok_timeout_ok", 5: "tok_error_ok", 6: "tok_capture_fail", 7: "tok_webhook_only",
}

// tokenFor is the token that says what happens to an amount.
func tokenFor(token string, amount int64) string {
	if token != byAmount {
		return token
	}
	return cmp.Or(amounts[amount%100], "tok_ok")
}

// Tokens are the names of all tokens, sorted.
func Tokens() []string { return slices.Sorted(maps.Keys(tokens)) }

// behaviourOf is what a token does: one that stands for no card is declined.
func behaviourOf(token string) behaviour {
	if b, ok := tokens[token]; ok {
		return b
	}
	return behaviour{decline: gen.DeclineCodeGenericDecline}
}

func (b behaviour) life() time.Duration { return cmp.Or(b.lapses, authorizationLife) }

func (b behaviour) authorize(reference string) payments.Result {
	switch {
	case b.pending:
		return payments.Result{Outcome: payments.Pending, Reference: reference}
	case b.decline != "":
		return payments.Result{Outcome: payments.Declined, Reference: reference, DeclineCode: b.decline}
	case b.challenge:
		return payments.Result{Outcome: payments.ActionRequired, Reference: reference}
	}
	return payments.Result{Outcome: payments.Succeeded, Reference: reference}
}

func (b behaviour) confirm(reference, result string) payments.Result {
	switch {
	case result == "failed" || b.confirmed == payments.Declined:
		return payments.Result{Outcome: payments.Declined, Reference: reference, DeclineCode: gen.DeclineCodeAuthenticationRequired}
	case b.confirmed == payments.ActionRequired:
		return payments.Result{Outcome: payments.ActionRequired, Reference: reference}
	}
	return payments.Result{Outcome: payments.Succeeded, Reference: reference}
}

// Method describes a token. The digits are made up from its name.
func (s *Sandbox) Method(_ context.Context, token string) (payments.Method, error) {
	b, ok := tokens[token]
	if !ok {
		return payments.Method{}, payments.ErrTokenUnknown
	}
	sum := fnv.New32a()
	sum.Write([]byte(token))
	year := 2031
	if b.decline == gen.DeclineCodeExpiredCard {
		year = 2020
	}
	return payments.Method{
		Token: token, Brand: b.brand, Last4: strconv.Itoa(int(1000 + sum.Sum32()%9000)), ExpMonth: int(1 + sum.Sum32()%12), ExpYear: year,
	}, nil
}
