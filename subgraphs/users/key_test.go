package users

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/agora-supergraph/agora/internal/database"
	"github.com/agora-supergraph/agora/internal/database/databasetest"
	"github.com/agora-supergraph/agora/internal/identity"
)

// kids are the ids of the keys that are published, in the order of their turns.
func (s *shop) kids(t *testing.T) (ids []string) {
	t.Helper()
	set, err := s.JWKS(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, k := range set.Keys {
		ids = append(ids, k.KeyID)
	}
	return ids
}

func (s *shop) currentKid(t *testing.T) string {
	t.Helper()
	k, err := s.signingKey(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return k.KeyID
}

func TestAnAccessTokenVerifiesAgainstTheKeySetAndSaysWhoAndWhat(t *testing.T) {
	each(t, func(t *testing.T, s *shop) {
		_, token := s.staff(t, "ada@example.com", "SUPPORT", "CATALOGUE_MANAGER")
		who, err := (&identity.Verifier{Keys: s.JWKS}).Verify(t.Context(), token)
		if err != nil {
			t.Fatal(err)
		}
		want := []string{"catalogue:write", "orders:read", "payments:read", "users:read"}
		if diff := cmp.Diff(want, who.Scopes); diff != "" || who.Session == "" {
			t.Errorf("identity %+v, scopes (-want +got)\n%s", who, diff)
		}
		if _, err := (&identity.Verifier{Keys: open(t, databasetest.SQLite(t)).JWKS}).Verify(t.Context(), token); err == nil {
			t.Error("another shop's verifier takes the token")
		}
	})
}

func TestTheKeySetHoldsNoPrivateKey(t *testing.T) {
	s := open(t, databasetest.SQLite(t))
	for method, want := range map[string]int{http.MethodGet: 200, http.MethodHead: 200, http.MethodPost: 405} {
		w := httptest.NewRecorder()
		s.JWKSHandler().ServeHTTP(w, httptest.NewRequest(method, "/.well-known/jwks.json", nil))
		if w.Code != want {
			t.Errorf("%s = %d, want %d", method, w.Code, want)
		}
		if method != http.MethodGet {
			continue
		}
		var set struct{ Keys []map[string]any }
		if err := json.Unmarshal(w.Body.Bytes(), &set); err != nil || len(set.Keys) != 2 {
			t.Fatalf("key set %s: %v", w.Body, err)
		}
		for _, k := range set.Keys {
			if k["kty"] != "OKP" || k["crv"] != "Ed25519" || k["alg"] != "EdDSA" || k["use"] != "sig" || k["d"] != nil {
				t.Errorf("published key %v", k)
			}
		}
		if c := w.Header().Get("Cache-Control"); !strings.Contains(c, "max-age=") {
			t.Errorf("Cache-Control %q", c)
		}
	}
}

func TestEachKeyIsPublishedBeforeItSignsAndAfter(t *testing.T) {
	each(t, func(t *testing.T, s *shop) {
		s.clock.stop()
		first := s.kids(t)
		if len(first) != 2 || s.currentKid(t) != first[0] {
			t.Fatalf("keys %v, current %s", first, s.currentKid(t))
		}
		s.clock.advance(s.cfg.KeyLife - time.Second)
		if s.currentKid(t) != first[0] {
			t.Error("the next key signs before its turn")
		}
		s.clock.advance(time.Second)
		if s.currentKid(t) != first[1] {
			t.Error("the next key doesn't sign at its turn")
		}
		during := s.kids(t)
		if len(during) != 3 || during[0] != first[0] || during[1] != first[1] {
			t.Errorf("when keys change, %v are published; want %v and the next", during, first)
		}
		s.clock.advance(s.cfg.AccessLife + verifyMargin + time.Second)
		if diff := cmp.Diff(during[1:], s.kids(t)); diff != "" {
			t.Errorf("once its last token has expired, a key is retired (-want +got)\n%s", diff)
		}
		if err := s.keepHouse(t.Context()); err != nil {
			t.Fatal(err)
		}
		if n := s.count(t, `SELECT count(*) FROM signing_key`); n != 2 {
			t.Errorf("%d keys are stored, want 2", n)
		}
	})
}

func TestRotateKeysWaitsUntilVerifiersCanKnowTheKey(t *testing.T) {
	each(t, func(t *testing.T, s *shop) {
		s.clock.stop()
		next := s.kids(t)[1]
		turn, err := s.RotateKeys(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if want := s.clock.now().Add(jwksLife); turn.Sub(want).Abs() > time.Minute {
			t.Errorf("a key that was published just now signs from %v, want %v", turn, want)
		}
		s.clock.advance(jwksLife + time.Second)
		if s.currentKid(t) != next {
			t.Error("the key doesn't sign at its turn")
		}
		s.clock.advance(2 * jwksLife)
		if turn, err = s.RotateKeys(t.Context()); err != nil || turn.After(s.clock.now()) {
			t.Errorf("a key that was published long ago signs from %v, want now; %v", turn, err)
		}
	})
}

func TestReplicasThatStartAtOnceAgreeOnTheKeys(t *testing.T) {
	each(t, func(t *testing.T, s *shop) {
		err := s.db.Tx(t.Context(), func(tx *database.Tx) error {
			_, err := tx.Exec(`DELETE FROM signing_key`)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		var wg sync.WaitGroup
		replicas := make([]*Service, 5)
		for i := range replicas {
			wg.Go(func() {
				r, err := New(t.Context(), Config{Database: s.url, Secret: testSecret, Log: quiet})
				if err != nil {
					t.Error(err)
					return
				}
				replicas[i] = r
			})
		}
		wg.Wait()
		for _, r := range replicas {
			if r != nil {
				defer r.Close()
			}
		}
		if n := s.count(t, `SELECT count(*) FROM signing_key`); n != 2 {
			t.Errorf("5 replicas made %d keys, want 2", n)
		}
	})
}

func TestUnderAnotherSecretOldKeysVerifyAndNewOnesSign(t *testing.T) {
	each(t, func(t *testing.T, s *shop) {
		_, before := s.signIn(t, "ada@example.com")
		old := s.kids(t)
		other := open(t, s.url, func(c *Config) { c.Secret = []byte("another secret") })
		verifier := &identity.Verifier{Keys: other.JWKS}
		if _, err := verifier.Verify(t.Context(), before.AccessToken); err != nil {
			t.Errorf("a token from before: %v", err)
		}
		after := other.login(t, "ada@example.com", goodPassword).Tokens
		if _, err := verifier.Verify(t.Context(), after.AccessToken); err != nil {
			t.Errorf("a token from after: %v", err)
		}
		if kid := other.currentKid(t); kid == old[0] || kid == old[1] {
			t.Error("it signs with a key that was sealed under another secret")
		}
	})
}

func TestPrivateKeysAreNotReadableInTheDatabase(t *testing.T) {
	s := open(t, databasetest.SQLite(t))
	key, err := s.signingKey(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	text, err := key.MarshalJSON()
	if err != nil {
		t.Fatal(err)
	}
	var private struct{ D string }
	if err := json.Unmarshal(text, &private); err != nil || private.D == "" {
		t.Fatalf("private key %s: %v", text, err)
	}
	var rows []signingKey
	if err := s.db.Read.Select(&rows, `SELECT id, public, sealed, created_us, signs_us FROM signing_key`); err != nil {
		t.Fatal(err)
	}
	for _, r := range rows {
		if strings.Contains(r.Public+r.Sealed, private.D) {
			t.Errorf("row %s holds the private key", r.ID)
		}
		if r.Sealed = rows[0].Sealed; r.ID != rows[0].ID && s.open(r).Key != nil {
			t.Error("a sealed key opens under another key's id")
		}
	}
}

func TestADatabaseThatIsAwayMakesNoTokenInvalid(t *testing.T) {
	s := open(t, databasetest.SQLite(t))
	want := s.kids(t)
	s.db.Close()
	s.clock.advance(ringLife + time.Second)
	if diff := cmp.Diff(want, s.kids(t)); diff != "" {
		t.Errorf("keys (-want +got)\n%s", diff)
	}
}
