package payments

import (
	"context"
	"errors"
	"time"

	"github.com/agora-supergraph/agora/internal/money"
	"github.com/agora-supergraph/agora/subgraphs/payments/gen"
)

// Provider is the port to a payment provider. Every request carries a key that the provider remembers: the same
// key again has the same answer and no second effect. An error means that the outcome is unknown; what the
// provider refuses is a Result.
type Provider interface {
	// Authorize holds an amount on a card.
	Authorize(ctx context.Context, a Authorization) (Result, error)
	// Confirm goes on with an authorisation after the buyer's action, whose result it is given.
	Confirm(ctx context.Context, c Command, result string) (Result, error)
	// Capture takes an amount that is held, once.
	Capture(ctx context.Context, c Command) (Result, error)
	// Void lets go of what is held.
	Void(ctx context.Context, c Command) (Result, error)
	// Refund gives back an amount that was taken.
	Refund(ctx context.Context, c Command) (Result, error)
	// Retrieve says what became of the request with a key, or ErrKeyUnknown if it never came.
	Retrieve(ctx context.Context, key string) (Result, error)
	// Method describes what a token stands for, or ErrTokenUnknown.
	Method(ctx context.Context, token string) (Method, error)
}

// Errors of providers that say something definite.
var (
	// ErrKeyUnknown says that the provider has had no request with the key: it may be sent again.
	ErrKeyUnknown = errors.New("provider does not know the key")
	// ErrTokenUnknown says that a token stands for nothing.
	ErrTokenUnknown = errors.New("provider does not know the token")
)

// Authorization asks to hold an amount.
type Authorization struct {
	Key    string
	Token  string
	Amount money.Money
	// Order is written into the provider's book, for reconciliation.
	Order string
}

// Command asks to do something with an authorised payment.
type Command struct {
	Key string
	// Reference is the provider's name of the payment, from Result.
	Reference string
	Amount    money.Money
}

// Outcome is what a provider did.
type Outcome string

// The outcomes of a request.
const (
	Succeeded      Outcome = "SUCCEEDED"
	Declined       Outcome = "DECLINED"
	ActionRequired Outcome = "ACTION_REQUIRED"
)

// Result is the definite answer of a provider.
type Result struct {
	Outcome Outcome `json:"outcome"`
	// Reference is the provider's name of the payment.
	Reference string `json:"reference"`
	// DeclineCode says why, if Outcome is Declined.
	DeclineCode gen.DeclineCode `json:"declineCode,omitempty"`
	// ActionType and ActionURL say what the buyer has to do, if Outcome is ActionRequired.
	ActionType string `json:"actionType,omitempty"`
	ActionURL  string `json:"actionUrl,omitempty"`
	// Expires is when an authorisation lapses; zero if it doesn't.
	Expires time.Time `json:"expires,omitzero"`
}

// Method is a card or the like, as people recognise it.
type Method struct {
	Token, Brand, Last4 string
	ExpMonth, ExpYear   int
}
