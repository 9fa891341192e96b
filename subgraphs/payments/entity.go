package payments

import (
	"context"

	"github.com/agora-supergraph/agora/internal/identity"
	"github.com/agora-supergraph/agora/internal/money"
	"github.com/agora-supergraph/agora/subgraphs/payments/gen"
)

type entities struct{ s *Service }

// Entity returns the resolver of entities.
func (r resolver) Entity() gen.EntityResolver { return entities(r) }

// FindPayment resolves references to payments: those of others are as absent as those that don't exist.
func (e entities) FindPayment(ctx context.Context, reps []*gen.PaymentRepresentation) ([]*gen.Payment, error) {
	ids := make([]string, 0, len(reps))
	for _, rep := range reps {
		if rep.ID != nil {
			ids = append(ids, *rep.ID)
		}
	}
	rows, err := e.s.find(ctx, "id", ids)
	if err != nil {
		return nil, err
	}
	who := identity.From(ctx)
	byID := map[string]*gen.Payment{}
	for _, f := range rows {
		if who.May(f.UserID, "payments:read") {
			byID[f.ID] = f.present()
		}
	}
	list := make([]*gen.Payment, len(reps))
	for i, rep := range reps {
		if rep.ID != nil {
			list[i] = byID[*rep.ID]
		}
	}
	return list, nil
}

// FindOrder resolves references to orders, with the payments of all of them in one query.
func (e entities) FindOrder(ctx context.Context, reps []*gen.OrderRepresentation) ([]*gen.Order, error) {
	list := make([]*gen.Order, len(reps))
	ids := make([]string, 0, len(reps))
	for i, rep := range reps {
		if rep.ID == nil {
			continue
		}
		ids = append(ids, *rep.ID)
		list[i] = &gen.Order{ID: *rep.ID}
		if t := rep.Total; t != nil && t.MinorUnits != nil && t.Currency != nil {
			list[i].Total = money.New(*t.MinorUnits, *t.Currency)
		}
	}
	byOrder, err := e.s.paymentsOf(ctx, ids)
	if err != nil {
		return nil, err
	}
	for _, order := range list {
		if order != nil {
			order.Payments = byOrder[order.ID]
		}
	}
	return list, nil
}

// FindUser resolves references to users: their methods are read when they are asked for.
func (e entities) FindUser(_ context.Context, reps []*gen.UserRepresentation) ([]*gen.User, error) {
	list := make([]*gen.User, len(reps))
	for i, rep := range reps {
		if rep.ID != nil {
			list[i] = &gen.User{ID: *rep.ID}
		}
	}
	return list, nil
}

// paymentsOf are the payments of orders that the caller may see. Every order has a list: an empty one if there is
// nothing that the caller may see, so that an order of somebody else looks like one without payments.
func (s *Service) paymentsOf(ctx context.Context, orderIDs []string) (map[string][]*gen.Payment, error) {
	rows, err := s.find(ctx, "order_id", orderIDs)
	if err != nil {
		return nil, err
	}
	who := identity.From(ctx)
	byOrder := make(map[string][]*gen.Payment, len(orderIDs))
	for _, orderID := range orderIDs {
		byOrder[orderID] = []*gen.Payment{}
	}
	for _, f := range rows {
		if who.May(f.UserID, "payments:read") {
			byOrder[f.OrderID] = append(byOrder[f.OrderID], f.present())
		}
	}
	return byOrder, nil
}
