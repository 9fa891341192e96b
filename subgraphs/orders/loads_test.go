package orders

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"testing"

	"github.com/agora-supergraph/agora/internal/database"
	"github.com/agora-supergraph/agora/internal/database/databasetest"
	"github.com/agora-supergraph/agora/internal/id"
	"github.com/agora-supergraph/agora/internal/identity"
	"github.com/agora-supergraph/agora/internal/subgraph"
	"github.com/agora-supergraph/agora/subgraphs/orders/gen"
)

func TestManyUsersWithCartsOrdersAndHistoriesTakeOneStatementEach(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, url string) {
		s, err := New(t.Context(), Config{Database: url, Log: slog.New(slog.DiscardHandler)})
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		ctx := t.Context()
		var references []any
		for i := range 20 {
			userID := id.New(id.User)
			references = append(references, map[string]any{"__typename": "User", "id": userID})
			err := s.db.Tx(ctx, func(tx *database.Tx) error {
				c := &cart{ID: id.New(id.Cart), UserID: userID}
				if err := insertCart(ctx, tx, c); err != nil {
					return err
				}
				for n := range i % 4 {
					o := &order{
						ID: id.New(id.Order), Number: newNumber(), UserID: userID, Status: gen.OrderStatusPending, Currency: "EUR", Address: "{}",
						PlacedUs: int64(n), Lines: []line{{ID: id.New(id.OrderLine), Quantity: 1}},
					}
					if err := insertOrder(ctx, tx, o); err != nil {
						return err
					}
					if err := s.chronicle(ctx, tx, o, "", change{to: o.Status, actor: id.New(id.User)}); err != nil {
						return err
					}
				}
				return nil
			})
			if err != nil {
				t.Fatal(err)
			}
		}
		secret := []byte("a secret of 32 bytes, for tests.")
		server := subgraph.New(subgraph.Config{Name: "orders", Schema: s.Schema(), Verifier: &identity.Verifier{Secret: secret}, Log: slog.New(slog.DiscardHandler)})
		client := &subgraph.Client{Service: "test", Scopes: []string{"orders:read"}, Secret: secret, Server: server}
		reads := databasetest.CountReads(t, s.db, url)
		var answer struct {
			Entities []struct {
				Cart   *struct{ ID string }
				Orders struct {
					TotalCount int
					Edges      []struct {
						Node struct{ History []struct{ To string } }
					}
					PageInfo struct{ HasNextPage bool }
				}
			} `json:"_entities"`
		}
		const query = `query ($r: [_Any!]!) { _entities(representations: $r) { ... on User { cart { id } orders(first: 2) { totalCount edges { node { history { to } } } pageInfo { hasNextPage } } } } }`
		if err := client.Do(context.Background(), query, map[string]any{"r": references}, &answer); err != nil {
			t.Fatal(err)
		}
		for i, u := range answer.Entities {
			if u.Cart == nil || u.Orders.TotalCount != i%4 || len(u.Orders.Edges) != min(i%4, 2) || u.Orders.PageInfo.HasNextPage != (i%4 == 3) {
				t.Errorf("user %d: %+v", i, u)
			}
			for _, e := range u.Orders.Edges {
				if len(e.Node.History) != 1 {
					t.Errorf("user %d: history %+v", i, e.Node.History)
				}
			}
		}
		if n := reads.Load(); n != 4 { // carts, orders, their number, their histories
			t.Errorf("%d users took %d statements, want 4", len(references), n)
		}
	})
}

func TestABuyerSeesThatStaffChangedAnOrderAndNotWho(t *testing.T) {
	owner, clerk := id.New(id.User), id.New(id.User)
	for _, test := range []struct {
		who         identity.Identity
		actor, want string
	}{
		{identity.Identity{Subject: owner}, clerk, "staff"},
		{identity.Identity{Subject: owner}, owner, owner},
		{identity.Identity{Subject: owner}, "checkout", "checkout"},
		{identity.Identity{Subject: clerk, Scopes: []string{"orders:read"}}, clerk, clerk},
	} {
		raw, err := json.Marshal(chapter{Actor: test.actor}.present(test.who, owner).Actor)
		if err != nil || string(raw) != fmt.Sprintf("%q", test.want) {
			t.Errorf("%v sees %s for %s, want %s", test.who, raw, test.actor, test.want)
		}
	}
}
