package payments_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/agora-supergraph/agora/internal/database/databasetest"
	"github.com/agora-supergraph/agora/internal/id"
	"github.com/agora-supergraph/agora/internal/subgraph"
	"github.com/agora-supergraph/agora/internal/subgraph/subgraphtest"
)

// Lists cost a query for each level of the request, however long they are.
func TestListsCostOneQueryALevel(t *testing.T) {
	each(t, func(t *testing.T, b *bench) {
		var orders, payments, users []any
		for i := range 5 {
			orderID := id.New(id.Order)
			p := b.mutate("paymentAuthorize", "", payment(orderID, "tok_ok", orderID)).Payment
			userID := id.New(id.User)
			b.ask(b.user(userID), `mutation ($k: String!) { paymentMethodAdd(input: { providerToken: "tok_visa", idempotencyKey: $k }) { paymentMethod { token } } }`, object{"k": fmt.Sprint(i)})
			orders = append(orders, object{"__typename": "Order", "id": orderID})
			payments = append(payments, object{"__typename": "Payment", "id": p.ID})
			users = append(users, object{"__typename": "User", "id": userID})
		}
		queries := databasetest.CountReads(t, b.service.DB(), b.cfg.Database)
		for _, tt := range []struct {
			name, selection string
			reps            []any
			want            int64
			shown           string
		}{
			{"methods of users", `... on User { paymentMethods { brand } }`, users, 1, `"brand":"visa"`},
			{"users without methods", `... on User { id }`, users, 0, `"id"`},
			{"events of payments", `... on Payment { events { type actor } }`, payments, 2, `"type":"authorize.succeeded","actor":"service:test"`},
			{"payments of orders", `... on Order { payments { status refunds { id } } amountCaptured { amount } }`, orders, 1, `"status":"AUTHORIZED"`},
			{"events of payments of orders", `... on Order { all: payments { ...E } } } } fragment E on Payment { events { type }`, orders, 2, `"type":"authorize.succeeded"`},
			{"payments of orders of payments", `... on Payment { order { payments { events { type } } } }`, payments, 3, `"type":"authorize.succeeded"`},
		} {
			queries.Store(0)
			closing := " } }"
			if strings.Contains(tt.selection, "fragment") {
				closing = " }"
			}
			got := b.ask(b.as("payments:read"), `query ($r: [_Any!]!) { _entities(representations: $r) { `+tt.selection+closing, object{"r": tt.reps})
			if n := queries.Load(); n != tt.want || strings.Count(got, tt.shown) != 5 {
				t.Errorf("%s: %d queries, want %d: %s", tt.name, n, tt.want, got)
			}
		}
	})
}

func TestABatchOfReferencesIsOneStatement(t *testing.T) {
	each(t, func(t *testing.T, b *bench) {
		var orders, payments, users []map[string]any
		for i := range 5 {
			orderID, userID := id.New(id.Order), id.New(id.User)
			p := b.mutate("paymentAuthorize", "", payment(orderID, "tok_ok", orderID)).Payment
			b.ask(b.user(userID), `mutation ($k: String!) { paymentMethodAdd(input: { providerToken: "tok_visa", idempotencyKey: $k }) { paymentMethod { token } } }`, object{"k": fmt.Sprint(i)})
			orders, payments, users = append(orders, object{"id": orderID}), append(payments, object{"id": p.ID}), append(users, object{"id": userID})
		}
		c := &subgraph.Client{Service: "test", Scopes: []string{"payments:read"}, Secret: secret, Server: b.server}
		subgraphtest.Batches(t, c, databasetest.CountReads(t, b.service.DB(), b.cfg.Database), map[string]subgraphtest.Batch{
			"Order":   {References: orders, Selection: `payments { status refunds { id } } amountCaptured { amount }`, Statements: 1},
			"Payment": {References: payments, Selection: `id status amountAuthorized { amount } refunds { id }`, Statements: 1},
			"User":    {References: users, Selection: `paymentMethods { brand }`, Statements: 1},
		})
	})
}

func TestReferencesThatAreNoneAreTheAskersMistake(t *testing.T) {
	b := newBench(t, databasetest.SQLite(t), databasetest.SQLite(t), false)
	ask := func(reps ...any) string {
		return b.ask(b.as("payments:read"), `query ($r: [_Any!]!) { _entities(representations: $r) { ... on Order { payments { id } } ... on Payment { id } ... on User { paymentMethods { token } } } }`, object{"r": reps})
	}
	for name, rep := range map[string]any{
		"no key": object{"__typename": "Order"}, "null key": object{"__typename": "Order", "id": nil}, "a list as key": object{"__typename": "Order", "id": []any{"x"}},
		"a key that is no text": object{"__typename": "Payment", "id": object{"a": 1}},
		"an unknown type":       object{"__typename": "Nothing", "id": "x"}, "no type": object{"id": "x"}, "no object": "x",
	} {
		if got := ask(rep); strings.Contains(got, "INTERNAL") || strings.Contains(got, "panic") || !strings.Contains(got, `"errors"`) {
			t.Errorf("%s: %s", name, got)
		}
	}
	many := make([]any, 10_001)
	for i := range many {
		many[i] = object{"__typename": "Order", "id": id.Derived(id.Order, fmt.Sprint(i))}
	}
	if got := ask(many...); !strings.Contains(got, `"code":"BAD_USER_INPUT"`) || !strings.Contains(got, "10000 are the most") {
		t.Errorf("10,001 references: %.300s", got)
	}
	if got := ask(many[:10_000]...); strings.Contains(got, `"errors"`) {
		t.Errorf("10,000 references: %.300s", got)
	}
}
