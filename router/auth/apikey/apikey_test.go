package apikey

import (
	"context"
	"errors"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/redis/go-redis/v9"

	"github.com/agora-supergraph/agora/router/auth"
)

var noon = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

// each runs a test over every store.
func each(t *testing.T, test func(t *testing.T, s Store)) {
	t.Run("file", func(t *testing.T) { test(t, File{Path: filepath.Join(t.TempDir(), "keys.json")}) })
	t.Run("redis", func(t *testing.T) {
		client := redis.NewClient(&redis.Options{Addr: miniredis.RunT(t).Addr()})
		t.Cleanup(func() { _ = client.Close() })
		test(t, Redis{Client: client, Prefix: "test"})
	})
}

// issue makes a key and stores it.
func issue(t *testing.T, s Store, client string, now, expires time.Time, scopes ...string) (key, id string) {
	t.Helper()
	key, r := Make(client, scopes, now, expires)
	if err := s.Update(t.Context(), func(have []Record) ([]Record, error) { return Add(have, r) }); err != nil {
		t.Fatal(err)
	}
	return key, r.ID
}

func with(key string) http.Header { return http.Header{"X-Api-Key": {key}} }

func TestAKeyNamesItsClientUntilItIsRevokedOrExpires(t *testing.T) {
	each(t, func(t *testing.T, s Store) {
		now := noon
		key, id := issue(t, s, "acme", noon, noon.Add(time.Hour), "orders:read")
		keys, err := New(Config{Store: s, Now: func() time.Time { return now }})
		if err != nil {
			t.Fatal(err)
		}
		claims, err := keys.FromHeader(t.Context(), with(key))
		if err != nil || claims.Client != "acme" || claims.Subject != "client:acme" || len(claims.Scopes) != 1 || !claims.Expires.Equal(noon.Add(time.Hour)) {
			t.Fatalf("claims = %+v, %v", claims, err)
		}
		// A client changes over: both are good, until the old one is revoked. The new one is good at once.
		second, _ := issue(t, s, "acme", noon, time.Time{})
		now = now.Add(unknownAfter)
		if _, err := keys.FromHeader(t.Context(), with(second)); err != nil {
			t.Errorf("the second key: %v", err)
		}
		if _, err := keys.FromHeader(t.Context(), with(key)); err != nil {
			t.Errorf("the first key beside the second: %v", err)
		}
		_, third := Make("acme", nil, now, time.Time{})
		if err := s.Update(t.Context(), func(have []Record) ([]Record, error) { return Add(have, third) }); err == nil {
			t.Error("a third key was made")
		}
		revoke := func(at time.Time) {
			if err := s.Update(t.Context(), func(have []Record) ([]Record, error) { return Revoke(have, id, now, at) }); err != nil {
				t.Fatal(err)
			}
			if err := keys.Load(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		revoke(now.Add(time.Minute))
		if _, err := keys.FromHeader(t.Context(), with(key)); err != nil {
			t.Errorf("within its grace: %v", err)
		}
		now = now.Add(time.Minute)
		refused(t, keys, with(key), "has expired")
		revoke(now)
		refused(t, keys, with(key), "not known")
	})
}

func refused(t *testing.T, keys *Keys, header http.Header, reason string) {
	t.Helper()
	claims, err := keys.FromHeader(t.Context(), header)
	var why *auth.Error
	if claims != nil || !errors.As(err, &why) || !strings.Contains(why.Error(), reason) {
		t.Errorf("claims = %v, error = %v, want one that says %q", claims, err, reason)
	}
}

func TestWhatIsNoKeyIsRefusedInTheSameWords(t *testing.T) {
	s := File{Path: filepath.Join(t.TempDir(), "keys.json")}
	key, _ := issue(t, s, "acme", time.Now(), time.Time{})
	stranger, _ := Make("acme", nil, time.Now(), time.Time{})
	keys, err := New(Config{Store: s})
	if err != nil {
		t.Fatal(err)
	}
	// The secret of one key under the id of another, with a checksum that is right.
	mixed := key[:len(Prefix)+idLength] + stranger[len(Prefix)+idLength:keyLength-checkLength]
	mixed += checksum(mixed)
	for _, wrong := range []string{"hello", stranger, mixed, key + "0", key[:len(key)-1], strings.ToUpper(key), "agk_________________________________________________________"} {
		refused(t, keys, with(wrong), "The API key is refused: it is not known.")
	}
	refused(t, keys, http.Header{"X-Api-Key": {key, key}}, "more than one")
	if claims, err := keys.FromHeader(t.Context(), http.Header{}); claims != nil || err != nil {
		t.Errorf("without a key: %v, %v", claims, err)
	}
	if !Pattern.MatchString("X-API-Key: "+key) || Pattern.MatchString("agk_hello") {
		t.Error("the pattern does not find keys")
	}
}

// user is a verifier of tokens.
type user struct{ claims *auth.Claims }

func (u user) FromHeader(context.Context, http.Header) (*auth.Claims, error) { return u.claims, nil }

func TestATokenBesideAKeySaysWhoAsksAndWhatTheyMayDo(t *testing.T) {
	s := File{Path: filepath.Join(t.TempDir(), "keys.json")}
	key, _ := issue(t, s, "acme", noon, noon.Add(time.Minute), "everything")
	ada := &auth.Claims{Subject: "ada", Scopes: []string{"orders:read"}, Expires: noon.Add(time.Hour)}
	keys, err := New(Config{Store: s, Next: user{ada}, Now: func() time.Time { return noon }})
	if err != nil {
		t.Fatal(err)
	}
	both, err := keys.FromHeader(t.Context(), with(key))
	if err != nil || both.Subject != "ada" || both.Client != "acme" || len(both.Scopes) != 1 || both.Scopes[0] != "orders:read" || !both.Expires.Equal(noon.Add(time.Minute)) {
		t.Errorf("claims = %+v, %v", both, err)
	}
	if alone, err := keys.FromHeader(t.Context(), http.Header{}); err != nil || alone != ada || ada.Client != "" {
		t.Errorf("the token alone: %+v, %v", alone, err)
	}
}

// broken is a store that can be away, and counts how often it is read.
type broken struct {
	Store
	err   error
	reads int
}

func (b *broken) Load(ctx context.Context) ([]Record, error) {
	if b.reads++; b.err != nil {
		return nil, b.err
	}
	return b.Store.Load(ctx)
}

func TestAStoreThatIsAwayLocksNobodyOutAndAFloodDoesNotReachIt(t *testing.T) {
	now := noon
	s := &broken{Store: File{Path: filepath.Join(t.TempDir(), "keys.json")}, err: errors.New("connection refused")}
	key, _ := issue(t, s, "acme", noon, time.Time{})
	keys, err := New(Config{Store: s, Now: func() time.Time { return now }})
	if err != nil {
		t.Fatal(err)
	}
	_, err = keys.FromHeader(t.Context(), with(key))
	var why *auth.Error
	if err == nil || errors.As(err, &why) {
		t.Errorf("while nothing was ever read: %v, want an error that is no refusal", err)
	}
	s.err, now = nil, now.Add(unknownAfter)
	if _, err := keys.FromHeader(t.Context(), with(key)); err != nil {
		t.Errorf("when the store is there: %v", err)
	}
	s.err, now, s.reads = errors.New("connection refused"), now.Add(time.Hour), 0
	if _, err := keys.FromHeader(t.Context(), with(key)); err != nil {
		t.Errorf("when the store is away again: %v", err)
	}
	for range 100 {
		stranger, _ := Make("acme", nil, noon, time.Time{})
		refused(t, keys, with(stranger), "not known")
	}
	if s.reads != 1 {
		t.Errorf("the store was read %d times, want 1", s.reads)
	}
}

func TestAListThatCantBeReadIsAnError(t *testing.T) {
	for _, raw := range []string{"", "{}", `[{"id":"short","client":"a","sha256":""}]`, `[{"secret":"x"}]`} {
		if _, err := parse([]byte(raw)); err == nil {
			t.Errorf("parse(%q) gives no error", raw)
		}
	}
}
