package users

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/agora-supergraph/agora/internal/database/databasetest"
)

const passwordMutation = `mutation ($input: PasswordChangeInput!) { passwordChange(input: $input) { user { id }` + userErrorFields + `} }`

func (s *shop) changePassword(t testing.TB, token, from, to string) payload {
	t.Helper()
	r := s.ask(t, token, passwordMutation, object{"input": object{"currentPassword": from, "newPassword": to}})
	return field[payload](t, r, "passwordChange")
}

const newPassword = "a heron at low tide"

func TestAPasswordChangeEndsTheOtherSessionsAndNotThisOne(t *testing.T) {
	each(t, func(t *testing.T, s *shop) {
		userID, here := s.signIn(t, "ada@example.com")
		elsewhere := s.login(t, "ada@example.com", goodPassword).Tokens
		if p := s.changePassword(t, here.AccessToken, goodPassword, newPassword); p.User == nil || p.User.ID != userID {
			t.Fatalf("change = %+v", p)
		}
		if s.refresh(t, here.RefreshToken).Tokens == nil {
			t.Error("this session has ended")
		}
		if diff := cmp.Diff([]string{"SESSION_EXPIRED"}, s.refresh(t, elsewhere.RefreshToken).codes()); diff != "" {
			t.Errorf("the other session (-want +got)\n%s", diff)
		}
		if s.login(t, "ada@example.com", goodPassword).Tokens != nil || s.login(t, "ada@example.com", newPassword).Tokens == nil {
			t.Error("want the new password good and the old one not")
		}
		if n := s.count(t, `SELECT count(*) FROM outbox WHERE type = $1`, eventPasswordChanged); n != 1 {
			t.Errorf("%d events, want 1", n)
		}
	})
}

func TestAPasswordChangeIsRefusedForAReason(t *testing.T) {
	s := open(t, databasetest.SQLite(t))
	_, tokens := s.signIn(t, "ada@example.com")
	for name, test := range map[string]struct{ from, to, field, code string }{
		"a wrong current password": {"not the password", newPassword, "input.currentPassword", "INVALID_CREDENTIALS"},
		"a weak new password":      {goodPassword, "short", "input.newPassword", "PASSWORD_TOO_WEAK"},
		"a leaked new password":    {goodPassword, "iloveyou", "input.newPassword", "PASSWORD_BREACHED"},
		"one's own address":        {goodPassword, "ada@example.com", "input.newPassword", "PASSWORD_TOO_WEAK"},
		"the same password":        {goodPassword, goodPassword, "input.newPassword", "PASSWORD_TOO_WEAK"},
	} {
		t.Run(name, func(t *testing.T) {
			p := s.changePassword(t, tokens.AccessToken, test.from, test.to)
			if len(p.UserErrors) != 1 || p.User != nil || string(p.UserErrors[0].Code) != test.code || strings.Join(p.UserErrors[0].Field, ".") != test.field {
				t.Errorf("payload %+v, want %s at %s", p, test.code, test.field)
			}
		})
	}
	if s.login(t, "ada@example.com", goodPassword).Tokens == nil {
		t.Error("the password was changed")
	}
}

func TestGuessingTheCurrentPasswordIsThrottledToo(t *testing.T) {
	each(t, func(t *testing.T, s *shop) {
		_, tokens := s.signIn(t, "ada@example.com")
		s.clock.stop()
		for range perPair.free {
			s.changePassword(t, tokens.AccessToken, "a wrong guess", newPassword)
		}
		if diff := cmp.Diff([]string{"TOO_MANY_ATTEMPTS"}, s.changePassword(t, tokens.AccessToken, goodPassword, newPassword).codes()); diff != "" {
			t.Errorf("codes (-want +got)\n%s", diff)
		}
	})
}

func TestAServiceHasNoPasswordToChange(t *testing.T) {
	s := open(t, databasetest.SQLite(t))
	r := s.ask(t, serviceToken(t, "orders", scopeRead, scopeAdmin), passwordMutation, object{"input": object{"currentPassword": "a", "newPassword": "b"}})
	if r.code() != "FORBIDDEN" {
		t.Errorf("errors %v", r.Errors)
	}
}

func TestPasswordsInEitherUnicodeFormAreTheSame(t *testing.T) {
	s := open(t, databasetest.SQLite(t))
	s.register(t, "ada@example.com", object{"password": "cafe\u0301 au lait, bitte"})
	if s.login(t, "ada@example.com", "caf\u00e9 au lait, bitte").Tokens == nil {
		t.Error("the composed form is refused")
	}
}

func TestTheListOfCommonPasswordsIsWhole(t *testing.T) {
	common := commonPasswords()
	if len(common) != 10_000 {
		t.Errorf("%d passwords, want 10000", len(common))
	}
	for password := range common {
		if len(password) < minPassword || password != fold(password) {
			t.Errorf("%q would never be found", password)
		}
	}
}
