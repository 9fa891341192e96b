package users

import (
	"encoding/json"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/agora-supergraph/agora/internal/database/databasetest"
	"github.com/agora-supergraph/agora/internal/fault"
	"github.com/agora-supergraph/agora/subgraphs/users/gen"
)

const deletePassword = `currentPassword: "` + goodPassword + `"`

func TestADeletedAccountIsKeptForAWhileAndThenErased(t *testing.T) {
	each(t, func(t *testing.T, s *shop) {
		box := s.mailbox()
		s.clock.stop()
		userID, tokens := s.signIn(t, "ada@example.com")
		s.addAddress(t, tokens.AccessToken, nil)
		s.signIn(t, "bob@example.com")
		if p := s.mutate(t, tokens.AccessToken, "accountDelete", `currentPassword: "guess"`); !cmp.Equal(p.codes(), []string{"INVALID_CREDENTIALS"}) {
			t.Errorf("without the password: %v", p.codes())
		}
		if p := s.mutate(t, tokens.AccessToken, "accountDelete", deletePassword); p.User == nil {
			t.Fatalf("delete: %v", p.codes())
		}
		if s.refresh(t, tokens.RefreshToken).Tokens != nil {
			t.Error("a session lives on")
		}
		s.clock.advance(s.cfg.DeletionGrace - time.Minute)
		if err := s.keepHouse(t.Context()); err != nil {
			t.Fatal(err)
		}
		if n := s.count(t, `SELECT count(*) FROM account`); n != 2 {
			t.Fatalf("%d accounts before the time, want 2", n)
		}
		s.clock.advance(time.Minute)
		t.Cleanup(func() { fault.Configure("", 0) })
		fault.Configure("users.erased=error", 1)
		if err := s.keepHouse(t.Context()); err == nil || s.count(t, `SELECT count(*) FROM account`) != 2 {
			t.Errorf("an erasure that fails halfway: %v", err)
		}
		fault.Configure("", 0)
		if err := s.keepHouse(t.Context()); err != nil {
			t.Fatal(err)
		}
		s.sendAll(t)
		for table, query := range map[string]string{
			"account": `id = $1`, "address": `account_id = $1`, "session": `account_id = $1`, "mail_token": `account_id = $1`,
			"refresh_token": `session_id NOT IN (SELECT id FROM session WHERE account_id <> $1)`,
		} {
			if n := s.count(t, `SELECT count(*) FROM `+table+` WHERE `+query, userID); n != 0 {
				t.Errorf("%s has %d rows of the erased account", table, n)
			}
		}
		if n := s.count(t, `SELECT count(*) FROM security_event_origin JOIN security_event ON id = event_id WHERE account_id = $1`, userID); n != 0 {
			t.Errorf("%d origins of security events are left", n)
		}
		var last string
		if err := s.db.Read.Get(&last, `SELECT type FROM outbox WHERE subject = $1 ORDER BY sequence DESC LIMIT 1`, userID); err != nil || last != eventDeleted {
			t.Errorf("the last event is %q, %v", last, err)
		}
		if got := box.to("ada@example.com"); !cmp.Equal(got[len(got)-1], letters[mailErased].subject) || s.count(t, `SELECT count(*) FROM mail WHERE recipient = 'ada@example.com'`) != 0 {
			t.Errorf("mail %v", got)
		}
		if p := s.register(t, "ada@example.com"); p.User == nil {
			t.Errorf("the address can't be used again: %v", p.codes())
		}
	})
}

func TestADeletionIsCancelledByWhoeverSignsInAgain(t *testing.T) {
	each(t, func(t *testing.T, s *shop) {
		s.clock.stop()
		_, tokens := s.signIn(t, "ada@example.com")
		s.mutate(t, tokens.AccessToken, "accountDelete", deletePassword)
		again := s.login(t, "ada@example.com", goodPassword).Tokens
		if again == nil {
			t.Fatal("an account that is to be erased can't be signed in to")
		}
		deletionAt := func() *time.Time {
			return field[struct{ DeletionAt *time.Time }](t, s.ask(t, again.AccessToken, `{ me { deletionAt } }`, nil), "me").DeletionAt
		}
		if at := deletionAt(); at == nil || at.Sub(s.clock.now()).Round(time.Second) != s.cfg.DeletionGrace {
			t.Errorf("deletionAt = %v", at)
		}
		s.ask(t, again.AccessToken, `mutation { accountDeletionCancel { user { id } } }`, nil)
		s.clock.advance(s.cfg.DeletionGrace + time.Hour)
		if err := s.keepHouse(t.Context()); err != nil {
			t.Fatal(err)
		}
		if n := s.count(t, `SELECT count(*) FROM account`); n != 1 {
			t.Error("the account was erased")
		}
	})
}

func TestAnAdministratorHandsTheRoleOnBeforeTheAccountIsDeleted(t *testing.T) {
	s := open(t, "sqlite:"+t.TempDir()+"/test.db")
	_, admin := s.staff(t, "grace@example.com", gen.RoleAdmin)
	if p := s.mutate(t, admin, "accountDelete", deletePassword); !cmp.Equal(p.codes(), []string{"INVALID_INPUT"}) {
		t.Errorf("delete: %v", p.codes())
	}
}

func TestAnErasureAndItsCancellationNeverBothHappen(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, url string) {
		s := open(t, url, func(c *Config) { c.DeletionGrace = 2 * time.Second }) // tokens are verified by the real time
		s.clock.stop()
		var people []*gen.TokenPair
		for _, email := range []string{"a@example.com", "b@example.com", "c@example.com", "d@example.com"} {
			_, tokens := s.signIn(t, email)
			s.mutate(t, tokens.AccessToken, "accountDelete", deletePassword)
			people = append(people, s.login(t, email, goodPassword).Tokens)
		}
		s.clock.advance(s.cfg.DeletionGrace)
		var wg sync.WaitGroup
		kept := make([]bool, len(people))
		for i, tokens := range people {
			wg.Go(func() {
				r := s.ask(t, tokens.AccessToken, `mutation { accountDeletionCancel { user { id } } }`, nil)
				kept[i] = len(r.Errors) == 0
			})
		}
		wg.Go(func() {
			if err := s.eraseDue(t.Context()); err != nil {
				t.Error(err)
			}
		})
		wg.Wait()
		want := 0
		for _, k := range kept {
			if k {
				want++
			}
		}
		if n := s.count(t, `SELECT count(*) FROM account`); n != want {
			t.Errorf("%d accounts, but %d cancellations succeeded", n, want)
		}
	})
}

func TestAnExportHoldsEverythingButSecrets(t *testing.T) {
	each(t, func(t *testing.T, s *shop) {
		userID, tokens := s.signIn(t, "ada@example.com")
		s.addAddress(t, tokens.AccessToken, object{"city": "Weimar"})
		r := s.ask(t, tokens.AccessToken, `mutation { accountExport { document`+userErrorFields+`} }`, nil)
		document := field[struct{ Document string }](t, r, "accountExport").Document
		var e export
		if err := json.Unmarshal([]byte(document), &e); err != nil {
			t.Fatalf("%v in %s", err, document)
		}
		if e.Account.ID != userID || e.Account.Email != "ada@example.com" || len(e.Addresses) != 1 || e.Addresses[0].City != "Weimar" || len(e.Sessions) != 1 {
			t.Errorf("export %s", document)
		}
		if n := len(e.SecurityEvents); n != 2 || e.SecurityEvents[n-1].Type != gen.SecurityEventTypeDataExported {
			t.Errorf("security events %+v", e.SecurityEvents)
		}
		for _, secret := range []string{"argon2", tokens.RefreshToken} {
			if strings.Contains(document, secret) {
				t.Errorf("the export holds %s", secret)
			}
		}
		if r := s.ask(t, "", `mutation { accountExport { document } }`, nil); r.code() != "UNAUTHENTICATED" {
			t.Errorf("anonymous: %v", r.Errors)
		}
	})
}
