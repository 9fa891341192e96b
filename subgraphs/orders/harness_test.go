package orders_test

import (
	"context"
	"crypto/ed25519"
	"encoding/json"
	"log/slog"
	"net/http"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/agora-supergraph/agora/internal/database/databasetest"
	"github.com/agora-supergraph/agora/internal/event"
	"github.com/agora-supergraph/agora/internal/id"
	"github.com/agora-supergraph/agora/internal/identity"
	"github.com/agora-supergraph/agora/internal/subgraph"
	"github.com/agora-supergraph/agora/subgraphs/orders"
)

var secret = []byte("a secret of 32 bytes, for tests.")

// clock is a clock that tests can turn forward.
type clock struct {
	mu    sync.Mutex
	ahead time.Duration
}

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return time.Now().Add(c.ahead)
}

func (c *clock) turn(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.ahead += d
}

// bench is an orders service in a shop, asked by GraphQL.
type bench struct {
	t     *testing.T
	cfg   orders.Config
	shop  *shop
	clock *clock
	key   jose.JSONWebKey
	*replica
	// variant is what a test buys again and again.
	variant string
}

// replica is one running orders service.
type replica struct {
	service *orders.Service
	server  *subgraph.Server
	bus     *event.Local
	stop    func()
}

// each runs a test on both engines; when it ends, all books must agree.
func each(t *testing.T, run func(t *testing.T, b *bench)) {
	t.Helper()
	databasetest.Each(t, func(t *testing.T, url string) {
		t.Parallel()
		b := newBench(t, url)
		b.replica = b.start()
		run(t, b)
		b.audit()
	})
}

func newBench(t *testing.T, url string) *bench {
	t.Helper()
	_, private, err := ed25519.GenerateKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	b := &bench{t: t, clock: &clock{}, key: jose.JSONWebKey{Key: private, KeyID: "test", Algorithm: string(jose.EdDSA)}}
	b.shop = newShop(t, b.clock.now)
	transport := &http.Transport{MaxIdleConnsPerHost: 100}
	t.Cleanup(transport.CloseIdleConnections)
	client := func(scopes ...string) *subgraph.Client {
		return &subgraph.Client{Service: "orders", Scopes: scopes, Secret: secret, URL: b.shop.server.URL, HTTP: &http.Client{Transport: transport}}
	}
	b.cfg = orders.Config{
		Database: url, Users: client("users:read"), Products: client(), Inventory: client("inventory:write"),
		Payments:    client("payments:read", "payments:write", "payments:refund"),
		StepTimeout: time.Second, Lease: 1200 * time.Millisecond, WatchInterval: 20 * time.Millisecond, Retry: 20 * time.Millisecond,
		Now: b.clock.now, Log: slog.New(slog.DiscardHandler),
	}
	if os.Getenv("VERBOSE") != "" {
		b.cfg.Log = slog.Default()
	}
	return b
}

// start opens and runs a replica of the service.
func (b *bench) start() *replica {
	b.t.Helper()
	service, err := orders.New(b.t.Context(), b.cfg)
	if err != nil {
		b.t.Fatal(err)
	}
	public := b.key.Public()
	r := &replica{service: service, bus: &event.Local{Log: b.cfg.Log}}
	r.server = subgraph.New(subgraph.Config{
		Name: "orders", Schema: service.Schema(), Log: b.cfg.Log,
		Verifier: &identity.Verifier{Secret: secret, Keys: func(context.Context) (*jose.JSONWebKeySet, error) {
			return &jose.JSONWebKeySet{Keys: []jose.JSONWebKey{public}}, nil
		}},
	})
	service.Subscribe(r.bus)
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- service.Run(ctx, r.bus) }()
	r.stop = sync.OnceFunc(func() {
		cancel()
		if err := <-ended; err != nil {
			b.t.Errorf("Run: %v", err)
		}
		service.Close()
	})
	b.t.Cleanup(r.stop)
	return r
}

// caller is a token to send; empty for an anonymous request.
type caller string

func (b *bench) user(userID string) caller {
	b.t.Helper()
	token, err := identity.AccessToken(b.key, "jti", userID, "ses", time.Now(), time.Hour, nil)
	if err != nil {
		b.t.Fatal(err)
	}
	return caller(token)
}

func (b *bench) staff(scopes ...string) caller {
	b.t.Helper()
	token, err := identity.AccessToken(b.key, "jti", id.New(id.User), "ses", time.Now(), time.Hour, scopes)
	if err != nil {
		b.t.Fatal(err)
	}
	return caller(token)
}

func (c caller) header() http.Header {
	if c == "" {
		return http.Header{}
	}
	return http.Header{"Authorization": {"Bearer " + string(c)}}
}

// ask sends an operation and returns the JSON of the response.
func (b *bench) ask(who caller, query string, variables map[string]any) string {
	return b.replica.ask(b.t, who, query, variables)
}

func (r *replica) ask(t *testing.T, who caller, query string, variables map[string]any) string {
	raw, err := json.Marshal(variables)
	if err != nil {
		t.Error(err)
	}
	return string(r.server.Serve(context.Background(), &subgraph.Request{Query: query, Variables: raw, Header: who.header()}))
}

// payload is what the tests look at of a mutation's answer.
type payload struct {
	Order *struct {
		ID, Number, Status string
		CancelReason       string
		Total              struct{ MinorUnits int64 }
	}
	Cart       *cart
	UserErrors []struct {
		Code, Message string
		Field         []string
		Variant       *struct{ ID string }
		Available     *int
	}
}

type cart struct {
	ID      string
	Version int
	Owner   *struct{ ID string }
	Lines   []struct {
		ID       string
		Quantity int
		Variant  struct{ ID string }
	}
	Total *struct{ MinorUnits int64 }
}

func (p payload) code() string {
	if len(p.UserErrors) == 0 {
		return ""
	}
	return p.UserErrors[0].Code
}

func (p payload) status() string {
	if p.Order == nil {
		return ""
	}
	return p.Order.Status
}

const (
	orderFields = `order { id number status cancelReason total { minorUnits } } userErrors { code message field variant { id } available }`
	cartFields  = `cart { id version owner { id } lines { id quantity variant { id } } total { minorUnits } } userErrors { code message field variant { id } available }`
)

// mutate sends a mutation with an input and reads its payload.
func (r *replica) mutate(t *testing.T, who caller, call, inputType, fields string, input map[string]any) payload {
	t.Helper()
	answer := r.ask(t, who, `mutation ($input: `+inputType+`!) { result: `+call+` { `+fields+` } }`, map[string]any{"input": input})
	var response struct {
		Data   struct{ Result *payload }
		Errors []struct{ Message string }
	}
	if err := json.Unmarshal([]byte(answer), &response); err != nil || response.Data.Result == nil || len(response.Errors) > 0 {
		t.Errorf("%s answered %s", call, answer)
		return payload{}
	}
	return *response.Data.Result
}

// purchase is the input of orderCreate: some units of a variant at a price, with delivery.
func purchase(userID, variantID string, quantity, total int64, token, key string) map[string]any {
	return map[string]any{
		"lines": []any{object{"variantId": variantID, "quantity": quantity}}, "addressId": addressOf(userID),
		"paymentMethodToken": token, "expectedTotalMinorUnits": total, "idempotencyKey": key, "waitMs": 20_000,
	}
}

// buy orders directly.
func (r *replica) buy(t *testing.T, who caller, input map[string]any) payload {
	t.Helper()
	return r.mutate(t, who, "orderCreate(input: $input)", "OrderCreateInput", orderFields, input)
}

// one buys one unit of a new variant at 60.00, which is delivered for nothing.
func (b *bench) one(token string) payload {
	b.t.Helper()
	userID := id.New(id.User)
	return b.buy(b.t, b.user(userID), purchase(userID, b.shop.sell(6000, 5), 1, 6000, token, "key"))
}

// status reads the status of an order.
func (b *bench) status(orderID string) string {
	b.t.Helper()
	var response struct {
		Data struct{ Order *struct{ Status string } }
	}
	answer := b.ask(b.staff("orders:read"), `query ($id: ID!) { order(id: $id) { status } }`, map[string]any{"id": orderID})
	if err := json.Unmarshal([]byte(answer), &response); err != nil || response.Data.Order == nil {
		b.t.Fatalf("order answered %s", answer)
	}
	return response.Data.Order.Status
}

// history reads the statuses that an order went through.
func (b *bench) history(orderID string) []string {
	b.t.Helper()
	var response struct {
		Data struct {
			Order *struct{ History []struct{ To string } }
		}
	}
	answer := b.ask(b.staff("orders:read"), `query ($id: ID!) { order(id: $id) { history { to } } }`, map[string]any{"id": orderID})
	if err := json.Unmarshal([]byte(answer), &response); err != nil || response.Data.Order == nil {
		b.t.Fatalf("order answered %s", answer)
	}
	var statuses []string
	for _, e := range response.Data.Order.History {
		statuses = append(statuses, e.To)
	}
	return statuses
}

// publish delivers an event of another service.
func (b *bench) publish(source, typ string, sequence int64, subject string, data any) {
	b.t.Helper()
	e := event.New(typ, subject, data)
	e.Source, e.Sequence, e.Time = source, sequence, time.Now()
	if err := b.bus.Publish(context.Background(), []event.Event{e}); err != nil {
		b.t.Fatal(err)
	}
}

// eventually waits until a condition holds.
func (b *bench) eventually(what string, holds func() bool) {
	b.t.Helper()
	for deadline := time.Now().Add(30 * time.Second); !holds(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			b.t.Fatalf("not within 30 s: %s", what)
		}
	}
}

// audit waits until nothing is under way, and checks that the books of orders agree with those of the shop.
func (b *bench) audit() {
	b.t.Helper()
	var books orders.Audit
	b.eventually("every order is settled", func() bool {
		var err error
		if books, err = b.service.Audit(context.Background()); err != nil {
			b.t.Fatal(err)
		}
		return len(books.Unsettled) == 0
	})
	for _, broken := range books.Broken {
		b.t.Error(broken)
	}
	b.shop.audit(books)
}
