package inventory

import (
	"strings"
	"testing"

	"github.com/agora-supergraph/agora/internal/database/databasetest"
)

// Every order leaves a reservation: what is asked all the time must not look through those that are over and done
// with. SQLite tells what it would look at; it has no statistics here, as in a shop that was just opened.
func TestWhatIsAvailableIsNotLookedForInAllThatWasEverReserved(t *testing.T) {
	s := open(t, databasetest.SQLite(t))
	for name, query := range map[string]string{"levels": levelsQuery + `($2)`, "lapsed": lapsedQuery + `($2)` + orOfOrders + `($2)`} {
		var steps []struct {
			ID, Parent, NotUsed int
			Detail              string
		}
		if err := s.db.Read.Select(&steps, `EXPLAIN QUERY PLAN `+query, 1, "var"); err != nil {
			t.Fatal(err)
		}
		var plan []string
		for _, step := range steps {
			plan = append(plan, step.Detail)
		}
		whole := strings.Join(plan, "\n")
		if !strings.Contains(whole, "SEARCH r USING INDEX reservation_held") || !strings.Contains(whole, "(reservation_id=?") {
			t.Errorf("%s begins elsewhere than at the reservations whose time is over:\n%s", name, whole)
		}
	}
}
