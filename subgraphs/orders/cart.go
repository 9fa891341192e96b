package orders

import (
	"context"
	"fmt"
	"slices"
	"strconv"

	"github.com/agora-supergraph/agora/internal/database"
	"github.com/agora-supergraph/agora/internal/id"
	"github.com/agora-supergraph/agora/internal/identity"
	"github.com/agora-supergraph/agora/subgraphs/orders/gen"
)

// The limits of a cart, and of an order that is made from a list of items.
const (
	maxLines    = 100
	maxQuantity = 99
)

// cart is a row of its table, with its lines.
type cart struct {
	ID        string
	UserID    string `db:"user_id"`
	Version   int64
	UpdatedUs int64      `db:"updated_us"`
	Lines     []cartLine `db:"-"`
}

// cartLine is a row of its table.
type cartLine struct {
	ID        string
	CartID    string `db:"cart_id"`
	VariantID string `db:"variant_id"`
	Quantity  int64
	Position  int64
}

// usable reports whether somebody may see and change a cart: an anonymous one whoever knows its id, an owned one its
// owner.
func (c *cart) usable(who identity.Identity) bool {
	return c.UserID == "" || c.UserID == who.Subject
}

func noCart(cartID string) error {
	return refusals{refuse(gen.OrderErrorCodeNotFound, input("cartId"), "there is no cart %.50q", cartID)}
}

func noVariant(field []string, variantID string) *refusal {
	r := refuse(gen.OrderErrorCodeVariantUnavailable, field, "it is not for sale")
	r.VariantID = variantID
	return r
}

// readLines checks a list of items and turns it into what is wanted, with equal variants together.
func readLines(lines []*gen.CartLineInput) ([]wanted, error) {
	if n := len(lines); n == 0 || n > maxLines {
		return nil, refusals{invalid(input("lines"), "there may be 1 to %d lines", maxLines)}
	}
	var all refusals
	want := make([]wanted, len(lines))
	for i, l := range lines {
		at := strconv.Itoa(i)
		if !id.Is(id.Variant, l.VariantID) {
			all = append(all, noVariant(input("lines", at, "variantId"), l.VariantID))
		}
		if l.Quantity < 1 || l.Quantity > maxQuantity {
			all = append(all, invalid(input("lines", at, "quantity"), "a quantity may be 1 to %d", maxQuantity))
		}
		want[i] = wanted{l.VariantID, int64(l.Quantity), input("lines", at)}
	}
	want = merge(want)
	for _, w := range want {
		if len(all) == 0 && w.quantity > maxQuantity {
			all = append(all, invalid(w.field, "the quantities of a variant may add up to %d", maxQuantity))
		}
	}
	if len(all) > 0 {
		return nil, all
	}
	return want, nil
}

// addLines adds to a cart: the one that is named, or the caller's own, or a new one. An anonymous cart becomes the
// caller's, if there is one, and takes in what was in the caller's own.
func (s *Service) addLines(ctx context.Context, tx *database.Tx, cartID string, want []wanted) (*cart, error) {
	who := identity.From(ctx)
	c, err := s.cartFor(ctx, tx, who, cartID)
	if err != nil {
		return nil, err
	}
	lines := make([]cartLine, len(want))
	for i, w := range want {
		lines[i] = cartLine{VariantID: w.variantID, Quantity: w.quantity}
	}
	if err := c.add(lines); err != nil {
		return nil, err
	}
	return c, s.saveCart(ctx, tx, c)
}

// cartFor finds or makes the cart to add to.
func (s *Service) cartFor(ctx context.Context, tx *database.Tx, who identity.Identity, cartID string) (*cart, error) {
	if cartID != "" {
		c, err := lockCart(ctx, tx, "id", cartID)
		if err != nil {
			return nil, err
		}
		if c == nil || !c.usable(who) {
			return nil, noCart(cartID)
		}
		return c, s.adopt(ctx, tx, c, who)
	}
	if who.Subject != "" {
		c, err := lockCart(ctx, tx, "user_id", who.Subject)
		if c != nil || err != nil {
			return c, err
		}
	}
	c := &cart{ID: id.New(id.Cart), UserID: who.Subject}
	return c, insertCart(ctx, tx, c)
}

// adopt makes an anonymous cart the caller's. A cart that the caller had before is taken in.
func (s *Service) adopt(ctx context.Context, tx *database.Tx, c *cart, who identity.Identity) error {
	if who.Subject == "" || c.UserID != "" {
		return nil
	}
	own, err := lockCart(ctx, tx, "user_id", who.Subject)
	if err != nil {
		return err
	}
	if own != nil {
		if err := c.add(own.Lines); err != nil {
			return err
		}
		if err := deleteCart(ctx, tx, own.ID); err != nil {
			return err
		}
	}
	c.UserID = who.Subject
	return nil
}

// add adds lines to those of the cart, variant by variant.
func (c *cart) add(lines []cartLine) error {
	for _, l := range lines {
		i := slices.IndexFunc(c.Lines, func(has cartLine) bool { return has.VariantID == l.VariantID })
		if i < 0 {
			position := int64(0)
			if n := len(c.Lines); n > 0 {
				position = c.Lines[n-1].Position + 1
			}
			c.Lines = append(c.Lines, cartLine{ID: id.New(id.CartLine), CartID: c.ID, VariantID: l.VariantID, Position: position})
			i = len(c.Lines) - 1
		}
		if c.Lines[i].Quantity += l.Quantity; c.Lines[i].Quantity > maxQuantity {
			return refusals{invalid(input("lines"), "a cart holds at most %d of a variant", maxQuantity)}
		}
	}
	if len(c.Lines) > maxLines {
		return refusals{invalid(input("lines"), "a cart has at most %d lines", maxLines)}
	}
	return nil
}

// updateLines sets quantities; 0 removes a line.
func (s *Service) updateLines(ctx context.Context, tx *database.Tx, in gen.CartLinesUpdateInput) (*cart, error) {
	who := identity.From(ctx)
	c, err := lockCart(ctx, tx, "id", in.CartID)
	if err != nil {
		return nil, err
	}
	if c == nil || !c.usable(who) {
		return nil, noCart(in.CartID)
	}
	if in.ExpectedVersion != nil && int64(*in.ExpectedVersion) != c.Version {
		return nil, refusals{refuse(gen.OrderErrorCodeVersionConflict, input("expectedVersion"), "the cart is at version %d", c.Version)}
	}
	if len(in.Lines) == 0 {
		return nil, refusals{invalid(input("lines"), "name the lines to change")}
	}
	for i, change := range in.Lines {
		field := input("lines", strconv.Itoa(i))
		at := slices.IndexFunc(c.Lines, func(l cartLine) bool { return l.ID == change.LineID })
		switch {
		case at < 0:
			return nil, refusals{refuse(gen.OrderErrorCodeNotFound, append(field, "lineId"), "there is no line %.50q in the cart", change.LineID)}
		case change.Quantity < 0 || change.Quantity > maxQuantity:
			return nil, refusals{invalid(append(field, "quantity"), "a quantity may be 0 to %d", maxQuantity)}
		case change.Quantity == 0:
			c.Lines = slices.Delete(c.Lines, at, at+1)
		default:
			c.Lines[at].Quantity = int64(change.Quantity)
		}
	}
	if err := s.adopt(ctx, tx, c, who); err != nil {
		return nil, err
	}
	return c, s.saveCart(ctx, tx, c)
}

// emptyCart takes everything out of a cart that was read before, unless it has changed since: what is paid for is
// what was priced.
func (s *Service) emptyCart(ctx context.Context, tx *database.Tx, priced *cart) error {
	c, err := lockCart(ctx, tx, "id", priced.ID)
	if err != nil {
		return err
	}
	if c == nil || c.Version != priced.Version {
		return refusals{refuse(gen.OrderErrorCodeVersionConflict, input("cartId"), "the cart was changed meanwhile: look at it again")}
	}
	c.Lines = nil
	return s.saveCart(ctx, tx, c)
}

// want is what a cart holds, as something to buy.
func (c *cart) want() []wanted {
	want := make([]wanted, len(c.Lines))
	for i, l := range c.Lines {
		want[i] = wanted{l.VariantID, l.Quantity, input("cartId")}
	}
	return want
}

// fromCart gives what checkout of a cart buys.
func (s *Service) fromCart(ctx context.Context, cartID string) ([]wanted, *cart, error) {
	found, err := readCarts(ctx, s.db.Read, "id", []string{cartID})
	if err != nil {
		return nil, nil, err
	}
	if len(found) == 0 || !found[0].usable(identity.From(ctx)) {
		return nil, nil, noCart(cartID)
	}
	if len(found[0].Lines) == 0 {
		return nil, nil, refusals{refuse(gen.OrderErrorCodeEmptyCart, input("cartId"), "there is nothing in the cart")}
	}
	return found[0].want(), found[0], nil
}

// present is the cart as clients see it.
func (c *cart) present() *gen.Cart {
	shown := &gen.Cart{ID: c.ID, Version: int(c.Version), UpdatedAt: database.Time(c.UpdatedUs), Lines: make([]*gen.CartLine, len(c.Lines))}
	if c.UserID != "" {
		shown.Owner = &gen.User{ID: c.UserID}
	}
	for i, l := range c.Lines {
		shown.Lines[i] = l.present()
	}
	return shown
}

func (l cartLine) present() *gen.CartLine {
	return &gen.CartLine{ID: l.ID, Quantity: int(l.Quantity), Variant: gen.ProductVariant{ID: l.VariantID}}
}

// quoteCart prices a cart for its fields subtotal, shipping and total: once, when they are asked for together.
func (s *Service) quoteCart(ctx context.Context, obj *gen.Cart) (*quote, error) {
	if len(obj.Lines) == 0 {
		return nil, nil
	}
	q, err, _ := s.quotes.Do(fmt.Sprintf("%p", obj), func() (any, error) {
		want := make([]wanted, len(obj.Lines))
		for i, l := range obj.Lines {
			want[i] = wanted{variantID: l.Variant.ID, quantity: int64(l.Quantity)}
		}
		items, err := s.catalogue(ctx, want)
		if err != nil {
			return nil, err
		}
		q, err := s.price(want, items)
		return &q, err
	})
	if err != nil {
		return nil, shown(err)
	}
	return q.(*quote), nil
}
