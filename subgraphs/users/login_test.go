package users

import (
	"math"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/agora-supergraph/agora/internal/database/databasetest"
)

func TestAWrongPasswordAndAnUnknownUserAreAnsweredAlike(t *testing.T) {
	each(t, func(t *testing.T, s *shop) {
		s.register(t, "ada@example.com")
		wrong := s.login(t, "ada@example.com", "not the password")
		unknown := s.login(t, "bob@example.com", "not the password")
		if diff := cmp.Diff(wrong, unknown); diff != "" {
			t.Errorf("answers differ (-wrong +unknown)\n%s", diff)
		}
		if diff := cmp.Diff([]string{"INVALID_CREDENTIALS"}, wrong.codes()); diff != "" || wrong.User != nil || wrong.Tokens != nil {
			t.Errorf("answer %+v, codes (-want +got)\n%s", wrong, diff)
		}
		for _, odd := range []string{"", "no address", "ada@example.com\x00", strings.Repeat("x", 100_000)} {
			if diff := cmp.Diff([]string{"INVALID_CREDENTIALS"}, s.login(t, odd, odd).codes()); diff != "" {
				t.Errorf("log in as %.20q (-want +got)\n%s", odd, diff)
			}
		}
	})
}

// The medians of some tries are compared: what must not happen is that an unknown user is answered without a
// hash, which would be a hundred times faster.
func TestAnUnknownUserCostsTheSameHashAsAWrongPassword(t *testing.T) {
	s := open(t, databasetest.SQLite(t))
	s.register(t, "ada@example.com")
	for _, email := range []string{"ada@example.com", "bob@example.com"} {
		before := s.hasher.derived.Load()
		s.login(t, email, "not the password")
		if n := s.hasher.derived.Load() - before; n != 1 {
			t.Errorf("a login of %s computes %d hashes, want 1", email, n)
		}
	}
}

func TestAttemptsAreThrottledMoreAndMore(t *testing.T) {
	each(t, func(t *testing.T, s *shop) {
		s.clock.stop()
		s.register(t, "ada@example.com")
		fail := func() string { return s.login(t, "ADA@example.com", "not the password").codes()[0] }
		for range perPair.free {
			if code := fail(); code != "INVALID_CREDENTIALS" {
				t.Fatalf("a free attempt: %s", code)
			}
		}
		blocked := s.login(t, "ada@example.com", goodPassword)
		if diff := cmp.Diff([]string{"TOO_MANY_ATTEMPTS"}, blocked.codes()); diff != "" {
			t.Fatalf("the right password while blocked (-want +got)\n%s", diff)
		}
		until := blocked.UserErrors[0].RetryAfter
		if until == nil || !cmp.Equal(*until, s.clock.now().Add(perPair.pause), cmpopts.EquateApproxTime(time.Millisecond)) {
			t.Errorf("retryAfter = %v at %v", until, s.clock.now())
		}
		s.clock.advance(perPair.pause + time.Millisecond)
		if code := fail(); code != "INVALID_CREDENTIALS" {
			t.Errorf("after the pause: %s", code)
		}
		s.clock.advance(perPair.pause + time.Millisecond)
		if code := fail(); code != "TOO_MANY_ATTEMPTS" {
			t.Errorf("within the second, longer pause: %s", code)
		}
		s.clock.advance(2 * perPair.pause)
		if s.login(t, "ada@example.com", goodPassword).Tokens == nil {
			t.Error("the right password is refused after the pause")
		}
		for range perPair.free {
			if code := fail(); code != "INVALID_CREDENTIALS" {
				t.Errorf("after a success: %s", code)
			}
		}
	})
}

func TestAttemptsSideBySideCountLikeAttemptsInARow(t *testing.T) {
	each(t, func(t *testing.T, s *shop) {
		s.clock.stop()
		var wg sync.WaitGroup
		codes := make([]string, 30)
		for i := range codes {
			wg.Go(func() { codes[i] = s.login(t, "nobody@example.com", "guess").codes()[0] })
		}
		wg.Wait()
		tried := 0
		for _, c := range codes {
			if c == "INVALID_CREDENTIALS" {
				tried++
			}
		}
		if int64(tried) != perPair.free {
			t.Errorf("%d passwords were tried at once, want %d", tried, perPair.free)
		}
	})
}

func TestPausesGrowToAnHourAndNoFurther(t *testing.T) {
	for attempts, want := range map[int64]time.Duration{
		1: 0, perPair.free - 1: 0, perPair.free: time.Second, perPair.free + 1: 2 * time.Second,
		perPair.free + 11: 2048 * time.Second, perPair.free + 12: time.Hour, perPair.free + 100: time.Hour, math.MaxInt64: time.Hour,
	} {
		if got := perPair.after(attempts); got != want {
			t.Errorf("after(%d) = %v, want %v", attempts, got, want)
		}
	}
}

func TestAttemptsAreForgottenWhenAnAccountIsLeftAlone(t *testing.T) {
	each(t, func(t *testing.T, s *shop) {
		for range perPair.free {
			s.login(t, "ada@example.com", "guess")
		}
		s.clock.advance(forgetAfter + time.Minute)
		for range perPair.free {
			if code := s.login(t, "ada@example.com", "guess").codes()[0]; code != "INVALID_CREDENTIALS" {
				t.Errorf("after %v: %s", forgetAfter, code)
			}
		}
		s.clock.advance(forgetAfter + time.Minute)
		if err := s.keepHouse(t.Context()); err != nil {
			t.Fatal(err)
		}
		if n := s.count(t, `SELECT count(*) FROM throttle`); n != 0 {
			t.Errorf("%d accounts are still counted", n)
		}
	})
}

func TestAHashOfAnotherCostIsReplacedAtLogin(t *testing.T) {
	each(t, func(t *testing.T, s *shop) {
		s.register(t, "ada@example.com")
		dear := open(t, s.url, func(c *Config) { c.Password = PasswordCost{MemoryKiB: 128, Passes: 2, Lanes: 1} })
		stored := func() (hash string) {
			if err := s.db.Read.Get(&hash, `SELECT password FROM account`); err != nil {
				t.Fatal(err)
			}
			return hash
		}
		before := stored()
		if !strings.HasPrefix(before, "$argon2id$v=19$m=64,t=1,p=1$") {
			t.Fatalf("stored %s", before)
		}
		dear.login(t, "ada@example.com", "not the password")
		if stored() != before {
			t.Error("a wrong password changed the hash")
		}
		if dear.login(t, "ada@example.com", goodPassword).Tokens == nil || !strings.HasPrefix(stored(), "$argon2id$v=19$m=128,t=2,p=1$") {
			t.Errorf("after a login the hash is %s", stored())
		}
		if dear.login(t, "ada@example.com", goodPassword).Tokens == nil {
			t.Error("the new hash is not that of the password")
		}
	})
}

func TestAFullQueueOfHashesIsSaidWithATime(t *testing.T) {
	s := open(t, databasetest.SQLite(t))
	s.register(t, "ada@example.com")
	for range cap(s.hasher.places) {
		leave, ok := s.hasher.enter()
		if !ok {
			t.Fatal("the queue is full before its time")
		}
		defer leave()
	}
	for name, p := range map[string]payload{
		"login":    s.login(t, "ada@example.com", goodPassword),
		"register": s.register(t, "bob@example.com"),
	} {
		if diff := cmp.Diff([]string{"TOO_MANY_ATTEMPTS"}, p.codes()); diff != "" || p.UserErrors[0].RetryAfter == nil {
			t.Errorf("%s: %+v, codes (-want +got)\n%s", name, p.UserErrors, diff)
		}
	}
	if n := s.count(t, `SELECT count(*) FROM throttle`); n != 0 {
		t.Error("an attempt that found no place was counted against the account")
	}
}
