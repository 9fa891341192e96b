package users

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/agora-supergraph/agora/internal/database/databasetest"
	"github.com/agora-supergraph/agora/internal/id"
	"github.com/agora-supergraph/agora/subgraphs/users/gen"
)

const entitiesQuery = `query ($reps: [_Any!]!) { _entities(representations: $reps) {
	... on User { id displayName email } ... on Address { id city } } }`

func TestABatchOfEntitiesIsOneQuery(t *testing.T) {
	each(t, func(t *testing.T, s *shop) {
		_, staff := s.staff(t, "support@example.com", gen.RoleSupport)
		var people, places []object
		for _, email := range []string{"a@example.com", "b@example.com", "c@example.com"} {
			userID, err := s.EnsureAccount(t.Context(), Account{Email: email, DisplayName: "X", Password: goodPassword, Address: homeAddress()})
			if err != nil {
				t.Fatal(err)
			}
			people = append(people, object{"__typename": "User", "id": userID})
			page := field[struct{ Addresses addressPage }](t, s.ask(t, staff, `query ($id: ID!) { user(id: $id) { addresses { edges { node { id } } } } }`, object{"id": userID}), "user")
			places = append(places, object{"__typename": "Address", "id": page.Addresses.Edges[0].Node.ID})
		}
		queries := databasetest.CountReads(t, s.db, s.url)
		for name, reps := range map[string][]object{"users": people, "addresses": places} {
			var batch []object
			for i := range 100 {
				batch = append(batch, reps[i%len(reps)])
			}
			queries.Store(0)
			r := s.ask(t, staff, entitiesQuery, object{"reps": batch})
			got := field[[]struct{ ID string }](t, r, "_entities")
			for i := range batch {
				if got[i].ID != batch[i]["id"] {
					t.Fatalf("%s: entity %d = %v, want %v", name, i, got[i], batch[i])
				}
			}
			if n := queries.Load(); n != 1 {
				t.Errorf("100 %s took %d queries, want 1", name, n)
			}
		}
	})
}

func TestEntitiesThatDoNotExistAreNull(t *testing.T) {
	each(t, func(t *testing.T, s *shop) {
		userID, tokens := s.signIn(t, "ada@example.com")
		var reps []object
		for _, s := range []string{userID, id.New(id.User), "usr_", "x\x00y", "' OR 1=1 --", id.New(id.Address)} {
			reps = append(reps, object{"__typename": "User", "id": s})
		}
		reps = append(reps, object{"__typename": "Address", "id": id.New(id.Address)})
		r := s.ask(t, tokens.AccessToken, entitiesQuery, object{"reps": reps})
		got := field[[]*struct{ ID string }](t, r, "_entities")
		want := make([]*struct{ ID string }, len(reps))
		want[0] = &struct{ ID string }{userID}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("entities (-want +got)\n%s", diff)
		}
	})
}

func TestWhatIsPersonalIsForTheUserAndStaff(t *testing.T) {
	each(t, func(t *testing.T, s *shop) {
		adaID, ada := s.signIn(t, "ada@example.com")
		_, bob := s.signIn(t, "bob@example.com")
		_, support := s.staff(t, "support@example.com", gen.RoleSupport)
		rep := object{"reps": []object{{"__typename": "User", "id": adaID}}}
		type seen struct {
			DisplayName string
			Email       *string
			Addresses   *struct{ TotalCount int }
			Sessions    *[]struct{ Current bool }
		}
		ask := func(token string) (seen, response) {
			r := s.ask(t, token, `query ($reps: [_Any!]!) { _entities(representations: $reps) { ... on User { displayName email addresses { totalCount } sessions { current } } } }`, rep)
			errors := r.Errors
			r.Errors = nil
			got := field[[]seen](t, r, "_entities")[0]
			r.Errors = errors
			return got, r
		}
		for name, token := range map[string]string{"the user": ada.AccessToken, "support": support, "a service with the scope": serviceToken(t, "orders", scopeRead)} {
			got, r := ask(token)
			if len(r.Errors) > 0 || got.Email == nil || got.Addresses == nil || got.Sessions == nil {
				t.Errorf("%s sees %+v, errors %v", name, got, r.Errors)
			}
			if got.Sessions != nil && (*got.Sessions)[0].Current != (name == "the user") {
				t.Errorf("%s: the session is current: %v", name, (*got.Sessions)[0].Current)
			}
		}
		for name, token := range map[string]string{"another user": bob.AccessToken, "a service without the scope": serviceToken(t, "orders")} {
			got, r := ask(token)
			if len(r.Errors) > 0 || got != (seen{DisplayName: "Ada"}) {
				t.Errorf("%s sees %+v, errors %v", name, got, r.Errors)
			}
		}
		got, r := ask("")
		if r.code() != "UNAUTHENTICATED" || len(r.Errors) != 3 || got != (seen{DisplayName: "Ada"}) {
			t.Errorf("nobody known sees %+v, errors %v", got, r.Errors)
		}
	})
}

func TestRepresentationsThatNobodyCouldReadAreTheCallersMistake(t *testing.T) {
	each(t, func(t *testing.T, s *shop) {
		_, tokens := s.signIn(t, "ada@example.com")
		many := make([]object, 32_001)
		for i := range many {
			many[i] = object{"__typename": "User", "id": "usr_1"}
		}
		for name, reps := range map[string]any{
			"no __typename":        []object{{"id": "usr_1"}},
			"another's type":       []object{{"__typename": "Product", "id": "prod_1"}},
			"no key":               []object{{"__typename": "User"}},
			"a key that is null":   []object{{"__typename": "User", "id": nil}},
			"a key that is a list": []object{{"__typename": "User", "id": []string{"usr_1"}}},
			"no object":            []string{"usr_1"},
			"too many":             many,
		} {
			if r := s.ask(t, tokens.AccessToken, entitiesQuery, object{"reps": reps}); r.code() != "BAD_USER_INPUT" {
				t.Errorf("%s: %v", name, r.Errors)
			}
		}
		// As many as there may be, each another one.
		many = many[:32_000]
		for i := range many {
			many[i] = object{"__typename": "User", "id": id.New(id.User)}
		}
		if r := s.ask(t, tokens.AccessToken, entitiesQuery, object{"reps": many}); len(r.Errors) > 0 {
			t.Errorf("32,000 different ones: %v", r.Errors)
		}
	})
}
