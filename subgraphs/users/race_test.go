package users

import (
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/agora-supergraph/agora/internal/fault"
)

func TestAClientWhoseAnswersAreLostGoesOnAtAnyReplica(t *testing.T) {
	each(t, func(t *testing.T, s *shop) {
		t.Cleanup(func() { fault.Configure("", 0) })
		other := open(t, s.url)
		s.clock.stop()
		_, tokens := s.signIn(t, "ada@example.com")
		token := tokens.RefreshToken
		// Half of the answers get lost after what they tell of is stored.
		fault.Configure("users.refreshed=error@0.5", 7)
		for range 20 {
			next := ""
			for tries := 0; next == "" && tries < 50; tries++ {
				replica := []*shop{s, other}[tries%2]
				r := replica.ask(t, "", `mutation ($token: String!) { refreshSession(input: { refreshToken: $token }) { tokens { refreshToken } userErrors { code } } }`, object{"token": token})
				if len(r.Errors) > 0 {
					continue
				}
				p := field[payload](t, r, "refreshSession")
				if p.Tokens == nil {
					t.Fatalf("a good token is refused: %v", p.codes())
				}
				next = p.Tokens.RefreshToken
			}
			if next == "" || next == token {
				t.Fatal("no successor came")
			}
			token = next
		}
	})
}

func TestNoTokenOutlivesTheEndOfItsSessionUnderRefreshes(t *testing.T) {
	each(t, func(t *testing.T, s *shop) {
		other := open(t, s.url)
		s.clock.stop()
		_, tokens := s.signIn(t, "ada@example.com")
		var wg sync.WaitGroup
		last := make([]string, 4)
		for i := range last {
			wg.Go(func() {
				replica := []*shop{s, other}[i%2]
				last[i] = tokens.RefreshToken
				for range 10 {
					p := replica.refresh(t, last[i])
					if p.Tokens == nil {
						return
					}
					last[i] = p.Tokens.RefreshToken
				}
			})
		}
		wg.Go(func() { s.ask(t, tokens.AccessToken, logoutMutation, object{"everywhere": true}) })
		wg.Wait()
		for _, token := range last {
			if p := s.refresh(t, token); p.Tokens != nil {
				t.Errorf("a token of the ended session is good")
			}
		}
		if diff := cmp.Diff(0, s.count(t, `SELECT count(*) FROM session WHERE revoked_us IS NULL`)); diff != "" {
			t.Errorf("live sessions (-want +got)\n%s", diff)
		}
	})
}
