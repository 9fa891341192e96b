package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/agora-supergraph/agora/internal/database"
	"github.com/agora-supergraph/agora/internal/database/databasetest"
	"github.com/agora-supergraph/agora/internal/event"
	"github.com/agora-supergraph/agora/internal/event/eventtest"
)

// Every event comes 1 to 5 times and in disorder while people order, pay in every way, cancel, and are given money back, and
// while staff change stock and catalogue; at the end all of it comes once more. Where AGORA_CAMPAIGN is set that goes
// on for long, on both engines.
func TestEventsThatComeManyTimesAndInDisorderHaveOneEffect(t *testing.T) {
	t.Parallel()
	buyers, orders, engines := 6, 8, map[string]func(testing.TB) string{"sqlite": databasetest.SQLite}
	if os.Getenv("AGORA_CAMPAIGN") != "" {
		buyers, orders, engines["postgres"] = 20, 100, databasetest.Postgres
	}
	for name, open := range engines {
		t.Run(name, func(t *testing.T) {
			s := newStormy(t, open)
			s.trade(buyers, orders)
			s.rest()
			s.check()
			before := s.effects()
			replayed := s.replay()
			s.rest()
			s.check()
			if diff := cmp.Diff(before, s.effects()); diff != "" {
				t.Errorf("what there is after all %d events came once more (-before +after):\n%s", replayed, diff)
			}
			t.Logf("%d orders (%d confirmed, %d refused or undone, %d given money back), %d changes of stock, %d replayed; %v",
				s.placed.Load(), before["CONFIRMED"], before["REJECTED"]+before["CANCELLED"], before["REFUNDED"]+before["PARTIALLY_REFUNDED"], s.changes.Load(), replayed, s.bus.Weather())
		})
	}
}

// stormy is a shop in the test's process on a bus that is a storm.
type stormy struct {
	*program
	bus  *eventtest.Storm
	urls map[string]string

	variant, sku    string
	total, received int
	placed, changes atomic.Int64
	begun           time.Time

	mu       sync.Mutex
	clerk    client
	loggedIn time.Time
}

// wares are the units that are there at first: more than are ordered.
const wares = 100_000

func newStormy(t *testing.T, open func(testing.TB) string) *stormy {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	cfg := localSettings(t.TempDir(), []byte(strings.Repeat("s", minSecret)))
	cfg.linkInto(listener.Addr().String())
	s := &stormy{bus: &eventtest.Storm{Hold: 500 * time.Millisecond, Seed: rand.Uint64()}, urls: map[string]string{}}
	for name, url := range map[string]*string{
		"users": &cfg.Services.Users.Database, "products": &cfg.Services.Products.Database, "inventory": &cfg.Services.Inventory.Database,
		"orders": &cfg.Services.Orders.Database, "payments": &cfg.Services.Payments.Database, "provider": &cfg.Provider.Database,
	} {
		*url = open(t)
		s.urls[name] = *url
	}
	log := slog.New(slog.NewTextHandler(t.Output(), &slog.HandlerOptions{Level: slog.LevelError + 1}))
	own, err := openShop(t.Context(), cfg, everything, log)
	if err != nil {
		t.Fatal(err)
	}
	if own.watch, err = newWatch("agora", log); err != nil {
		t.Fatal(err)
	}
	own.bus = s.bus // and nobody publishes anything to the one that was there
	for _, each := range own.services() {
		each.Subscribe(s.bus)
	}
	ctx, stop := context.WithCancel(t.Context())
	var blowing sync.WaitGroup
	blowing.Go(func() { s.bus.Run(ctx) })
	t.Cleanup(func() { stop(); blowing.Wait() })
	s.program = hosted(t, own, listener)
	receiver := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { io.Copy(io.Discard, r.Body) }))
	t.Cleanup(receiver.Close)
	s.asStaff().do(`mutation ($i: WebhookEndpointCreateInput!) { webhookEndpointCreate(input: $i) { secret userErrors { message } } }`,
		map[string]any{"i": map[string]any{"url": receiver.URL, "eventTypes": []any{"*"}, "idempotencyKey": "w"}})
	s.variant, s.sku, _ = s.variantWith(wares)
	s.received = wares
	s.rest()
	s.bus.Begin()
	s.begun = time.Now()
	return s
}

// trade has people order, and staff go on with their work until the last of them has.
func (s *stormy) trade(buyers, orders int) {
	var people, work sync.WaitGroup
	over := make(chan struct{})
	work.Go(func() { s.adjust(over) })
	work.Go(func() { s.assort(over) })
	first := s.newBuyer()
	s.total = number(first.do(addQuery, map[string]any{"v": s.variant, "n": 1}), "cartLinesAdd.cart.total.minorUnits")
	for i := range buyers {
		people.Go(func() {
			var b buyer
			for n := range orders {
				if n%10 == 0 { // tokens live for five minutes
					b = s.newBuyer()
				}
				s.order(b, i+n*7)
			}
		})
	}
	people.Wait()
	close(over)
	work.Wait()
}

// asStaff is somebody of the staff who has logged in not long ago.
func (s *stormy) asStaff() client {
	s.mu.Lock()
	defer s.mu.Unlock()
	if time.Since(s.loggedIn) > 3*time.Minute {
		s.clerk, s.loggedIn = s.staff(), time.Now()
	}
	return s.clerk
}

// stormCards are what is paid with, in turn.
var stormCards = []string{
	"tok_ok", "tok_3ds_ok", "tok_webhook_dup", "tok_webhook_reorder", "tok_ok", "tok_webhook_only", "tok_decline", "tok_capture_fail", "tok_error_ok", "tok_ok",
}

// The ways in which money goes back: the whole order, a line of it, and a part of the payment that orders hears of by event.
const (
	stormCancel = `mutation($id: ID!, $key: String!) { orderCancel(id: $id, input: {reason: STAFF, idempotencyKey: $key}) { order { status } userErrors { code message } } }`
	stormGive   = `mutation($id: ID!, $line: ID!, $key: String!) { orderRefund(id: $id, input: {lines: [{lineId: $line, quantity: 1, restock: true}], idempotencyKey: $key}) { order { status } userErrors { code message } } }`
	stormRefund = `mutation($id: ID!, $key: String!) { refundCreate(input: {paymentId: $id, amountMinorUnits: 100, idempotencyKey: $key}) { userErrors { code message } } }`
	stormOrder  = `query($id: ID!) { order(id: $id) { id status lines { id } payments { id } } }`
)

// order is the n-th order of a buyer, and what comes of it. A cancellation may come at any moment, also before the pivot.
func (s *stormy) order(b buyer, n int) {
	card, wait := stormCards[n%len(stormCards)], []int{20_000, 20_000, 0}[n%3]
	if card == "tok_3ds_ok" { // whoever asks the buyer for something has to be heard out
		wait = 20_000
	}
	data := b.do(createQuery, map[string]any{"i": map[string]any{
		"lines": []any{map[string]any{"variantId": s.variant, "quantity": 1}}, "addressId": b.address, "paymentMethodToken": card,
		"expectedTotalMinorUnits": s.total, "idempotencyKey": fmt.Sprint("storm ", n, " ", s.placed.Add(1)), "waitMs": wait,
	}})
	id := text(data, "orderCreate.order.id")
	if id == "" {
		s.Errorf("order: %v", data)
		return
	}
	order := b.do(stormOrder, map[string]any{"id": id})
	if text(order, "order.status") == "ACTION_REQUIRED" {
		payment := text(order, "order.payments.0.id")
		b.do(confirmQuery, map[string]any{"id": payment, "key": "confirm " + payment})
	}
	switch n % 8 {
	case 1, 2:
		s.asStaff().do(stormCancel, map[string]any{"id": id, "key": "cancel " + id})
	case 3:
		s.asStaff().do(stormGive, map[string]any{"id": id, "line": text(order, "order.lines.0.id"), "key": "give " + id})
	case 5:
		if payment := text(order, "order.payments.0.id"); payment != "" {
			s.asStaff().do(stormRefund, map[string]any{"id": payment, "key": "refund " + id})
		}
	}
}

// adjust has units come and go until it is over.
func (s *stormy) adjust(over <-chan struct{}) {
	for n := 0; !ended(over); n++ {
		delta, reason := 1+n%5, "RECEIVED"
		if n%3 == 2 {
			delta, reason = -delta, "DAMAGED"
		}
		data := s.asStaff().do(`mutation($i: StockAdjustInput!) { stockAdjust(input: $i) { userErrors { code message } } }`, map[string]any{"i": map[string]any{
			"changes": []any{map[string]any{"variantId": s.variant, "delta": delta}}, "reason": reason, "idempotencyKey": fmt.Sprint("work ", n),
		}})
		if at(data, "stockAdjust.userErrors.0") != nil {
			s.Errorf("stockAdjust: %v", data)
		}
		s.received += delta
		s.changes.Add(1)
	}
}

// assort puts new variants on sale until it is over: inventory has to hear of each before it has units.
func (s *stormy) assort(over <-chan struct{}) {
	for !ended(over) {
		s.variantWith(10)
		s.changes.Add(1)
	}
}

// ended waits for a moment, and reports whether it is over.
func ended(over <-chan struct{}) bool {
	select {
	case <-over:
		return true
	case <-time.After(20 * time.Millisecond):
		return false
	}
}

// rest waits until all orders have come to their end, all events to their consumers, and the provider's webhooks to payments.
func (s *stormy) rest() {
	s.Helper()
	for deadline := time.Now().Add(3 * time.Minute); ; time.Sleep(100 * time.Millisecond) {
		unpublished, parked := 0, 0
		for name := range sources {
			unpublished += s.number(name, `SELECT COUNT(*) FROM outbox WHERE published_us IS NULL`)
			parked += s.number(name, `SELECT COUNT(*) FROM parked`)
		}
		unfinished, unresolved := s.number("orders", `SELECT COUNT(*) FROM saga WHERE plan <> ''`), s.number("payments", `SELECT COUNT(*) FROM operation WHERE state = 'UNKNOWN'`)
		untold := s.number("provider", `SELECT COUNT(*) FROM webhook_delivery WHERE state = 'PENDING'`)
		if s.bus.Calm() && unpublished+parked+unfinished+unresolved+untold == 0 {
			return
		}
		if time.Now().After(deadline) {
			s.Fatalf("after three minutes %d sagas have something left to do, %d operations are unresolved, %d events are unpublished and %d parked, %d webhooks of the provider are to come", unfinished, unresolved, unpublished, parked, untold)
		}
	}
}

// number reads one number of a service's database.
func (s *stormy) number(service, statement string) (n int) {
	s.Helper()
	s.read(service, func(db *database.DB) error { return db.Read.Get(&n, statement) })
	return n
}

// read reads a service's database.
func (s *stormy) read(service string, from func(db *database.DB) error) {
	s.Helper()
	db, err := database.View(s.urls[service])
	if err != nil {
		s.Fatal(err)
	}
	defer db.Close()
	if err := from(db); err != nil {
		s.Fatalf("%s: %v", service, err)
	}
}

// check compares all books, and asks what no book of two shows: that each consumer has heard all there is to hear, that
// nobody was told twice, and that each order was charged once and has moved its units once.
func (s *stormy) check() {
	s.Helper()
	open := stores{}
	defer open.close()
	for name, url := range s.urls {
		db, err := database.View(url)
		if err != nil {
			s.Fatal(err)
		}
		open[name] = db
	}
	var said strings.Builder
	if err := open.report(s.Context(), &said); err != nil || !strings.Contains(said.String(), " 0 under way, 0 waiting for their buyers, 0 operations at the provider unresolved") {
		s.Errorf("audit: %v\n%s", err, &said)
	}
	for _, f := range flows {
		if missed := s.unheard(open, f.service, f.consumer, f.source, f.from); missed != "" {
			s.Error(missed)
		}
	}
	for _, none := range []struct{ service, what, statement string }{
		{"provider", "orders with two charges", `SELECT COUNT(*) FROM (SELECT order_id FROM charge WHERE state <> 'DECLINED' GROUP BY order_id HAVING COUNT(*) > 1) x`},
		{"payments", "payments captured twice", `SELECT COUNT(*) FROM (SELECT payment_id FROM operation WHERE kind = 'CAPTURE' AND state = 'SUCCEEDED' GROUP BY payment_id HAVING COUNT(*) > 1) x`},
		{"payments", "webhooks told twice", `SELECT COUNT(*) FROM (SELECT message_id FROM webhook_delivery GROUP BY endpoint_id, message_id HAVING COUNT(*) > 1) x`},
		{"inventory", "movements of one kind for one order", `SELECT COUNT(*) FROM (SELECT reference FROM movement WHERE kind IN ('RESERVE', 'SELL', 'RELEASE', 'RESTOCK') GROUP BY reference, kind, variant_id, location_id HAVING COUNT(*) > 1) x`},
		{"orders", "orders that became the same twice", `SELECT COUNT(*) FROM (SELECT order_id FROM order_history WHERE to_status NOT LIKE '%REFUNDED' GROUP BY order_id, to_status HAVING COUNT(*) > 1) x`},
	} {
		if n := s.number(none.service, none.statement); n != 0 {
			s.Errorf("%d %s", n, none.what)
		}
	}
	stock := s.asStaff().do(stockQuery, map[string]any{"sku": s.sku})
	level := func(what string) int { return number(stock, "variant.stockLevel."+what) }
	if level("onHand")+level("sold") != s.received || level("reserved") != 0 {
		s.Errorf("%d units were received, and the stock is %v", s.received, stock)
	}
}

// unheard says what a consumer has not heard of a service, exactly: unlike an audit of a shop that goes on.
func (s *stormy) unheard(open stores, service, consumer, source, from string) string {
	heard, err := event.Heard(s.Context(), open[service].Read, consumer, source)
	if err != nil {
		return err.Error()
	}
	missing := 0
	s.read(from, func(db *database.DB) error {
		var rows []struct {
			Subject string
			Last    int64
		}
		err := db.Read.Select(&rows, `SELECT subject, MAX(sequence) AS last FROM outbox GROUP BY subject`)
		for _, r := range rows {
			if heard[r.Subject] != r.Last {
				missing++
			}
		}
		return err
	})
	if missing == 0 {
		return ""
	}
	return fmt.Sprintf("%s has not heard all of %d subjects of %s", consumer, missing, from)
}

// effects count what events and commands have left behind, in all services, and the orders by status.
func (s *stormy) effects() map[string]int {
	s.Helper()
	all := map[string]int{}
	for service, tables := range map[string][]string{
		"inventory": {"movement", "reservation", "stock", "outbox"}, "orders": {"order_history", "refund", "outbox"},
		"payments": {"operation", "payment_event", "ledger", "notification", "webhook_delivery", "outbox"}, "provider": {"charge"}, "products": {"outbox"}, "users": {"outbox"},
	} {
		for _, table := range tables {
			all[service+"."+table] = s.number(service, `SELECT COUNT(*) FROM `+table)
		}
	}
	s.read("orders", func(db *database.DB) error {
		var rows []struct {
			Status string
			N      int
		}
		err := db.Read.Select(&rows, `SELECT status, COUNT(*) AS n FROM orders GROUP BY status`)
		for _, r := range rows {
			all[r.Status] = r.N
		}
		return err
	})
	return all
}

// replay has all services publish again all that they have said in the storm.
func (s *stormy) replay() (n int64) {
	s.Helper()
	for name := range sources {
		err := withDatabase(s.urls[name], func(db *database.DB) error {
			again, err := event.Replay(s.Context(), db, s.begun)
			n += again
			return err
		})
		if err != nil {
			s.Fatal(err)
		}
	}
	return n
}
