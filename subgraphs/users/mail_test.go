package users

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/agora-supergraph/agora/internal/fault"
	"github.com/agora-supergraph/agora/internal/mail"
	"github.com/agora-supergraph/agora/subgraphs/users/gen"
)

// letterbox is where mail arrives, unless it is closed.
type letterbox struct {
	mu       sync.Mutex
	closed   error
	messages []mail.Message
}

// Send takes a message.
func (b *letterbox) Send(_ context.Context, m mail.Message) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.closed == nil {
		b.messages = append(b.messages, m)
	}
	return b.closed
}

// mailbox replaces the service's way out for mail.
func (s *shop) mailbox() *letterbox {
	b := &letterbox{}
	s.cfg.sender = b
	return b
}

// sendAll sends what is due, and fails on nothing: what goes wrong is tried again.
func (s *shop) sendAll(t testing.TB) {
	t.Helper()
	for range 100 {
		if more, _ := s.sendNext(t.Context()); !more {
			return
		}
	}
	t.Fatal("there is no end to the mail")
}

// to are the subjects of the messages to an address.
func (b *letterbox) to(address string) []string {
	subjects := []string{}
	for _, m := range b.messages {
		if m.To == address {
			subjects = append(subjects, m.Subject)
		}
	}
	return subjects
}

var tokenPattern = regexp.MustCompile(`agora_mt_\w+`)

// token is that of the last message.
func (b *letterbox) token(t testing.TB) string {
	t.Helper()
	if len(b.messages) == 0 {
		t.Fatal("no mail came")
	}
	last := b.messages[len(b.messages)-1]
	token := tokenPattern.FindString(last.Text)
	if token == "" {
		t.Fatalf("there is no token in %q", last.Text)
	}
	return token
}

func (s *shop) mutate(t testing.TB, token, name, input string) payload {
	t.Helper()
	selection := "user { id displayName }"
	if strings.HasSuffix(name, "Send") || strings.HasSuffix(name, "Request") {
		selection = ""
	}
	r := s.ask(t, token, fmt.Sprintf(`mutation { %s(input: { %s }) { %s %s } }`, name, input, selection, userErrorFields), nil)
	return field[payload](t, r, name)
}

func (s *shop) verified(t testing.TB, token string) bool {
	t.Helper()
	return field[struct{ EmailVerified bool }](t, s.ask(t, token, `{ me { emailVerified } }`, nil), "me").EmailVerified
}

func TestAnAddressIsVerifiedByTheTokenThatWasMailedToItOnce(t *testing.T) {
	each(t, func(t *testing.T, s *shop) {
		box := s.mailbox()
		userID, tokens := s.signIn(t, "ada@example.com")
		if s.verified(t, tokens.AccessToken) {
			t.Error("verified before any mail")
		}
		s.sendAll(t)
		token := box.token(t)
		if n := s.count(t, `SELECT count(*) FROM mail_token WHERE hash LIKE '%agora_mt%' OR hash = $1`, token); n != 0 {
			t.Error("the token itself is stored")
		}
		if p := s.mutate(t, "", "emailVerify", `token: "`+token+`"`); p.User == nil || p.User.ID != userID {
			t.Fatalf("verify: %+v", p)
		}
		if !s.verified(t, tokens.AccessToken) {
			t.Error("not verified after")
		}
		if p := s.mutate(t, "", "emailVerify", `token: "`+token+`"`); !cmp.Equal(p.codes(), []string{"TOKEN_INVALID"}) {
			t.Errorf("the second use: %v", p.codes())
		}
		s.mutate(t, "", "emailVerificationSend", `email: "ada@example.com"`)
		s.sendAll(t)
		if len(box.messages) != 1 || s.count(t, `SELECT count(*) FROM mail`) != 0 {
			t.Errorf("mail to a verified address: %v", box.messages)
		}
	})
}

func TestATokenIsGoodForItsPurposeAndItsTime(t *testing.T) {
	each(t, func(t *testing.T, s *shop) {
		box := s.mailbox()
		s.clock.stop()
		s.register(t, "ada@example.com")
		s.sendAll(t)
		verification := box.token(t)
		if p := s.mutate(t, "", "passwordReset", `newPassword: "another good one", token: "`+verification+`"`); !cmp.Equal(p.codes(), []string{"TOKEN_INVALID"}) {
			t.Errorf("a reset by the token for verification: %v", p.codes())
		}
		s.clock.advance(verificationLife + time.Minute)
		for _, token := range []string{verification, "", "agora_mt_", "' OR 1=1 --", strings.Repeat("x", 10_000)} {
			if p := s.mutate(t, "", "emailVerify", fmt.Sprintf("token: %q", token)); !cmp.Equal(p.codes(), []string{"TOKEN_INVALID"}) {
				t.Errorf("token %.20q: %v", token, p.codes())
			}
		}
		if err := s.keepHouse(t.Context()); err != nil {
			t.Fatal(err)
		}
		if n := s.count(t, `SELECT count(*) FROM mail_token`); n != 0 {
			t.Errorf("%d expired tokens are kept", n)
		}
	})
}

func TestARequestForMailIsAnsweredAlikeWhoeverHasTheAddress(t *testing.T) {
	each(t, func(t *testing.T, s *shop) {
		box := s.mailbox()
		s.clock.stop()
		s.register(t, "ada@example.com")
		s.sendAll(t)
		box.messages = nil
		queries := func(name, email string) (payload, int) {
			before := s.count(t, `SELECT count(*) FROM mail`)
			p := s.mutate(t, "", name, fmt.Sprintf("email: %q", email))
			return p, s.count(t, `SELECT count(*) FROM mail`) - before
		}
		for _, name := range []string{"emailVerificationSend", "passwordResetRequest"} {
			for i := range perMailAddress.free + 1 {
				known, rows := queries(name, "ADA@example.com")
				unknown, otherRows := queries(name, "bob@example.com")
				if diff := cmp.Diff(known, unknown); diff != "" || rows != otherRows {
					t.Errorf("%s %d (-known +unknown)\n%s, rows %d and %d", name, i, diff, rows, otherRows)
				}
				if throttled := len(known.UserErrors) > 0 && known.UserErrors[0].RetryAfter != nil; throttled != (i == perMailAddress.free) {
					t.Errorf("%s %d: %v", name, i, known.codes())
				}
			}
		}
		s.sendAll(t)
		if n := len(box.to("ada@example.com")); n != 2*int(perMailAddress.free) || len(box.messages) != n {
			t.Errorf("%d messages, %d of them to the address that is stored", len(box.messages), n)
		}
		if p, _ := queries("passwordResetRequest", "no address"); !cmp.Equal(p.codes(), []string{"INVALID_INPUT"}) {
			t.Errorf("no address: %v", p.codes())
		}
	})
}

func TestMailGoesToTheStoredAddressAndNotToOneThatFoldsToIt(t *testing.T) {
	s := open(t, "sqlite:"+t.TempDir()+"/test.db")
	box := s.mailbox()
	s.register(t, "strasse@example.com")
	s.sendAll(t)
	s.mutate(t, "", "passwordResetRequest", `email: "straße@example.com"`)
	s.sendAll(t)
	if got := box.messages[len(box.messages)-1]; got.To != "strasse@example.com" || !strings.Contains(got.Text, "agora_mt_") {
		t.Errorf("mail to %s", got.To)
	}
}

func TestMailIsTriedUntilItIsSentAndNotSentTwice(t *testing.T) {
	each(t, func(t *testing.T, s *shop) {
		box := s.mailbox()
		s.clock.stop()
		box.closed = errors.New("no connection")
		s.register(t, "ada@example.com")
		for try := range 5 {
			s.sendAll(t)
			if n := s.count(t, `SELECT attempts FROM mail`); n != try+1 {
				t.Fatalf("%d tries, want %d", n, try+1)
			}
			s.clock.advance(firstRetry << try)
		}
		box.closed = nil
		again := open(t, s.url, func(c *Config) { c.Now = s.clock.now }) // another replica, or this one after a restart
		again.cfg.sender = box
		again.sendAll(t)
		s.sendAll(t)
		if diff := cmp.Diff([]string{letters[mailVerification].subject}, box.to("ada@example.com")); diff != "" {
			t.Errorf("mail (-want +got)\n%s", diff)
		}
	})
}

func TestTwoReplicasSendEachMessageOnce(t *testing.T) {
	each(t, func(t *testing.T, s *shop) {
		box := s.mailbox()
		other := open(t, s.url)
		other.cfg.sender = box
		for i := range 20 {
			s.register(t, fmt.Sprintf("user%d@example.com", i))
		}
		var wg sync.WaitGroup
		for _, replica := range []*shop{s, other, s, other} {
			wg.Go(func() { replica.sendAll(t) })
		}
		wg.Wait()
		s.sendAll(t)
		seen := map[string]int{}
		for _, m := range box.messages {
			seen[m.ID]++
		}
		if len(seen) != 20 || len(box.messages) != 20 {
			t.Errorf("%d messages, %d different ones; want 20", len(box.messages), len(seen))
		}
	})
}

func TestAMessageWhoseSendingIsInDoubtIsSentAgainUnderTheSameName(t *testing.T) {
	s := open(t, "sqlite:"+t.TempDir()+"/test.db")
	box := s.mailbox()
	s.clock.stop()
	t.Cleanup(func() { fault.Configure("", 0) })
	s.register(t, "ada@example.com")
	fault.Configure("users.mail.sent=error", 1)
	s.sendAll(t)
	fault.Configure("", 0)
	s.clock.advance(firstRetry)
	s.sendAll(t)
	if len(box.messages) != 2 || box.messages[0].ID != box.messages[1].ID {
		t.Errorf("messages %v", box.messages)
	}
}

func TestMailThatCanNeverArriveOrIsLateIsGivenUp(t *testing.T) {
	each(t, func(t *testing.T, s *shop) {
		box := s.mailbox()
		s.clock.stop()
		box.closed = fmt.Errorf("send mail: %w: no such mailbox", mail.ErrRefused)
		s.register(t, "ada@example.com")
		s.sendAll(t)
		if n := s.count(t, `SELECT count(*) FROM mail`); n != 0 {
			t.Errorf("%d messages are kept that nobody takes", n)
		}
		box.closed = nil
		s.register(t, "bob@example.com")
		s.clock.advance(verificationLife)
		s.sendAll(t)
		if n := s.count(t, `SELECT count(*) FROM mail`); n != 0 || len(box.messages) != 0 {
			t.Errorf("%d messages are kept and %v was sent after its time", n, box.messages)
		}
	})
}

func TestAPasswordIsResetByMailAndAllSessionsEnd(t *testing.T) {
	each(t, func(t *testing.T, s *shop) {
		box := s.mailbox()
		userID, tokens := s.signIn(t, "ada@example.com")
		s.mutate(t, "", "passwordResetRequest", `email: "Ada@Example.com"`)
		s.mutate(t, "", "passwordResetRequest", `email: "ada@example.com"`)
		s.sendAll(t)
		first, second := tokenPattern.FindString(box.messages[1].Text), box.token(t)
		reset := func(token, password string) payload {
			return s.mutate(t, "", "passwordReset", fmt.Sprintf("token: %q, newPassword: %q", token, password))
		}
		if p := reset(first, "short"); !cmp.Equal(p.codes(), []string{"PASSWORD_TOO_WEAK"}) {
			t.Errorf("a weak password: %v", p.codes())
		}
		for range perPair.free {
			s.login(t, "ada@example.com", "guess")
		}
		if p := reset(first, newPassword); p.User == nil || p.User.ID != userID {
			t.Fatalf("reset: %+v", p)
		}
		for _, used := range []string{first, second} {
			if p := reset(used, "yet another one"); !cmp.Equal(p.codes(), []string{"TOKEN_INVALID"}) {
				t.Errorf("after the reset a token: %v", p.codes())
			}
		}
		if p := s.refresh(t, tokens.RefreshToken); !cmp.Equal(p.codes(), []string{"SESSION_EXPIRED"}) {
			t.Errorf("a session after the reset: %v", p.codes())
		}
		again := s.login(t, "ada@example.com", newPassword)
		if again.Tokens == nil {
			t.Fatalf("the new password: %v", again.codes())
		}
		if !s.verified(t, again.Tokens.AccessToken) {
			t.Error("mail has reached the user, but the address is not verified")
		}
		s.sendAll(t)
		if got := box.messages[len(box.messages)-1]; got.Subject != letters[mailPasswordReset].subject || got.To != "ada@example.com" {
			t.Errorf("the last message is %q to %s", got.Subject, got.To)
		}
	})
}

// The password is set and nobody was told: the token is spent, and the new password is the one.
func TestAResetWhoseAnswerIsLostHasHappenedOnce(t *testing.T) {
	each(t, func(t *testing.T, s *shop) {
		t.Cleanup(func() { fault.Configure("", 0) })
		box := s.mailbox()
		_, tokens := s.signIn(t, "ada@example.com")
		s.mutate(t, "", "passwordResetRequest", `email: "ada@example.com"`)
		s.sendAll(t)
		query := fmt.Sprintf(`mutation { passwordReset(input: {token: %q, newPassword: %q}) { user { id } userErrors { code } } }`, box.token(t), newPassword)
		if err := fault.Configure("users.password.reset=error", 1); err != nil {
			t.Fatal(err)
		}
		if r := s.ask(t, "", query, nil); r.code() != "INTERNAL" {
			t.Errorf("the answer was not lost: %v", r.Errors)
		}
		fault.Configure("", 0)
		if p := field[payload](t, s.ask(t, "", query, nil), "passwordReset"); !cmp.Equal(p.codes(), []string{"TOKEN_INVALID"}) {
			t.Errorf("the token again: %v", p.codes())
		}
		if p := s.login(t, "ada@example.com", newPassword); p.Tokens == nil {
			t.Errorf("the new password: %v", p.codes())
		}
		if p := s.refresh(t, tokens.RefreshToken); !cmp.Equal(p.codes(), []string{"SESSION_EXPIRED"}) {
			t.Errorf("a session after the reset: %v", p.codes())
		}
	})
}

func TestManyResetsByOneTokenSetOnePassword(t *testing.T) {
	each(t, func(t *testing.T, s *shop) {
		box := s.mailbox()
		s.register(t, "ada@example.com")
		s.mutate(t, "", "passwordResetRequest", `email: "ada@example.com"`)
		s.sendAll(t)
		token := box.token(t)
		var wg sync.WaitGroup
		answers := make([]payload, 10)
		for i := range answers {
			wg.Go(func() {
				answers[i] = s.mutate(t, "", "passwordReset", fmt.Sprintf(`token: %q, newPassword: "a good password %d"`, token, i))
			})
		}
		wg.Wait()
		good := []int{}
		for i, p := range answers {
			if p.User != nil {
				good = append(good, i)
			}
		}
		if len(good) != 1 {
			t.Fatalf("%d resets succeeded", len(good))
		}
		if p := s.login(t, "ada@example.com", fmt.Sprintf("a good password %d", good[0])); p.Tokens == nil {
			t.Errorf("the password of the reset that succeeded: %v", p.codes())
		}
	})
}

func TestAnAccountThatSomebodyVouchesForIsVerified(t *testing.T) {
	s := open(t, "sqlite:"+t.TempDir()+"/test.db")
	_, token := s.staff(t, "grace@example.com", gen.RoleSupport)
	if !s.verified(t, token) || s.count(t, `SELECT count(*) FROM mail`) != 0 {
		t.Error("not verified, or mail is sent")
	}
}
