package payments

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/agora-supergraph/agora/internal/database"
	"github.com/agora-supergraph/agora/internal/id"
	"github.com/agora-supergraph/agora/internal/idempotency"
	"github.com/agora-supergraph/agora/internal/webhook"
	"github.com/agora-supergraph/agora/subgraphs/payments/gen"
)

func noEndpoint(endpointID string) *refusal {
	return refuse(gen.PaymentErrorCodeNotFound, []string{"id"}, "there is no webhook endpoint %.50q", endpointID)
}

// checkEndpoint refuses what can't be an endpoint.
func (s *Service) checkEndpoint(e webhook.Endpoint) error {
	if err := s.webhooks.CheckURL(e.URL); err != nil {
		return invalid("url", "%.100q can't be an endpoint: %v", e.URL, err)
	}
	if err := webhook.CheckTypes(e.Types); err != nil {
		return invalid("eventTypes", "%v", err)
	}
	if len(e.Description) > maxText || !database.Storable(e.Description+e.URL) {
		return invalid("description", "a description has at most %d bytes", maxText)
	}
	return nil
}

// createEndpoint registers an endpoint. When it is asked again with the same key the endpoint is given again, without
// its secret, which is stored nowhere.
func (s *Service) createEndpoint(ctx context.Context, in gen.WebhookEndpointCreateInput) (*webhook.Endpoint, string, error) {
	e := webhook.Endpoint{URL: in.URL, Types: in.EventTypes, Enabled: true, CreatedAt: s.now()}
	if in.Description != nil {
		e.Description = *in.Description
	}
	if err := s.checkEndpoint(e); err != nil {
		return nil, "", err
	}
	k, err := keyOf(ctx, "webhookEndpointCreate", in.IdempotencyKey, in)
	if err != nil {
		return nil, "", err
	}
	var secret string
	err = s.db.Tx(ctx, func(tx *database.Tx) error {
		status, stored, err := idempotency.Claim(ctx, tx, k)
		switch {
		case err != nil:
			return err
		case status == idempotency.Reused:
			return refuse(gen.PaymentErrorCodeIdempotencyKeyReused, []string{"input", "idempotencyKey"}, "this key was used for another request")
		case status == idempotency.Done:
			secret = ""
			return json.Unmarshal(stored, &e)
		}
		made, sealed, err := s.webhooks.Register(ctx, tx, e)
		if errors.Is(err, webhook.ErrTooMany) {
			return invalid("url", "there are %d endpoints already, the most there may be", webhook.MaxEndpoints)
		}
		if err != nil {
			return err
		}
		e, secret = made, sealed
		return idempotency.Complete(ctx, tx, k, e)
	})
	if err != nil {
		return nil, "", fmt.Errorf("create webhook endpoint: %w", err)
	}
	return &e, secret, nil
}

// onEndpoint runs a change of an endpoint that exists.
func (s *Service) onEndpoint(ctx context.Context, endpointID string, change func(tx *database.Tx, e *webhook.Endpoint) error) (*webhook.Endpoint, error) {
	if !id.Is(webhook.EndpointID, endpointID) {
		return nil, noEndpoint(endpointID)
	}
	var e webhook.Endpoint
	err := s.db.Tx(ctx, func(tx *database.Tx) (err error) {
		if e, err = s.webhooks.Lock(ctx, tx, endpointID); database.NoRows(err) {
			return noEndpoint(endpointID)
		}
		if err != nil {
			return err
		}
		return change(tx, &e)
	})
	if err != nil {
		return nil, fmt.Errorf("change webhook endpoint: %w", err)
	}
	s.webhooks.Wake()
	return &e, nil
}

func (s *Service) updateEndpoint(ctx context.Context, endpointID string, in gen.WebhookEndpointUpdateInput) (*webhook.Endpoint, string, error) {
	e, err := s.onEndpoint(ctx, endpointID, func(tx *database.Tx, e *webhook.Endpoint) error {
		if in.URL != nil {
			e.URL = *in.URL
		}
		if in.Description != nil {
			e.Description = *in.Description
		}
		if in.EventTypes != nil {
			e.Types = in.EventTypes
		}
		if in.Enabled != nil {
			e.Enabled, e.DisabledReason, e.FailingSince = *in.Enabled, "", time.Time{}
		}
		if err := s.checkEndpoint(*e); err != nil {
			return err
		}
		return s.webhooks.Change(ctx, tx, *e)
	})
	return e, "", err
}

func (s *Service) rotateSecret(ctx context.Context, endpointID string) (e *webhook.Endpoint, secret string, err error) {
	e, err = s.onEndpoint(ctx, endpointID, func(tx *database.Tx, e *webhook.Endpoint) (err error) {
		secret, err = s.webhooks.Rotate(ctx, tx, e.ID)
		return err
	})
	return e, secret, err
}

func (s *Service) deleteEndpoint(ctx context.Context, endpointID string) (*webhook.Endpoint, string, error) {
	e, err := s.onEndpoint(ctx, endpointID, func(tx *database.Tx, e *webhook.Endpoint) error {
		return s.webhooks.Remove(ctx, tx, e.ID)
	})
	return e, "", err
}

// errDisabled is why nothing is sent again.
func errDisabled() *refusal {
	return refuse(gen.PaymentErrorCodeInvalidInput, []string{"id"}, "the endpoint is disabled: enable it first")
}

func (s *Service) replayEndpoint(ctx context.Context, endpointID string, since time.Time) (n int64, err error) {
	_, err = s.onEndpoint(ctx, endpointID, func(tx *database.Tx, e *webhook.Endpoint) (err error) {
		if !e.Enabled {
			return errDisabled()
		}
		n, err = s.webhooks.ReplayFailed(ctx, tx, e.ID, since)
		return err
	})
	return n, err
}

func (s *Service) replayDelivery(ctx context.Context, deliveryID string) (int64, error) {
	missing := refuse(gen.PaymentErrorCodeNotFound, []string{"id"}, "there is no webhook delivery %.50q", deliveryID)
	if !id.Is(webhook.DeliveryID, deliveryID) {
		return 0, missing
	}
	err := s.db.Tx(ctx, func(tx *database.Tx) error {
		known, err := s.webhooks.Replay(ctx, tx, deliveryID)
		if err != nil || known {
			return err
		}
		if _, err := s.webhooks.Delivery(ctx, tx, deliveryID); database.NoRows(err) {
			return missing
		} else if err != nil {
			return err
		}
		return errDisabled()
	})
	if err != nil {
		return 0, fmt.Errorf("replay webhook: %w", err)
	}
	s.webhooks.Wake()
	return 1, nil
}
