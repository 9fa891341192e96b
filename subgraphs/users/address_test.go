package users

import (
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/agora-supergraph/agora/internal/database/databasetest"
	"github.com/agora-supergraph/agora/internal/id"
	"github.com/agora-supergraph/agora/subgraphs/users/gen"
)

func homeAddress() *gen.AddressInput {
	return &gen.AddressInput{Name: "Ada Lovelace", Line1: "12 St James's Square", City: "London", PostalCode: "SW1Y 4JH", CountryCode: "GB"}
}

func (s *shop) addAddress(t testing.TB, token string, more object) payload {
	t.Helper()
	input := object{"name": "Ada", "line1": "1 Long Road", "city": "Berlin", "postalCode": "10115", "countryCode": "DE"}
	for k, v := range more {
		input[k] = v
	}
	r := s.ask(t, token, `mutation ($input: AddressInput!) { addressCreate(input: $input) {
		address { id name line1 line2 city postalCode countryCode isDefault }`+userErrorFields+`} }`, object{"input": input})
	return field[payload](t, r, "addressCreate")
}

type addressPage struct {
	Edges []struct {
		Cursor string
		Node   gen.Address
	}
	PageInfo   gen.PageInfo
	TotalCount int
}

func (s *shop) addressPage(t testing.TB, token string, variables object) addressPage {
	t.Helper()
	r := s.ask(t, token, `query ($first: Int, $after: String) { me { addresses(first: $first, after: $after) {
		edges { cursor node { id name line1 city postalCode countryCode isDefault } } pageInfo { hasNextPage hasPreviousPage startCursor endCursor } totalCount } } }`, variables)
	return field[struct{ Addresses addressPage }](t, r, "me").Addresses
}

func TestTheFirstAddressIsTheDefaultUntilAnotherTakesOver(t *testing.T) {
	each(t, func(t *testing.T, s *shop) {
		_, tokens := s.signIn(t, "ada@example.com")
		one := s.addAddress(t, tokens.AccessToken, nil)
		two := s.addAddress(t, tokens.AccessToken, nil)
		if !one.Address.IsDefault || two.Address.IsDefault {
			t.Errorf("default: first %v, second %v; want the first", one.Address.IsDefault, two.Address.IsDefault)
		}
		three := s.addAddress(t, tokens.AccessToken, object{"isDefault": true})
		got := map[string]bool{}
		for _, e := range s.addressPage(t, tokens.AccessToken, nil).Edges {
			got[e.Node.ID] = e.Node.IsDefault
		}
		if diff := cmp.Diff(map[string]bool{one.Address.ID: false, two.Address.ID: false, three.Address.ID: true}, got); diff != "" {
			t.Errorf("defaults (-want +got)\n%s", diff)
		}
	})
}

func TestManyDefaultAddressesAtOnceLeaveOneDefault(t *testing.T) {
	each(t, func(t *testing.T, s *shop) {
		userID, tokens := s.signIn(t, "ada@example.com")
		var wg sync.WaitGroup
		for range 60 {
			wg.Go(func() { s.addAddress(t, tokens.AccessToken, object{"isDefault": true}) })
		}
		wg.Wait()
		if n := s.count(t, `SELECT count(*) FROM address WHERE account_id = $1 AND is_default`, userID); n != 1 {
			t.Errorf("%d defaults, want 1", n)
		}
		if n := s.count(t, `SELECT count(*) FROM address WHERE account_id = $1`, userID); n != maxAddresses {
			t.Errorf("%d addresses, want no more than %d", n, maxAddresses)
		}
	})
}

func TestAnAddressIsChecked(t *testing.T) {
	s := open(t, databasetest.SQLite(t))
	_, tokens := s.signIn(t, "ada@example.com")
	for name, test := range map[string]struct {
		input object
		want  []string
	}{
		"a country that is none":              {object{"countryCode": "QQ"}, []string{"input.countryCode"}},
		"a country by three letters":          {object{"countryCode": "DEU"}, []string{"input.countryCode"}},
		"a continent":                         {object{"countryCode": "EU"}, []string{"input.countryCode"}},
		"a country by its colloquial letters": {object{"countryCode": "UK"}, []string{"input.countryCode"}},
		"no postal code in Germany":           {object{"postalCode": " "}, []string{"input.postalCode"}},
		"no postal code in Hong Kong is fine": {object{"postalCode": "", "countryCode": "HK"}, nil},
		"small letters of a country are fine": {object{"countryCode": "fr"}, nil},
		"all of it empty":                     {object{"name": "", "line1": "", "city": "", "postalCode": "", "countryCode": ""}, []string{"input.name", "input.line1", "input.city", "input.countryCode", "input.postalCode"}},
		"lines that are too long":             {object{"line1": strings.Repeat("x", 201), "line2": strings.Repeat("x", 201)}, []string{"input.line1", "input.line2"}},
		"a line break":                        {object{"city": "Berlin\nSpandau"}, []string{"input.city"}},
		"an empty second line is none":        {object{"line2": "  "}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			p := s.addAddress(t, tokens.AccessToken, test.input)
			var got []string
			for _, e := range p.UserErrors {
				got = append(got, strings.Join(e.Field, "."))
				if e.Code != "INVALID_INPUT" {
					t.Errorf("code %s", e.Code)
				}
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("fields (-want +got)\n%s", diff)
			}
			if (p.Address == nil) != (len(test.want) > 0) {
				t.Errorf("address %v with errors %v", p.Address, got)
			}
			if p.Address != nil && p.Address.Line2 != nil {
				t.Errorf("line2 = %q", *p.Address.Line2)
			}
		})
	}
}

func TestPagesOfAddressesHoldEachOnceWhileOthersAreAdded(t *testing.T) {
	each(t, func(t *testing.T, s *shop) {
		_, tokens := s.signIn(t, "ada@example.com")
		var want []string
		for range 5 {
			want = append(want, s.addAddress(t, tokens.AccessToken, nil).Address.ID)
		}
		var got []string
		after := object{"first": 2}
		for pages := 1; ; pages++ {
			p := s.addressPage(t, tokens.AccessToken, after)
			for _, e := range p.Edges {
				got = append(got, e.Node.ID)
			}
			if p.PageInfo.HasPreviousPage != (pages > 1) || p.PageInfo.StartCursor == nil || *p.PageInfo.StartCursor != p.Edges[0].Cursor {
				t.Errorf("page %d: %+v", pages, p.PageInfo)
			}
			if pages == 1 {
				want = append(want, s.addAddress(t, tokens.AccessToken, nil).Address.ID)
			}
			if !p.PageInfo.HasNextPage {
				if p.TotalCount != 6 || pages != 3 {
					t.Errorf("%d pages, totalCount %d", pages, p.TotalCount)
				}
				break
			}
			after["after"] = *p.PageInfo.EndCursor
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("addresses (-want +got)\n%s", diff)
		}
	})
}

func TestArgumentsOfTheConnectionAreChecked(t *testing.T) {
	s := open(t, databasetest.SQLite(t))
	_, tokens := s.signIn(t, "ada@example.com")
	for name, variables := range map[string]object{
		"a negative page":     {"first": -1},
		"a page that is huge": {"first": 101},
		"no cursor at all":    {"after": "first"},
		"another's cursor":    {"after": "WyJ4Il0"}, // ["x"]
	} {
		t.Run(name, func(t *testing.T) {
			r := s.ask(t, tokens.AccessToken, `query ($first: Int, $after: String) { me { addresses(first: $first, after: $after) { totalCount } } }`, variables)
			if r.code() != "BAD_USER_INPUT" {
				t.Errorf("errors = %v", r.Errors)
			}
		})
	}
}

func TestAnAddressIsSeenByItsOwnerServicesAndStaffOnly(t *testing.T) {
	each(t, func(t *testing.T, s *shop) {
		_, ada := s.signIn(t, "ada@example.com")
		_, bob := s.signIn(t, "bob@example.com")
		_, support := s.staff(t, "support@example.com", gen.RoleSupport)
		_, warehouse := s.staff(t, "warehouse@example.com", gen.RoleWarehouse)
		addressID := s.addAddress(t, ada.AccessToken, nil).Address.ID
		for name, test := range map[string]struct {
			token string
			seen  bool
		}{
			"the owner":         {ada.AccessToken, true},
			"a stranger":        {bob.AccessToken, false},
			"nobody known":      {"", false},
			"support":           {support, true},
			"the warehouse":     {warehouse, false},
			"the order service": {serviceToken(t, "orders"), true},
		} {
			r := s.ask(t, test.token, entitiesQuery, object{"reps": []object{{"__typename": "Address", "id": addressID}}})
			got := field[[]*struct{ ID string }](t, r, "_entities")
			if (got[0] != nil) != test.seen {
				t.Errorf("%s: seen = %v, want %v", name, got[0] != nil, test.seen)
			}
		}
	})
}

func TestAddressIdsCarryTheirType(t *testing.T) {
	s := open(t, databasetest.SQLite(t))
	_, tokens := s.signIn(t, "ada@example.com")
	if a := s.addAddress(t, tokens.AccessToken, nil).Address; !id.Is(id.Address, a.ID) {
		t.Errorf("id %q", a.ID)
	}
}

func TestAnAddressIsReplacedAndDeletedByItsOwner(t *testing.T) {
	each(t, func(t *testing.T, s *shop) {
		_, ada := s.signIn(t, "ada@example.com")
		_, bob := s.signIn(t, "bob@example.com")
		one, two, three := s.addAddress(t, ada.AccessToken, nil).Address, s.addAddress(t, ada.AccessToken, nil).Address, s.addAddress(t, ada.AccessToken, nil).Address
		const fields = `{ address { id city isDefault } userErrors { code field } }`
		update := func(token, addressID, city string, isDefault bool) payload {
			r := s.ask(t, token, `mutation ($id: ID!, $city: String!, $default: Boolean!) { addressUpdate(id: $id, input: {
				name: "A", line1: "B", city: $city, postalCode: "1", countryCode: "DE", isDefault: $default }) `+fields+` }`,
				object{"id": addressID, "city": city, "default": isDefault})
			return field[payload](t, r, "addressUpdate")
		}
		remove := func(token, addressID string) []gen.AuthUserError {
			r := s.ask(t, token, `mutation ($id: ID!) { addressDelete(id: $id) { deletedAddressId userErrors { code } } }`, object{"id": addressID})
			return field[struct{ UserErrors []gen.AuthUserError }](t, r, "addressDelete").UserErrors
		}
		for _, strange := range []string{id.New(id.Address), "x\x00"} {
			if p := update(ada.AccessToken, strange, "Jena", false); !cmp.Equal(p.codes(), []string{"NOT_FOUND"}) {
				t.Errorf("update %q: %v", strange, p.codes())
			}
		}
		if p := update(bob.AccessToken, one.ID, "Jena", false); !cmp.Equal(p.codes(), []string{"NOT_FOUND"}) || len(remove(bob.AccessToken, one.ID)) != 1 {
			t.Errorf("a stranger: %v", p.codes())
		}
		if p := update(ada.AccessToken, two.ID, "", false); !cmp.Equal(p.codes(), []string{"INVALID_INPUT"}) {
			t.Errorf("no city: %v", p.codes())
		}
		if p := update(ada.AccessToken, one.ID, "Jena", false); p.Address == nil || p.Address.City != "Jena" || !p.Address.IsDefault {
			t.Errorf("the default one: %+v", p)
		}
		if p := update(ada.AccessToken, three.ID, "Gera", true); p.Address == nil || !p.Address.IsDefault {
			t.Errorf("a new default: %+v", p)
		}
		remove(ada.AccessToken, three.ID)
		got := map[string]bool{}
		for _, e := range s.addressPage(t, ada.AccessToken, nil).Edges {
			got[e.Node.ID] = e.Node.IsDefault
		}
		if diff := cmp.Diff(map[string]bool{one.ID: true, two.ID: false}, got); diff != "" {
			t.Errorf("defaults (-want +got)\n%s", diff)
		}
	})
}
