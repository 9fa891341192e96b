package main

import (
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// buyer is a client with an account and an address.
type buyer struct {
	client
	address string
}

const (
	registerQuery = `mutation($e: String!) { register(input: {email: $e, password: "correct-horse-battery", displayName: "A Buyer"}) { user { id } userErrors { code message } } }`
	loginQuery    = `mutation($e: String!, $p: String!) { login(input: {email: $e, password: $p}) { tokens { accessToken refreshToken } userErrors { code message } } }`
	addressQuery  = `mutation { addressCreate(input: {name: "A Buyer", line1: "Marktplatz 1", city: "Jena", postalCode: "07743", countryCode: "DE", isDefault: true}) { address { id } userErrors { code message } } }`
	addQuery      = `mutation($v: ID!, $n: Int!) { cartLinesAdd(input: {lines: [{variantId: $v, quantity: $n}]}) { cart { id total { minorUnits } lines { quantity lineTotal { minorUnits } } } userErrors { code message available variant { id } } } }`
	checkoutQuery = `mutation($i: CheckoutInput!) { checkout(input: $i) { order { id number status cancelReason total { minorUnits } lines { quantity } payments { status declineCode } } userErrors { code message field available } } }`
	createQuery   = `mutation($i: OrderCreateInput!) { orderCreate(input: $i) { order { id number status cancelReason total { minorUnits } } userErrors { code message field available } } }`
	stockQuery    = `query($sku: String!) { variant(sku: $sku) { id price { minorUnits } availability { status maxPurchasable } stockLevel { onHand reserved available sold } } }`
)

func (c client) login(email, password string) client {
	c.Helper()
	data := c.do(loginQuery, map[string]any{"e": email, "p": password})
	c.token = text(data, "login.tokens.accessToken")
	if c.token == "" {
		c.Fatalf("login of %s: %v", email, data)
	}
	return c
}

func (p *program) staff() client {
	return client{program: p}.login(accounts[1].email, accounts[1].password)
}

var buyers atomic.Int64

// newBuyer registers somebody, logs in, and has an address.
func (p *program) newBuyer() buyer {
	p.Helper()
	c := client{program: p}
	email := fmt.Sprintf("buyer%d-%d@agora.example", time.Now().UnixNano(), buyers.Add(1))
	if data := c.do(registerQuery, map[string]any{"e": email}); text(data, "register.user.id") == "" {
		p.Fatalf("register: %v", data)
	}
	c = c.login(email, "correct-horse-battery")
	return buyer{c, text(c.do(addressQuery, nil), "addressCreate.address.id")}
}

// variantWith is a variant with exactly some units of stock, that staff has made for this test.
func (p *program) variantWith(units int) (id, sku string, price int) {
	p.Helper()
	staff := p.staff()
	sku = fmt.Sprintf("TEST-%d-%d", time.Now().UnixNano(), buyers.Add(1))
	category := text(staff.do(`{ categories { id children { id } } }`, nil), "categories.0.children.0.id")
	data := staff.do(`mutation($i: ProductCreateInput!) { productCreate(input: $i) { product { id status variants { id sku } } userErrors { code message field } } }`,
		map[string]any{"i": map[string]any{
			"name": "Test product " + sku, "description": "Made for a test.", "categoryId": category, "idempotencyKey": sku,
			"variants": []any{map[string]any{"sku": sku, "name": "One size", "price": map[string]any{"minorUnits": 2500, "currency": "EUR"}, "options": []any{}, "weightGrams": 500}},
		}})
	id = text(data, "productCreate.product.variants.0.id")
	if id == "" {
		p.Fatalf("productCreate: %v", data)
	}
	staff.do(`mutation($id: ID!) { productUpdate(id: $id, input: {status: ACTIVE}) { userErrors { code message } } }`, map[string]any{"id": text(data, "productCreate.product.id")})
	for try := 0; ; try++ { // inventory hears of the variant by an event
		data = staff.do(`mutation($i: StockAdjustInput!) { stockAdjust(input: $i) { userErrors { code message } } }`, map[string]any{"i": map[string]any{
			"changes": []any{map[string]any{"variantId": id, "delta": units}}, "reason": "RECEIVED", "idempotencyKey": fmt.Sprint(sku, try),
		}})
		if at(data, "stockAdjust.userErrors.0") == nil {
			return id, sku, 2500
		}
		if try == 1500 {
			p.Fatalf("stockAdjust: %v", data)
		}
		time.Sleep(100 * time.Millisecond)
	}
}

func TestABuyerGoesFromRegistrationToAConfirmedOrder(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	p := start(t, folder)
	journey(t, p)
	if status := p.interrupt(); status != 0 {
		t.Errorf("exit status %d on an interrupt\n%s", status, p.output)
	}
	auditFolder(t, folder)
}

// journey is that of a buyer, from registration to a confirmed order.
func journey(t *testing.T, p *program) {
	t.Helper()
	variant, sku, _ := p.variantWith(10)
	b := p.newBuyer()

	found := b.do(`query($q: String!) { products(query: $q, first: 5) { edges { node { slug variants { id } } } } }`, map[string]any{"q": sku})
	slug := text(found, "products.edges.0.node.slug")
	if text(found, "products.edges.0.node.variants.0.id") != variant {
		t.Fatalf("search for %s: %v", sku, found)
	}
	page := b.do(`query($s: String!) { product(slug: $s) { name inStock variants { id price { amount currency } availability { status maxPurchasable } shippingEstimate(countryCode: "DE") { days cost { amount } } } } }`, map[string]any{"s": slug})
	if at(page, "product.inStock") != true || number(page, "product.variants.0.availability.maxPurchasable") != 10 {
		t.Errorf("product page: %v", page)
	}

	cart := b.do(addQuery, map[string]any{"v": variant, "n": 3})
	if number(cart, "cartLinesAdd.cart.lines.0.lineTotal.minorUnits") != 7500 {
		t.Errorf("cart: %v", cart)
	}
	input := map[string]any{
		"cartId": text(cart, "cartLinesAdd.cart.id"), "addressId": b.address, "paymentMethodToken": "tok_ok",
		"expectedTotalMinorUnits": number(cart, "cartLinesAdd.cart.total.minorUnits"), "idempotencyKey": "first", "waitMs": 20000,
	}
	placed := b.do(checkoutQuery, map[string]any{"i": input})
	order := text(placed, "checkout.order.id")
	if text(placed, "checkout.order.status") != "CONFIRMED" {
		t.Fatalf("checkout: %v", placed)
	}

	if again := b.do(checkoutQuery, map[string]any{"i": input}); text(again, "checkout.order.id") != order {
		t.Errorf("the same key again: %v, want order %s", again, order)
	}
	stock := p.staff().do(stockQuery, map[string]any{"sku": sku})
	if number(stock, "variant.stockLevel.onHand") != 7 || number(stock, "variant.stockLevel.sold") != 3 || number(stock, "variant.stockLevel.reserved") != 0 {
		t.Errorf("stock after the order: %v", stock)
	}
	mine := b.do(`{ me { email orders { totalCount edges { node { id number status amountDue { minorUnits } lines { quantity variant { sku product { name } availability { maxPurchasable } } } payments { status amountCaptured { minorUnits } } } } } } }`, nil)
	node := "me.orders.edges.0.node."
	if number(mine, "me.orders.totalCount") != 1 || text(mine, node+"status") != "CONFIRMED" || number(mine, node+"lines.0.variant.availability.maxPurchasable") != 7 ||
		text(mine, node+"payments.0.status") != "CAPTURED" || number(mine, node+"amountDue.minorUnits") != 0 || at(mine, node+"lines.0.variant.product.name") == nil {
		t.Errorf("me: %v", mine)
	}

	stranger := p.newBuyer()
	if seen := stranger.do(`query($id: ID!) { order(id: $id) { number } node(id: $id) { __typename id } }`, map[string]any{"id": order}); at(seen, "order") != nil {
		t.Errorf("a stranger sees the order: %v", seen)
	}
	if seen, err := (client{program: p}).send(`query($id: ID!) { order(id: $id) { number } }`, map[string]any{"id": order}); err != nil || at(seen.Data, "order") != nil || len(seen.Errors) == 0 {
		t.Errorf("nobody sees the order: %v %v", seen, err)
	}
}

func TestWhatCantBeBoughtIsRefusedAndUndone(t *testing.T) {
	t.Parallel()
	p := shared(t)
	variant, sku, price := p.variantWith(4)
	b := p.newBuyer()
	buy := func(quantity int, card, key string, expected int) map[string]any {
		return b.do(createQuery, map[string]any{"i": map[string]any{
			"lines": []any{map[string]any{"variantId": variant, "quantity": quantity}}, "addressId": b.address, "paymentMethodToken": card,
			"expectedTotalMinorUnits": expected, "idempotencyKey": key, "waitMs": 20000,
		}})
	}
	total := func(quantity int) int { // what a cart of the same says
		cart := p.newBuyer().do(addQuery, map[string]any{"v": variant, "n": quantity})
		return number(cart, "cartLinesAdd.cart.total.minorUnits")
	}

	declined := buy(2, "tok_decline", "declined", total(2))
	if text(declined, "orderCreate.order.status") != "REJECTED" || text(declined, "orderCreate.order.cancelReason") != "PAYMENT_DECLINED" {
		t.Errorf("a declined card: %v", declined)
	}
	many := buy(5, "tok_ok", "many", 5*price)
	if text(many, "orderCreate.userErrors.0.code") != "INSUFFICIENT_STOCK" || number(many, "orderCreate.userErrors.0.available") != 4 {
		t.Errorf("more than there are: %v", many)
	}
	if cheap := buy(1, "tok_ok", "cheap", 1); text(cheap, "orderCreate.userErrors.0.code") != "PRICE_CHANGED" {
		t.Errorf("another price: %v", cheap)
	}
	stock := p.staff().do(stockQuery, map[string]any{"sku": sku})
	if number(stock, "variant.stockLevel.available") != 4 || number(stock, "variant.stockLevel.sold") != 0 {
		t.Errorf("stock after the refusals: %v", stock)
	}
}

func TestAThousandBuyersGetExactlyTheLastHundredUnits(t *testing.T) {
	if testing.Short() {
		t.Skip("takes a minute")
	}
	folder := t.TempDir()
	p := start(t, folder)
	variant, sku, _ := p.variantWith(100)
	// Ten accounts place a hundred orders each: hashing a thousand passwords is another test.
	people := make([]buyer, 10)
	for i := range people {
		people[i] = p.newBuyer()
	}
	total := number(people[0].do(addQuery, map[string]any{"v": variant, "n": 1}), "cartLinesAdd.cart.total.minorUnits")
	var outcomes sync.Map
	count := func(outcome string) {
		n, _ := outcomes.LoadOrStore(outcome, new(atomic.Int64))
		n.(*atomic.Int64).Add(1)
	}
	var wg sync.WaitGroup
	for i := range 1000 {
		wg.Go(func() {
			b := people[i%len(people)]
			data := b.settle(createQuery, map[string]any{"i": map[string]any{
				"lines": []any{map[string]any{"variantId": variant, "quantity": 1}}, "addressId": b.address, "paymentMethodToken": "tok_ok",
				"expectedTotalMinorUnits": total, "idempotencyKey": fmt.Sprint("rush ", i), "waitMs": 20000,
			}})
			if text(data, "orderCreate.order.status") == "CONFIRMED" {
				count("CONFIRMED")
			} else {
				count(text(data, "orderCreate.userErrors.0.code"))
			}
		})
	}
	wg.Wait()
	got := map[string]int64{}
	outcomes.Range(func(outcome, n any) bool {
		got[outcome.(string)] = n.(*atomic.Int64).Load()
		return true
	})
	if got["CONFIRMED"] != 100 || got["INSUFFICIENT_STOCK"] != 900 {
		t.Errorf("outcomes = %v, want 100 CONFIRMED and 900 INSUFFICIENT_STOCK", got)
	}
	stock := p.staff().do(stockQuery, map[string]any{"sku": sku})
	if number(stock, "variant.stockLevel.sold") != 100 || number(stock, "variant.stockLevel.onHand") != 0 || number(stock, "variant.stockLevel.reserved") != 0 {
		t.Errorf("stock after the rush: %v", stock)
	}
	auditFolder(t, folder) // while it runs
}
