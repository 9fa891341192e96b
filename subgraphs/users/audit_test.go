package users

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/agora-supergraph/agora/internal/database"
	"github.com/agora-supergraph/agora/internal/database/databasetest"
	"github.com/agora-supergraph/agora/internal/id"
	"github.com/agora-supergraph/agora/subgraphs/users/gen"
)

type eventPage struct {
	Edges []struct {
		Cursor string
		Node   struct {
			ID, Actor                        string
			Type                             gen.SecurityEventType
			ClientAddress, UserAgent, Detail *string
			User                             *struct{ ID string }
		}
	}
	PageInfo gen.PageInfo
}

func (p eventPage) types() []gen.SecurityEventType {
	list := []gen.SecurityEventType{}
	for _, e := range p.Edges {
		list = append(list, e.Node.Type)
	}
	return list
}

const eventFields = ` { edges { cursor node { id type actor clientAddress userAgent detail user { id } } } pageInfo { hasNextPage hasPreviousPage startCursor endCursor } } `

func (s *shop) auditLog(t testing.TB, token, arguments string) eventPage {
	t.Helper()
	return field[eventPage](t, s.ask(t, token, `{ auditLog`+arguments+eventFields+`}`, nil), "auditLog")
}

func TestWhatConcernsSafetyIsInTheAuditLogTheNewestFirst(t *testing.T) {
	each(t, func(t *testing.T, s *shop) {
		adminID, admin := s.staff(t, "grace@example.com", gen.RoleAdmin)
		s.register(t, "ada@example.com")
		s.loginFrom(t, "203.0.113.7", "ada@example.com", "guess")
		s.loginFrom(t, "203.0.113.7", "nobody@example.com", "guess")
		ada := s.loginFrom(t, "203.0.113.7", "ada@example.com", goodPassword)
		adaID := ada.User.ID
		second := s.refresh(t, ada.Tokens.RefreshToken)
		s.refresh(t, second.Tokens.RefreshToken)
		s.refresh(t, ada.Tokens.RefreshToken)
		s.ask(t, admin, `mutation ($id: ID!) { userRolesSet(userId: $id, roles: [SUPPORT]) { user { id } } }`, object{"id": adaID})

		of := s.auditLog(t, admin, fmt.Sprintf(`(userId: %q)`, adaID))
		want := []gen.SecurityEventType{"ROLES_CHANGED", "SESSION_REVOKED", "REFRESH_REUSED", "LOGIN_SUCCEEDED", "LOGIN_FAILED"}
		if diff := cmp.Diff(want, of.types()); diff != "" {
			t.Fatalf("events (-want +got)\n%s", diff)
		}
		roles, failed := of.Edges[0].Node, of.Edges[4].Node
		if roles.Actor != adminID || *roles.Detail != "CUSTOMER → SUPPORT" || roles.User.ID != adaID {
			t.Errorf("the change of roles: %+v", roles)
		}
		if failed.Actor != "anonymous" || *failed.ClientAddress != "203.0.113.7" || *failed.UserAgent != "test/1.0" {
			t.Errorf("the failed login: %+v", failed)
		}
		unknown := s.auditLog(t, admin, `(types: [LOGIN_FAILED])`)
		if len(unknown.Edges) != 2 || unknown.Edges[0].Node.User != nil || unknown.Edges[1].Node.User == nil {
			t.Errorf("failed logins: %+v", unknown.Edges)
		}
		var paged []gen.SecurityEventType
		for after := "null"; ; {
			p := s.auditLog(t, admin, fmt.Sprintf(`(userId: %q, first: 2, after: %s)`, adaID, after))
			paged = append(paged, p.types()...)
			if !p.PageInfo.HasNextPage {
				break
			}
			after = fmt.Sprintf("%q", *p.PageInfo.EndCursor)
		}
		if diff := cmp.Diff(want, paged); diff != "" {
			t.Errorf("by pages (-want +got)\n%s", diff)
		}
	})
}

func TestSecurityEventsAreForTheUserAndAdministrators(t *testing.T) {
	each(t, func(t *testing.T, s *shop) {
		_, admin := s.staff(t, "grace@example.com", gen.RoleAdmin)
		_, support := s.staff(t, "support@example.com", gen.RoleSupport)
		adaID, ada := s.signIn(t, "ada@example.com")
		_, bob := s.signIn(t, "bob@example.com")
		rep := object{"reps": []object{{"__typename": "User", "id": adaID}}}
		for name, test := range map[string]struct {
			token string
			seen  bool
		}{"the user": {ada.AccessToken, true}, "an administrator": {admin, true}, "support": {support, false}, "another user": {bob.AccessToken, false}} {
			r := s.ask(t, test.token, `query ($reps: [_Any!]!) { _entities(representations: $reps) { ... on User { securityEvents`+eventFields+` } } }`, rep)
			got := field[[]struct{ SecurityEvents *eventPage }](t, r, "_entities")[0].SecurityEvents
			if (got != nil) != test.seen || (got != nil && len(got.Edges) == 0) {
				t.Errorf("%s sees %v", name, got)
			}
			if r := s.ask(t, test.token, `{ auditLog { edges { cursor } } }`, nil); (r.code() == "FORBIDDEN") != (name != "an administrator") {
				t.Errorf("the log for %s: %v", name, r.Errors)
			}
		}
		for _, arguments := range []string{`(userId: "x")`, `(first: 1000)`, `(after: "x")`, `(after: "WyJ4Il0")`} {
			if r := s.ask(t, admin, `{ auditLog`+arguments+` { edges { cursor } } }`, nil); r.code() != "BAD_USER_INPUT" {
				t.Errorf("%s: %v", arguments, r.Errors)
			}
		}
	})
}

func TestTheDatabaseRefusesToChangeTheAuditLog(t *testing.T) {
	each(t, func(t *testing.T, s *shop) {
		s.signIn(t, "ada@example.com")
		for _, statement := range []string{`UPDATE security_event SET actor = 'somebody else'`, `DELETE FROM security_event`} {
			err := s.db.Tx(t.Context(), func(tx *database.Tx) error {
				_, err := tx.ExecContext(t.Context(), statement)
				return err
			})
			if err == nil {
				t.Errorf("%s is done", statement)
			}
		}
	})
}

func TestTheAuditLogIsForgottenAfterItsTime(t *testing.T) {
	each(t, func(t *testing.T, s *shop) {
		s.clock.advance(-s.cfg.AuditLife - time.Hour)
		s.signIn(t, "ada@example.com")
		s.clock.advance(s.cfg.AuditLife + time.Hour)
		s.signIn(t, "bob@example.com")
		if err := s.keepHouse(t.Context()); err != nil {
			t.Fatal(err)
		}
		if n := s.count(t, `SELECT count(*) FROM security_event`); n != 1 {
			t.Errorf("%d events are kept, want 1", n)
		}
		if n := s.count(t, `SELECT count(*) FROM security_event_origin`); n != 1 {
			t.Errorf("%d origins are kept, want 1", n)
		}
	})
}

func TestASessionIsListedWithItsClientAndRevokedByItsOwner(t *testing.T) {
	each(t, func(t *testing.T, s *shop) {
		s.clock.stop()
		s.register(t, "ada@example.com")
		first := s.loginFrom(t, "203.0.113.7", "ada@example.com", goodPassword).Tokens
		second := s.loginFrom(t, "2001:db8::1", "ada@example.com", goodPassword).Tokens
		_, bob := s.signIn(t, "bob@example.com")
		_, support := s.staff(t, "support@example.com", gen.RoleSupport)
		_, admin := s.staff(t, "grace@example.com", gen.RoleAdmin)
		s.clock.advance(5 * time.Second) // not longer, since tokens are verified by the real time
		first = s.refresh(t, first.RefreshToken).Tokens
		list := func() []gen.Session {
			return field[struct{ Sessions []gen.Session }](t, s.ask(t, first.AccessToken, `{ me { sessions { id createdAt lastSeenAt expiresAt userAgent clientAddress current } } }`, nil), "me").Sessions
		}
		got := list()
		if len(got) != 2 || !got[0].Current || got[0].LastSeenAt.Sub(got[0].CreatedAt) != 5*time.Second || got[0].UserAgent == nil ||
			got[1].Current || *got[1].ClientAddress != "2001:db8::1" || !got[1].ExpiresAt.After(s.clock.now()) {
			t.Fatalf("sessions %+v", got)
		}
		revoke := func(token, sessionID string) response {
			return s.ask(t, token, `mutation ($id: ID!) { sessionRevoke(id: $id) { revokedSessionId`+userErrorFields+`} }`, object{"id": sessionID})
		}
		type answer struct {
			RevokedSessionID *string
			UserErrors       []gen.AuthUserError
		}
		for _, test := range []struct{ token, id string }{{bob.AccessToken, got[1].ID}, {support, got[1].ID}, {first.AccessToken, "x\x00"}, {first.AccessToken, id.New(id.Session)}} {
			if a := field[answer](t, revoke(test.token, test.id), "sessionRevoke"); a.RevokedSessionID != nil || a.UserErrors[0].Code != gen.AuthErrorCodeNotFound {
				t.Errorf("%+v", a)
			}
		}
		if a := field[answer](t, revoke(first.AccessToken, got[1].ID), "sessionRevoke"); a.RevokedSessionID == nil {
			t.Errorf("the owner: %+v", a)
		}
		if p := s.refresh(t, second.RefreshToken); !cmp.Equal(p.codes(), []string{"SESSION_EXPIRED"}) || len(list()) != 1 {
			t.Errorf("the revoked session: %v", p.codes())
		}
		if a := field[answer](t, revoke(admin, got[0].ID), "sessionRevoke"); a.RevokedSessionID == nil {
			t.Errorf("an administrator: %+v", a)
		}
		if r := revoke(first.AccessToken, got[0].ID); r.code() != "UNAUTHENTICATED" {
			t.Errorf("an ended session: %v", r.Errors)
		}
	})
}

func TestThingsOfManyUsersAreOneStatementEach(t *testing.T) {
	each(t, func(t *testing.T, s *shop) {
		_, staff := s.staff(t, "grace@example.com", gen.RoleAdmin)
		var reps []object
		for i := range 20 {
			email := fmt.Sprintf("user%d@example.com", i)
			userID, err := s.EnsureAccount(t.Context(), Account{Email: email, DisplayName: "X", Password: goodPassword, Address: homeAddress()})
			if err != nil {
				t.Fatal(err)
			}
			for range 1 + i%2 {
				s.login(t, email, goodPassword)
			}
			reps = append(reps, object{"__typename": "User", "id": userID})
		}
		queries := databasetest.CountReads(t, s.db, s.url)
		for selection, want := range map[string]int64{
			"addresses { totalCount edges { node { id } } }": 2, "sessions { id }": 2, "addresses { totalCount } sessions { id } a: addresses(first: 1) { totalCount }": 3,
		} {
			queries.Store(0)
			r := s.ask(t, staff, `query ($reps: [_Any!]!) { _entities(representations: $reps) { ... on User { `+selection+` } } }`, object{"reps": reps})
			got := field[[]struct {
				Addresses *addressPage
				Sessions  []struct{ ID string }
			}](t, r, "_entities")
			for i, u := range got {
				if (u.Addresses != nil && u.Addresses.TotalCount != 1) || (u.Sessions != nil && len(u.Sessions) != 1+i%2) {
					t.Errorf("%s: user %d has %+v", selection, i, u)
				}
			}
			if n := queries.Load(); n != want {
				t.Errorf("%s of 20 users took %d queries, want %d", selection, n, want)
			}
		}
		queries.Store(0)
		if p := s.auditLog(t, staff, `(first: 20)`); len(p.Edges) != 20 || queries.Load() != 2 {
			t.Errorf("%d events of the log took %d queries, want 2", len(p.Edges), queries.Load())
		}
	})
}
