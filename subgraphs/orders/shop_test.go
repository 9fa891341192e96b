package orders_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/agora-supergraph/agora/internal/id"
	"github.com/agora-supergraph/agora/internal/identity"
	"github.com/agora-supergraph/agora/subgraphs/orders"
)

// shop is the rest of the shop at its GraphQL edge: it answers the few operations that orders asks of users,
// products, inventory and payments, counts stock and money as they do, is idempotent as they are, and loses
// requests and answers when a test says so.
type shop struct {
	t        *testing.T
	server   *httptest.Server
	verifier identity.Verifier

	mu           sync.Mutex
	now          func() time.Time
	variants     map[string]*variant
	reservations map[string]*reservation
	payments     map[string]*payment // by order
	lost         map[string]*loss    // by operation
	vanish       int64               // units of everything that others buy after the next look at availability
	asked        map[string]int      // how often an operation was answered
	meanwhile    map[string]func()   // what happens, once, while an operation is asked for
}

// variant is something to buy.
type variant struct {
	price                     int64
	currency, status          string
	available, reserved, sold int64
}

// loss counts the coming requests of an operation that are lost on the way there, and whose answers are lost.
type loss struct{ requests, answers int }

func newShop(t *testing.T, now func() time.Time) *shop {
	s := &shop{
		t: t, now: now, verifier: identity.Verifier{Secret: secret},
		variants: map[string]*variant{}, reservations: map[string]*reservation{}, payments: map[string]*payment{}, lost: map[string]*loss{}, asked: map[string]int{}, meanwhile: map[string]func(){},
	}
	s.server = httptest.NewServer(s)
	t.Cleanup(s.server.Close)
	return s
}

// sell puts a variant on the shelf and returns its id.
func (s *shop) sell(price, units int64) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	variantID := id.New(id.Variant)
	s.variants[variantID] = &variant{price: price, currency: "EUR", status: "ACTIVE", available: units}
	return variantID
}

// lose loses coming requests of an operation, or the answers to them.
func (s *shop) lose(operation string, requests, answers int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.lost[operation] = &loss{requests, answers}
}

// wasAsked reports whether an operation was answered.
// during has something happen, once, while an operation is asked for.
func (s *shop) during(operation string, happens func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.meanwhile[operation] = happens
}

func (s *shop) wasAsked(operation string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.asked[operation] > 0
}

// operations are what can be asked, with the scope that it takes.
var operations = []struct {
	name, scope string
	answer      func(s *shop, input map[string]any) any
}{
	{"user(", "users:read", (*shop).user},
	{"sku price", "", (*shop).prices},
	{"maxPurchasable", "", (*shop).availability},
	{"stockReserve", "inventory:write", (*shop).reserve},
	{"stockCommit", "inventory:write", (*shop).commit},
	{"stockRelease", "inventory:write", (*shop).release},
	{"stockRestock", "inventory:write", (*shop).restock},
	{"paymentAuthorize", "payments:write", (*shop).authorize},
	{"paymentCapture", "payments:write", (*shop).capture},
	{"paymentVoid", "payments:write", (*shop).void},
	{"refundCreate", "payments:refund", (*shop).refund},
	{"paymentByKey(", "payments:read", (*shop).paymentByKey},
	{"payment(id", "payments:read", (*shop).payment},
}

// ServeHTTP answers one operation.
func (s *shop) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	var request struct {
		Query     string
		Variables map[string]any
	}
	body := json.NewDecoder(r.Body)
	body.UseNumber()
	if err := body.Decode(&request); err != nil {
		s.t.Errorf("a body that is no JSON: %v", err)
	}
	who, err := s.verifier.FromHeader(r.Context(), r.Header)
	if err != nil {
		s.t.Errorf("a token that is not good: %v", err)
	}
	for _, op := range operations {
		if !strings.Contains(request.Query, op.name) {
			continue
		}
		if op.scope != "" && !who.Has(op.scope) {
			s.t.Errorf("%s without the scope %s", op.name, op.scope)
		}
		in := request.Variables
		if input, ok := in["input"].(map[string]any); ok {
			in = input
		}
		json.NewEncoder(w).Encode(map[string]any{"data": s.perform(op.name, func() any { return op.answer(s, in) })})
		return
	}
	s.t.Errorf("an operation that nobody knows: %s", request.Query)
}

// perform answers, unless the request or the answer is to be lost.
func (s *shop) perform(name string, answer func() any) any {
	s.mu.Lock()
	if happens := s.meanwhile[name]; happens != nil {
		delete(s.meanwhile, name)
		s.mu.Unlock()
		happens()
		s.mu.Lock()
	}
	defer s.mu.Unlock()
	lost := s.lost[name]
	if lost != nil && lost.requests > 0 {
		lost.requests--
		panic(http.ErrAbortHandler)
	}
	a := answer()
	s.asked[name]++
	if lost != nil && lost.answers > 0 {
		lost.answers--
		panic(http.ErrAbortHandler)
	}
	return a
}

type object = map[string]any

// whole is a number of an input.
func whole(v any) int64 {
	n, err := v.(json.Number).Int64()
	if err != nil {
		panic(err)
	}
	return n
}

// addressOf is the id of a user's only address.
func addressOf(userID string) string { return id.Derived(id.Address, userID) }

func (s *shop) user(in map[string]any) any {
	return object{"user": object{"addresses": object{"edges": []any{object{"node": object{
		"id": addressOf(in["id"].(string)), "name": "Ada", "line1": "1 Road", "line2": nil, "city": "London", "postalCode": "N1", "countryCode": "GB",
	}}}}}}
}

// each answers representations.
func (s *shop) each(in map[string]any, answer func(*variant) any) any {
	references := in["r"].([]any)
	entities := make([]any, len(references))
	for i, r := range references {
		if v := s.variants[r.(map[string]any)["id"].(string)]; v != nil {
			entities[i] = answer(v)
		}
	}
	return object{"_entities": entities}
}

func (s *shop) prices(in map[string]any) any {
	return s.each(in, func(v *variant) any {
		return object{
			"sku": fmt.Sprintf("SKU-%d", v.price), "price": object{"minorUnits": v.price, "currency": v.currency},
			"product": object{"name": fmt.Sprintf("Thing at %d", v.price), "status": v.status},
		}
	})
}

func (s *shop) availability(in map[string]any) any {
	return s.each(in, func(v *variant) any {
		most := v.available
		v.available -= s.vanish
		return object{"availability": object{"maxPurchasable": most}}
	})
}

// refusal is a payload with a user error.
func refusal(code string, more object) any {
	e := object{"code": code, "message": strings.ToLower(code)}
	for k, v := range more {
		e[k] = v
	}
	return object{"payload": object{"userErrors": []any{e}}}
}

// audit compares the books of orders with those of the shop: sold is what confirmed orders hold, captured is what
// they cost, and nothing is held or reserved for an order that doesn't wait for its buyer.
func (s *shop) audit(books orders.Audit) {
	s.t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	waiting := map[string]int64{}
	for _, orderID := range books.Waiting {
		for variantID, n := range s.reservations[orderID].lines {
			waiting[variantID] += n
		}
	}
	for variantID, v := range s.variants {
		if v.sold != books.Sold[variantID] || v.reserved != waiting[variantID] || v.available < 0 {
			s.t.Errorf("of %s %d are sold, %d in confirmed orders; %d reserved, %d for orders that wait; %d available",
				variantID, v.sold, books.Sold[variantID], v.reserved, waiting[variantID], v.available)
		}
	}
	for orderID, p := range s.payments {
		if p.captured-p.back != books.Paid[orderID] || p.authorized != 0 && !slices.Contains(books.Waiting, orderID) {
			s.t.Errorf("of %s %d are captured, its order costs %d; %d are held", orderID, p.captured-p.back, books.Paid[orderID], p.authorized)
		}
	}
	for orderID, paid := range books.Paid {
		if s.payments[orderID] == nil {
			s.t.Errorf("%s costs %d, and was not paid", orderID, paid)
		}
	}
}
