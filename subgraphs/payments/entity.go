package payments

import (
	"context"
	"maps"
	"slices"

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
	if err := e.s.complete(ctx, slices.Collect(maps.Values(byID)), askedOf(ctx, "Payment")); err != nil {
		return nil, err
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
	byOrder, err := e.s.paymentsOf(ctx, ids, askedOf(ctx, "Order").of("payments", "Payment"))
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

// FindUser resolves references to users, with the methods of all of them in one query if they are asked for.
func (e entities) FindUser(ctx context.Context, reps []*gen.UserRepresentation) ([]*gen.User, error) {
	list := make([]*gen.User, len(reps))
	who := identity.From(ctx)
	var ids []string
	for i, rep := range reps {
		if rep.ID == nil {
			continue
		}
		list[i] = &gen.User{ID: *rep.ID}
		if who.May(*rep.ID, "payments:read") {
			ids = append(ids, *rep.ID)
		}
	}
	if !askedOf(ctx, "User").has("paymentMethods") {
		return list, nil
	}
	methods, err := e.s.methodsOf(ctx, ids)
	if err != nil {
		return nil, err
	}
	for _, user := range list {
		if user != nil {
			user.PaymentMethods = methods[user.ID]
		}
	}
	return list, nil
}

// paymentsOf are the payments of orders that the caller may see, with what is asked of them. Every order has a list: an
// empty one if there is nothing that the caller may see, so that an order of somebody else looks like one without
// payments.
func (s *Service) paymentsOf(ctx context.Context, orderIDs []string, a asked) (map[string][]*gen.Payment, error) {
	rows, err := s.find(ctx, "order_id", orderIDs)
	if err != nil {
		return nil, err
	}
	who := identity.From(ctx)
	byOrder := make(map[string][]*gen.Payment, len(orderIDs))
	for _, orderID := range orderIDs {
		byOrder[orderID] = []*gen.Payment{}
	}
	var visible []*gen.Payment
	for _, f := range rows {
		if who.May(f.UserID, "payments:read") {
			p := f.present()
			visible, byOrder[f.OrderID] = append(visible, p), append(byOrder[f.OrderID], p)
		}
	}
	return byOrder, s.complete(ctx, visible, a)
}
