package main

import (
	"bufio"
	"cmp"
	"context"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"
	"github.com/coder/websocket/wsjson"
)

// routerBefore starts `router serve` before the subgraphs that a shop serves over HTTP; elsewhere are the URLs of
// those that are to be looked for in another place.
func routerBefore(t *testing.T, p *program, elsewhere map[string]string) *program {
	t.Helper()
	var config strings.Builder
	fmt.Fprintf(&config, "headers: { all: { request: [{ propagate: Authorization }, { propagate: User-Agent }, { insert: X-Client-Address, from: client.address }] } }\nintrospection: true\nall_subgraphs: { subscriptions: { protocol: sse } }\njwt:\n  issuers:\n    - { issuer: agora/users, audience: agora, jwks_url: %q }\nsubgraphs:\n", p.url+"/.well-known/jwks.json")
	for _, name := range names(ports) {
		found := regexp.MustCompile(`(?m)^  ` + name + ` +(http://\S+)$`).FindStringSubmatch(p.output.String())
		if found == nil {
			t.Fatalf("the program does not say where %s is:\n%s", name, p.output)
		}
		fmt.Fprintf(&config, "  %s: { url: %q }\n", name, cmp.Or(elsewhere[name], found[1]))
	}
	file := filepath.Join(t.TempDir(), "router.yaml")
	if err := os.WriteFile(file, []byte(config.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	return startCommand(t, nil, routerBinary, "serve", "--supergraph", "../../schema/supergraph.graphql", "--listen", "127.0.0.1:0", "--config", file)
}

// overHTTP is a shop whose subgraphs are served over HTTP, with the router alone before them.
func overHTTP(t *testing.T) (shop, router *program) {
	t.Helper()
	shop = startCommand(t, nil, binary, "dev", "--listen", "127.0.0.1:0", "--data", t.TempDir(), "--http", "all")
	return shop, routerBefore(t, shop, nil)
}

// waiting is an order of a signed-in account that waits for the bank, and its payment. The account's cart is empty
// before.
func waiting(c client, variant string) (order, payment string) {
	c.Helper()
	address := text(c.do(`{ me { addresses(first: 1) { edges { node { id } } } } }`, nil), "me.addresses.edges.0.node.id")
	total := number(c.do(addQuery, map[string]any{"v": variant, "n": 1}), "cartLinesAdd.cart.total.minorUnits")
	key := fmt.Sprint("waiting ", buyers.Add(1))
	placed := c.do(createQuery, map[string]any{"i": map[string]any{
		"lines": []any{map[string]any{"variantId": variant, "quantity": 1}}, "addressId": address, "paymentMethodToken": "tok_3ds_ok",
		"expectedTotalMinorUnits": total, "idempotencyKey": key, "waitMs": 20000,
	}})
	order = text(placed, "orderCreate.order.id")
	found := c.do(`query($id: ID!) { order(id: $id) { status payments { id } } }`, map[string]any{"id": order})
	if text(found, "order.status") != "ACTION_REQUIRED" {
		c.Fatalf("order with a card that asks: %v", found)
	}
	return order, text(found, "order.payments.0.id")
}

const (
	confirmQuery = `mutation($id: ID!, $key: String!) { paymentActionConfirm(paymentId: $id, input: {result: "succeeded", idempotencyKey: $key}) { payment { status } userErrors { code message } } }`
	watchQuery   = `subscription($id: ID!) { orderUpdated(id: $id) { id status customer { displayName } lines { variant { sku } } payments { status } } }`
)

func TestTheRouterAloneServesTheShopOverHTTP(t *testing.T) {
	t.Parallel()
	shop, router := overHTTP(t)
	for _, page := range []string{"/health/live", "/health/ready"} {
		if resp, err := http.Get(router.url + page); err != nil || resp.StatusCode != http.StatusOK {
			t.Errorf("%s: %v %v", page, resp, err)
		}
	}
	variant, _, _ := shop.variantWith(10)
	for name, subscribe := range map[string]func(*testing.T, client, string) func() string{
		"server-sent events": serverSentEvents, "graphql-transport-ws": transportWS,
	} {
		b := router.newBuyer()
		order, payment := waiting(b.client, variant)
		t.Run("a subscription over "+name, func(t *testing.T) { watch(t, b.client, subscribe(t, b.client, order), payment) })
	}
	if status := router.interrupt(); status != 0 {
		t.Errorf("exit status %d\n%s", status, router.output)
	}
}

// watch reads the events of an order that waits, confirms its payment after the first, and reads on until the order
// is confirmed.
func watch(t *testing.T, c client, next func() string, payment string) {
	t.Helper()
	if first := next(); !strings.Contains(first, `"status":"ACTION_REQUIRED"`) || !strings.Contains(first, `"displayName":"A Buyer"`) {
		t.Errorf("first event: %s", first)
	}
	if confirmed := c.do(confirmQuery, map[string]any{"id": payment, "key": payment}); at(confirmed, "paymentActionConfirm.userErrors.0") != nil {
		t.Fatalf("confirm: %v", confirmed)
	}
	for {
		event := next()
		if event == "" || strings.Contains(event, `"errors"`) {
			t.Fatalf("instead of a confirmed order: %q", event)
		}
		if strings.Contains(event, `"status":"CONFIRMED"`) {
			return
		}
	}
}

// serverSentEvents subscribes by GraphQL over SSE, and returns what waits for the next event.
func serverSentEvents(t *testing.T, c client, order string) func() string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	t.Cleanup(cancel)
	variables := fmt.Sprintf(`{"id":%q}`, order)
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, c.url+"/graphql?query="+url.QueryEscape(watchQuery)+"&variables="+url.QueryEscape(variables), nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Accept", "text/event-stream")
	req.Header.Set("Authorization", "Bearer "+c.token)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { resp.Body.Close() })
	if resp.StatusCode != http.StatusOK || !strings.HasPrefix(resp.Header.Get("Content-Type"), "text/event-stream") {
		t.Fatalf("subscribe: %s %s", resp.Status, resp.Header.Get("Content-Type"))
	}
	lines := bufio.NewScanner(resp.Body)
	return func() string {
		for lines.Scan() {
			if data, ok := strings.CutPrefix(lines.Text(), "data: "); ok && data != "" {
				return data
			}
		}
		return ""
	}
}

// transportWS subscribes over a WebSocket, and returns what waits for the next event.
func transportWS(t *testing.T, c client, order string) func() string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	t.Cleanup(cancel)
	socket, _, err := websocket.Dial(ctx, c.url+"/graphql", &websocket.DialOptions{Subprotocols: []string{"graphql-transport-ws"}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { socket.CloseNow() })
	type object = map[string]any
	for _, message := range []object{
		{"type": "connection_init", "payload": object{"Authorization": "Bearer " + c.token}},
		{"type": "subscribe", "id": "1", "payload": object{"query": watchQuery, "variables": object{"id": order}}},
	} {
		if err := wsjson.Write(ctx, socket, message); err != nil {
			t.Fatal(err)
		}
	}
	return func() string {
		for {
			_, message, err := socket.Read(ctx)
			if err != nil {
				t.Error(err)
				return ""
			}
			if !strings.Contains(string(message), `"connection_ack"`) && !strings.Contains(string(message), `"type":"ping"`) {
				return string(message)
			}
		}
	}
}

// page asks all subgraphs at once.
const page = `query($id: ID!) { order(id: $id) { number status payments { status } reservation { state } lines { quantity productName variant { sku name availability { status } } } } me { displayName } node(id: $id) { id } variant(sku: "nothing") { id } }`

func TestASubgraphThatFailsTakesNothingElseAlong(t *testing.T) {
	t.Parallel()
	shop, whole := overHTTP(t)
	variant, _, _ := shop.variantWith(10)
	sam := client{program: whole}.login(accounts[1].email, accounts[1].password)
	order, _ := waiting(sam, variant)
	id := map[string]any{"id": order}
	if all := sam.do(page, id); text(all, "order.reservation.state") != "HELD" || text(all, "order.lines.0.variant.availability.status") == "" {
		t.Fatalf("with all subgraphs: %v", all)
	}
	gone, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	gone.Close()
	lies := func(answer http.HandlerFunc) string {
		server := httptest.NewServer(answer)
		t.Cleanup(server.Close)
		return server.URL
	}
	failures := map[string]string{
		"gone": "http://" + gone.Addr().String(),
		"broken": lies(func(w http.ResponseWriter, _ *http.Request) {
			http.Error(w, "<h1>Oops</h1>", http.StatusInternalServerError)
		}),
		"garbage": lies(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, `{"data":{"_entities":[{]}`) }),
		"cut off": lies(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "1000")
			fmt.Fprint(w, `{"data":{`)
		}),
	}
	// lost is what is null without a subgraph; all else must be there.
	lost := map[string]string{"payments": "order.payments", "inventory": "order.reservation", "products": "order.lines.0.variant.name", "orders": "order", "users": "me"}
	kept := map[string]string{"payments": "order.reservation.state", "inventory": "order.payments.0.status", "products": "order.lines.0.productName", "orders": "me.displayName", "users": "order.payments.0.status"}
	for _, name := range names(lost) {
		for _, failure := range names(failures) {
			t.Run(name+" is "+failure, func(t *testing.T) {
				router := routerBefore(t, shop, map[string]string{name: failures[failure]})
				got, err := (client{router, sam.token}).send(page, id)
				if err != nil {
					t.Fatal(err)
				}
				if got.status != http.StatusOK || at(got.Data, lost[name]) != nil || at(got.Data, kept[name]) == nil || len(got.Errors) == 0 {
					t.Fatalf("%d, %s is %v, %s is %v: %+v", got.status, lost[name], at(got.Data, lost[name]), kept[name], at(got.Data, kept[name]), got)
				}
				for _, e := range got.Errors {
					if e.Extensions["code"] == nil || len(e.Path) == 0 || strings.Contains(e.Message, "127.0.0.1") {
						t.Errorf("error %+v", e)
					}
				}
			})
		}
	}
}
