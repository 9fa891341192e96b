package payments

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/agora-supergraph/agora/internal/event"
	"github.com/agora-supergraph/agora/internal/webhook"
)

// told is the body of a webhook: what Standard Webhooks wants, and what puts events of a subject into order.
type told struct {
	Type      string          `json:"type"`
	Timestamp time.Time       `json:"timestamp"`
	Subject   string          `json:"subject"`
	Sequence  int64           `json:"sequence"`
	Data      json.RawMessage `json:"data"`
}

// offer puts an event into the queue for those who want to be told of it. Its id is the event's, by which an event that
// is delivered again is told once. It needs no inbox: receivers put events into order, by their sequence.
func (s *Service) offer(ctx context.Context, d event.Delivery) error {
	body, err := json.Marshal(told{d.Type, d.Time, d.Subject, d.Sequence, d.Data})
	if err != nil {
		return fmt.Errorf("encode webhook of event %s: %w", d.ID, err)
	}
	return s.webhooks.Offer(ctx, webhook.Message{ID: d.ID, Type: d.Type, Body: body})
}

// offerAll is offer for many events. Where nobody wants to be told of anything, that is asked once.
func (s *Service) offerAll(ctx context.Context, batch []event.Delivery) error {
	anybody, err := s.webhooks.Anybody(ctx)
	if err != nil || !anybody {
		return err
	}
	for _, d := range batch {
		if err := s.offer(ctx, d); err != nil {
			return err
		}
	}
	return nil
}
