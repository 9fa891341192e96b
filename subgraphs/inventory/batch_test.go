package inventory

import (
	"log/slog"
	"testing"
	"time"

	"github.com/agora-supergraph/agora/internal/database/databasetest"
	"github.com/agora-supergraph/agora/internal/id"
	"github.com/agora-supergraph/agora/internal/identity"
	"github.com/agora-supergraph/agora/internal/subgraph"
	"github.com/agora-supergraph/agora/internal/subgraph/subgraphtest"
)

func TestABatchOfReferencesIsOneStatement(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, url string) {
		s := open(t, url)
		var variants, products, orders, reservations []map[string]any
		for range 20 {
			one, other := s.stock(10), s.stock(0)
			orderID := id.New(id.Order)
			r, err := s.Reserve(t.Context(), orderID, []Line{{one, 2}}, time.Minute)
			if err != nil {
				t.Fatal(err)
			}
			variants = append(variants, object{"id": one, "weightGrams": 100})
			products = append(products, object{"id": id.New(id.Product), "variants": []any{object{"id": one}, object{"id": other}}})
			orders, reservations = append(orders, object{"id": orderID}), append(reservations, object{"id": r.ID})
		}
		secret := []byte("a secret of 32 bytes, for tests.")
		server := subgraph.New(subgraph.Config{Name: "inventory", Schema: s.Schema(), Verifier: &identity.Verifier{Secret: secret}, Log: slog.New(slog.DiscardHandler)})
		c := &subgraph.Client{Service: "test", Scopes: []string{"inventory:read"}, Secret: secret, Server: server}
		reads := databasetest.CountReads(t, s.db, url)
		subgraphtest.Batches(t, c, reads, map[string]subgraphtest.Batch{
			"ProductVariant": {References: variants, Selection: `availability { status } stockLevel { onHand } shippingEstimate(countryCode: "DE") { days }`, Statements: 1},
			"Product":        {References: products, Selection: `inStock`, Statements: 1},
			"Order":          {References: orders, Selection: `reservation { id lines { quantity } }`, Statements: 1},
			"Reservation":    {References: reservations, Selection: `id state order { id } lines { quantity variant { id } }`, Statements: 1},
		})
		// What a reservation leads to is read for the whole batch, too.
		subgraphtest.Batches(t, c, reads, map[string]subgraphtest.Batch{
			"ProductVariant": {References: variants, Selection: `stockLevel { locations { onHand } }`, Statements: 1},
			"Product":        {References: products, Selection: `id inStock`, Statements: 1},
			"Order":          {References: orders, Selection: `reservation { lines { variant { availability { status } stockLevel { onHand } } } }`, Statements: 2},
			"Reservation":    {References: reservations, Selection: `lines { variant { availability { status } } } order { reservation { id } }`, Statements: 3},
		})
	})
}
