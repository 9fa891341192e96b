package stripe

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/agora-supergraph/agora/subgraphs/payments"
)

// tolerance is how far the time of a webhook may be from now, as Stripe's own libraries have it.
const tolerance = 5 * time.Minute

// Notification reads an event that Stripe sent (https://docs.stripe.com/webhooks#verify-manually): Stripe-Signature holds
// its time, and a signature of "time.body" for each secret.
func (p *Provider) Notification(header http.Header, body []byte, now time.Time) (payments.Notification, error) {
	if err := p.verify(header.Get("Stripe-Signature"), body, now); err != nil {
		return payments.Notification{}, fmt.Errorf("%w: %w", payments.ErrNotGenuine, err)
	}
	var e struct {
		ID   string `json:"id"`
		Type string `json:"type"`
		Data struct {
			Object struct {
				ID            string            `json:"id"`
				Object        string            `json:"object"`
				PaymentIntent string            `json:"payment_intent"`
				Metadata      map[string]string `json:"metadata"`
			} `json:"object"`
		} `json:"data"`
	}
	if err := json.Unmarshal(body, &e); err != nil {
		return payments.Notification{}, fmt.Errorf("stripe: read webhook: %w", err)
	}
	n := payments.Notification{ID: e.ID, Type: e.Type, Reference: e.Data.Object.PaymentIntent}
	if e.Data.Object.Object == "payment_intent" {
		n.Reference, n.Key = e.Data.Object.ID, e.Data.Object.Metadata[keyMetadata]
	}
	return n, nil
}

func (p *Provider) verify(header string, body []byte, now time.Time) error {
	var stamp string
	var signatures []string
	for part := range strings.SplitSeq(header, ",") {
		name, value, _ := strings.Cut(strings.TrimSpace(part), "=")
		switch name {
		case "t":
			stamp = value
		case "v1":
			signatures = append(signatures, value)
		}
	}
	seconds, err := strconv.ParseInt(stamp, 10, 64)
	if err != nil {
		return fmt.Errorf("stripe: the signature has no time")
	}
	if !p.signed(stamp, body, signatures) {
		return fmt.Errorf("stripe: no valid signature")
	}
	if age := now.Sub(time.Unix(seconds, 0)); age > tolerance || age < -tolerance {
		return fmt.Errorf("stripe: the time is too far from now")
	}
	return nil
}

func (p *Provider) signed(stamp string, body []byte, signatures []string) bool {
	valid := false
	for _, secret := range p.WebhookSecrets {
		if secret == "" {
			continue
		}
		mac := hmac.New(sha256.New, []byte(secret))
		mac.Write([]byte(stamp + "."))
		mac.Write(body)
		want := mac.Sum(nil)
		for _, signature := range signatures {
			got, err := hex.DecodeString(signature)
			valid = valid || (err == nil && hmac.Equal(got, want))
		}
	}
	return valid
}
