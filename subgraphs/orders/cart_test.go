package orders_test

import (
	"strings"
	"testing"
	"time"

	"github.com/agora-supergraph/agora/internal/id"
)

// add adds to a cart.
func (b *bench) add(who caller, input map[string]any) payload {
	b.t.Helper()
	return b.mutate(b.t, who, "cartLinesAdd(input: $input)", "CartLinesAddInput", cartFields, input)
}

// update sets the quantity of a line.
func (b *bench) update(who caller, cartID, lineID string, quantity int, version any) payload {
	b.t.Helper()
	return b.mutate(b.t, who, "cartLinesUpdate(input: $input)", "CartLinesUpdateInput", cartFields, object{
		"cartId": cartID, "lines": []any{object{"lineId": lineID, "quantity": quantity}}, "expectedVersion": version,
	})
}

func lines(variantID string, quantity int) []any {
	return []any{object{"variantId": variantID, "quantity": quantity}}
}

// fill puts units of a variant into a user's own cart and returns its id.
func (b *bench) fill(userID, variantID string, quantity int) string {
	b.t.Helper()
	got := b.add(b.user(userID), object{"lines": lines(variantID, quantity)})
	if got.Cart == nil {
		b.t.Fatalf("add to cart: %+v", got)
	}
	return got.Cart.ID
}

func checkout(cartID, userID string, total int64, token, key string) map[string]any {
	return object{
		"cartId": cartID, "addressId": addressOf(userID), "paymentMethodToken": token,
		"expectedTotalMinorUnits": total, "idempotencyKey": key, "waitMs": 20_000,
	}
}

func (b *bench) checkout(t *testing.T, userID string, input map[string]any) payload {
	t.Helper()
	return b.mutate(t, b.user(userID), "checkout(input: $input)", "CheckoutInput", orderFields, input)
}

func TestAChangeOfNoLineIsRefused(t *testing.T) {
	each(t, func(t *testing.T, b *bench) {
		userID := id.New(id.User)
		cartID := b.fill(userID, b.shop.sell(250, 100), 1)
		got := b.mutate(t, b.user(userID), "cartLinesUpdate(input: $input)", "CartLinesUpdateInput", cartFields, object{"cartId": cartID, "lines": []any{}})
		if got.code() != "INVALID_INPUT" {
			t.Errorf("answered with %+v", got)
		}
	})
}

func TestACartIsFilledChangedPricedAndCheckedOut(t *testing.T) {
	each(t, func(t *testing.T, b *bench) {
		userID := id.New(id.User)
		who := b.user(userID)
		pen, desk := b.shop.sell(250, 100), b.shop.sell(4000, 100)
		first := b.add(who, object{"lines": lines(pen, 2)})
		if first.Cart.Version != 1 || first.Cart.Owner == nil || first.Cart.Owner.ID != userID || first.Cart.Total.MinorUnits != 500+500 {
			t.Errorf("first line: %+v", first.Cart)
		}
		got := b.add(who, object{"lines": []any{object{"variantId": desk, "quantity": 1}, object{"variantId": pen, "quantity": 1}}})
		if got.Cart.ID != first.Cart.ID || got.Cart.Version != 2 || len(got.Cart.Lines) != 2 || got.Cart.Lines[0].Quantity != 3 || got.Cart.Total.MinorUnits != 4750+500 {
			t.Errorf("second line: %+v", got.Cart)
		}
		if stale := b.update(who, got.Cart.ID, got.Cart.Lines[0].ID, 1, 1); stale.code() != "VERSION_CONFLICT" {
			t.Errorf("update of an old version: %+v", stale)
		}
		got = b.update(who, got.Cart.ID, got.Cart.Lines[0].ID, 0, 2)
		if len(got.Cart.Lines) != 1 || got.Cart.Version != 3 || got.Cart.Total.MinorUnits != 4500 {
			t.Errorf("line removed: %+v", got.Cart)
		}
		if order := b.checkout(t, userID, checkout(got.Cart.ID, userID, 4500, "tok_ok", "k")); order.status() != "CONFIRMED" || order.Order.Total.MinorUnits != 4500 {
			t.Errorf("checkout: %+v", order)
		}
		if again := b.checkout(t, userID, checkout(got.Cart.ID, userID, 4500, "tok_ok", "k2")); again.code() != "EMPTY_CART" {
			t.Errorf("checkout of an empty cart: %+v", again)
		}
	})
}

func TestAnAnonymousCartBecomesTheCartOfWhoLogsIn(t *testing.T) {
	each(t, func(t *testing.T, b *bench) {
		userID := id.New(id.User)
		pen, desk := b.shop.sell(250, 100), b.shop.sell(4000, 100)
		b.fill(userID, pen, 1)
		anonymous := b.add("", object{"lines": lines(desk, 1), "idempotencyKey": "k"}).Cart
		if anonymous.Owner != nil {
			t.Errorf("an anonymous cart has an owner: %+v", anonymous)
		}
		if other := b.add("", object{"lines": lines(desk, 1), "idempotencyKey": "k"}).Cart; other.ID == anonymous.ID {
			t.Error("somebody got the cart of somebody else by using the same key")
		}
		got := b.add(b.user(userID), object{"cartId": anonymous.ID, "lines": lines(pen, 1)}).Cart
		if got.ID != anonymous.ID || got.Owner == nil || got.Owner.ID != userID || len(got.Lines) != 2 {
			t.Errorf("after login: %+v", got)
		}
		if mine := b.add(b.user(userID), object{"lines": lines(pen, 1)}).Cart; mine.ID != got.ID {
			t.Errorf("the user has another cart: %+v", mine)
		}
		query := `query ($id: ID!) { cart(id: $id) { id } }`
		for name, who := range map[string]caller{"nobody": "", "a stranger": b.user(id.New(id.User))} {
			if answer := b.ask(who, query, object{"id": got.ID}); answer != `{"data":{"cart":null}}` {
				t.Errorf("%s sees the cart: %s", name, answer)
			}
			if stolen := b.add(who, object{"cartId": got.ID, "lines": lines(pen, 1)}); stolen.code() != "NOT_FOUND" {
				t.Errorf("%s changes the cart: %+v", name, stolen)
			}
		}
	})
}

func TestACartHasLimitsAndHoldsWhatIsForSale(t *testing.T) {
	each(t, func(t *testing.T, b *bench) {
		who := b.user(id.New(id.User))
		pen := b.shop.sell(250, 1000)
		gone := b.shop.sell(250, 1000)
		b.shop.mu.Lock()
		b.shop.variants[gone].status = "ARCHIVED"
		b.shop.mu.Unlock()
		var many []any
		for range 101 {
			many = append(many, object{"variantId": pen, "quantity": 1})
		}
		for _, tt := range []struct {
			name  string
			lines []any
			code  string
			field string
		}{
			{"none", []any{}, "INVALID_INPUT", "input lines"},
			{"too many", many, "INVALID_INPUT", "input lines"},
			{"no quantity", lines(pen, 0), "INVALID_INPUT", "input lines 0 quantity"},
			{"a negative one", lines(pen, -1), "INVALID_INPUT", "input lines 0 quantity"},
			{"a great one", lines(pen, 100), "INVALID_INPUT", "input lines 0 quantity"},
			{"a great one in two", append(lines(pen, 50), lines(pen, 50)...), "INVALID_INPUT", "input lines 0"},
			{"no variant", lines(id.New(id.Variant), 1), "VARIANT_UNAVAILABLE", "input lines 0"},
			{"no id", lines("'; DROP TABLE cart; --", 1), "VARIANT_UNAVAILABLE", "input lines 0 variantId"},
			{"archived", append(lines(pen, 1), lines(gone, 1)...), "VARIANT_UNAVAILABLE", "input lines 1"},
		} {
			got := b.add(who, object{"lines": tt.lines})
			if got.code() != tt.code || got.Cart != nil || strings.Join(got.UserErrors[0].Field, " ") != tt.field {
				t.Errorf("%s: %+v", tt.name, got)
			}
		}
		cartID := b.add(who, object{"lines": lines(pen, 60)}).Cart.ID
		if got := b.add(who, object{"lines": lines(pen, 60)}); got.code() != "INVALID_INPUT" {
			t.Errorf("more than the limit by and by: %+v", got)
		}
		if got := b.update(who, cartID, id.New(id.CartLine), 1, nil); got.code() != "NOT_FOUND" {
			t.Errorf("update of a line that isn't there: %+v", got)
		}
	})
}

func TestAddingWithAKeyAddsOnce(t *testing.T) {
	each(t, func(t *testing.T, b *bench) {
		who, pen := b.user(id.New(id.User)), b.shop.sell(250, 100)
		for range 3 {
			if got := b.add(who, object{"lines": lines(pen, 2), "idempotencyKey": "k"}); got.Cart == nil || got.Cart.Lines[0].Quantity != 2 {
				t.Errorf("added with the same key: %+v", got)
			}
		}
		if got := b.add(who, object{"lines": lines(pen, 3), "idempotencyKey": "k"}); got.code() != "IDEMPOTENCY_KEY_REUSED" {
			t.Errorf("the same key for more: %+v", got)
		}
	})
}

func TestCheckoutRefusesBeforeAnythingIsWritten(t *testing.T) {
	each(t, func(t *testing.T, b *bench) {
		userID := id.New(id.User)
		scarce := b.shop.sell(6000, 1)
		cartID := b.fill(userID, scarce, 2)
		for name, tt := range map[string]struct {
			change map[string]any
			code   string
		}{
			"another total":        {object{"expectedTotalMinorUnits": 11999}, "PRICE_CHANGED"},
			"too few":              {object{}, "INSUFFICIENT_STOCK"},
			"somebody's address":   {object{"addressId": addressOf("x")}, "INVALID_INPUT"},
			"no address":           {object{"addressId": "home"}, "INVALID_INPUT"},
			"no key":               {object{"idempotencyKey": ""}, "INVALID_INPUT"},
			"a card number":        {object{"paymentMethodToken": "4242-4242-4242-4242"}, "INVALID_INPUT"},
			"a wait without end":   {object{"waitMs": 1_000_000}, "INVALID_INPUT"},
			"a cart of nobody":     {object{"cartId": id.New(id.Cart)}, "NOT_FOUND"},
			"a negative total":     {object{"expectedTotalMinorUnits": -1}, "INVALID_INPUT"},
			"a cart that is a lie": {object{"cartId": "../cart"}, "NOT_FOUND"},
		} {
			input := checkout(cartID, userID, 12000, "tok_ok", "key of "+name)
			for k, v := range tt.change {
				input[k] = v
			}
			got := b.checkout(t, userID, input)
			if got.code() != tt.code || got.Order != nil {
				t.Errorf("%s: %+v, want %s", name, got, tt.code)
			}
			if tt.code == "INSUFFICIENT_STOCK" && (*got.UserErrors[0].Available != 1 || got.UserErrors[0].Variant.ID != scarce) {
				t.Errorf("%s: %+v", name, got.UserErrors[0])
			}
		}
		if answer := b.ask("", `mutation ($input: CheckoutInput!) { checkout(input: $input) { order { id } } }`, object{"input": checkout(cartID, userID, 12000, "t", "k")}); !strings.Contains(answer, "UNAUTHENTICATED") {
			t.Errorf("checkout by nobody: %s", answer)
		}
	})
}

func TestAnonymousCartsThatNobodyComesBackToAreForgotten(t *testing.T) {
	each(t, func(t *testing.T, b *bench) {
		userID, pen := id.New(id.User), b.shop.sell(250, 100)
		owned := b.add(b.user(userID), object{"lines": lines(pen, 1)}).Cart.ID
		old := b.add("", object{"lines": lines(pen, 1)}).Cart.ID
		b.clock.turn(29 * 24 * time.Hour)
		fresh := b.add("", object{"lines": lines(pen, 1)}).Cart.ID
		b.clock.turn(2 * 24 * time.Hour)
		if err := b.service.PruneCarts(t.Context()); err != nil {
			t.Fatal(err)
		}
		for cartID, kept := range map[string]bool{owned: true, old: false, fresh: true} {
			got := b.ask(b.staff("orders:read"), `query ($id: ID!) { cart(id: $id) { id } }`, object{"id": cartID})
			if strings.Contains(got, cartID) != kept {
				t.Errorf("cart %s: %s, kept should be %v", cartID, got, kept)
			}
		}
	})
}
