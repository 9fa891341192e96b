package users

import (
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/agora-supergraph/agora/internal/database/databasetest"
)

func TestARefreshTokenIsGoodForOneUse(t *testing.T) {
	each(t, func(t *testing.T, s *shop) {
		userID, first := s.signIn(t, "ada@example.com")
		second := s.refresh(t, first.RefreshToken)
		if second.Tokens == nil || second.User.ID != userID || second.Tokens.RefreshToken == first.RefreshToken {
			t.Fatalf("refresh = %+v", second)
		}
		if second.Tokens.AccessToken == first.AccessToken {
			t.Error("the access token is the same")
		}
		third := s.refresh(t, second.Tokens.RefreshToken)
		if third.Tokens == nil {
			t.Fatalf("refresh again: %v", third.codes())
		}
		// The first token is spent, and not the one before the current: somebody has a copy.
		for _, token := range []string{first.RefreshToken, third.Tokens.RefreshToken, second.Tokens.RefreshToken} {
			if diff := cmp.Diff([]string{"SESSION_REUSED"}, s.refresh(t, token).codes()); diff != "" {
				t.Errorf("after the reuse (-want +got)\n%s", diff)
			}
		}
		if n := s.count(t, `SELECT count(*) FROM outbox WHERE type = $1`, eventSessionRevoked); n != 1 {
			t.Errorf("%d events of the revocation, want 1", n)
		}
	})
}

func TestALostAnswerIsGivenAgainForTenSeconds(t *testing.T) {
	each(t, func(t *testing.T, s *shop) {
		s.clock.stop()
		_, first := s.signIn(t, "ada@example.com")
		next := s.refresh(t, first.RefreshToken).Tokens.RefreshToken
		s.clock.advance(grace - time.Second)
		if again := s.refresh(t, first.RefreshToken); again.Tokens == nil || again.Tokens.RefreshToken != next {
			t.Fatalf("within the grace: %v %v, want the same token again", again.Tokens, again.codes())
		}
		s.clock.advance(2 * time.Second)
		if diff := cmp.Diff([]string{"SESSION_REUSED"}, s.refresh(t, first.RefreshToken).codes()); diff != "" {
			t.Errorf("after the grace (-want +got)\n%s", diff)
		}
	})
}

func TestFiftyRefreshesAtOnceGetTheSameSuccessor(t *testing.T) {
	each(t, func(t *testing.T, s *shop) {
		s.clock.stop()
		_, first := s.signIn(t, "ada@example.com")
		var wg sync.WaitGroup
		got := make([]payload, 50)
		for i := range got {
			wg.Go(func() { got[i] = s.refresh(t, first.RefreshToken) })
		}
		wg.Wait()
		for _, p := range got {
			if p.Tokens == nil || p.Tokens.RefreshToken != got[0].Tokens.RefreshToken {
				t.Fatalf("one of them got %v %v", p.Tokens, p.codes())
			}
		}
		if n := s.count(t, `SELECT count(*) FROM refresh_token`); n != 2 {
			t.Errorf("%d tokens were made, want 2", n)
		}
		if s.refresh(t, got[0].Tokens.RefreshToken).Tokens == nil {
			t.Error("the successor is not good")
		}
	})
}

func TestAfterReuseUnderLoadNoTokenOfTheFamilyLives(t *testing.T) {
	each(t, func(t *testing.T, s *shop) {
		s.clock.stop()
		_, stolen := s.signIn(t, "ada@example.com")
		current := s.refresh(t, s.refresh(t, stolen.RefreshToken).Tokens.RefreshToken).Tokens.RefreshToken
		var wg sync.WaitGroup
		answers := make([]payload, 50)
		for i := range answers {
			token := stolen.RefreshToken
			if i%2 == 0 {
				token = current
			}
			wg.Go(func() { answers[i] = s.refresh(t, token) })
		}
		wg.Wait()
		for i, p := range answers {
			if p.Tokens == nil {
				continue
			}
			if i%2 == 1 {
				t.Error("the stolen token was accepted")
			}
			if s.refresh(t, p.Tokens.RefreshToken).Tokens != nil {
				t.Error("a token of the family still lives")
			}
		}
	})
}

func TestTokensThatAreNoneAreAnsweredLikeExpiredOnes(t *testing.T) {
	s := open(t, databasetest.SQLite(t))
	_, tokens := s.signIn(t, "ada@example.com")
	for _, token := range []string{
		"", "x", refreshPrefix, tokens.AccessToken, newRefreshToken().String(), tokens.RefreshToken + "A",
		strings.TrimPrefix(tokens.RefreshToken, refreshPrefix), strings.ToLower(tokens.RefreshToken), "' OR 1=1 --",
	} {
		if diff := cmp.Diff([]string{"SESSION_EXPIRED"}, s.refresh(t, token).codes()); diff != "" {
			t.Errorf("refresh %.30q (-want +got)\n%s", token, diff)
		}
	}
	if s.refresh(t, tokens.RefreshToken).Tokens == nil {
		t.Error("the good token was lost")
	}
}

func TestTheTokensThemselvesAreNotStored(t *testing.T) {
	each(t, func(t *testing.T, s *shop) {
		_, first := s.signIn(t, "ada@example.com")
		s.refresh(t, first.RefreshToken)
		var rows []struct {
			Hash string
			Salt *string
		}
		if err := s.db.Read.Select(&rows, `SELECT hash, salt FROM refresh_token`); err != nil {
			t.Fatal(err)
		}
		secret := strings.TrimPrefix(first.RefreshToken, refreshPrefix)
		for _, r := range rows {
			if len(r.Hash) != 64 || strings.Contains(r.Hash, secret) {
				t.Errorf("stored %q", r.Hash)
			}
		}
	})
}

func TestASessionEndsWhenIdleAndWhenOld(t *testing.T) {
	each(t, func(t *testing.T, s *shop) {
		s.register(t, "ada@example.com")
		idle := s.login(t, "ada@example.com", goodPassword).Tokens
		busy := s.login(t, "ada@example.com", goodPassword).Tokens
		begin := s.clock.now()
		end := begin.Add(s.cfg.SessionLife)
		for i := 1; s.clock.now().Before(end.Add(-time.Hour)); i++ {
			s.clock.advance(20 * 24 * time.Hour)
			p := s.refresh(t, busy.RefreshToken)
			if p.Tokens == nil {
				if s.clock.now().Before(end.Add(-time.Minute)) {
					t.Fatalf("after %v: %v", s.clock.now().Sub(begin), p.codes())
				}
				break
			}
			busy = p.Tokens
			if busy.RefreshTokenExpiresAt.After(end.Add(time.Minute)) {
				t.Errorf("a token is good until %v, beyond the end %v", busy.RefreshTokenExpiresAt, end)
			}
			if code := "SESSION_EXPIRED"; i == 2 && !cmp.Equal(s.refresh(t, idle.RefreshToken).codes(), []string{code}) {
				t.Errorf("the idle session goes on")
			}
		}
		s.clock.advance(3 * 24 * time.Hour)
		if diff := cmp.Diff([]string{"SESSION_EXPIRED"}, s.refresh(t, busy.RefreshToken).codes()); diff != "" {
			t.Errorf("after %v (-want +got)\n%s", s.clock.now().Sub(begin), diff)
		}
		if err := s.keepHouse(t.Context()); err != nil {
			t.Fatal(err)
		}
		if n := s.count(t, `SELECT (SELECT count(*) FROM session) + (SELECT count(*) FROM refresh_token)`); n != 0 {
			t.Errorf("%d rows are left of ended sessions", n)
		}
	})
}

const logoutMutation = `mutation ($everywhere: Boolean! = false) { logout(everywhere: $everywhere) { revokedSessions } }`

func TestLogoutEndsThisSessionOrAll(t *testing.T) {
	each(t, func(t *testing.T, s *shop) {
		_, one := s.signIn(t, "ada@example.com")
		two := s.login(t, "ada@example.com", goodPassword).Tokens
		three := s.login(t, "ada@example.com", goodPassword).Tokens
		_, other := s.signIn(t, "bob@example.com")
		if n := field[payload](t, s.ask(t, one.AccessToken, logoutMutation, nil), "logout").RevokedSessions; n != 1 {
			t.Errorf("logout ended %d sessions, want 1", n)
		}
		if n := field[payload](t, s.ask(t, one.AccessToken, logoutMutation, nil), "logout").RevokedSessions; n != 0 {
			t.Errorf("the second logout ended %d sessions, want 0", n)
		}
		if p := s.refresh(t, one.RefreshToken); !cmp.Equal(p.codes(), []string{"SESSION_EXPIRED"}) {
			t.Errorf("refresh after logout: %v", p.codes())
		}
		everywhere := object{"everywhere": true}
		if r := s.ask(t, one.AccessToken, logoutMutation, everywhere); r.code() != "UNAUTHENTICATED" {
			t.Errorf("an ended session ends the others: %v", r.Errors)
		}
		if n := field[payload](t, s.ask(t, two.AccessToken, logoutMutation, everywhere), "logout").RevokedSessions; n != 2 {
			t.Errorf("logout everywhere ended %d sessions, want 2", n)
		}
		if s.refresh(t, three.RefreshToken).Tokens != nil || s.refresh(t, other.RefreshToken).Tokens == nil {
			t.Error("want the user's other session ended and the other user's not")
		}
		if r := s.ask(t, "", logoutMutation, nil); r.code() != "UNAUTHENTICATED" {
			t.Errorf("anonymous logout: %v", r.Errors)
		}
	})
}

func TestAnEndedSessionChangesNothing(t *testing.T) {
	each(t, func(t *testing.T, s *shop) {
		_, tokens := s.signIn(t, "ada@example.com")
		s.ask(t, tokens.AccessToken, logoutMutation, nil)
		for _, mutation := range []string{
			`mutation { addressCreate(input: { name: "A", line1: "B", city: "C", postalCode: "1", countryCode: "DE" }) { address { id } } }`,
			`mutation { passwordChange(input: { currentPassword: "` + goodPassword + `", newPassword: "another good one" }) { user { id } } }`,
		} {
			if r := s.ask(t, tokens.AccessToken, mutation, nil); r.code() != "UNAUTHENTICATED" {
				t.Errorf("%s: %v", mutation, r.Errors)
			}
		}
	})
}

func TestMeIsNullForWhoeverIsNoUser(t *testing.T) {
	s := open(t, databasetest.SQLite(t))
	for name, token := range map[string]string{"nobody known": "", "a service": serviceToken(t, "orders", scopeRead)} {
		if me := field[*struct{ ID string }](t, s.ask(t, token, `{ me { id } }`, nil), "me"); me != nil {
			t.Errorf("me of %s = %v", name, me)
		}
	}
	if r := s.ask(t, "forged", `{ me { id } }`, nil); r.code() != "UNAUTHENTICATED" {
		t.Errorf("a forged token: %v", r.Errors)
	}
}
