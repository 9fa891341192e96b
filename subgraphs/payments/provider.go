package payments

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/agora-supergraph/agora/internal/money"
	"github.com/agora-supergraph/agora/subgraphs/payments/gen"
)

// Provider is the port to a payment provider. Every request carries a key that the provider remembers: the same
// key again has the same answer and no second effect. An error means that the outcome is unknown; what the
// provider refuses is a Result. Package sandbox has one for development and tests, package stripe the one for real
// money.
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
	// Retrieve says what became of the request with a key, or ErrKeyUnknown if it never came, or if to send it again
	// is this provider's way to ask.
	Retrieve(ctx context.Context, key string) (Result, error)
	// Look says how a payment stands, by the provider's name of it.
	Look(ctx context.Context, reference string) (State, error)
	// Notification reads a webhook that came from the provider, or says why it isn't to be believed: an error that is
	// ErrNotGenuine.
	Notification(header http.Header, body []byte, now time.Time) (Notification, error)
	// Method describes what a token stands for, or ErrTokenUnknown.
	Method(ctx context.Context, token string) (Method, error)
}

// Errors of providers that say something definite.
var (
	// ErrKeyUnknown says that the provider has had no request with the key: it may be sent again.
	ErrKeyUnknown = errors.New("provider does not know the key")
	// ErrTokenUnknown says that a token stands for nothing.
	ErrTokenUnknown = errors.New("provider does not know the token")
	// ErrNotGenuine says that a webhook isn't the provider's, or isn't of now.
	ErrNotGenuine = errors.New("the webhook is not genuine")
)

// Authorization asks to hold an amount.
type Authorization struct {
	Key    string
	Token  string
	Amount money.Money
	// Order is written into the provider's book, for reconciliation.
	Order string
	// Begun is when the request was made first: providers forget their keys.
	Begun time.Time
}

// Command asks to do something with an authorised payment.
type Command struct {
	Key string
	// Reference is the provider's name of the payment, from Result.
	Reference string
	Amount    money.Money
	// Begun is when the request was made first.
	Begun time.Time
}

// Outcome is what a provider did.
type Outcome string

// The outcomes of a request.
const (
	Succeeded      Outcome = "SUCCEEDED"
	Declined       Outcome = "DECLINED"
	ActionRequired Outcome = "ACTION_REQUIRED"
	// Pending means that the request was taken and its outcome is not decided: ask again later.
	Pending Outcome = "PENDING"
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

// Standing is where a payment stands in a provider's book.
type Standing string

// The standings of a payment. Undecided covers whatever the provider has yet to decide, the buyer's action too.
const (
	Undecided Standing = "UNDECIDED"
	Refused   Standing = "REFUSED"
	Held      Standing = "HELD"
	Taken     Standing = "TAKEN"
	Released  Standing = "RELEASED"
	Lapsed    Standing = "LAPSED"
)

// State is a payment in a provider's book.
type State struct {
	Standing Standing `json:"standing"`
	// Captured and Refunded are in minor units.
	Captured int64 `json:"captured"`
	Refunded int64 `json:"refunded"`
	// DeclineCode says why, if it was refused.
	DeclineCode gen.DeclineCode `json:"declineCode,omitempty"`
	// Expires is when what is held lapses; zero if it doesn't.
	Expires time.Time `json:"expires,omitzero"`
}

// Notification is a provider's word that something happened to a payment. It doesn't say what: webhooks come late, twice
// and out of order, so that the provider is asked.
type Notification struct {
	// ID is the same whenever the notification is sent again.
	ID   string
	Type string
	// Reference is the provider's name of the payment; empty if the notification is about something else.
	Reference string
	// Key is that of the request that made the payment, if the notification says so: the answer that would have told the
	// reference may be lost.
	Key string
}
