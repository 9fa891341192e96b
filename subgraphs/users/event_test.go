package users

import (
	"context"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/agora-supergraph/agora/internal/event"
	"github.com/agora-supergraph/agora/internal/fault"
)

func TestWhatHappenedToAUserIsPublishedInItsOrder(t *testing.T) {
	each(t, func(t *testing.T, s *shop) {
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
		defer cancel()
		heard := make(chan event.Event, 10)
		bus := &event.Local{Log: quiet}
		bus.Subscribe("test", []string{Source}, func(_ context.Context, d event.Delivery) error {
			heard <- d.Event
			return nil
		})
		done := make(chan error, 1)
		run, stop := context.WithCancel(ctx)
		go func() { done <- s.Run(run, bus) }()

		userID, tokens := s.signIn(t, "ada@example.com")
		s.login(t, "ada@example.com", goodPassword)
		s.changePassword(t, tokens.AccessToken, goodPassword, newPassword)
		var got []string
		for i := range 3 {
			select {
			case e := <-heard:
				got = append(got, e.Type)
				if e.Subject != userID || e.Sequence != int64(i+1) {
					t.Errorf("event %s of %s has sequence %d", e.Type, e.Subject, e.Sequence)
				}
			case <-ctx.Done():
				t.Fatalf("heard only %v", got)
			}
		}
		if diff := cmp.Diff([]string{eventRegistered, eventSessionRevoked, eventPasswordChanged}, got); diff != "" {
			t.Errorf("events (-want +got)\n%s", diff)
		}
		stop()
		if err := <-done; err != nil {
			t.Errorf("run: %v", err)
		}
	})
}

func TestARegistrationThatFailsHalfwayLeavesNothingAndCanBeRepeated(t *testing.T) {
	each(t, func(t *testing.T, s *shop) {
		t.Cleanup(func() { fault.Configure("", 0) })
		input := object{"input": object{"email": "ada@example.com", "password": goodPassword, "displayName": "Ada", "idempotencyKey": "k"}}
		ask := func() response {
			return s.ask(t, "", `mutation ($input: RegisterInput!) { register(input: $input) { user { id } userErrors { code } } }`, input)
		}
		for _, test := range []struct {
			point    string
			accounts int
		}{{"users.register.stored", 0}, {"users.registered", 1}} {
			if err := fault.Configure(test.point+"=error", 1); err != nil {
				t.Fatal(err)
			}
			if r := ask(); r.code() != "INTERNAL" {
				t.Errorf("%s: %v", test.point, r.Errors)
			}
			if n := s.count(t, `SELECT count(*) FROM account`); n != test.accounts {
				t.Errorf("%s left %d accounts, want %d", test.point, n, test.accounts)
			}
		}
		fault.Configure("", 0)
		if p := field[payload](t, ask(), "register"); p.User == nil {
			t.Errorf("the repetition: %v", p.codes())
		}
		if n := s.count(t, `SELECT count(*) FROM account`); n != 1 {
			t.Errorf("%d accounts, want 1", n)
		}
	})
}
