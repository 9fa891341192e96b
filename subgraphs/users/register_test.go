package users

import (
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/agora-supergraph/agora/internal/database/databasetest"
	"github.com/agora-supergraph/agora/internal/id"
)

func TestRegisterCreatesACustomerWhoCanLogIn(t *testing.T) {
	each(t, func(t *testing.T, s *shop) {
		p := s.register(t, "  Ada.Lovelace@Example.COM ", object{"displayName": "  Ada Lovelace "})
		if p.User == nil || !id.Is(id.User, p.User.ID) || p.User.DisplayName != "Ada Lovelace" {
			t.Fatalf("register = %+v", p)
		}
		in := s.login(t, "ada.lovelace@example.com", goodPassword)
		if in.User == nil || in.User.ID != p.User.ID {
			t.Fatalf("log in with the address in other case: %v", in.codes())
		}
		me := field[struct {
			ID, Email string
			Sessions  []struct{ UserAgent string }
		}](t, s.ask(t, in.Tokens.AccessToken, `{ me { id email sessions { userAgent } } }`, nil), "me")
		if me.Email != "Ada.Lovelace@Example.COM" || len(me.Sessions) != 1 || me.Sessions[0].UserAgent != "test/1.0" {
			t.Errorf("me = %+v", me)
		}
		if n := s.count(t, `SELECT count(*) FROM outbox WHERE type = $1 AND subject = $2`, eventRegistered, p.User.ID); n != 1 {
			t.Errorf("%d events of the registration, want 1", n)
		}
	})
}

func TestAnEmailAddressIsTakenOnceWhateverItsCase(t *testing.T) {
	each(t, func(t *testing.T, s *shop) {
		s.register(t, "straße@example.com")
		for _, again := range []string{"straße@example.com", "STRASSE@example.com", " Straße@EXAMPLE.com"} {
			p := s.register(t, again)
			if diff := cmp.Diff([]string{"EMAIL_TAKEN"}, p.codes()); diff != "" || p.User != nil {
				t.Errorf("register %q: user %v, codes (-want +got)\n%s", again, p.User, diff)
			}
		}
	})
}

func TestOfManyRegistrationsOfOneAddressAtOnceOneSucceeds(t *testing.T) {
	each(t, func(t *testing.T, s *shop) {
		var wg sync.WaitGroup
		codes := make([]string, 20)
		for i := range codes {
			wg.Go(func() { codes[i] = strings.Join(s.register(t, "one@example.com").codes(), ",") })
		}
		wg.Wait()
		got := map[string]int{}
		for _, c := range codes {
			got[c]++
		}
		if diff := cmp.Diff(map[string]int{"": 1, "EMAIL_TAKEN": 19}, got); diff != "" {
			t.Errorf("codes (-want +got)\n%s", diff)
		}
	})
}

func TestRegisterSaysEverythingThatIsWrongWithItsInput(t *testing.T) {
	s := open(t, databasetest.SQLite(t))
	long := strings.Repeat("x", 81)
	for name, test := range map[string]struct {
		input object
		want  map[string]string // path to code
	}{
		"no address":                    {object{"email": "ada"}, map[string]string{"input.email": "INVALID_INPUT"}},
		"an address with a name":        {object{"email": "Ada <ada@example.com>"}, map[string]string{"input.email": "INVALID_INPUT"}},
		"a host without a domain":       {object{"email": "ada@localhost"}, map[string]string{"input.email": "INVALID_INPUT"}},
		"an address with a line break":  {object{"email": "ada\r\nBcc: b@example.com@example.com"}, map[string]string{"input.email": "INVALID_INPUT"}},
		"an address that is too long":   {object{"email": strings.Repeat("a", 60) + "@" + strings.Repeat("b.", 100) + "com"}, map[string]string{"input.email": "INVALID_INPUT"}},
		"an empty name":                 {object{"displayName": " \u200b "}, map[string]string{"input.displayName": "INVALID_INPUT"}},
		"a name that is too long":       {object{"displayName": long}, map[string]string{"input.displayName": "INVALID_INPUT"}},
		"a name with a NUL":             {object{"displayName": "a\x00b"}, map[string]string{"input.displayName": "INVALID_INPUT"}},
		"a password of seven":           {object{"password": "s3cret!"}, map[string]string{"input.password": "PASSWORD_TOO_WEAK"}},
		"a password of 129":             {object{"password": strings.Repeat("abcd", 32) + "e"}, map[string]string{"input.password": "PASSWORD_TOO_WEAK"}},
		"a password of two characters":  {object{"password": "abababababab"}, map[string]string{"input.password": "PASSWORD_TOO_WEAK"}},
		"a leaked password":             {object{"password": "Password1"}, map[string]string{"input.password": "PASSWORD_BREACHED"}},
		"the address as the password":   {object{"password": "NEW@example.com"}, map[string]string{"input.password": "PASSWORD_TOO_WEAK"}},
		"the name as the password":      {object{"displayName": "Ada Lovelace", "password": "ada lovelace"}, map[string]string{"input.password": "PASSWORD_TOO_WEAK"}},
		"an empty idempotency key":      {object{"idempotencyKey": ""}, map[string]string{"input.idempotencyKey": "INVALID_INPUT"}},
		"a long idempotency key":        {object{"idempotencyKey": strings.Repeat("k", 256)}, map[string]string{"input.idempotencyKey": "INVALID_INPUT"}},
		"three wrong fields":            {object{"email": "", "displayName": "", "password": ""}, map[string]string{"input.email": "INVALID_INPUT", "input.displayName": "INVALID_INPUT", "input.password": "PASSWORD_TOO_WEAK"}},
		"a right-to-left name is fine":  {object{"email": "a@example.com", "displayName": "עדה לאבלייס"}, map[string]string{}},
		"a name of emoji is fine":       {object{"email": "b@example.com", "displayName": "👩‍💻"}, map[string]string{}},
		"a password of emoji is fine":   {object{"email": "c@example.com", "password": "🐎🔋📎✔ correct"}, map[string]string{}},
		"an address with IDN is fine":   {object{"email": "jörg@bücher.example"}, map[string]string{}},
		"a quote in the name is stored": {object{"email": "d@example.com", "displayName": "Robert'); DROP TABLE account;--"}, map[string]string{}},
	} {
		t.Run(name, func(t *testing.T) {
			got := map[string]string{}
			for _, e := range s.register(t, "new@example.com", test.input).UserErrors {
				got[strings.Join(e.Field, ".")] = string(e.Code)
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("errors (-want +got)\n%s", diff)
			}
		})
	}
}

func TestTheSameIdempotencyKeyGivesTheSameUser(t *testing.T) {
	each(t, func(t *testing.T, s *shop) {
		key := object{"idempotencyKey": "k1"}
		first := s.register(t, "ada@example.com", key)
		again := s.register(t, "ADA@example.com ", key)
		if again.User == nil || again.User.ID != first.User.ID {
			t.Errorf("the second answer is %v %v, want user %s", again.User, again.codes(), first.User.ID)
		}
		restarted := open(t, s.url).register(t, "ada@example.com", key)
		if restarted.User == nil || restarted.User.ID != first.User.ID {
			t.Errorf("after a restart the answer is %v %v", restarted.User, restarted.codes())
		}
		for name, other := range map[string]object{
			"address":  {"idempotencyKey": "k1", "email": "grace@example.com"},
			"name":     {"idempotencyKey": "k1", "displayName": "Grace"},
			"password": {"idempotencyKey": "k1", "password": goodPassword + "!"},
		} {
			p := s.register(t, "ada@example.com", other)
			if diff := cmp.Diff([]string{"INVALID_INPUT"}, p.codes()); diff != "" || p.User != nil {
				t.Errorf("the same key with another %s: user %v, codes (-want +got)\n%s", name, p.User, diff)
			}
		}
		if n := s.count(t, `SELECT count(*) FROM account`); n != 1 {
			t.Errorf("%d accounts, want 1", n)
		}
	})
}

func TestTheSameIdempotencyKeyManyTimesAtOnceMakesOneUser(t *testing.T) {
	each(t, func(t *testing.T, s *shop) {
		var wg sync.WaitGroup
		answers := make([]string, 20)
		for i := range answers {
			wg.Go(func() {
				p := s.register(t, "ada@example.com", object{"idempotencyKey": "k"})
				if answers[i] = fmt.Sprint(p.codes()); p.User != nil {
					answers[i] = p.User.ID
				}
			})
		}
		wg.Wait()
		for _, a := range answers {
			if a != answers[0] || !id.Is(id.User, a) {
				t.Fatalf("answers differ: %q", answers)
			}
		}
	})
}

func TestEnsureAccountLeavesAnAccountAsItIs(t *testing.T) {
	each(t, func(t *testing.T, s *shop) {
		want := Account{Email: "ada@example.com", DisplayName: "Ada", Password: goodPassword, Address: homeAddress()}
		first, err := s.EnsureAccount(t.Context(), want)
		if err != nil {
			t.Fatal(err)
		}
		want.DisplayName, want.Password = "Somebody else", "another good password"
		second, err := s.EnsureAccount(t.Context(), want)
		if err != nil || second != first {
			t.Errorf("the second time: %q, %v; want %q", second, err, first)
		}
		if s.login(t, "ada@example.com", goodPassword).Tokens == nil {
			t.Error("the password was changed")
		}
		if n := s.count(t, `SELECT count(*) FROM address WHERE account_id = $1 AND is_default`, first); n != 1 {
			t.Errorf("%d default addresses, want 1", n)
		}
	})
}
