package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"strings"
	"testing"

	"github.com/agora-supergraph/agora/router/playground"
)

// customers are operations of Ada's that between them read every field a customer may read; $id is that of an order,
// $product and $variant those of what was ordered.
var customers = []string{
	`query { me { __typename id email displayName createdAt roles sessions { id current userAgent } addresses(first: 1) { totalCount pageInfo { hasNextPage endCursor } edges { cursor node { id name line1 line2 city postalCode countryCode isDefault } } } paymentMethods { token brand last4 expMonth expYear } } }`,
	`query { me { cart { id version updatedAt owner { id displayName } subtotal { minorUnits } shipping { amount } total { currency } lines { id quantity lineTotal { amount } variant { id sku name price { amount } availability { status maxPurchasable } product { slug inStock } } } } } }`,
	`query { me { orders(first: 2) { totalCount pageInfo { hasNextPage hasPreviousPage startCursor endCursor } edges { cursor node { number status subtotal { amount } shipping { amount } total { amount } amountDue { amount } amountCaptured { amount } payments { id status amountAuthorized { amount } refunds { id } } } } } } }`,
	`query($id: ID!) { order(id: $id) { id number placedAt updatedAt cancelReason customer { displayName email } shippingAddress { name line1 city } history { at from to actor note } lines { id quantity productName unitPrice { amount } lineTotal { amount } variant { sku weightGrams product { name category { name ancestors { slug } } } shippingEstimate(countryCode: "CH") { days cost { amount currency } } } } } }`,
	`query($id: ID!, $product: ID!) { nodes(ids: [$id, $product, "nothing"]) { __typename id ... on Order { status payments { order { number } createdAt declineCode nextAction { type } } } ... on Product { name inStock } } }`,
	`query($product: ID!) { node(id: $product) { ... on Product { description status version category { slug parent { name } products(first: 2) { totalCount edges { node { name } } } } priceRange { min { amount } max { minorUnits } } variants { options { name value } product { id } } } } }`,
	`query { products(query: "tea", first: 3, sort: { by: PRICE, reverse: true }) { totalCount facets { key label values { value label count selected } } edges { cursor score node { slug variants { sku availability { status } } } } pageInfo { hasNextPage endCursor } } }`,
	`query($id: ID!) { order(id: $id) { reservation { state } } orders(first: 1) { totalCount } }`,
	`query { product(slug: "nothing of this kind") { name } variant(sku: "nothing") { id } category(slug: "tea") { name children { name } } products(first: 101) { totalCount } }`,
	`query { __schema { queryType { name } types { kind name fields { name type { name } } } } __typename }`,
	`query { again: me { id } me { id ... on User { displayName } } ... on Query { me { email } } }`,
}

// staff are operations that only staff may send.
var staff = []string{
	`query($id: ID!) { order(id: $id) { customer { id email roles } reservation { id state expiresAt lines { quantity variant { sku stockLevel { onHand reserved available sold version } } } } payments { events { type amount { amount } } } } reservation(orderId: $id) { order { number status } } }`,
	`query { orders(first: 2, filter: { statuses: [CONFIRMED, REJECTED] }) { totalCount edges { node { status customer { displayName } payments { status declineCode } } } } }`,
}

// volatile is what is another at each time it is asked for.
var volatile = regexp.MustCompile(`"(asOf|lastSeenAt)":"[^"]*"`)

// observer sends the same operations to each program it is shown.
type observer struct {
	variables map[string]any
	tabs      []playground.Tab
}

// see are the bytes of all answers of a program, by operation.
func (o observer) see(p *program) map[string]string {
	p.Helper()
	seen := map[string]string{}
	ask := func(who string, c client, query string, variables map[string]any) {
		body, err := c.raw(query, variables)
		if err != nil {
			p.Fatal(err)
		}
		seen[who+": "+query] = volatile.ReplaceAllString(body, `"$1":""`)
	}
	nobody := client{program: p}
	ada, sam := nobody.login(accounts[0].email, accounts[0].password), p.staff()
	for _, query := range customers {
		if strings.Contains(query, "sessions") { // each login makes one
			query = strings.Replace(query, "sessions { id current userAgent }", "", 1)
		}
		ask("nobody", nobody, query, o.variables)
		ask("customer", ada, query, o.variables)
	}
	for _, query := range staff {
		ask("staff", sam, query, o.variables)
		ask("customer", ada, query, o.variables)
	}
	for _, tab := range o.tabs {
		var variables map[string]any
		json.Unmarshal([]byte(tab.Variables), &variables)
		if strings.Contains(tab.Query, "\nquery ") {
			ask("customer", ada, tab.Query, variables)
		}
	}
	return seen
}

// raw sends an operation and returns the response as it comes, with the status.
func (c client) raw(query string, variables map[string]any) (string, error) {
	body, err := json.Marshal(map[string]any{"query": query, "variables": variables})
	if err != nil {
		return "", err
	}
	req, err := http.NewRequest(http.MethodPost, c.url+"/graphql", bytes.NewReader(body))
	if err != nil {
		return "", err
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Accept", "application/graphql-response+json")
	if c.token != "" {
		req.Header.Set("Authorization", "Bearer "+c.token)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return "", err
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(resp.Body)
	return fmt.Sprintf("%d %s", resp.StatusCode, answer), err
}

// trade makes the shop's first account somebody who has bought: paid, declined, and with something in the cart.
func trade(p *program) (variables map[string]any) {
	p.Helper()
	ada := client{program: p}.login(accounts[0].email, accounts[0].password)
	variant, sku, _ := p.variantWith(50)
	address := text(ada.do(`{ me { addresses(first: 1) { edges { node { id } } } } }`, nil), "me.addresses.edges.0.node.id")
	total := number(ada.do(addQuery, map[string]any{"v": variant, "n": 2}), "cartLinesAdd.cart.total.minorUnits")
	for _, card := range []string{"tok_decline", "tok_ok"} {
		order := ada.do(createQuery, map[string]any{"i": map[string]any{
			"lines": []any{map[string]any{"variantId": variant, "quantity": 2}}, "addressId": address, "paymentMethodToken": card,
			"expectedTotalMinorUnits": total, "idempotencyKey": card, "waitMs": 20000,
		}})
		variables = map[string]any{"id": text(order, "orderCreate.order.id"), "variant": variant}
	}
	product := ada.do(`query($s: String!) { variant(sku: $s) { product { id } } }`, map[string]any{"s": sku})
	variables["product"] = text(product, "variant.product.id")
	return variables
}

// offered are the tabs of a program's Playground, as the page has them.
func offered(p *program) []playground.Tab {
	p.Helper()
	resp, err := http.Get(p.url + "/playground/")
	if err != nil {
		p.Fatal(err)
	}
	defer resp.Body.Close()
	page, err := io.ReadAll(resp.Body)
	if err != nil {
		p.Fatal(err)
	}
	_, after, _ := strings.Cut(string(page), `<script id="config" type="application/json">`)
	block, _, _ := strings.Cut(after, "</script>")
	var config struct{ Tabs []playground.Tab }
	if err := json.Unmarshal([]byte(block), &config); err != nil || len(config.Tabs) == 0 {
		p.Fatalf("tabs of the page: %v in %q", err, block)
	}
	return config.Tabs
}

func TestOneProcessOrManyTheSameOperationGivesTheSameBytes(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	p := start(t, folder)
	o := observer{trade(p), offered(p)}
	inProcess := o.see(p)
	p.interrupt()

	p = startCommand(t, nil, binary, "dev", "--listen", "127.0.0.1:0", "--data", folder, "--http", "all")
	for mode, seen := range map[string]map[string]string{"--http all": o.see(p), "router serve": o.see(routerBefore(t, p, nil))} {
		for _, operation := range names(inProcess) {
			if got, want := seen[operation], inProcess[operation]; got != want {
				t.Errorf("%s: %s\n got %s\nwant %s", mode, operation, got, want)
			}
		}
	}
	for _, operation := range names(inProcess) {
		if strings.HasPrefix(operation, "staff") && !strings.Contains(inProcess[operation], `{"data":`) {
			t.Errorf("%s\nis answered by %s", operation, inProcess[operation])
		}
	}
}
