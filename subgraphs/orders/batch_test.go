package orders

import (
	"fmt"
	"log/slog"
	"testing"

	"github.com/agora-supergraph/agora/internal/database"
	"github.com/agora-supergraph/agora/internal/database/databasetest"
	"github.com/agora-supergraph/agora/internal/id"
	"github.com/agora-supergraph/agora/internal/identity"
	"github.com/agora-supergraph/agora/internal/subgraph"
	"github.com/agora-supergraph/agora/internal/subgraph/subgraphtest"
	"github.com/agora-supergraph/agora/subgraphs/orders/gen"
)

func TestABatchOfReferencesIsOneStatement(t *testing.T) {
	type references = []map[string]any
	databasetest.Each(t, func(t *testing.T, url string) {
		s, err := New(t.Context(), Config{Database: url, Log: slog.New(slog.DiscardHandler)})
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		var users, carts, cartLines, orders, orderLines, variants references
		for i := range 20 {
			c := &cart{ID: id.New(id.Cart), UserID: id.New(id.User), Lines: []cartLine{{ID: id.New(id.CartLine), VariantID: id.New(id.Variant), Quantity: 2}}}
			o := &order{
				ID: id.New(id.Order), Number: newNumber(), UserID: c.UserID, Status: gen.OrderStatusPending, Currency: "EUR", Address: "{}",
				Lines: []line{{ID: id.New(id.OrderLine), Quantity: 1}, {ID: id.New(id.OrderLine), Quantity: 1}},
			}
			err := s.db.Tx(t.Context(), func(tx *database.Tx) error {
				if err := insertCart(t.Context(), tx, c); err != nil {
					return err
				}
				if err := s.saveCart(t.Context(), tx, c); err != nil {
					return err
				}
				return insertOrder(t.Context(), tx, o)
			})
			if err != nil {
				t.Fatal(err)
			}
			users, carts = append(users, map[string]any{"id": c.UserID}), append(carts, map[string]any{"id": c.ID})
			cartLines = append(cartLines, map[string]any{"id": c.Lines[0].ID, "variant": map[string]any{"id": c.Lines[0].VariantID, "price": map[string]any{"minorUnits": 250, "currency": "EUR"}}})
			orders = append(orders, []map[string]any{{"id": o.ID}, {"number": o.Number}}[i%2]) // by both keys at once
			orderLines = append(orderLines, map[string]any{"id": o.Lines[1].ID})
			variants = append(variants, map[string]any{"id": fmt.Sprint("var_", i)})
		}
		secret := []byte("a secret of 32 bytes, for tests.")
		server := subgraph.New(subgraph.Config{Name: "orders", Schema: s.Schema(), Verifier: &identity.Verifier{Secret: secret}, Log: slog.New(slog.DiscardHandler)})
		c := &subgraph.Client{Service: "test", Scopes: []string{"orders:read"}, Secret: secret, Server: server}
		subgraphtest.Batches(t, c, databasetest.CountReads(t, s.db, url), map[string]subgraphtest.Batch{
			"Cart":           {References: carts, Selection: `id version lines { quantity variant { id } } owner { id }`, Statements: 1},
			"CartLine":       {References: cartLines, Selection: `quantity lineTotal { amount }`, Statements: 1},
			"Order":          {References: orders, Selection: `id number status total { amount } lines { quantity variant { id } } customer { id }`, Statements: 1},
			"OrderLine":      {References: orderLines, Selection: `quantity unitPrice { amount } variant { id }`, Statements: 1},
			"ProductVariant": {References: variants, Selection: `id`, Statements: 0},
			"User":           {References: users, Selection: `cart { id lines { quantity } }`, Statements: 1},
		})
	})
}
