package main

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"
)

// staffEmail and staffPassword are those of staff in a shop that is seeded.
const (
	staffEmail    = "staff@agora.example"
	staffPassword = "staff-horse-battery"
)

const (
	registerQuery = `mutation($e: String!) { register(input: {email: $e, password: "correct-horse-battery", displayName: "A Buyer"}) { user { id } } }`
	loginQuery    = `mutation($e: String!, $p: String!) { login(input: {email: $e, password: $p}) { tokens { accessToken refreshToken } } }`
	refreshQuery  = `mutation($t: String!) { refreshSession(input: {refreshToken: $t}) { tokens { accessToken refreshToken } } }`
	addressQuery  = `mutation { addressCreate(input: {name: "A Buyer", line1: "Marktplatz 1", city: "Jena", postalCode: "07743", countryCode: "DE"}) { address { id } } }`
	addQuery      = `mutation($v: ID!, $n: Int!) { cartLinesAdd(input: {lines: [{variantId: $v, quantity: $n}]}) { cart { id total { minorUnits } } } }`
	orderQuery    = `mutation($i: OrderCreateInput!) { orderCreate(input: $i) { order { id status lines { id } payments { id } } userErrors { code } } }`
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

// asStaff is staff who have logged in not long ago, in the same way.
func (m *market) asStaff(ctx context.Context) client {
	m.mu.Lock()
	staff, since := m.staff, m.staffSince
	m.mu.Unlock()
	if time.Since(since) < tokenLife {
		return staff
	}
	c, err := login(context.WithoutCancel(ctx), m.url, staffEmail, staffPassword)
	if err != nil {
		return staff
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.staff, m.staffSince = c, time.Now()
	return c
}

// sent is an order that was sent, and the id by which it was acknowledged, if it was.
type sent struct {
	buyer        int
	input        map[string]any
	acknowledged string
	// undo is what staff were asked for when it was paid: to cancel it, or to give back what its line cost; or nothing.
	undo undoing
}

// market is a variant for sale, its buyers, and what they have sent.
type market struct {
	url, variant, sku string
	units, total      int
	staff             client
	buyers            []buyer
	// loggedIn is when all of them last were sure to be logged in, staffSince when staff logged in.
	loggedIn, staffSince time.Time
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
	c := client{url, text(data, "login.tokens.accessToken"), text(data, "login.tokens.refreshToken")}
	if err == nil && c.token == "" {
		err = fmt.Errorf("login of %s: %v", email, data)
	}
	return c, err
}

// openMarket makes a variant with some units, and buyers.
func openMarket(ctx context.Context, url string, units, buyers int) (*market, error) {
	m := &market{url: url, units: units, sku: newSKU(), cards: []string{"tok_ok"}}
	var err error
	if m.staff, err = login(ctx, url, staffEmail, staffPassword); err != nil {
		return nil, err
	}
	m.loggedIn, m.staffSince = time.Now(), time.Now()
	if err := m.stock(ctx); err != nil {
		return nil, err
	}
	m.buyers = make([]buyer, buyers)
	err = inParallel(registering, buyers, func(i int) (err error) {
		m.buyers[i], err = newBuyer(ctx, url, fmt.Sprintf("%s-%d@agora.example", m.sku, i))
		return err
	})
	if err := errors.Join(err, m.stayLoggedIn(ctx)); err != nil { // who came first has waited for the last
		return nil, err
	}
	data, err := m.buyers[0].send(ctx, addQuery, map[string]any{"v": m.variant, "n": 1})
	m.total = number(data, "cartLinesAdd.cart.total.minorUnits")
	return m, err
}

// registering is how many buyers register at a time: each is two passwords to hash.
const registering = 4

func newSKU() string { return fmt.Sprintf("CHAOS-%d", time.Now().UnixNano()) }

// newBuyer registers somebody who has an address.
func newBuyer(ctx context.Context, url, email string) (buyer, error) {
	if _, err := (client{url: url}).send(ctx, registerQuery, map[string]any{"e": email}); err != nil {
		return buyer{}, err
	}
	c, err := login(ctx, url, email, "correct-horse-battery")
	if err != nil {
		return buyer{}, err
	}
	data, err := c.send(ctx, addressQuery, nil)
	return buyer{c, email, text(data, "addressCreate.address.id"), time.Now()}, err
}

// inParallel calls do with 0 to n-1, width at a time, and returns all errors.
func inParallel(width, n int, do func(i int) error) error {
	slots, errs := make(chan struct{}, width), make([]error, n)
	var wg sync.WaitGroup
	for i := range n {
		slots <- struct{}{}
		wg.Go(func() {
			defer func() { <-slots }()
			errs[i] = do(i)
		})
	}
	wg.Wait()
	return errors.Join(errs...)
}

// next is another variant with units, for the same people at the same price.
func (m *market) next(ctx context.Context, units int) (*market, error) {
	other := &market{url: m.url, units: units, total: m.total, sku: newSKU(), cards: m.cards, staff: m.staff, buyers: m.buyers, loggedIn: m.loggedIn, staffSince: m.staffSince}
	if err := other.stayLoggedIn(ctx); err != nil {
		return nil, err
	}
	return other, other.stock(ctx)
}

// stayLoggedIn gets new access tokens before the old ones, which last for five minutes, are no longer good.
func (m *market) stayLoggedIn(ctx context.Context) error {
	if time.Since(m.loggedIn) < 2*time.Minute {
		return nil
	}
	m.loggedIn, m.staffSince = time.Now(), time.Now()
	return inParallel(16, len(m.buyers)+1, func(i int) error {
		if i == len(m.buyers) {
			return m.staff.refreshed(ctx)
		}
		m.buyers[i].since = time.Now()
		return m.buyers[i].refreshed(ctx)
	})
}

// refreshed goes on with the session.
func (c *client) refreshed(ctx context.Context) error {
	data, err := c.send(ctx, refreshQuery, map[string]any{"t": c.refresh})
	if token := text(data, "refreshSession.tokens.accessToken"); token != "" {
		c.token, c.refresh = token, text(data, "refreshSession.tokens.refreshToken")
		return nil
	}
	return fmt.Errorf("a session ended: %v: %w", data, err)
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
	var mu sync.Mutex
	begun := time.Now()
	broken := inParallel(16, len(m.orders), func(i int) error {
		s := m.orders[i]
		id, status, err := m.settle(ctx, s)
		mu.Lock()
		defer mu.Unlock()
		if s.acknowledged != "" {
			o.acknowledged++
			if err == nil && id != s.acknowledged { // without an answer nothing is known of it
				o.lost++
				err = errors.Join(err, fmt.Errorf("order %s was acknowledged, and its key has %q now", s.acknowledged, id))
			}
		}
		if status == "CONFIRMED" {
			o.confirmed++
		}
		return err
	})
	o.settled = time.Since(begun)
	data, err := m.asStaff(ctx).send(ctx, stockQuery, map[string]any{"s": m.sku})
	level := func(name string) int { return number(data, "variant.stockLevel."+name) }
	if err == nil && (level("sold") != m.before+o.confirmed || level("onHand") != m.units-m.before-o.confirmed || level("reserved") != 0) {
		err = fmt.Errorf("%d orders of %d units are confirmed, and the stock is %v", o.confirmed, m.units, data)
	}
	return o, errors.Join(broken, err)
}
