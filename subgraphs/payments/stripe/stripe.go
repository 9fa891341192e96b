// Package stripe is the payments.Provider for real money: Stripe's PaymentIntents
// (https://docs.stripe.com/api/payment_intents) with manual capture, over plain HTTP.
//
// Every request carries the operation's key as Idempotency-Key, and as metadata. Stripe gives a key's first answer again
// for a day at least, so that sending a request again is how to ask for its outcome; where that says nothing any more, the
// adapter looks for what the key has made by the metadata. A PaymentIntent's id is the payment's reference.
package stripe

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/agora-supergraph/agora/subgraphs/payments"
	"github.com/agora-supergraph/agora/subgraphs/payments/gen"
)

// Provider is Stripe as a payments.Provider. It is safe for concurrent use.
type Provider struct {
	// SecretKey is the account's secret or restricted API key.
	SecretKey string
	// WebhookSecrets are the signing secrets of the webhook endpoint, "whsec_…"; two while one is being rolled. Its events
	// are payment_intent.*, charge.refunded and refund.*.
	WebhookSecrets []string
	// ReturnURL is where the buyer's bank sends them after 3-D Secure.
	ReturnURL string
	// URL is the API's address. Empty means https://api.stripe.com.
	URL string
	// HTTP is used for requests. Nil means a client that waits 30 s at most.
	HTTP *http.Client
	// Now is the clock. Nil means time.Now.
	Now func() time.Time
}

// keyLife is how long Stripe surely gives a key's first answer again: keys are kept for 24 hours at least.
const keyLife = 23 * time.Hour

// keyMetadata is the metadata that holds an operation's key.
const keyMetadata = "agora_key"

func (p *Provider) now() time.Time {
	if p.Now == nil {
		return time.Now()
	}
	return p.Now()
}

// forgotten reports whether Stripe may not know the key of a request any more.
func (p *Provider) forgotten(begun time.Time) bool {
	return !begun.IsZero() && p.now().Sub(begun) > keyLife
}

// Authorize makes a PaymentIntent and confirms it, to be captured later. A token is a PaymentMethod's id, or
// "cus_…/pm_…" for one that is attached to a customer.
func (p *Provider) Authorize(ctx context.Context, a payments.Authorization) (payments.Result, error) {
	amount, ok := toStripe(a.Amount)
	if !ok {
		return declined("", gen.DeclineCodeProcessingError), nil
	}
	if p.forgotten(a.Begun) {
		if made, err := p.search(ctx, a.Key); err != nil || made != nil {
			return authorised(made), err
		}
	}
	customer, method := splitToken(a.Token)
	form := url.Values{
		"amount": {strconv.FormatInt(amount, 10)}, "currency": {lower(a.Amount.Currency)}, "payment_method": {method},
		"payment_method_types[]": {"card"}, "capture_method": {"manual"}, "confirm": {"true"}, "expand[]": {"latest_charge"},
		"metadata[order]": {a.Order}, "metadata[" + keyMetadata + "]": {a.Key},
	}
	if customer != "" {
		form.Set("customer", customer)
	}
	if p.ReturnURL != "" {
		form.Set("return_url", p.ReturnURL)
	}
	var made intent
	replayed, err := p.post(ctx, "/v1/payment_intents", a.Key, form, &made)
	switch {
	case errors.Is(err, errReplayedFailure): // what the first request did is not in its answer
		found, sought := p.search(ctx, a.Key)
		if sought != nil || found == nil {
			return payments.Result{}, errors.Join(err, sought)
		}
		return authorised(found), nil
	case err != nil:
		return refusedOr(err)
	case replayed && made.Status == "processing":
		return p.current(ctx, made.ID)
	}
	return authorised(&made), nil
}

// current is how an authorisation stands now.
func (p *Provider) current(ctx context.Context, reference string) (payments.Result, error) {
	now, err := p.intent(ctx, reference)
	return authorised(now), err
}

// Confirm says how the buyer's action ended: that is between the buyer, the bank and Stripe, and the shop's word on it
// doesn't count.
func (p *Provider) Confirm(ctx context.Context, c payments.Command, _ string) (payments.Result, error) {
	return p.current(ctx, c.Reference)
}

// Capture takes what is held, or a part of it; Stripe lets go of the rest.
func (p *Provider) Capture(ctx context.Context, c payments.Command) (payments.Result, error) {
	amount, ok := toStripe(c.Amount)
	if !ok {
		return declined(c.Reference, gen.DeclineCodeProcessingError), nil
	}
	return p.change(ctx, c, "/capture", url.Values{"amount_to_capture": {strconv.FormatInt(amount, 10)}}, func(now *intent) bool {
		return now.Status == "succeeded" && now.AmountReceived == amount
	})
}

// Void cancels the PaymentIntent.
func (p *Provider) Void(ctx context.Context, c payments.Command) (payments.Result, error) {
	return p.change(ctx, c, "/cancel", url.Values{}, func(now *intent) bool { return now.Status == "canceled" })
}

// change runs a request that can succeed but once on a PaymentIntent. done says by the intent whether it has: that is
// asked where Stripe doesn't know the key any more, or says that the intent is not in the state for it.
func (p *Provider) change(ctx context.Context, c payments.Command, verb string, form url.Values, done func(*intent) bool) (payments.Result, error) {
	var now intent
	_, err := p.post(ctx, "/v1/payment_intents/"+url.PathEscape(c.Reference)+verb, c.Key, form, &now)
	var r *refusal
	if errors.Is(err, errReplayedFailure) || (errors.As(err, &r) && r.Code == "payment_intent_unexpected_state") {
		found, looked := p.intent(ctx, c.Reference)
		if looked != nil {
			return payments.Result{}, errors.Join(err, looked)
		}
		if !done(found) && r == nil {
			return payments.Result{}, err
		}
		now, err = *found, nil
	}
	switch {
	case err != nil:
		result, err := refusedOr(err)
		result.Reference = c.Reference
		return result, err
	case !done(&now):
		return declined(c.Reference, gen.DeclineCodeGenericDecline), nil
	}
	return payments.Result{Outcome: payments.Succeeded, Reference: c.Reference}, nil
}

// Refund gives back an amount that was taken.
func (p *Provider) Refund(ctx context.Context, c payments.Command) (payments.Result, error) {
	amount, ok := toStripe(c.Amount)
	if !ok {
		return declined(c.Reference, gen.DeclineCodeProcessingError), nil
	}
	if p.forgotten(c.Begun) {
		if made, err := p.refundOf(ctx, c); err != nil || made != nil {
			return made.result(c.Reference), err
		}
	}
	var made refund
	replayed, err := p.post(ctx, "/v1/refunds", c.Key, url.Values{
		"payment_intent": {c.Reference}, "amount": {strconv.FormatInt(amount, 10)}, "metadata[" + keyMetadata + "]": {c.Key},
	}, &made)
	switch {
	case errors.Is(err, errReplayedFailure):
		found, sought := p.refundOf(ctx, c)
		if sought != nil || found == nil {
			return payments.Result{}, errors.Join(err, sought)
		}
		made = *found
	case err != nil:
		result, err := refusedOr(err)
		result.Reference = c.Reference
		return result, err
	case replayed && made.Status == "pending":
		if err := p.get(ctx, "/v1/refunds/"+url.PathEscape(made.ID), nil, &made); err != nil {
			return payments.Result{}, err
		}
	}
	return made.result(c.Reference), nil
}

// Retrieve never knows: to send the request again under its key is how Stripe is asked.
func (p *Provider) Retrieve(context.Context, string) (payments.Result, error) {
	return payments.Result{}, payments.ErrKeyUnknown
}

// Look says how a PaymentIntent stands.
func (p *Provider) Look(ctx context.Context, reference string) (payments.State, error) {
	now, err := p.intent(ctx, reference)
	if err != nil {
		return payments.State{}, err
	}
	return now.state(), nil
}

// Method describes a PaymentMethod.
func (p *Provider) Method(ctx context.Context, token string) (payments.Method, error) {
	var m struct {
		Customer string `json:"customer"`
		Card     *struct {
			Brand    string `json:"brand"`
			Last4    string `json:"last4"`
			ExpMonth int    `json:"exp_month"`
			ExpYear  int    `json:"exp_year"`
		} `json:"card"`
	}
	customer, method := splitToken(token)
	err := p.get(ctx, "/v1/payment_methods/"+url.PathEscape(method), nil, &m)
	var r *refusal
	if errors.As(err, &r) || (err == nil && (m.Card == nil || (customer != "" && customer != m.Customer))) {
		return payments.Method{}, payments.ErrTokenUnknown
	}
	if err != nil {
		return payments.Method{}, err
	}
	return payments.Method{Token: token, Brand: m.Card.Brand, Last4: m.Card.Last4, ExpMonth: m.Card.ExpMonth, ExpYear: m.Card.ExpYear}, nil
}
