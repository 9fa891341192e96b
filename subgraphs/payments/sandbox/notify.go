package sandbox

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/agora-supergraph/agora/internal/database"
	"github.com/agora-supergraph/agora/internal/id"
	"github.com/agora-supergraph/agora/internal/webhook"
	"github.com/agora-supergraph/agora/subgraphs/payments"
)

// notification is the body of a webhook.
type notification struct {
	Type      string    `json:"type"`
	Timestamp time.Time `json:"timestamp"`
	Data      struct {
		Charge string `json:"charge"`
		// Request is the key of the request that made the charge.
		Request string `json:"request"`
		// Sequence counts the webhooks of a charge.
		Sequence int64 `json:"sequence"`
	} `json:"data"`
}

// tell puts a webhook about a charge into the queue, and counts it.
func (s *Sandbox) tell(ctx context.Context, tx *database.Tx, ch *charge) error {
	ch.Told++
	n := notification{Type: "charge." + strings.ToLower(ch.State), Timestamp: s.cfg.Now().UTC()}
	if ch.Refunded > 0 {
		n.Type = "charge.refunded"
	}
	n.Data.Charge, n.Data.Request, n.Data.Sequence = ch.ID, ch.RequestKey, ch.Told
	body, err := json.Marshal(n)
	if err != nil {
		return err
	}
	m := webhook.Message{ID: id.Derived("msg", fmt.Sprintf("%s:%d", ch.ID, ch.Told)), Type: n.Type, Body: body}
	b := behaviourOf(ch.Token)
	if b.disorder {
		m.Delay = max(0, time.Duration(4-ch.Told)*s.cfg.Disorder)
	}
	for m.Copy = range max(1, b.copies) {
		if err := s.webhooks.Enqueue(ctx, tx, m); err != nil {
			return err
		}
	}
	return nil
}

// Notification reads a webhook that this sandbox sent.
func (s *Sandbox) Notification(header http.Header, body []byte, now time.Time) (payments.Notification, error) {
	return readNotification(header, body, now, s.cfg.WebhookSecret)
}

// readNotification verifies a webhook with the secrets that aren't empty.
func readNotification(header http.Header, body []byte, now time.Time, secrets ...string) (payments.Notification, error) {
	var known []string
	for _, secret := range secrets {
		if secret != "" {
			known = append(known, secret)
		}
	}
	messageID, err := webhook.Verify(header, body, now, known...)
	if errors.Is(err, webhook.ErrForged) || errors.Is(err, webhook.ErrStale) {
		return payments.Notification{}, fmt.Errorf("%w: %w", payments.ErrNotGenuine, err)
	}
	if err != nil {
		return payments.Notification{}, err
	}
	var n notification
	if err := json.Unmarshal(body, &n); err != nil {
		return payments.Notification{}, fmt.Errorf("sandbox: read webhook: %w", err)
	}
	return payments.Notification{ID: messageID, Type: n.Type, Reference: n.Data.Charge, Key: n.Data.Request}, nil
}
