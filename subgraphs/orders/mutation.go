package orders

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/agora-supergraph/agora/internal/database"
	"github.com/agora-supergraph/agora/internal/id"
	"github.com/agora-supergraph/agora/internal/idempotency"
	"github.com/agora-supergraph/agora/internal/identity"
	"github.com/agora-supergraph/agora/internal/subgraph"
	"github.com/agora-supergraph/agora/subgraphs/orders/gen"
)

// CartLinesAdd resolves Mutation.cartLinesAdd.
func (m mutations) CartLinesAdd(ctx context.Context, input gen.CartLinesAddInput) (*gen.CartPayload, error) {
	want, err := readLines(input.Lines)
	if err != nil {
		return cartPayload(nil, err)
	}
	items, err := m.s.catalogue(ctx, want)
	if err != nil {
		return nil, err
	}
	if _, err := m.s.price(want, items); err != nil {
		return cartPayload(nil, err)
	}
	cartID := ""
	if input.CartID != nil {
		if cartID = *input.CartID; !id.Is(id.Cart, cartID) {
			return cartPayload(nil, noCart(cartID))
		}
	}
	return cartPayload(m.s.addOnce(ctx, input, cartID, want))
}

// addOnce adds to a cart once by its key, if there is one. The key of an anonymous caller counts only together with
// a cart: nobody else may be given a new cart for having used the same key.
func (s *Service) addOnce(ctx context.Context, in gen.CartLinesAddInput, cartID string, want []wanted) (*cart, error) {
	who := identity.From(ctx)
	keyed := in.IdempotencyKey != nil && (who.Subject != "" || cartID != "")
	if in.IdempotencyKey != nil && !idempotency.Valid(*in.IdempotencyKey) {
		return nil, refusals{badKey()}
	}
	var k idempotency.Key
	if keyed {
		k = idempotency.Key{Scope: who.Actor() + "/" + cartID, Operation: "cartLinesAdd", Key: *in.IdempotencyKey, Request: idempotency.Digest(in)}
	}
	var c *cart
	add := func(tx *database.Tx) (err error) {
		if keyed {
			status, stored, err := idempotency.Claim(ctx, tx, k)
			if err != nil {
				return err
			}
			if status != idempotency.Claimed {
				c, err = s.added(ctx, tx, status, stored)
				return err
			}
		}
		if c, err = s.addLines(ctx, tx, cartID, want); err != nil || !keyed {
			return err
		}
		return idempotency.Complete(ctx, tx, k, c.ID)
	}
	err := s.db.Tx(ctx, add)
	if database.IsUnique(err) { // the caller's first cart was made by another request: it is there now
		err = s.db.Tx(ctx, add)
	}
	if err != nil {
		return nil, fmt.Errorf("add to cart: %w", err)
	}
	return c, nil
}

// added is the cart that a key has been added to before.
func (s *Service) added(ctx context.Context, tx *database.Tx, status idempotency.Status, stored []byte) (*cart, error) {
	if status != idempotency.Done {
		_, err := replay(status, stored)
		return nil, err
	}
	var cartID string
	if err := json.Unmarshal(stored, &cartID); err != nil {
		return nil, err
	}
	found, err := readCarts(ctx, tx, "id", []string{cartID})
	if err != nil {
		return nil, err
	}
	if len(found) == 0 || !found[0].usable(identity.From(ctx)) { // merged into another one since
		return nil, noCart(cartID)
	}
	return found[0], nil
}

// CartLinesUpdate resolves Mutation.cartLinesUpdate.
func (m mutations) CartLinesUpdate(ctx context.Context, in gen.CartLinesUpdateInput) (*gen.CartPayload, error) {
	if len(in.Lines) > maxLines {
		return cartPayload(nil, refusals{invalid(input("lines"), "there may be at most %d lines", maxLines)})
	}
	var c *cart
	err := m.s.db.Tx(ctx, func(tx *database.Tx) (err error) {
		c, err = m.s.updateLines(ctx, tx, in)
		return err
	})
	return cartPayload(c, err)
}

func cartPayload(c *cart, err error) (*gen.CartPayload, error) {
	refused, err := userErrors(err)
	if err != nil {
		return nil, err
	}
	payload := &gen.CartPayload{UserErrors: refused}
	if c != nil && len(refused) == 0 {
		payload.Cart = c.present()
	}
	return payload, nil
}

// Checkout resolves Mutation.checkout.
func (m mutations) Checkout(ctx context.Context, in gen.CheckoutInput) (*gen.CheckoutPayload, error) {
	request := in
	request.WaitMs = 0 // how long somebody waits is no part of what is wanted
	return m.buy(ctx, purchase{
		key:       idempotency.Key{Operation: "checkout", Key: in.IdempotencyKey, Request: idempotency.Digest(request)},
		addressID: in.AddressID, token: in.PaymentMethodToken, expected: in.ExpectedTotalMinorUnits, currency: in.ExpectedCurrency,
		wait: time.Duration(in.WaitMs) * time.Millisecond,
		want: func(ctx context.Context) ([]wanted, *cart, error) { return m.s.fromCart(ctx, in.CartID) },
	})
}

// OrderCreate resolves Mutation.orderCreate.
func (m mutations) OrderCreate(ctx context.Context, in gen.OrderCreateInput) (*gen.CheckoutPayload, error) {
	request := in
	request.WaitMs = 0
	return m.buy(ctx, purchase{
		key:       idempotency.Key{Operation: "orderCreate", Key: in.IdempotencyKey, Request: idempotency.Digest(request)},
		addressID: in.AddressID, token: in.PaymentMethodToken, expected: in.ExpectedTotalMinorUnits, currency: in.ExpectedCurrency,
		wait: time.Duration(in.WaitMs) * time.Millisecond,
		want: func(context.Context) ([]wanted, *cart, error) {
			want, err := readLines(in.Lines)
			return want, nil, err
		},
	})
}

// buy places an order for the caller.
func (m mutations) buy(ctx context.Context, p purchase) (*gen.CheckoutPayload, error) {
	who := identity.From(ctx)
	if who.Subject == "" {
		return nil, errAnonymous
	}
	p.buyer, p.key.Scope = who.Subject, who.Actor()
	o, err := m.s.buy(ctx, p)
	if o != nil && err == nil {
		err = nilIfNone(o.refusals())
	}
	refused, err := userErrors(err)
	if err != nil {
		return nil, err
	}
	payload := &gen.CheckoutPayload{UserErrors: refused}
	if o != nil {
		payload.Order = o.present()
	}
	return payload, nil
}

// nilIfNone keeps an empty list from being an error.
func nilIfNone(all refusals) error {
	if len(all) == 0 {
		return nil
	}
	return all
}

// OrderCancel resolves Mutation.orderCancel.
func (m mutations) OrderCancel(ctx context.Context, id string, input gen.OrderCancelInput) (*gen.OrderPayload, error) {
	if identity.From(ctx).Anonymous() {
		return nil, errAnonymous
	}
	return orderPayload(m.s.cancel(ctx, id, input))
}

// OrderFulfil resolves Mutation.orderFulfil.
func (m mutations) OrderFulfil(ctx context.Context, id string, input gen.OrderFulfilInput) (*gen.OrderPayload, error) {
	if !identity.From(ctx).Has("orders:write") {
		return nil, subgraph.Forbidden("fulfil orders")
	}
	return orderPayload(m.s.fulfil(ctx, id, input))
}

// OrderRefund resolves Mutation.orderRefund.
func (m mutations) OrderRefund(ctx context.Context, id string, input gen.OrderRefundInput) (*gen.OrderPayload, error) {
	if !identity.From(ctx).Has("payments:refund") {
		return nil, subgraph.Forbidden("refund orders")
	}
	return orderPayload(m.s.refundPart(ctx, id, input))
}

func orderPayload(o *order, err error) (*gen.OrderPayload, error) {
	refused, err := userErrors(err)
	if err != nil {
		return nil, err
	}
	payload := &gen.OrderPayload{UserErrors: refused}
	if o != nil {
		payload.Order = o.present()
	}
	return payload, nil
}
