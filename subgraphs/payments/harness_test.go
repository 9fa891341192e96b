package payments_test

import (
	"context"
	"crypto/ed25519"
	"encoding/json"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/google/go-cmp/cmp"

	"github.com/agora-supergraph/agora/internal/database/databasetest"
	"github.com/agora-supergraph/agora/internal/event"
	"github.com/agora-supergraph/agora/internal/id"
	"github.com/agora-supergraph/agora/internal/identity"
	"github.com/agora-supergraph/agora/internal/subgraph"
	"github.com/agora-supergraph/agora/internal/webhook"
	"github.com/agora-supergraph/agora/subgraphs/payments"
	"github.com/agora-supergraph/agora/subgraphs/payments/sandbox"
)

// bench is a payments service with its sandbox provider, asked by GraphQL.
type bench struct {
	t       *testing.T
	cfg     payments.Config
	service *payments.Service
	sandbox *sandbox.Sandbox
	// told is where the provider's webhooks arrive; remote is the provider's own server, if it has one.
	told, remote *httptest.Server
	// requests came to that, and of those the unanswered ones in time.
	requests, unanswered atomic.Int64
	// heard are the webhooks that the service has accepted, as they came.
	hearing  sync.Mutex
	heard    []heard
	provider *flaky
	server   *subgraph.Server
	clock    *clock
	key      jose.JSONWebKey
	events   chan event.Event
}

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

// flaky is a provider whose answers get lost, when a test says so.
type flaky struct {
	payments.Provider
	mu sync.Mutex
	// before and after count the coming requests that are lost on the way there, and whose answers are lost.
	before, after int
	// held is called, once, before the answer to a request is given.
	held func()
}

func (f *flaky) hold(held func()) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.held = held
}

func (f *flaky) lose(before, after int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.before, f.after = before, after
}

func (f *flaky) request(ask func() (payments.Result, error)) (payments.Result, error) {
	f.mu.Lock()
	before, after := f.before > 0, f.after > 0
	f.before, f.after = max(f.before-1, 0), max(f.after-1, 0)
	held := f.held
	f.held = nil
	f.mu.Unlock()
	if before {
		return payments.Result{}, context.DeadlineExceeded
	}
	r, err := ask()
	if held != nil {
		held()
	}
	if after {
		return payments.Result{}, context.DeadlineExceeded
	}
	return r, err
}

func (f *flaky) Authorize(ctx context.Context, a payments.Authorization) (payments.Result, error) {
	return f.request(func() (payments.Result, error) { return f.Provider.Authorize(ctx, a) })
}

func (f *flaky) Confirm(ctx context.Context, c payments.Command, result string) (payments.Result, error) {
	return f.request(func() (payments.Result, error) { return f.Provider.Confirm(ctx, c, result) })
}

func (f *flaky) Capture(ctx context.Context, c payments.Command) (payments.Result, error) {
	return f.request(func() (payments.Result, error) { return f.Provider.Capture(ctx, c) })
}

func (f *flaky) Void(ctx context.Context, c payments.Command) (payments.Result, error) {
	return f.request(func() (payments.Result, error) { return f.Provider.Void(ctx, c) })
}

func (f *flaky) Refund(ctx context.Context, c payments.Command) (payments.Result, error) {
	return f.request(func() (payments.Result, error) { return f.Provider.Refund(ctx, c) })
}

func (f *flaky) Look(ctx context.Context, reference string) (payments.State, error) {
	var st payments.State
	_, err := f.request(func() (r payments.Result, err error) {
		st, err = f.Provider.Look(ctx, reference)
		return r, err
	})
	return st, err
}

// each runs a test on both engines; when it ends, the two books must agree.
func each(t *testing.T, run func(t *testing.T, b *bench)) {
	t.Helper()
	for _, engine := range []struct {
		name   string
		open   func(testing.TB) string
		remote bool
	}{{"sqlite, provider in process", databasetest.SQLite, false}, {"postgres, provider over HTTP", databasetest.Postgres, true}} {
		t.Run(engine.name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t, engine.open(t), engine.open(t), engine.remote)
			run(t, b)
			b.compareBooks()
		})
	}
}

func newBench(t *testing.T, ownURL, providerURL string, remote bool) *bench {
	t.Helper()
	_, private, err := ed25519.GenerateKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	b := &bench{
		t: t, clock: &clock{}, events: make(chan event.Event, 1000),
		key: jose.JSONWebKey{Key: private, KeyID: "test", Algorithm: string(jose.EdDSA)},
	}
	b.told = httptest.NewServer(http.HandlerFunc(b.hear))
	t.Cleanup(b.told.Close)
	b.provider = &flaky{Provider: b.openSandbox(sandbox.Config{Database: providerURL}, remote)}
	b.cfg = payments.Config{
		Database: ownURL, Provider: b.provider, ProviderTimeout: time.Second, SweepInterval: 10 * time.Millisecond,
		Webhooks: webhook.Config{Key: secret, Private: true, Schedule: []time.Duration{time.Millisecond, time.Millisecond}, Interval: 10 * time.Millisecond},
		Now:      b.clock.now, Log: slog.New(slog.DiscardHandler),
	}
	b.start()
	return b
}

// webhookSecret is what the provider signs with.
var webhookSecret = webhook.NewSecret()

// openSandbox opens the provider, in this process or behind a server of its own.
func (b *bench) openSandbox(cfg sandbox.Config, remote bool) payments.Provider {
	b.t.Helper()
	b.remote = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b.sandbox.Handler().ServeHTTP(w, r)
		b.requests.Add(1)
		if r.Context().Err() != nil { // whoever asked has given up
			b.unanswered.Add(1)
		}
	}))
	b.t.Cleanup(b.remote.Close)
	cfg.URL, cfg.APIKey, cfg.Webhook, cfg.WebhookSecret = b.remote.URL, "sk_test", b.told.URL, webhookSecret
	cfg.Slow, cfg.Settle, cfg.Disorder = 10*time.Millisecond, 300*time.Millisecond, 20*time.Millisecond
	cfg.Retry = []time.Duration{50 * time.Millisecond, 100 * time.Millisecond, 200 * time.Millisecond, 400 * time.Millisecond, time.Second}
	cfg.Now, cfg.Log = b.clock.now, slog.New(slog.DiscardHandler)
	var err error
	if b.sandbox, err = sandbox.New(b.t.Context(), cfg); err != nil {
		b.t.Fatal(err)
	}
	b.t.Cleanup(func() { b.sandbox.Close() })
	if !remote {
		return b.sandbox
	}
	return &sandbox.Client{URL: b.remote.URL, APIKey: "sk_test", WebhookSecrets: []string{webhookSecret}}
}

// start opens the service, as after a crash if it was open before.
func (b *bench) start() {
	b.t.Helper()
	service, err := payments.New(b.t.Context(), b.cfg)
	if err != nil {
		b.t.Fatal(err)
	}
	b.t.Cleanup(func() { service.Close() })
	public := b.key.Public()
	b.service = service
	b.server = subgraph.New(subgraph.Config{
		Name: "payments", Schema: service.Schema(), Log: b.cfg.Log,
		Verifier: &identity.Verifier{Secret: secret, Keys: func(context.Context) (*jose.JSONWebKeySet, error) {
			return &jose.JSONWebKeySet{Keys: []jose.JSONWebKey{public}}, nil
		}},
	})
}

// run runs the service in the background until the returned function is called.
func (b *bench) run() (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	bus := &event.Local{Log: b.cfg.Log}
	bus.Subscribe("test", []string{payments.Source}, func(_ context.Context, d event.Delivery) error {
		b.events <- d.Event
		return nil
	})
	b.service.Subscribe(bus)
	done := make(chan error, 2)
	go func() { done <- b.service.Run(ctx, bus) }()
	go func() { done <- b.sandbox.Run(ctx) }()
	return func() {
		cancel()
		for range 2 {
			if err := <-done; err != nil {
				b.t.Errorf("Run: %v", err)
			}
		}
	}
}

// caller is a token to send.
type caller string

func (b *bench) as(scopes ...string) caller {
	b.t.Helper()
	token, err := identity.ServiceToken(secret, "test", scopes...)
	if err != nil {
		b.t.Fatal(err)
	}
	return caller(token)
}

func (b *bench) user(userID string) caller {
	b.t.Helper()
	token, err := identity.AccessToken(b.key, "jti", userID, "ses", time.Now(), time.Hour, nil)
	if err != nil {
		b.t.Fatal(err)
	}
	return caller(token)
}

// ask sends an operation and returns the JSON of the response.
func (b *bench) ask(who caller, query string, variables map[string]any) string {
	raw, err := json.Marshal(variables)
	if err != nil {
		b.t.Fatal(err)
	}
	return string(b.server.Serve(context.Background(), &subgraph.Request{
		Query: query, Variables: raw, Header: http.Header{"Authorization": {"Bearer " + string(who)}},
	}))
}

// shown is what the tests look at of a payload.
type shown struct {
	Payment *struct {
		ID, Status     string
		DeclineCode    string
		AmountCaptured struct{ MinorUnits int64 }
		AmountRefunded struct{ MinorUnits int64 }
		NextAction     *struct{ Type, RedirectURL string }
	}
	Refund     *struct{ ID, Status string }
	UserErrors []struct{ Code, Message string }
}

// code is the code of the first user error, or "".
func (s shown) code() string {
	if len(s.UserErrors) == 0 {
		return ""
	}
	return s.UserErrors[0].Code
}

func (s shown) status() string {
	if s.Payment == nil {
		return ""
	}
	return s.Payment.Status
}

const fields = `payment { id status declineCode amountCaptured { minorUnits } amountRefunded { minorUnits } nextAction { type redirectUrl } } userErrors { code message }`

// mutate runs a mutation whose payload is shown, as the checkout would.
func (b *bench) mutate(field, arguments string, input map[string]any) shown {
	b.t.Helper()
	return b.mutateAs(b.as("payments:write", "payments:read", "payments:refund"), field, arguments, input)
}

func (b *bench) mutateAs(who caller, field, arguments string, input map[string]any) shown {
	b.t.Helper()
	typ := strings.ToUpper(field[:1]) + field[1:] + "Input"
	switch field {
	case "paymentAuthorize":
		typ = "PaymentProcessInput"
	case "paymentCapture", "paymentVoid":
		typ = "PaymentCommandInput"
	}
	selection := fields
	if field == "refundCreate" {
		selection = "refund { id status } " + fields
	}
	answer := b.ask(who, `mutation ($input: `+typ+`!) { result: `+field+`(`+arguments+`input: $input) { `+selection+` } }`, map[string]any{"input": input})
	var response struct {
		Data   struct{ Result *shown }
		Errors []struct{ Message string }
	}
	if err := json.Unmarshal([]byte(answer), &response); err != nil || response.Data.Result == nil || len(response.Errors) > 0 {
		b.t.Fatalf("%s answered %s", field, answer)
	}
	return *response.Data.Result
}

// authorize authorises 2100 EUR cents for a new order.
func (b *bench) authorize(token string) shown {
	b.t.Helper()
	orderID := id.New(id.Order)
	return b.mutate("paymentAuthorize", "", payment(orderID, token, "order:"+orderID+":authorize"))
}

var buyer = id.New(id.User)

func payment(orderID, token, key string) map[string]any {
	return map[string]any{
		"orderId": orderID, "userId": buyer, "amountMinorUnits": 2100, "currency": "EUR", "paymentMethodToken": token, "idempotencyKey": key,
	}
}

func (b *bench) command(field, paymentID, key string) shown {
	b.t.Helper()
	return b.mutate(field, "", map[string]any{"paymentId": paymentID, "idempotencyKey": key})
}

// compareBooks checks that the ledger adds up and says what the provider's book says.
func (b *bench) compareBooks() {
	b.t.Helper()
	ours, err := b.service.Balances(context.Background())
	if err != nil {
		b.t.Fatal(err)
	}
	theirs, err := b.sandbox.Book(context.Background())
	if err != nil {
		b.t.Fatal(err)
	}
	if diff := cmp.Diff(holding(theirs), holding(ours)); diff != "" {
		b.t.Errorf("the books disagree (-provider +ours):\n%s", diff)
	}
	for _, balance := range ours {
		if balance.Imbalance != 0 {
			b.t.Errorf("the ledger of %s does not add up: %d", balance.OrderID, balance.Imbalance)
		}
	}
}

// holding leaves out the orders for which nothing is held or taken.
func holding(all []payments.Balance) []payments.Balance {
	var some []payments.Balance
	for _, b := range all {
		if b.Authorized != 0 || b.Captured != 0 {
			b.Imbalance = 0
			some = append(some, b)
		}
	}
	return some
}

// eventually waits until a condition holds.
func eventually(t *testing.T, what string, holds func() bool) {
	t.Helper()
	for deadline := time.Now().Add(10 * time.Second); !holds(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("not within 10 s: %s", what)
		}
	}
}
