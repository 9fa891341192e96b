package main

import (
	"encoding/json"
	"fmt"
	"net/url"
	"strings"
	"testing"

	"github.com/agora-supergraph/agora/router/playground/browsertest"
)

// visitor is somebody with a browser on the Playground of a shop.
type visitor struct {
	*browsertest.Page
	t *testing.T
	p *program
}

// visit opens the address that the program prints.
func visit(t *testing.T, browser *browsertest.Browser, p *program) visitor {
	t.Helper()
	v := visitor{browser.Open(t, p.url+"/playground"), t, p}
	v.Wait(`document.querySelector(".graphiql-query-editor .view-lines")`)
	v.Wait(`document.querySelector(".graphiql-response .monaco-editor")`)
	v.Wait(`!document.querySelector(".graphiql-sidebar .graphiql-spin")`)
	return v
}

// signIn signs in with the form, as the first of the accounts that it offers.
func (v visitor) signIn() {
	v.t.Helper()
	v.Click(`[data-testid="sign-in"]`)
	v.Click(`[data-testid="login-form"] .accounts button`)
	v.Screenshot("sign-in")
	v.Click(`[data-testid="login-form"] button[type="submit"]`)
	v.Wait(`document.querySelector('[data-testid="badge"]')`)
	v.Wait(`!document.querySelector('[data-testid="login-form"]')`)
}

// tab opens the tab with an operation of this name.
func (v visitor) tab(operation string) {
	v.t.Helper()
	names := `[...document.querySelectorAll("[id^=graphiql-session-tab-]")]`
	v.Wait(names + `.some(tab => tab.innerText.trim() === "` + operation + `")`)
	v.Eval(names+`.find(tab => tab.innerText.trim() === "`+operation+`").click()`, nil)
	v.Wait(editor("operation") + `.includes(" ` + operation + `")`)
}

// editor is a JavaScript expression of the text in one of the editors: operation, variables or response.
func editor(name string) string {
	return `__MONACO.editor.getModels().find(model => model.uri.path.includes("` + name + `")).getValue()`
}

// set puts other variables into those that the open tab comes with.
func (v visitor) set(variables map[string]string) {
	v.t.Helper()
	var text string
	v.Eval(editor("variables"), &text)
	values := map[string]any{}
	if err := json.Unmarshal([]byte(text), &values); err != nil {
		v.t.Fatalf("variables %q: %v", text, err)
	}
	for name, value := range variables {
		values[name] = value
	}
	changed, err := json.Marshal(values)
	if err != nil {
		v.t.Fatal(err)
	}
	v.Eval(strings.TrimSuffix(editor("variables"), "getValue()")+fmt.Sprintf("setValue(%q)", changed), nil)
}

// press presses the button of the open tab and returns the data of the answer, which must not have errors.
func (v visitor) press(shot string) map[string]any {
	v.t.Helper()
	v.Eval(strings.TrimSuffix(editor("response"), "getValue()")+`setValue("")`, nil)
	v.Click(".graphiql-execute-button")
	v.Wait(`JSON.parse(` + editor("response") + `)`)
	v.Screenshot(shot)
	var text string
	v.Eval(editor("response"), &text)
	var r response
	if err := json.Unmarshal([]byte(text), &r); err != nil {
		v.t.Fatal(err)
	}
	if len(r.Errors) > 0 {
		v.t.Errorf("%s: errors: %+v", shot, r.Errors)
	}
	return r.Data
}

// left checks that nothing went wrong on the page, and that it asked nobody but the program.
func (v visitor) left() {
	v.t.Helper()
	for _, m := range v.Messages() {
		if m.Level == "error" || m.Level == "warning" {
			v.t.Errorf("console %s: %s", m.Level, m.Text)
		}
	}
	requests := v.Requests()
	for _, request := range requests {
		u, err := url.Parse(request)
		if err != nil || u.Host != strings.TrimPrefix(v.p.url, "http://") {
			v.t.Errorf("request to another host: %s", request)
		}
	}
	if len(requests) < 10 {
		v.t.Errorf("saw only %d requests: %q", len(requests), requests)
	}
}

// TestThePlayground starts one browser, and all of its visitors come to one shop.
func TestThePlayground(t *testing.T) {
	t.Parallel()
	browser, p := browsertest.Start(t), start(t, t.TempDir())
	t.Run("a stranger clicks through", func(t *testing.T) { aStrangerClicksThrough(t, visit(t, browser, p)) })
	t.Run("a newcomer registers and orders", func(t *testing.T) { aNewcomerRegistersAndOrders(t, visit(t, browser, p)) })
	t.Run("an order is watched live", func(t *testing.T) { anOrderIsWatchedLive(t, visit(t, browser, p)) })
}

func aStrangerClicksThrough(t *testing.T, v visitor) {
	if browse := v.press("browse"); text(browse, "products.edges.0.node.variants.0.availability.status") == "" {
		t.Errorf("browse: %v", browse)
	}
	v.tab("Search")
	if found := v.press("search"); number(found, "products.totalCount") == 0 {
		t.Errorf("search: %v", found)
	}

	v.signIn()
	v.tab("Order")
	order := v.press("order")
	if text(order, "orderCreate.order.status") != "CONFIRMED" {
		t.Errorf("order: %v", order)
	}
	if again := v.press("order-again"); text(again, "orderCreate.order.id") != text(order, "orderCreate.order.id") {
		t.Errorf("the same button again: %v, and before %v", again, order)
	}
	v.tab("Cart")
	if cart := v.press("cart"); number(cart, "cartLinesAdd.cart.lines.0.quantity") != 1 {
		t.Errorf("cart: %v", cart)
	}
	v.press("cart-again")
	v.tab("Checkout")
	if order := v.press("checkout"); text(order, "checkout.order.status") != "CONFIRMED" {
		t.Errorf("checkout: %v", order)
	}
	v.tab("Me")
	if me := v.press("me"); number(me, "me.orders.totalCount") != 2 {
		t.Errorf("me: %v", me)
	}
	v.left()
}

func aNewcomerRegistersAndOrders(t *testing.T, v visitor) {
	v.tab("Register")
	for _, shot := range []string{"register", "register-again"} {
		if in := v.press(shot); text(in, "login.tokens.accessToken") == "" {
			t.Errorf("%s: %v", shot, in)
		}
	}
	v.Wait(`document.querySelector('[data-testid="badge"]')`)
	v.tab("Address")
	address := text(v.press("address"), "addressCreate.address.id")
	v.tab("Order")
	v.set(map[string]string{"address": address})
	if order := v.press("order"); text(order, "orderCreate.order.status") != "CONFIRMED" {
		t.Errorf("order of the newcomer: %v", order)
	}
	v.left()
}

func anOrderIsWatchedLive(t *testing.T, v visitor) {
	v.signIn()
	v.tab("Order")
	v.set(map[string]string{"card": "tok_3ds_ok", "key": t.Name()})
	order := v.press("order")
	if text(order, "orderCreate.order.status") != "ACTION_REQUIRED" {
		t.Fatalf("order with a card that asks: %v", order)
	}
	v.tab("Watch")
	v.set(map[string]string{"order": text(order, "orderCreate.order.id")})
	if seen := v.press("watch-begin"); text(seen, "orderUpdated.status") != "ACTION_REQUIRED" {
		t.Errorf("at first: %v", seen)
	}
	// The buyer confirms elsewhere, while this page watches.
	ada := client{program: v.p}.login(accounts[0].email, accounts[0].password)
	confirm, err := examples.ReadFile("examples/10-confirm.graphql")
	if err != nil {
		t.Fatal(err)
	}
	ada.do(string(confirm), map[string]any{"payment": text(order, "orderCreate.order.payments.0.id"), "key": t.Name()})
	v.Wait(editor("response") + `.includes("CONFIRMED")`)
	v.Screenshot("watched")
	// A confirmed order may still be fulfilled or refunded: the stream goes on until it is stopped.
	v.Click(`.graphiql-execute-button[aria-label^="Stop"]`)
	v.Wait(`document.querySelector(".graphiql-execute-button").getAttribute("aria-label").startsWith("Execute")`)
	v.left()
}
