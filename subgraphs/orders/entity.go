package orders

import (
	"context"

	"github.com/agora-supergraph/agora/internal/database"
	"github.com/agora-supergraph/agora/internal/id"
	"github.com/agora-supergraph/agora/internal/identity"
	"github.com/agora-supergraph/agora/internal/money"
	"github.com/agora-supergraph/agora/subgraphs/orders/gen"
)

// FindOrder resolves references to orders, by id and by number, in one query.
func (e entities) FindOrder(ctx context.Context, reps []*gen.OrderRepresentation) ([]*gen.Order, error) {
	return e.s.findOrders(ctx, reps)
}

// findOrders are the orders of references. Those of others are as absent as those that don't exist.
func (s *Service) findOrders(ctx context.Context, reps []*gen.OrderRepresentation) ([]*gen.Order, error) {
	var ids, numbers []string
	for _, r := range reps {
		if r.ID != nil {
			ids = append(ids, *r.ID)
		} else if r.Number != nil {
			numbers = append(numbers, readNumber(*r.Number))
		}
	}
	// Never empty, so that there is always a list to look in.
	inIDs, args := database.In(nil, append(id.WellFormed(id.Order, ids), ""))
	inNumbers, args := database.In(args, append(numbers, ""))
	found, err := readOrders(ctx, s.db.Read, "o.id IN "+inIDs+" OR o.number IN "+inNumbers, args...)
	if err != nil {
		return nil, err
	}
	who := identity.From(ctx)
	known := map[string]*gen.Order{}
	for _, o := range found {
		if who.May(o.UserID, "orders:read") {
			view := o.present()
			sharedIn(ctx).history.Want(o.ID)
			known[o.ID], known[o.Number] = view, view
		}
	}
	list := make([]*gen.Order, len(reps))
	for i, r := range reps {
		if r.ID != nil {
			list[i] = known[*r.ID]
		} else if r.Number != nil {
			list[i] = known[readNumber(*r.Number)]
		}
	}
	return list, nil
}

// FindOrderLine resolves references to lines of orders.
func (e entities) FindOrderLine(ctx context.Context, reps []*gen.OrderLineRepresentation) ([]*gen.OrderLine, error) {
	list := make([]*gen.OrderLine, len(reps))
	var ids []string
	for _, r := range reps {
		if r.ID != nil {
			ids = append(ids, *r.ID)
		}
	}
	if ids = id.WellFormed(id.OrderLine, ids); len(ids) == 0 {
		return list, nil
	}
	in, args := database.In(nil, ids)
	var rows []struct {
		line
		UserID   string `db:"user_id"`
		Currency string
	}
	err := e.s.db.Read.SelectContext(ctx, &rows, `
		SELECT `+lineColumns+`, o.user_id, o.currency FROM order_line l JOIN orders o ON o.id = l.order_id WHERE l.id IN `+in, args...)
	if err != nil {
		return nil, err
	}
	who := identity.From(ctx)
	known := map[string]*gen.OrderLine{}
	for _, r := range rows {
		if who.May(r.UserID, "orders:read") {
			known[r.ID] = r.line.present(r.Currency)
		}
	}
	for i, r := range reps {
		if r.ID != nil {
			list[i] = known[*r.ID]
		}
	}
	return list, nil
}

// FindCart resolves references to carts.
func (e entities) FindCart(ctx context.Context, reps []*gen.CartRepresentation) ([]*gen.Cart, error) {
	ids := make([]string, 0, len(reps))
	for _, r := range reps {
		if r.ID != nil {
			ids = append(ids, *r.ID)
		}
	}
	found, err := readCarts(ctx, e.s.db.Read, "id", ids)
	if err != nil {
		return nil, err
	}
	who := identity.From(ctx)
	known := map[string]*gen.Cart{}
	for _, c := range found {
		if c.usable(who) || who.Has("orders:read") {
			known[c.ID] = c.present()
		}
	}
	list := make([]*gen.Cart, len(reps))
	for i, r := range reps {
		if r.ID != nil {
			list[i] = known[*r.ID]
		}
	}
	return list, nil
}

// FindCartLine resolves references to lines of carts. Their total comes from the price in the reference.
func (e entities) FindCartLine(ctx context.Context, reps []*gen.CartLineRepresentation) ([]*gen.CartLine, error) {
	list := make([]*gen.CartLine, len(reps))
	var ids []string
	for _, r := range reps {
		if r.ID != nil {
			ids = append(ids, *r.ID)
		}
	}
	if ids = id.WellFormed(id.CartLine, ids); len(ids) == 0 {
		return list, nil
	}
	in, args := database.In(nil, ids)
	var rows []struct {
		cartLine
		UserID string `db:"user_id"`
	}
	err := e.s.db.Read.SelectContext(ctx, &rows, `
		SELECT l.id, l.cart_id, l.variant_id, l.quantity, l.position, c.user_id
		FROM cart_line l JOIN cart c ON c.id = l.cart_id WHERE l.id IN `+in, args...)
	if err != nil {
		return nil, err
	}
	who := identity.From(ctx)
	known := map[string]cartLine{}
	for _, r := range rows {
		if owner := (cart{UserID: r.UserID}); owner.usable(who) || who.Has("orders:read") {
			known[r.ID] = r.cartLine
		}
	}
	for i, r := range reps {
		if r.ID == nil {
			continue
		}
		if l, ok := known[*r.ID]; ok {
			if list[i], err = l.priced(r.Variant); err != nil {
				return nil, err
			}
		}
	}
	return list, nil
}

// priced is the line with its total, if its variant came with a price.
func (l cartLine) priced(v *gen.ProductVariantRepresentation) (*gen.CartLine, error) {
	view := l.present()
	if v == nil || v.Price == nil || v.Price.MinorUnits == nil || v.Price.Currency == nil {
		return view, nil
	}
	total, err := money.New(*v.Price.MinorUnits, *v.Price.Currency).Times(l.Quantity)
	view.LineTotal = &total
	return view, err
}

// FindProductVariant resolves references to variants: there is nothing to add to them here.
func (e entities) FindProductVariant(_ context.Context, reps []*gen.ProductVariantRepresentation) ([]*gen.ProductVariant, error) {
	list := make([]*gen.ProductVariant, len(reps))
	for i, r := range reps {
		if r.ID != nil {
			list[i] = &gen.ProductVariant{ID: *r.ID}
		}
	}
	return list, nil
}

// FindUser resolves references to users: their cart and orders are read when they are asked for.
func (e entities) FindUser(ctx context.Context, reps []*gen.UserRepresentation) ([]*gen.User, error) {
	list := make([]*gen.User, len(reps))
	var users []string
	for i, r := range reps {
		if r.ID != nil {
			list[i] = &gen.User{ID: *r.ID}
			if identity.From(ctx).May(*r.ID, "orders:read") {
				users = append(users, *r.ID)
			}
		}
	}
	sharedIn(ctx).listUsers(id.WellFormed(id.User, users))
	return list, nil
}
