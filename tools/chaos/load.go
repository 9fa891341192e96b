package main

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"
)

const (
	registerQuery = `mutation($e: String!) { register(input: {email: $e, password: "correct-horse-battery", displayName: "A Buyer"}) { user { id } } }`
	loginQuery    = `mutation($e: String!, $p: String!) { login(input: {email: $e, password: $p}) { tokens { accessToken } } }`
	addressQuery  = `mutation { addressCreate(input: {name: "A Buyer", line1: "Marktplatz 1", city: "Jena", postalCode: "07743", countryCode: "DE"}) { address { id } } }`
	addQuery      = `mutation($v: ID!, $n: Int!) { cartLinesAdd(input: {lines: [{variantId: $v, quantity: $n}]}) { cart { id total { minorUnits } } } }`
	orderQuery    = `mutation($i: OrderCreateInput!) { orderCreate(input: $i) { order { id status } userErrors { code } } }`
	stockQuery    = `query($s: String!) { variant(sku: $s) { stockLevel { onHand reserved sold } } }`
	createQuery   = `mutation($i: ProductCreateInput!) { productCreate(input: $i) { product { id variants { id } } userErrors { message } } }`
	activeQuery   = `mutation($id: ID!) { productUpdate(id: $id, input: {status: ACTIVE}) { userErrors { message } } }`
	pageQuery     = `query Page($product: String!) { product(slug: $product) { name variants { id price { minorUnits } availability { status } } } }`
	priceQuery    = `mutation($i: VariantPriceSetInput!) { variantPriceSet(input: $i) { variant { id } userErrors { message } } }`
	receiveQuery  = `mutation($i: StockAdjustInput!) { stockAdjust(input: $i) { userErrors { message } } }`
)

// buyer is a client with an account and an address.
type buyer struct {
	client
	email, address string
	// since is when they have logged in.
	since time.Time
}

// tokenLife is after what time buyers log in again: access tokens last for five minutes.
const tokenLife = 3 * time.Minute

// as is a buyer who has logged in not long ago. Where that does not work now, the old token has to do.
func (m *market) as(ctx context.Context, i int) client {
	m.mu.Lock()
	b := m.buyers[i]
	m.mu.Unlock()
	if time.Since(b.since) < tokenLife {
		return b.client
	}
	if c, err := login(context.WithoutCancel(ctx), b.url, b.email, "correct-horse-battery"); err == nil {
		b.client, b.since = c, time.Now()
		m.mu.Lock()
		m.buyers[i] = b
		m.mu.Unlock()
	}
	return b.client
}

// sent is an order that was sent, and the id by which it was acknowledged, if it was.
type sent struct {
	buyer        int
	input        map[string]any
	acknowledged string
}

// market is a variant for sale, its buyers, and what they have sent.
type market struct {
	url, variant, sku string
	units, total      int
	staff             client
	buyers            []buyer
	// cards are what is paid with, in turn.
	cards []string

	mu     sync.Mutex
	orders []sent
	failed int
	// before is how many units were sold before these orders.
	before int
}

// login returns a client of an account.
func login(ctx context.Context, url, email, password string) (client, error) {
	data, err := client{url: url}.send(ctx, loginQuery, map[string]any{"e": email, "p": password})
	token := text(data, "login.tokens.accessToken")
	if err == nil && token == "" {
		err = fmt.Errorf("login of %s: %v", email, data)
	}
	return client{url, token}, err
}

// openMarket makes a variant with some units, and buyers.
func openMarket(ctx context.Context, url string, units, buyers int) (*market, error) {
	m := &market{url: url, units: units, sku: fmt.Sprintf("CHAOS-%d", time.Now().UnixNano()), cards: []string{"tok_ok"}}
	var err error
	if m.staff, err = login(ctx, url, "staff@agora.example", "staff-horse-battery"); err != nil {
		return nil, err
	}
	if err := m.stock(ctx); err != nil {
		return nil, err
	}
	for i := range buyers {
		email := fmt.Sprintf("%s-%d@agora.example", m.sku, i)
		if _, err := (client{url: url}).send(ctx, registerQuery, map[string]any{"e": email}); err != nil {
			return nil, err
		}
		c, err := login(ctx, url, email, "correct-horse-battery")
		if err != nil {
			return nil, err
		}
		data, err := c.send(ctx, addressQuery, nil)
		if err != nil {
			return nil, err
		}
		m.buyers = append(m.buyers, buyer{c, email, text(data, "addressCreate.address.id"), time.Now()})
	}
	data, err := m.buyers[0].send(ctx, addQuery, map[string]any{"v": m.variant, "n": 1})
	m.total = number(data, "cartLinesAdd.cart.total.minorUnits")
	return m, err
}

// stock makes the variant.
func (m *market) stock(ctx context.Context) error {
	data, err := m.staff.send(ctx, `{ categories { children { id } } }`, nil)
	if err != nil {
		return err
	}
	data, err = m.staff.send(ctx, createQuery, map[string]any{"i": map[string]any{
		"name": m.sku, "description": "Made to be fought for.", "categoryId": text(data, "categories.0.children.0.id"), "idempotencyKey": m.sku,
		"variants": []any{map[string]any{"sku": m.sku, "name": "One size", "price": map[string]any{"minorUnits": 2500, "currency": "EUR"}, "options": []any{}, "weightGrams": 500}},
	}})
	if err != nil {
		return err
	}
	m.variant = text(data, "productCreate.product.variants.0.id")
	if _, err := m.staff.send(ctx, activeQuery, map[string]any{"id": text(data, "productCreate.product.id")}); err != nil {
		return err
	}
	for begun := time.Now(); time.Since(begun) < startTimeout; time.Sleep(100 * time.Millisecond) { // inventory hears of the variant by an event, behind those of all products
		data, err = m.staff.send(ctx, receiveQuery, map[string]any{"i": map[string]any{
			"changes": []any{map[string]any{"variantId": m.variant, "delta": m.units}}, "reason": "RECEIVED", "idempotencyKey": fmt.Sprint(m.sku, time.Now().UnixNano()),
		}})
		if err == nil && at(data, "stockAdjust.userErrors.0") == nil {
			return nil
		}
	}
	return fmt.Errorf("receive units of %s: %v %v", m.sku, data, err)
}

// input is an order of one unit.
func (m *market) input(b int, key string, n int) map[string]any {
	return map[string]any{"i": map[string]any{
		"lines": []any{map[string]any{"variantId": m.variant, "quantity": 1}}, "addressId": m.buyers[b].address, "paymentMethodToken": m.cards[n%len(m.cards)],
		"expectedTotalMinorUnits": m.total, "idempotencyKey": key, "waitMs": 50,
	}}
}

// trade has all buyers order one unit after the other until ctx ends.
func (m *market) trade(ctx context.Context) {
	var wg sync.WaitGroup
	for b := range m.buyers {
		wg.Go(func() {
			for n := 0; ctx.Err() == nil; n++ {
				s := sent{buyer: b, input: m.input(b, fmt.Sprint("load ", b, " ", n, " ", time.Now().UnixNano()), n)}
				data, err := m.as(ctx, b).send(context.WithoutCancel(ctx), orderQuery, s.input)
				s.acknowledged = text(data, "orderCreate.order.id")
				m.mu.Lock()
				m.orders = append(m.orders, s)
				if err != nil {
					m.failed++
				}
				m.mu.Unlock()
				if err != nil {
					time.Sleep(50 * time.Millisecond)
				}
			}
		})
	}
	wg.Wait()
}

// settleTimeout is how long it may take, after what was broken is whole again, until an audit is clean.
const settleTimeout = 30 * time.Second

// patience is for how long an order is asked for at most: on a busy machine all of them take long.
const patience = 5 * time.Minute

// settle sends an order again until it has come to its end, and returns its id and status.
func (m *market) settle(ctx context.Context, s sent) (id, status string, err error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	for pause := 100 * time.Millisecond; ; pause = min(2*pause, 2*time.Second) {
		data, err := m.as(ctx, s.buyer).send(ctx, orderQuery, s.input)
		code := text(data, "orderCreate.userErrors.0.code")
		id, status = text(data, "orderCreate.order.id"), text(data, "orderCreate.order.status")
		switch {
		case status == "CONFIRMED" || status == "REJECTED" || status == "CANCELLED":
			return id, status, nil
		case err == nil && code != "" && code != "IDEMPOTENCY_IN_PROGRESS":
			return "", code, nil
		}
		select {
		case <-ctx.Done():
			return id, status, fmt.Errorf("order %q is %q: %w", id, status, errors.Join(err, ctx.Err()))
		case <-time.After(pause):
		}
	}
}

// outcome is what became of all orders.
type outcome struct {
	sent, acknowledged, failed, confirmed, lost int
	settled                                     time.Duration
}

// String is the outcome in figures.
func (o outcome) String() string {
	return fmt.Sprintf("%d orders sent, %d without an answer, %d acknowledged, %d confirmed, lost %d, all settled %.1fs after", o.sent, o.failed, o.acknowledged, o.confirmed, o.lost, o.settled.Seconds())
}

// check asks for every order again, and compares stock with what was confirmed: now, and before.
func (m *market) check(ctx context.Context) (outcome, error) {
	o := outcome{sent: len(m.orders), failed: m.failed}
	var problems []error
	var mu sync.Mutex
	begun := time.Now()
	slots := make(chan struct{}, 16)
	var wg sync.WaitGroup
	for _, s := range m.orders {
		wg.Go(func() {
			slots <- struct{}{}
			defer func() { <-slots }()
			id, status, err := m.settle(ctx, s)
			mu.Lock()
			defer mu.Unlock()
			if s.acknowledged != "" {
				o.acknowledged++
				if err == nil && id != s.acknowledged {
					o.lost++
					err = errors.Join(err, fmt.Errorf("order %s was acknowledged, and its key has %q now", s.acknowledged, id))
				}
			}
			if status == "CONFIRMED" {
				o.confirmed++
			}
			problems = append(problems, err)
		})
	}
	wg.Wait()
	o.settled = time.Since(begun)
	data, err := m.staff.send(ctx, stockQuery, map[string]any{"s": m.sku})
	level := func(name string) int { return number(data, "variant.stockLevel."+name) }
	if err == nil && (level("sold") != m.before+o.confirmed || level("onHand") != m.units-m.before-o.confirmed || level("reserved") != 0) {
		err = fmt.Errorf("%d orders of %d units are confirmed, and the stock is %v", o.confirmed, m.units, data)
	}
	return o, errors.Join(append(problems, err)...)
}
