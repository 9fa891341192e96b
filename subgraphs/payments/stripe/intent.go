package stripe

import (
	"context"
	"net/url"
	"strings"
	"time"

	"github.com/agora-supergraph/agora/internal/money"
	"github.com/agora-supergraph/agora/subgraphs/payments"
	"github.com/agora-supergraph/agora/subgraphs/payments/gen"
)

// intent is what is read of a PaymentIntent (https://docs.stripe.com/api/payment_intents/object).
type intent struct {
	ID                 string `json:"id"`
	Status             string `json:"status"`
	Currency           string `json:"currency"`
	AmountReceived     int64  `json:"amount_received"`
	CancellationReason string `json:"cancellation_reason"`
	NextAction         *struct {
		RedirectToURL struct {
			URL string `json:"url"`
		} `json:"redirect_to_url"`
	} `json:"next_action"`
	LastPaymentError *refusal `json:"last_payment_error"`
	LatestCharge     *struct {
		AmountRefunded       int64 `json:"amount_refunded"`
		PaymentMethodDetails struct {
			Card struct {
				CaptureBefore int64 `json:"capture_before"`
			} `json:"card"`
		} `json:"payment_method_details"`
	} `json:"latest_charge"`
}

// refund is what is read of a Refund (https://docs.stripe.com/api/refunds/object).
type refund struct {
	ID       string            `json:"id"`
	Status   string            `json:"status"`
	Metadata map[string]string `json:"metadata"`
}

// intent reads a PaymentIntent.
func (p *Provider) intent(ctx context.Context, reference string) (*intent, error) {
	var now intent
	if err := p.get(ctx, "/v1/payment_intents/"+url.PathEscape(reference), url.Values{"expand[]": {"latest_charge"}}, &now); err != nil {
		return nil, err
	}
	return &now, nil
}

// search finds the PaymentIntent that a key made, or nil. New ones can be found after a minute or so: it is for keys that
// are older.
func (p *Provider) search(ctx context.Context, key string) (*intent, error) {
	var found struct {
		Data []intent `json:"data"`
	}
	quoted := strings.NewReplacer(`\`, `\\`, `'`, `\'`).Replace(key)
	err := p.get(ctx, "/v1/payment_intents/search", url.Values{"query": {"metadata['" + keyMetadata + "']:'" + quoted + "'"}, "expand[]": {"data.latest_charge"}}, &found)
	if err != nil || len(found.Data) == 0 {
		return nil, err
	}
	return &found.Data[0], nil
}

// refundOf finds the refund that a key made, or nil.
func (p *Provider) refundOf(ctx context.Context, c payments.Command) (*refund, error) {
	var found struct {
		Data []refund `json:"data"`
	}
	if err := p.get(ctx, "/v1/refunds", url.Values{"payment_intent": {c.Reference}, "limit": {"100"}}, &found); err != nil {
		return nil, err
	}
	for _, r := range found.Data {
		if r.Metadata[keyMetadata] == c.Key {
			return &r, nil
		}
	}
	return nil, nil
}

// authorised is what an intent says of the request that made it.
func authorised(i *intent) payments.Result {
	if i == nil {
		return payments.Result{}
	}
	r := payments.Result{Outcome: payments.Succeeded, Reference: i.ID}
	switch i.Status {
	case "requires_capture":
		r.Expires = i.expires()
	case "succeeded":
	case "requires_action":
		r.Outcome, r.ActionType = payments.ActionRequired, "THREE_D_SECURE"
		if i.NextAction != nil {
			r.ActionURL = i.NextAction.RedirectToURL.URL
		}
	case "processing", "requires_confirmation":
		r.Outcome = payments.Pending
	default: // requires_payment_method, canceled
		return declined(i.ID, i.LastPaymentError.declineCode())
	}
	return r
}

// expires is when what is held lapses, as far as Stripe says.
func (i *intent) expires() time.Time {
	if i.LatestCharge == nil || i.LatestCharge.PaymentMethodDetails.Card.CaptureBefore == 0 {
		return time.Time{}
	}
	return time.Unix(i.LatestCharge.PaymentMethodDetails.Card.CaptureBefore, 0).UTC()
}

// state is the intent in the words of the port.
func (i *intent) state() payments.State {
	switch i.Status {
	case "requires_capture":
		return payments.State{Standing: payments.Held, Expires: i.expires()}
	case "succeeded":
		st := payments.State{Standing: payments.Taken, Captured: fromStripe(i.AmountReceived, i.Currency)}
		if i.LatestCharge != nil {
			st.Refunded = fromStripe(i.LatestCharge.AmountRefunded, i.Currency)
		}
		return st
	case "canceled":
		if i.CancellationReason == "automatic" || i.CancellationReason == "expired" {
			return payments.State{Standing: payments.Lapsed}
		}
		return payments.State{Standing: payments.Released}
	case "requires_payment_method":
		if i.LastPaymentError != nil {
			return payments.State{Standing: payments.Refused, DeclineCode: i.LastPaymentError.declineCode()}
		}
	}
	return payments.State{Standing: payments.Undecided}
}

func (r *refund) result(reference string) payments.Result {
	if r == nil {
		return payments.Result{}
	}
	switch r.Status {
	case "succeeded":
		return payments.Result{Outcome: payments.Succeeded, Reference: reference}
	case "pending", "requires_action":
		return payments.Result{Outcome: payments.Pending, Reference: reference}
	}
	return declined(reference, gen.DeclineCodeGenericDecline)
}

func declined(reference string, code gen.DeclineCode) payments.Result {
	return payments.Result{Outcome: payments.Declined, Reference: reference, DeclineCode: code}
}

// splitToken splits "cus_…/pm_…"; without a customer it is the method alone.
func splitToken(token string) (customer, method string) {
	if customer, method, ok := strings.Cut(token, "/"); ok {
		return customer, method
	}
	return "", token
}

func lower(currency string) string { return strings.ToLower(currency) }

// toStripe is an amount as Stripe counts it (https://docs.stripe.com/currencies#special-cases): ISK and UGX, which have no
// decimals, are sent with two, and the last of three decimals must be 0.
func toStripe(m money.Money) (int64, bool) {
	switch {
	case m.Currency == "ISK" || m.Currency == "UGX":
		hundredfold, err := m.Times(100)
		return hundredfold.MinorUnits, err == nil
	case money.Digits(m.Currency) == 3:
		return m.MinorUnits, m.MinorUnits%10 == 0
	}
	return m.MinorUnits, true
}

// fromStripe is the inverse of toStripe.
func fromStripe(amount int64, currency string) int64 {
	if currency == "isk" || currency == "ugx" {
		return amount / 100
	}
	return amount
}
