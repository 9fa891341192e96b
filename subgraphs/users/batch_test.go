package users

import (
	"fmt"
	"testing"

	"github.com/agora-supergraph/agora/internal/database/databasetest"
	"github.com/agora-supergraph/agora/internal/subgraph"
	"github.com/agora-supergraph/agora/internal/subgraph/subgraphtest"
	"github.com/agora-supergraph/agora/subgraphs/users/gen"
)

func TestABatchOfReferencesIsOneStatement(t *testing.T) {
	each(t, func(t *testing.T, s *shop) {
		_, staff := s.staff(t, "support@example.com", gen.RoleSupport)
		var people, places []object
		for i := range 5 {
			userID, err := s.EnsureAccount(t.Context(), Account{Email: fmt.Sprint(i, "@example.com"), DisplayName: "X", Password: goodPassword, Address: homeAddress()})
			if err != nil {
				t.Fatal(err)
			}
			people = append(people, object{"id": userID})
			page := field[struct{ Addresses addressPage }](t, s.ask(t, staff, `query ($id: ID!) { user(id: $id) { addresses { edges { node { id } } } } }`, object{"id": userID}), "user")
			places = append(places, object{"id": page.Addresses.Edges[0].Node.ID})
		}
		c := &subgraph.Client{Service: "test", Scopes: []string{scopeRead}, Secret: testSecret, Server: s.server}
		subgraphtest.Batches(t, c, databasetest.CountReads(t, s.db, s.url), map[string]subgraphtest.Batch{
			"User":    {References: people, Selection: `id displayName email emailVerified roles`, Statements: 1},
			"Address": {References: places, Selection: `id city`, Statements: 1},
		})
	})
}
