package main

import (
	"context"
	"errors"
	"strconv"
	"time"
)

// plenty is how many units of the showcased variant there must be, so that it lasts for a while of trying.
const plenty = 20

// showcase is what the examples' variables say about this shop: found at each start, by asking the services as the
// first account would, so that its owner can order by pressing buttons only.
type showcase struct {
	variant, address, cart string
	// orderTotal is that of one unit of the variant, cartTotal that of the cart with one more unit in it.
	orderTotal, cartTotal int64
	// key makes the idempotency keys of this start others than those of the last one.
	key string
}

// variables are the names that variables of examples may refer to, as ${NAME}.
func (c showcase) variables(name string) string {
	switch name {
	case "variant":
		return c.variant
	case "address":
		return c.address
	case "cart":
		return c.cart
	case "orderTotal":
		return strconv.FormatInt(c.orderTotal, 10)
	case "cartTotal":
		return strconv.FormatInt(c.cartTotal, 10)
	case "key":
		return c.key
	}
	panic("examples: no variable ${" + name + "}")
}

// showcase finds what the examples need. The cart of the first account is made if there is none, and left empty.
func (s *shop) showcase(ctx context.Context) (c showcase, err error) {
	c.key = "try-" + time.Now().UTC().Format("2006-01-02T15:04:05")
	userID, err := s.users.EnsureAccount(ctx, accounts[0].seeded())
	if err != nil {
		return c, err
	}
	customer, err := newCaller(userID)
	if err != nil {
		return c, err
	}
	if c.variant, err = s.plentifulVariant(ctx); err != nil {
		return c, err
	}
	var account struct {
		Me struct {
			Addresses struct {
				Edges []struct{ Node struct{ ID string } }
			}
		}
	}
	if err := customer.ask(ctx, s.users.Schema(), `{ me { addresses(first: 1) { edges { node { id } } } } }`, nil, &account); err != nil {
		return c, err
	}
	for _, edge := range account.Me.Addresses.Edges {
		c.address = edge.Node.ID
	}
	return c, s.quote(ctx, customer, &c)
}

// plentifulVariant is a variant of the newest products, those of the first example, that is not soon sold out.
func (s *shop) plentifulVariant(ctx context.Context) (string, error) {
	var newest struct {
		Products struct {
			Edges []struct {
				Node struct{ Variants []struct{ ID string } }
			}
		}
	}
	if err := (caller{}).ask(ctx, s.products.Schema(), `{ products(first: 50, sort: { by: NEWEST }) { edges { node { variants { id } } } } }`, nil, &newest); err != nil {
		return "", err
	}
	var variants []string
	for _, edge := range newest.Products.Edges {
		for _, v := range edge.Node.Variants {
			variants = append(variants, v.ID)
		}
	}
	levels, err := s.inventory.Levels(ctx, variants)
	if err != nil {
		return "", err
	}
	for _, v := range variants {
		if levels[v].Available() >= plenty {
			return v, nil
		}
	}
	return "", errors.New("there is little of all that is new")
}

// cart is what is asked of a cart.
type cart struct {
	ID    string
	Total struct{ MinorUnits int64 }
	Lines []struct {
		ID       string
		Quantity int
		Variant  struct{ ID string }
	}
}

const (
	cartFields = `{ id total { minorUnits } lines { id quantity variant { id } } }`
	ownCart    = `query($user: [_Any!]!) { _entities(representations: $user) { ... on User { cart ` + cartFields + ` } } }`
	addLines   = `mutation($cart: ID, $lines: [CartLineInput!]!) { result: cartLinesAdd(input: { cartId: $cart, lines: $lines }) { cart ` + cartFields + ` } }`
	removeLine = `mutation($cart: ID!, $line: ID!) { result: cartLinesUpdate(input: { cartId: $cart, lines: [{ lineId: $line, quantity: 0 }] }) { cart ` + cartFields + ` } }`
)

// quote has the shop say what the variant costs with shipping, by itself and with what the customer's cart holds. It
// asks with a cart of nobody's, so that the customer's stays as it is.
func (s *shop) quote(ctx context.Context, customer caller, c *showcase) error {
	own, err := s.customersCart(ctx, customer, c.variant)
	if err != nil {
		return err
	}
	alone, err := s.changeCart(ctx, caller{}, addLines, map[string]any{"lines": lines(c.variant, 1)})
	if err != nil {
		return err
	}
	c.cart, c.orderTotal, c.cartTotal = own.ID, alone.Total.MinorUnits, alone.Total.MinorUnits
	for _, l := range own.Lines {
		both, err := s.changeCart(ctx, caller{}, addLines, map[string]any{"cart": alone.ID, "lines": lines(l.Variant.ID, l.Quantity)})
		if err != nil {
			return err
		}
		c.cartTotal = both.Total.MinorUnits
	}
	return nil
}

func lines(variant string, quantity int) []any {
	return []any{map[string]any{"variantId": variant, "quantity": quantity}}
}

// customersCart is the customer's own cart. Filling it with the variant and emptying it again makes one.
func (s *shop) customersCart(ctx context.Context, customer caller, variant string) (*cart, error) {
	var found struct {
		Entities []struct{ Cart *cart } `json:"_entities"`
	}
	user := []any{map[string]any{"__typename": "User", "id": customer.subject}}
	if err := customer.ask(ctx, s.orders.Schema(), ownCart, map[string]any{"user": user}, &found); err != nil {
		return nil, err
	}
	if own := found.Entities[0].Cart; own != nil {
		return own, nil
	}
	made, err := s.changeCart(ctx, customer, addLines, map[string]any{"lines": lines(variant, 1)})
	if err != nil {
		return nil, err
	}
	return s.changeCart(ctx, customer, removeLine, map[string]any{"cart": made.ID, "line": made.Lines[0].ID})
}

// changeCart sends a mutation of a cart, and returns the cart as it is then.
func (s *shop) changeCart(ctx context.Context, who caller, mutation string, variables map[string]any) (*cart, error) {
	var answer struct{ Result struct{ Cart *cart } }
	if err := who.ask(ctx, s.orders.Schema(), mutation, variables, &answer); err != nil {
		return nil, err
	}
	if answer.Result.Cart == nil {
		return nil, errors.New("the cart does not take it")
	}
	return answer.Result.Cart, nil
}
