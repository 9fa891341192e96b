package orders

import (
	"context"
	"errors"

	"github.com/agora-supergraph/agora/internal/identity"
	"github.com/agora-supergraph/agora/internal/money"
	"github.com/agora-supergraph/agora/internal/subgraph"
	"github.com/agora-supergraph/agora/subgraphs/orders/gen"
)

// resolver answers GraphQL. The router checks who may ask before; here it is checked again.
type resolver struct{ s *Service }

type (
	queries       struct{ s *Service }
	mutations     struct{ s *Service }
	subscriptions struct{ s *Service }
	cartFields    struct{ s *Service }
	orderFields   struct{ s *Service }
	userFields    struct{ s *Service }
	listFields    struct{ s *Service }
	entities      struct{ s *Service }
)

// Query returns the resolver of Query's fields.
func (r resolver) Query() gen.QueryResolver { return queries(r) }

// Mutation returns the resolver of Mutation's fields.
func (r resolver) Mutation() gen.MutationResolver { return mutations(r) }

// Subscription returns the resolver of Subscription's fields.
func (r resolver) Subscription() gen.SubscriptionResolver { return subscriptions(r) }

// Cart returns the resolver of Cart's fields.
func (r resolver) Cart() gen.CartResolver { return cartFields(r) }

// Order returns the resolver of Order's fields.
func (r resolver) Order() gen.OrderResolver { return orderFields(r) }

// User returns the resolver of User's fields.
func (r resolver) User() gen.UserResolver { return userFields(r) }

// OrderConnection returns the resolver of OrderConnection's fields.
func (r resolver) OrderConnection() gen.OrderConnectionResolver { return listFields(r) }

// Entity returns the resolver of entities.
func (r resolver) Entity() gen.EntityResolver { return entities(r) }

// errAnonymous is the answer to those who have to log in first.
var errAnonymous = subgraph.Errorf("UNAUTHENTICATED", "log in first")

// shown is an error of a field: what a refusal says, or the error that it is otherwise.
func shown(err error) error {
	var all refusals
	if errors.As(err, &all) {
		return subgraph.Errorf(string(all[0].Code), "%s", all[0].Message)
	}
	return err
}

// Cart resolves Query.cart.
func (r queries) Cart(ctx context.Context, id string) (*gen.Cart, error) {
	return r.s.visibleCart(ctx, id)
}

// visibleCart is a cart that the caller may see, or nil.
func (s *Service) visibleCart(ctx context.Context, cartID string) (*gen.Cart, error) {
	found, err := readCarts(ctx, s.db.Read, "id", []string{cartID})
	if err != nil || len(found) == 0 {
		return nil, err
	}
	who := identity.From(ctx)
	if !found[0].usable(who) && !who.Has("orders:read") {
		return nil, nil
	}
	return found[0].present(), nil
}

// Order resolves Query.order.
func (r queries) Order(ctx context.Context, id, number *string) (*gen.Order, error) {
	if identity.From(ctx).Anonymous() {
		return nil, errAnonymous
	}
	var rep gen.OrderRepresentation
	switch {
	case (id == nil) == (number == nil):
		return nil, subgraph.Errorf(subgraph.BadInput, "give id or number")
	case id != nil:
		rep = gen.OrderRepresentation{ID: id}
	default:
		rep = gen.OrderRepresentation{Number: number}
	}
	found, err := r.s.findOrders(ctx, []*gen.OrderRepresentation{&rep})
	if err != nil {
		return nil, err
	}
	return found[0], nil
}

// Orders resolves Query.orders.
func (r queries) Orders(ctx context.Context, first *int, after *string, last *int, before *string, filter *gen.OrderFilter) (*gen.OrderConnection, error) {
	if !identity.From(ctx).Has("orders:read") {
		return nil, subgraph.Forbidden("read the orders of others")
	}
	return r.s.orders(ctx, list{filter: filter, first: first, last: last, after: after, before: before})
}

// Cart resolves User.cart.
func (r userFields) Cart(ctx context.Context, obj *gen.User) (*gen.Cart, error) {
	if !identity.From(ctx).May(obj.ID, "orders:read") {
		return nil, nil
	}
	c, err := sharedIn(ctx).carts.Get(ctx, obj.ID)
	if err != nil || c == nil {
		return nil, err
	}
	return c.present(), nil
}

// Orders resolves User.orders.
func (r userFields) Orders(ctx context.Context, obj *gen.User, first *int, after *string, last *int, before *string, filter *gen.OrderFilter) (*gen.OrderConnection, error) {
	if !identity.From(ctx).May(obj.ID, "orders:read") {
		return nil, nil
	}
	return r.s.ordersOf(ctx, obj.ID, list{filter: filter, first: first, last: last, after: after, before: before})
}

// TotalCount resolves OrderConnection.totalCount, which was counted with the page if it was asked for.
func (listFields) TotalCount(_ context.Context, obj *gen.OrderConnection) (int, error) {
	return obj.TotalCount, nil
}

// History resolves Order.history.
func (r orderFields) History(ctx context.Context, obj *gen.Order) ([]*gen.OrderEvent, error) {
	chapters, err := sharedIn(ctx).history.Get(ctx, obj.ID)
	if err != nil {
		return nil, err
	}
	events := make([]*gen.OrderEvent, len(chapters))
	for i, c := range chapters {
		events[i] = c.present(identity.From(ctx), obj.Customer.ID)
	}
	return events, nil
}

// priced is one of a quote's amounts.
func (r cartFields) priced(ctx context.Context, obj *gen.Cart, amount func(*quote) money.Money) (*money.Money, error) {
	q, err := r.s.quoteCart(ctx, obj)
	if err != nil || q == nil {
		return nil, err
	}
	m := amount(q)
	return &m, nil
}

// Subtotal resolves Cart.subtotal.
func (r cartFields) Subtotal(ctx context.Context, obj *gen.Cart) (*money.Money, error) {
	return r.priced(ctx, obj, func(q *quote) money.Money { return q.subtotal })
}

// Shipping resolves Cart.shipping.
func (r cartFields) Shipping(ctx context.Context, obj *gen.Cart) (*money.Money, error) {
	return r.priced(ctx, obj, func(q *quote) money.Money { return q.shipping })
}

// Total resolves Cart.total.
func (r cartFields) Total(ctx context.Context, obj *gen.Cart) (*money.Money, error) {
	return r.priced(ctx, obj, func(q *quote) money.Money { return q.total })
}

// OrderUpdated resolves Subscription.orderUpdated.
func (r subscriptions) OrderUpdated(ctx context.Context, id string) (<-chan *gen.Order, error) {
	who := identity.From(ctx)
	if who.Anonymous() {
		return nil, errAnonymous
	}
	owner, err := r.s.ownerOf(ctx, id)
	if err != nil {
		return nil, err
	}
	if owner == "" || !who.May(owner, "orders:read") {
		return nil, subgraph.Errorf("NOT_FOUND", "there is no order %.50q", id)
	}
	return r.s.watch(ctx, id)
}
