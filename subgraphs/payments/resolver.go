package payments

import (
	"context"
	"errors"

	"github.com/agora-supergraph/agora/internal/database"
	"github.com/agora-supergraph/agora/internal/idempotency"
	"github.com/agora-supergraph/agora/internal/identity"
	"github.com/agora-supergraph/agora/internal/subgraph"
	"github.com/agora-supergraph/agora/subgraphs/payments/gen"
)

// resolver answers GraphQL. The router checks scopes before; here they are checked again.
type resolver struct{ s *Service }

// Query returns the resolver of Query's fields.
func (r resolver) Query() gen.QueryResolver { return queries(r) }

// Mutation returns the resolver of Mutation's fields.
func (r resolver) Mutation() gen.MutationResolver { return mutations(r) }

// Payment returns the resolver of Payment's fields.
func (r resolver) Payment() gen.PaymentResolver { return paymentFields(r) }

// Payment resolves Query.payment.
func (r queries) Payment(ctx context.Context, id string) (*gen.Payment, error) {
	if !identity.From(ctx).Has("payments:read") {
		return nil, subgraph.Forbidden("read payments")
	}
	return r.s.read(ctx, id)
}

// PaymentByKey resolves Query.paymentByKey: the payment of the caller's own command, resolved if its outcome isn't
// known.
func (r queries) PaymentByKey(ctx context.Context, idempotencyKey string) (*gen.Payment, error) {
	who := identity.From(ctx)
	if !who.Has("payments:read") {
		return nil, subgraph.Forbidden("read payments")
	}
	if !idempotency.Valid(idempotencyKey) {
		return nil, nil
	}
	var paymentID string
	err := r.s.db.Read.GetContext(ctx, &paymentID, `
		SELECT payment_id FROM operation WHERE idempotency_key = $1 AND scope = $2 ORDER BY created_us, key LIMIT 1`, idempotencyKey, who.Actor())
	if database.NoRows(err) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	if err := r.s.resolveOpen(ctx, paymentID); err != nil {
		return nil, err
	}
	return r.s.read(ctx, paymentID)
}

type queries struct{ s *Service }

type paymentFields struct{ s *Service }

// Events resolves Payment.events.
func (r paymentFields) Events(ctx context.Context, obj *gen.Payment) ([]*gen.PaymentEvent, error) {
	if !identity.From(ctx).Has("payments:read") {
		return nil, subgraph.Forbidden("read the events of payments")
	}
	if obj.Events != nil {
		return obj.Events, nil
	}
	events, err := r.s.eventsOf(ctx, []string{obj.ID})
	return events[obj.ID], err
}

// refusedInput turns an error of reading the input into an answer.
func refusedInput(err error) (answer, error) {
	var r *refusal
	if errors.As(err, &r) {
		return answer{Errors: r.present()}, nil
	}
	return answer{}, err
}
