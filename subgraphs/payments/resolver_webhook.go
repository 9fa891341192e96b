package payments

import (
	"context"
	"time"

	"github.com/agora-supergraph/agora/internal/database"
	"github.com/agora-supergraph/agora/internal/identity"
	"github.com/agora-supergraph/agora/internal/page"
	"github.com/agora-supergraph/agora/internal/subgraph"
	"github.com/agora-supergraph/agora/internal/webhook"
	"github.com/agora-supergraph/agora/subgraphs/payments/gen"
)

// staff refuses who may not see to webhooks: it takes a person, since other services have payments:write too.
func staff(ctx context.Context) error {
	if who := identity.From(ctx); who.Subject == "" || !who.Has("payments:write") {
		return subgraph.Forbidden("see to webhooks")
	}
	return nil
}

// WebhookEndpoints resolves Query.webhookEndpoints.
func (r queries) WebhookEndpoints(ctx context.Context, first *int, after *string, last *int, before *string) (*gen.WebhookEndpointConnection, error) {
	if err := staff(ctx); err != nil {
		return nil, err
	}
	w, err := page.New(first, after, last, before, 1)
	if err != nil {
		return nil, err
	}
	rows, err := r.s.webhooks.Endpoints(ctx, w)
	if err != nil {
		return nil, err
	}
	rows, hasPrevious, hasNext := page.Cut(w, rows)
	connection := &gen.WebhookEndpointConnection{
		Edges:    make([]*gen.WebhookEndpointEdge, len(rows)),
		PageInfo: gen.PageInfo{HasPreviousPage: hasPrevious, HasNextPage: hasNext},
	}
	for i, e := range rows {
		connection.Edges[i] = &gen.WebhookEndpointEdge{Cursor: page.Cursor(e.ID), Node: *presentEndpoint(e)}
	}
	if n := len(rows); n > 0 {
		connection.PageInfo.StartCursor, connection.PageInfo.EndCursor = &connection.Edges[0].Cursor, &connection.Edges[n-1].Cursor
	}
	return connection, nil
}

// WebhookDeliveries resolves Query.webhookDeliveries.
func (r queries) WebhookDeliveries(ctx context.Context, first *int, after *string, last *int, before *string, filter *gen.WebhookDeliveryFilter) (*gen.WebhookDeliveryConnection, error) {
	if err := staff(ctx); err != nil {
		return nil, err
	}
	w, err := page.New(first, after, last, before, 2)
	if err != nil {
		return nil, err
	}
	f := filterOf(filter)
	if !database.Storable(f.EndpointID+f.Type) || (w.Cursor != nil && !database.Storable(w.Cursor[1])) {
		return nil, subgraph.Errorf(subgraph.BadInput, "no delivery has what is asked for")
	}
	rows, err := r.s.webhooks.Deliveries(ctx, f, w)
	if err != nil {
		return nil, err
	}
	rows, hasPrevious, hasNext := page.Cut(w, rows)
	connection := &gen.WebhookDeliveryConnection{
		Edges:    make([]*gen.WebhookDeliveryEdge, len(rows)),
		PageInfo: gen.PageInfo{HasPreviousPage: hasPrevious, HasNextPage: hasNext},
	}
	for i, d := range rows {
		connection.Edges[i] = &gen.WebhookDeliveryEdge{Cursor: webhook.DeliveryCursor(d), Node: presentDelivery(d)}
	}
	if n := len(rows); n > 0 {
		connection.PageInfo.StartCursor, connection.PageInfo.EndCursor = &connection.Edges[0].Cursor, &connection.Edges[n-1].Cursor
	}
	return connection, nil
}

func filterOf(in *gen.WebhookDeliveryFilter) webhook.Filter {
	var f webhook.Filter
	if in == nil {
		return f
	}
	if in.EndpointID != nil {
		f.EndpointID = *in.EndpointID
	}
	if in.Status != nil {
		f.State = string(*in.Status)
	}
	if in.EventType != nil {
		f.Type = *in.EventType
	}
	return f
}

// WebhookEndpointCreate resolves Mutation.webhookEndpointCreate.
func (m mutations) WebhookEndpointCreate(ctx context.Context, input gen.WebhookEndpointCreateInput) (*gen.WebhookEndpointPayload, error) {
	if err := staff(ctx); err != nil {
		return nil, err
	}
	return endpointPayload(m.s.createEndpoint(ctx, input))
}

// WebhookEndpointUpdate resolves Mutation.webhookEndpointUpdate.
func (m mutations) WebhookEndpointUpdate(ctx context.Context, endpointID string, input gen.WebhookEndpointUpdateInput) (*gen.WebhookEndpointPayload, error) {
	if err := staff(ctx); err != nil {
		return nil, err
	}
	return endpointPayload(m.s.updateEndpoint(ctx, endpointID, input))
}

// WebhookEndpointRotateSecret resolves Mutation.webhookEndpointRotateSecret.
func (m mutations) WebhookEndpointRotateSecret(ctx context.Context, endpointID string) (*gen.WebhookEndpointPayload, error) {
	if err := staff(ctx); err != nil {
		return nil, err
	}
	return endpointPayload(m.s.rotateSecret(ctx, endpointID))
}

// WebhookEndpointDelete resolves Mutation.webhookEndpointDelete.
func (m mutations) WebhookEndpointDelete(ctx context.Context, endpointID string) (*gen.WebhookEndpointPayload, error) {
	if err := staff(ctx); err != nil {
		return nil, err
	}
	return endpointPayload(m.s.deleteEndpoint(ctx, endpointID))
}

// WebhookEndpointReplay resolves Mutation.webhookEndpointReplay.
func (m mutations) WebhookEndpointReplay(ctx context.Context, endpointID string, since time.Time) (*gen.WebhookReplayPayload, error) {
	if err := staff(ctx); err != nil {
		return nil, err
	}
	return replayPayload(m.s.replayEndpoint(ctx, endpointID, since))
}

// WebhookDeliveryReplay resolves Mutation.webhookDeliveryReplay.
func (m mutations) WebhookDeliveryReplay(ctx context.Context, deliveryID string) (*gen.WebhookReplayPayload, error) {
	if err := staff(ctx); err != nil {
		return nil, err
	}
	return replayPayload(m.s.replayDelivery(ctx, deliveryID))
}

// endpointPayload is what became of an endpoint as GraphQL wants it.
func endpointPayload(e *webhook.Endpoint, secret string, err error) (*gen.WebhookEndpointPayload, error) {
	a, err := refusedInput(err)
	if err != nil {
		return nil, err
	}
	p := &gen.WebhookEndpointPayload{UserErrors: a.Errors}
	if p.UserErrors == nil {
		p.UserErrors = []*gen.PaymentUserError{}
	}
	if e != nil {
		p.Endpoint = presentEndpoint(*e)
	}
	if secret != "" {
		p.Secret = &secret
	}
	return p, nil
}

func replayPayload(n int64, err error) (*gen.WebhookReplayPayload, error) {
	a, err := refusedInput(err)
	if err != nil {
		return nil, err
	}
	if a.Errors == nil {
		a.Errors = []*gen.PaymentUserError{}
	}
	return &gen.WebhookReplayPayload{Replayed: int(n), UserErrors: a.Errors}, nil
}

func presentEndpoint(e webhook.Endpoint) *gen.WebhookEndpoint {
	shown := &gen.WebhookEndpoint{
		ID: e.ID, URL: e.URL, Description: e.Description, EventTypes: e.Types, Enabled: e.Enabled, CreatedAt: e.CreatedAt,
	}
	if e.DisabledReason != "" {
		shown.DisabledReason = &e.DisabledReason
	}
	if !e.FailingSince.IsZero() {
		shown.FailingSince = &e.FailingSince
	}
	return shown
}

func presentDelivery(d webhook.Delivery) gen.WebhookDelivery {
	shown := gen.WebhookDelivery{
		ID: d.ID, EndpointID: d.EndpointID, MessageID: d.MessageID, EventType: d.Type, Payload: d.Body,
		Status: gen.WebhookDeliveryStatus(d.State), Attempts: int(d.Attempts), CreatedAt: database.Time(d.CreatedUs),
	}
	if d.State == webhook.Pending {
		next := database.Time(d.DueUs)
		shown.NextAttemptAt = &next
	}
	if d.Status != 0 {
		status := int(d.Status)
		shown.ResponseStatus = &status
	}
	if d.Error != "" {
		shown.Error = &d.Error
	}
	if d.FinishedUs != 0 {
		finished := database.Time(d.FinishedUs)
		shown.FinishedAt = &finished
	}
	return shown
}
