package payments

import (
	"context"
	"slices"

	"github.com/99designs/gqlgen/graphql"

	"github.com/agora-supergraph/agora/internal/identity"
	"github.com/agora-supergraph/agora/subgraphs/payments/gen"
)

// asked are the fields that a request selects of objects of a type.
type asked struct {
	op     *graphql.OperationContext
	fields []graphql.CollectedField
}

// askedOf are the fields that the field being resolved selects of a type.
func askedOf(ctx context.Context, typ string) asked {
	return asked{graphql.GetOperationContext(ctx), graphql.CollectFieldsCtx(ctx, []string{typ})}
}

// has reports whether one of the fields is selected.
func (a asked) has(names ...string) bool {
	return slices.ContainsFunc(a.fields, func(f graphql.CollectedField) bool { return slices.Contains(names, f.Name) })
}

// of are the fields that are selected of what a field gives, under all its aliases.
func (a asked) of(name, typ string) asked {
	inner := asked{op: a.op}
	for _, f := range a.fields {
		if f.Name == name {
			inner.fields = append(inner.fields, graphql.CollectFields(a.op, f.Selections, []string{typ})...)
		}
	}
	return inner
}

// complete reads what else is asked of payments, for all of them at once: a query for each level of the request, and not
// for each payment.
func (s *Service) complete(ctx context.Context, list []*gen.Payment, a asked) error {
	if len(list) == 0 {
		return nil
	}
	if a.has("events") && identity.From(ctx).Has("payments:read") {
		ids := make([]string, len(list))
		for i, p := range list {
			ids[i] = p.ID
		}
		events, err := s.eventsOf(ctx, ids)
		if err != nil {
			return err
		}
		for _, p := range list {
			p.Events = events[p.ID]
		}
	}
	order := a.of("order", "Order")
	if !order.has("payments", "amountCaptured", "amountDue") {
		return nil
	}
	ids := make([]string, len(list))
	for i, p := range list {
		ids[i] = p.Order.ID
	}
	byOrder, err := s.paymentsOf(ctx, ids, order.of("payments", "Payment"))
	if err != nil {
		return err
	}
	for _, p := range list {
		p.Order.Payments = byOrder[p.Order.ID]
	}
	return nil
}
