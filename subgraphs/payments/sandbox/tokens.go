package sandbox

import (
	"context"
	"hash/fnv"
	"maps"
	"slices"
	"strconv"

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
	// late books the authorisation, and answers when the caller has given up.
	late bool
	// captureFails refuses to take what is held.
	captureFails bool
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
	"tok_capture_fail":       {brand: "mastercard", captureFails: true},
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

func (b behaviour) authorize(reference string) payments.Result {
	switch {
	case b.decline != "":
		return payments.Result{Outcome: payments.Declined, Reference: reference, DeclineCode: b.decline}
	case b.challenge:
		return challenge(reference)
	}
	return payments.Result{Outcome: payments.Succeeded, Reference: reference}
}

func (b behaviour) confirm(reference, result string) payments.Result {
	switch {
	case result == "failed" || b.confirmed == payments.Declined:
		return payments.Result{Outcome: payments.Declined, Reference: reference, DeclineCode: gen.DeclineCodeAuthenticationRequired}
	case b.confirmed == payments.ActionRequired:
		return challenge(reference)
	}
	return payments.Result{Outcome: payments.Succeeded, Reference: reference}
}

func challenge(reference string) payments.Result {
	return payments.Result{
		Outcome: payments.ActionRequired, Reference: reference,
		ActionType: "THREE_D_SECURE", ActionURL: "https://sandbox.invalid/3ds/" + reference,
	}
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
