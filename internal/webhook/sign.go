package webhook

import (
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	standard "github.com/standard-webhooks/standard-webhooks/libraries/go"
)

// Tolerance is how far the time of a message may be from now, either way.
const Tolerance = 5 * time.Minute

// Errors of Verify.
var (
	// ErrForged says that a message isn't signed with any of the secrets.
	ErrForged = errors.New("webhook: no valid signature")
	// ErrStale says that a message is signed, but too old or of the future: somebody may be repeating it.
	ErrStale = errors.New("webhook: the timestamp is too far from now")
)

// secretBytes is how much of a new secret is random.
const secretBytes = 32

// NewSecret makes a secret to share with a receiver: "whsec_" and 32 random bytes in base64.
func NewSecret() string {
	var raw [secretBytes]byte
	rand.Read(raw[:])
	return "whsec_" + base64.StdEncoding.EncodeToString(raw[:])
}

// Sign sets the three headers of a message, with a signature by each of the secrets: while a secret is being
// replaced, receivers that know either one are served.
func Sign(h http.Header, id string, at time.Time, body []byte, secrets ...string) error {
	signatures := make([]string, len(secrets))
	for i, secret := range secrets {
		signer, err := standard.NewWebhook(secret)
		if err != nil {
			return fmt.Errorf("sign webhook: %w", err)
		}
		if signatures[i], err = signer.Sign(id, at, body); err != nil {
			return fmt.Errorf("sign webhook: %w", err)
		}
	}
	h.Set(standard.HeaderWebhookID, id)
	h.Set(standard.HeaderWebhookTimestamp, strconv.FormatInt(at.Unix(), 10))
	h.Set(standard.HeaderWebhookSignature, strings.Join(signatures, " "))
	return nil
}

// Verify checks that a message was signed with one of the secrets, within Tolerance of now, and returns its id:
// the same whenever it is sent again. Without secrets every message is forged.
func Verify(h http.Header, body []byte, now time.Time, secrets ...string) (id string, err error) {
	valid := false
	for _, secret := range secrets {
		verifier, err := standard.NewWebhook(secret)
		if err != nil {
			return "", fmt.Errorf("verify webhook: %w", err)
		}
		valid = valid || verifier.VerifyIgnoringTimestamp(body, h) == nil
	}
	if !valid {
		return "", ErrForged
	}
	seconds, err := strconv.ParseInt(h.Get(standard.HeaderWebhookTimestamp), 10, 64)
	if err != nil {
		return "", ErrForged
	}
	if age := now.Sub(time.Unix(seconds, 0)); age > Tolerance || age < -Tolerance {
		return "", ErrStale
	}
	return h.Get(standard.HeaderWebhookID), nil
}
