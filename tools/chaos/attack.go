package main

import (
	"context"
	"errors"
	"fmt"
)

// oneKey sends an order 50 times at once, kills the shop, and sends it again.
func oneKey(ctx context.Context, cfg *config, engine string) (string, error) {
	s, err := cfg.newStand(ctx, engine, "key")
	if err != nil {
		return "", err
	}
	defer s.close(ctx)
	p, err := s.open()
	if err != nil {
		return "", err
	}
	defer func() { p.kill() }()
	m, err := openMarket(ctx, p.url, 1000, 1)
	if err != nil {
		return "", err
	}
	order := sent{input: m.input(0, "one key", 0)}
	answers := make([]string, 50)
	problems := inParallel(50, 50, func(i int) (err error) {
		answers[i], _, err = m.settle(ctx, order)
		return err
	})
	p.kill()
	if p, err = s.open(); err != nil {
		return "", err
	}
	m.moveTo(p.url)
	m.orders = []sent{order}
	again, _, err := m.settle(ctx, order)
	problems = errors.Join(problems, err)
	distinct := map[string]bool{again: true}
	for _, id := range answers {
		distinct[id] = true
	}
	if len(distinct) != 1 || again == "" {
		problems = errors.Join(problems, fmt.Errorf("one key has the answers %v", distinct))
	}
	o, err := m.check(ctx)
	_, broken := s.audit(ctx)
	return fmt.Sprintf("one key 50 times at once and after kill -9: %d orders, %d distinct answers", o.confirmed, len(distinct)), errors.Join(problems, err, broken)
}

// moveTo says that the shop has another address, after a restart.
func (m *market) moveTo(url string) {
	m.url, m.staff.url = url, url
	for i := range m.buyers {
		m.buyers[i].url = url
	}
}

const (
	checkoutQuery = `mutation($i: CheckoutInput!) { checkout(input: $i) { order { status total { minorUnits } lines { quantity } } userErrors { code } } }`
	cartQuery     = `{ me { cart { id total { minorUnits } lines { quantity } } } }`
	tries         = 200
)

// changedCarts adds to a cart while it is checked out: what is paid is what is in the order, whoever comes first.
func changedCarts(ctx context.Context, cfg *config, engine string) (string, error) {
	s, err := cfg.newStand(ctx, engine, "cart")
	if err != nil {
		return "", err
	}
	defer s.close(ctx)
	p, err := s.open()
	if err != nil {
		return "", err
	}
	defer p.kill()
	m, err := openMarket(ctx, p.url, 10*tries, 1)
	if err != nil {
		return "", err
	}
	placed, stolen := 0, 0
	for i := range tries {
		ordered, robbed, err := m.attackCart(ctx, i)
		if err != nil {
			return "", err
		}
		if ordered {
			placed++
		}
		if robbed {
			stolen++
		}
	}
	if _, err = s.audit(ctx); err == nil && stolen > 0 {
		err = fmt.Errorf("%d orders have more than was paid", stolen)
	}
	return fmt.Sprintf("a cart that changes while it is checked out, %d tries: %d orders placed, attacks that succeeded %d", tries, placed, stolen), err
}

// attackCart adds to a cart while it is checked out, and reports whether an order came of it, and whether that has more
// than was paid.
func (m *market) attackCart(ctx context.Context, i int) (ordered, robbed bool, err error) {
	b := m.buyers[0]
	cart, err := b.send(ctx, cartQuery, nil)
	if err == nil && at(cart, "me.cart.lines.0") == nil {
		if _, err = b.send(ctx, addQuery, map[string]any{"v": m.variant, "n": 1}); err == nil {
			cart, err = b.send(ctx, cartQuery, nil)
		}
	}
	if err != nil {
		return false, false, err
	}
	seen, units := number(cart, "me.cart.total.minorUnits"), number(cart, "me.cart.lines.0.quantity")
	added := make(chan error, 1)
	go func() {
		_, err := b.send(ctx, addQuery, map[string]any{"v": m.variant, "n": 1})
		added <- err
	}()
	got, err := b.send(ctx, checkoutQuery, map[string]any{"i": map[string]any{
		"cartId": text(cart, "me.cart.id"), "addressId": b.address, "paymentMethodToken": "tok_ok",
		"expectedTotalMinorUnits": seen, "idempotencyKey": fmt.Sprint("cart ", i), "waitMs": 5000,
	}})
	if err = errors.Join(err, <-added); err != nil {
		return false, false, err
	}
	ordered = text(got, "checkout.order.status") != ""
	robbed = ordered && (number(got, "checkout.order.lines.0.quantity") != units || number(got, "checkout.order.total.minorUnits") != seen)
	return ordered, robbed, nil
}
