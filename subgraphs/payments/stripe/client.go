package stripe

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/agora-supergraph/agora/subgraphs/payments"
	"github.com/agora-supergraph/agora/subgraphs/payments/gen"
)

// version is the API's version that the adapter is written to.
const version = "2024-06-20"

// maxAnswer bounds the body of an answer, in bytes.
const maxAnswer = 4 << 20

var patient = &http.Client{Timeout: 30 * time.Second}

// errReplayedFailure says that Stripe gave a 500 again that the key had before: Stripe keeps those too, so that to ask
// once more leads nowhere.
var errReplayedFailure = errors.New("stripe: the first answer to the key was a failure of Stripe's")

// refusal is an error of Stripe's that is definite: nothing was done
// (https://docs.stripe.com/api/errors).
type refusal struct {
	Type        string `json:"type"`
	Code        string `json:"code"`
	DeclineCode string `json:"decline_code"`
	Message     string `json:"message"`
	// PaymentIntent is the one concerned, in errors about a card.
	PaymentIntent *struct {
		ID string `json:"id"`
	} `json:"payment_intent"`
}

// Error says what Stripe says. Its messages are for developers and hold no card numbers.
func (r *refusal) Error() string {
	return fmt.Sprintf("stripe: %s %s %s: %s", r.Type, r.Code, r.DeclineCode, r.Message)
}

// declineCodes are Stripe's codes in our words (https://docs.stripe.com/declines/codes).
var declineCodes = map[string]gen.DeclineCode{
	"insufficient_funds":                    gen.DeclineCodeInsufficientFunds,
	"withdrawal_count_limit_exceeded":       gen.DeclineCodeInsufficientFunds,
	"card_velocity_exceeded":                gen.DeclineCodeInsufficientFunds,
	"expired_card":                          gen.DeclineCodeExpiredCard,
	"invalid_expiry_month":                  gen.DeclineCodeExpiredCard,
	"invalid_expiry_year":                   gen.DeclineCodeExpiredCard,
	"incorrect_cvc":                         gen.DeclineCodeIncorrectCvc,
	"invalid_cvc":                           gen.DeclineCodeIncorrectCvc,
	"lost_card":                             gen.DeclineCodeLostCard,
	"stolen_card":                           gen.DeclineCodeLostCard,
	"pickup_card":                           gen.DeclineCodeLostCard,
	"fraudulent":                            gen.DeclineCodeFraudulent,
	"merchant_blacklist":                    gen.DeclineCodeFraudulent,
	"security_violation":                    gen.DeclineCodeFraudulent,
	"processing_error":                      gen.DeclineCodeProcessingError,
	"issuer_not_available":                  gen.DeclineCodeProcessingError,
	"reenter_transaction":                   gen.DeclineCodeProcessingError,
	"try_again_later":                       gen.DeclineCodeProcessingError,
	"authentication_required":               gen.DeclineCodeAuthenticationRequired,
	"authentication_not_handled":            gen.DeclineCodeAuthenticationRequired,
	"payment_intent_authentication_failure": gen.DeclineCodeAuthenticationRequired,
	"approve_with_id":                       gen.DeclineCodeAuthenticationRequired,
}

// declineCode is why, in our words: by the bank's code if there is one, else by Stripe's.
func (r *refusal) declineCode() gen.DeclineCode {
	if r == nil {
		return gen.DeclineCodeGenericDecline
	}
	for _, code := range []string{r.DeclineCode, r.Code} {
		if known, ok := declineCodes[code]; ok {
			return known
		}
	}
	if r.Type == "invalid_request_error" {
		return gen.DeclineCodeProcessingError
	}
	return gen.DeclineCodeGenericDecline
}

// refusedOr makes a definite error a result; others stay errors: the outcome is unknown.
func refusedOr(err error) (payments.Result, error) {
	var r *refusal
	if !errors.As(err, &r) {
		return payments.Result{}, err
	}
	result := declined("", r.declineCode())
	if r.PaymentIntent != nil {
		result.Reference = r.PaymentIntent.ID
	}
	return result, nil
}

// post sends a form under a key. It reports whether the answer is one that the key had before.
func (p *Provider) post(ctx context.Context, path, key string, form url.Values, out any) (replayed bool, err error) {
	return p.send(ctx, http.MethodPost, path, key, strings.NewReader(form.Encode()), out)
}

func (p *Provider) get(ctx context.Context, path string, query url.Values, out any) error {
	if len(query) > 0 {
		path += "?" + query.Encode()
	}
	_, err := p.send(ctx, http.MethodGet, path, "", nil, out)
	return err
}

func (p *Provider) send(ctx context.Context, method, path, key string, body io.Reader, out any) (replayed bool, err error) {
	base, client := p.URL, p.HTTP
	if base == "" {
		base = "https://api.stripe.com"
	}
	if client == nil {
		client = patient
	}
	r, err := http.NewRequestWithContext(ctx, method, base+path, body)
	if err != nil {
		return false, fmt.Errorf("stripe: %w", err)
	}
	r.Header.Set("Authorization", "Bearer "+p.SecretKey)
	r.Header.Set("Stripe-Version", version)
	if method == http.MethodPost {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		r.Header.Set("Idempotency-Key", key)
	}
	response, err := client.Do(r)
	if err != nil {
		return false, fmt.Errorf("stripe: %w", err)
	}
	defer response.Body.Close()
	raw, err := io.ReadAll(io.LimitReader(response.Body, maxAnswer))
	if err != nil {
		return false, fmt.Errorf("stripe: read answer: %w", err)
	}
	replayed = response.Header.Get("Idempotent-Replayed") == "true"
	if response.StatusCode == http.StatusOK {
		if err := json.Unmarshal(raw, out); err != nil {
			return replayed, fmt.Errorf("stripe: decode answer: %w", err)
		}
		return replayed, nil
	}
	return replayed, failed(response, raw, replayed)
}

// failed is the error that an answer is. Only what Stripe refuses for the card's or the request's sake is definite.
func failed(response *http.Response, raw []byte, replayed bool) error {
	var body struct {
		Error *refusal `json:"error"`
	}
	status := response.StatusCode
	definite := status == http.StatusBadRequest || status == http.StatusPaymentRequired || status == http.StatusNotFound
	if err := json.Unmarshal(raw, &body); err == nil && body.Error != nil && definite && body.Error.Type != "idempotency_error" {
		return body.Error
	}
	if status >= http.StatusInternalServerError && replayed {
		return errReplayedFailure
	}
	return fmt.Errorf("stripe: answered %s to request %s", response.Status, response.Header.Get("Request-Id"))
}
