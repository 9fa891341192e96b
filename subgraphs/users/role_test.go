package users

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/agora-supergraph/agora/internal/database/databasetest"
	"github.com/agora-supergraph/agora/internal/id"
	"github.com/agora-supergraph/agora/subgraphs/users/gen"
)

const rolesMutation = `mutation ($id: ID!, $roles: [Role!]!) { userRolesSet(userId: $id, roles: $roles) { user { id roles }` + userErrorFields + `} }`

func TestEveryScopeOfTheSchemaBelongsToARole(t *testing.T) {
	files, err := filepath.Glob("../../schema/*.graphql")
	if err != nil || len(files) == 0 {
		t.Fatalf("schema files: %v %v", files, err)
	}
	inSchema := map[string]bool{}
	list := regexp.MustCompile(`@requiresScopes\(scopes: (\[\[.*?\]\])\)`)
	name := regexp.MustCompile(`"([^"]+)"`)
	for _, f := range files {
		text, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range list.FindAllStringSubmatch(string(text), -1) {
			for _, n := range name.FindAllStringSubmatch(m[1], -1) {
				inSchema[n[1]] = true
			}
		}
	}
	if len(inSchema) < 5 {
		t.Fatalf("found only %v in the schema", inSchema)
	}
	for scope := range inSchema {
		if !slices.Contains(roleScopes[gen.RoleAdmin], scope) {
			t.Errorf("%s is in the schema, but not even an administrator has it", scope)
		}
	}
	for role, scopes := range roleScopes {
		if !slices.IsSorted(scopes) {
			t.Errorf("scopes of %s are not sorted: %v", role, scopes)
		}
		for _, scope := range scopes {
			if !inSchema[scope] {
				t.Logf("%s of %s is asked for by no field yet", scope, role)
			}
		}
	}
	for _, role := range gen.AllRole {
		if _, ok := roleScopes[role]; !ok {
			t.Errorf("role %s says nothing of its scopes", role)
		}
	}
}

func TestRolesGiveTheirScopesToTheNextTokens(t *testing.T) {
	each(t, func(t *testing.T, s *shop) {
		_, admin := s.staff(t, "admin@example.com", gen.RoleAdmin)
		adaID, ada := s.signIn(t, "ada@example.com")
		user := func(token string) response {
			return s.ask(t, token, `query ($id: ID!) { user(id: $id) { id email roles } }`, object{"id": adaID})
		}
		if r := user(ada.AccessToken); r.code() != "FORBIDDEN" {
			t.Errorf("a customer reads users: %v", r.Errors)
		}
		r := s.ask(t, admin, rolesMutation, object{"id": adaID, "roles": []string{"SUPPORT", "CUSTOMER", "SUPPORT"}})
		p := field[payload](t, r, "userRolesSet")
		if p.User == nil || !cmp.Equal(p.User.Roles, []gen.Role{"CUSTOMER", "SUPPORT"}) {
			t.Fatalf("roles = %+v", p)
		}
		if r := user(ada.AccessToken); r.code() != "FORBIDDEN" {
			t.Error("a token that is out has new scopes")
		}
		ada = s.refresh(t, ada.RefreshToken).Tokens
		if r := user(ada.AccessToken); len(r.Errors) > 0 {
			t.Errorf("after a refresh support can't read users: %v", r.Errors)
		}
		s.ask(t, admin, rolesMutation, object{"id": adaID, "roles": []string{"SUPPORT", "CUSTOMER"}})
		if n := s.count(t, `SELECT count(*) FROM outbox WHERE type = $1`, eventRolesChanged); n != 1 {
			t.Errorf("%d events, want 1: setting the same roles changes nothing", n)
		}
	})
}

func TestOnlyAdministratorsSetRoles(t *testing.T) {
	each(t, func(t *testing.T, s *shop) {
		adaID, ada := s.signIn(t, "ada@example.com")
		set := object{"id": adaID, "roles": []string{"ADMIN"}}
		for name, test := range map[string]struct{ token, code string }{
			"nobody known":                {"", "UNAUTHENTICATED"},
			"a customer":                  {ada.AccessToken, "FORBIDDEN"},
			"a service without the scope": {serviceToken(t, "orders", scopeRead), "FORBIDDEN"},
		} {
			if r := s.ask(t, test.token, rolesMutation, set); r.code() != test.code {
				t.Errorf("%s: %v, want %s", name, r.Errors, test.code)
			}
		}
		for _, role := range gen.AllRole {
			if role == gen.RoleAdmin {
				continue
			}
			if _, token := s.staff(t, string(role)+"@example.com", role); s.ask(t, token, rolesMutation, set).code() != "FORBIDDEN" {
				t.Errorf("%s sets roles", role)
			}
		}
	})
}

func TestADismissedAdministratorCannotComeBackByAnOldToken(t *testing.T) {
	each(t, func(t *testing.T, s *shop) {
		_, one := s.staff(t, "one@example.com", gen.RoleAdmin)
		twoID, two := s.staff(t, "two@example.com", gen.RoleAdmin)
		field[payload](t, s.ask(t, one, rolesMutation, object{"id": twoID, "roles": []string{"CUSTOMER"}}), "userRolesSet")
		if r := s.ask(t, two, rolesMutation, object{"id": twoID, "roles": []string{"ADMIN"}}); r.code() != "FORBIDDEN" {
			t.Errorf("errors %v", r.Errors)
		}
	})
}

func TestRolesThatCannotBeSetAreRefused(t *testing.T) {
	s := open(t, databasetest.SQLite(t))
	adminID, admin := s.staff(t, "admin@example.com", gen.RoleAdmin)
	for name, test := range map[string]struct {
		variables object
		field     []string
	}{
		"a user who doesn't exist":  {object{"id": id.New(id.User), "roles": []string{"SUPPORT"}}, []string{"userId"}},
		"an id that is none":        {object{"id": "x\x00", "roles": []string{"SUPPORT"}}, []string{"userId"}},
		"no role":                   {object{"id": adminID, "roles": []string{}}, []string{"roles"}},
		"an administrator's own":    {object{"id": adminID, "roles": []string{"SUPPORT"}}, []string{"roles"}},
		"one's own others are fine": {object{"id": adminID, "roles": []string{"ADMIN", "SUPPORT"}}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			p := field[payload](t, s.ask(t, admin, rolesMutation, test.variables), "userRolesSet")
			var got []string
			for _, e := range p.UserErrors {
				got = e.Field
			}
			if diff := cmp.Diff(test.field, got); diff != "" {
				t.Errorf("field (-want +got)\n%s", diff)
			}
		})
	}
}
