package users

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/agora-supergraph/agora/internal/database/databasetest"
	"github.com/agora-supergraph/agora/subgraphs/users/gen"
)

// guesses is a document that tries a password on each of n accounts, which may be the same.
func guesses(n int, email func(i int) string) string {
	var doc strings.Builder
	doc.WriteString("mutation {")
	for i := range n {
		fmt.Fprintf(&doc, ` a%d: login(input: { email: %q, password: "guess" }) { userErrors { code retryAfter } }`, i, email(i))
	}
	doc.WriteString("}")
	return doc.String()
}

// tally counts the codes of a response's fields.
func tally(t *testing.T, r response) map[string]int {
	t.Helper()
	got := map[string]int{}
	for name := range r.Data {
		got[field[payload](t, r, name).codes()[0]]++
	}
	return got
}

func TestOneRequestTriesOnePasswordAndEachAliasCounts(t *testing.T) {
	each(t, func(t *testing.T, s *shop) {
		s.clock.stop()
		s.register(t, "ada@example.com")
		ada := func(int) string { return "ada@example.com" }
		before := s.hasher.derived.Load()
		r := s.askFrom(t, "203.0.113.7", "", guesses(100, ada), nil)
		if diff := cmp.Diff(map[string]int{"INVALID_CREDENTIALS": 1, "TOO_MANY_ATTEMPTS": 99}, tally(t, r)); diff != "" {
			t.Errorf("answers (-want +got)\n%s", diff)
		}
		if n := s.hasher.derived.Load() - before; n != 1 {
			t.Errorf("%d passwords were checked, want 1", n)
		}
		blocked := s.loginFrom(t, "203.0.113.7", "ada@example.com", goodPassword)
		if len(blocked.UserErrors) == 0 || blocked.UserErrors[0].RetryAfter == nil {
			t.Fatalf("the next request of the same client: %+v", blocked)
		}
		if got := blocked.UserErrors[0].RetryAfter.Sub(s.clock.now()).Round(time.Second); got != maxPause {
			t.Errorf("after 100 attempts the pause is %v, want %v", got, maxPause)
		}
		if p := s.loginFrom(t, "198.51.100.1", "ada@example.com", goodPassword); p.Tokens == nil {
			t.Errorf("the owner, who is elsewhere, is locked out: %v", p.codes())
		}
	})
}

func TestAPasswordIsTriedOnOneOfManyAccountsInARequest(t *testing.T) {
	each(t, func(t *testing.T, s *shop) {
		s.clock.stop()
		r := s.askFrom(t, "203.0.113.7", "", guesses(100, func(i int) string { return fmt.Sprintf("user%d@example.com", i) }), nil)
		if diff := cmp.Diff(map[string]int{"INVALID_CREDENTIALS": 1, "TOO_MANY_ATTEMPTS": 99}, tally(t, r)); diff != "" {
			t.Errorf("answers (-want +got)\n%s", diff)
		}
		if p := s.loginFrom(t, "203.0.113.7", "another@example.com", "guess"); !cmp.Equal(p.codes(), []string{"TOO_MANY_ATTEMPTS"}) {
			t.Errorf("the network after 100 attempts: %v", p.codes())
		}
	})
}

func TestGuessesFromManyPlacesAreStoppedByTheAccount(t *testing.T) {
	each(t, func(t *testing.T, s *shop) {
		s.clock.stop()
		s.register(t, "ada@example.com")
		for i := range perAccount.free {
			if p := s.loginFrom(t, fmt.Sprintf("203.0.113.%d", i), "ada@example.com", "guess"); !cmp.Equal(p.codes(), []string{"INVALID_CREDENTIALS"}) {
				t.Fatalf("guess %d: %v", i, p.codes())
			}
		}
		if p := s.loginFrom(t, "198.51.100.1", "ada@example.com", goodPassword); !cmp.Equal(p.codes(), []string{"TOO_MANY_ATTEMPTS"}) {
			t.Errorf("after %d guesses: %v", perAccount.free, p.codes())
		}
	})
}

func TestSuccessIsNotHeldAgainstANetwork(t *testing.T) {
	each(t, func(t *testing.T, s *shop) {
		s.clock.stop()
		s.register(t, "ada@example.com")
		for i := range perNetwork.free + 2 {
			if p := s.loginFrom(t, "2001:db8::"+fmt.Sprint(i+1), "ada@example.com", goodPassword); p.Tokens == nil {
				t.Fatalf("login %d: %v", i, p.codes())
			}
		}
	})
}

func TestAPauseSurvivesARestart(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, url string) {
		s := open(t, url)
		s.clock.stop()
		for range perPair.free {
			s.login(t, "ada@example.com", "guess")
		}
		again := open(t, url, func(c *Config) { c.Now = s.clock.now })
		if p := again.login(t, "ada@example.com", "guess"); !cmp.Equal(p.codes(), []string{"TOO_MANY_ATTEMPTS"}) {
			t.Errorf("after a restart: %v", p.codes())
		}
	})
}

func TestAPasswordThatConfirmsIsAnAttemptLikeALogin(t *testing.T) {
	s := open(t, databasetest.SQLite(t))
	s.clock.stop()
	_, tokens := s.signIn(t, "ada@example.com")
	for i := range perPair.free + 1 {
		r := s.ask(t, tokens.AccessToken, `mutation { accountDelete(input: { currentPassword: "guess" }) { user { id } userErrors { code } } }`, nil)
		want := string(gen.AuthErrorCodeInvalidCredentials)
		if i == perPair.free {
			want = string(gen.AuthErrorCodeTooManyAttempts)
		}
		if got := field[payload](t, r, "accountDelete").codes(); !cmp.Equal(got, []string{want}) {
			t.Errorf("guess %d: %v, want %s", i, got, want)
		}
	}
}
