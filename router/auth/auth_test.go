package auth

import (
	"context"
	"crypto/ed25519"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"

	"github.com/agora-supergraph/agora/router/supergraph"
)

var noon = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

// house is an issuer with a clock.
type house struct {
	testing.TB
	*Verifier
	set   *jose.JSONWebKeySet
	reads int
	now   time.Time
}

func newHouse(t testing.TB) *house {
	h := &house{TB: t, now: noon, set: &jose.JSONWebKeySet{}}
	v, err := NewVerifier(Config{
		Now: func() time.Time { return h.now },
		Issuers: []Issuer{{Name: "house", Audience: "shop", Keys: func(context.Context) (*jose.JSONWebKeySet, error) {
			h.reads++
			return h.set, nil
		}}},
	})
	if err != nil {
		t.Fatal(err)
	}
	h.Verifier = v
	return h
}

// publish adds a key to the set, and returns its private half.
func (h *house) publish(id string) ed25519.PrivateKey {
	public, private, err := ed25519.GenerateKey(nil)
	if err != nil {
		h.Fatal(err)
	}
	keys := append([]jose.JSONWebKey{}, h.set.Keys...)
	h.set = &jose.JSONWebKeySet{Keys: append(keys, jose.JSONWebKey{Key: public, KeyID: id, Algorithm: "EdDSA", Use: "sig"})}
	return private
}

func (h *house) sign(alg jose.SignatureAlgorithm, key any, id string, claims map[string]any) string {
	all := map[string]any{"iss": "house", "aud": "shop", "sub": "ada", "exp": noon.Add(time.Minute).Unix(), "scope": "a b"}
	for name, value := range claims {
		if all[name] = value; value == nil {
			delete(all, name)
		}
	}
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: alg, Key: jose.JSONWebKey{Key: key, KeyID: id}}, nil)
	if err != nil {
		h.Fatal(err)
	}
	token, err := jwt.Signed(signer).Claims(all).Serialize()
	if err != nil {
		h.Fatal(err)
	}
	return token
}

func TestBadTokensAreRefusedWithTheReason(t *testing.T) {
	h := newHouse(t)
	key := h.publish("k1")
	_, stranger, _ := ed25519.GenerateKey(nil)
	good := h.sign(jose.EdDSA, key, "k1", nil)
	unsigned := base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"none"}`)) + "." + strings.Split(good, ".")[1] + "."
	tests := []struct {
		name, token, want string
	}{
		{"good", good, ""},
		{"unsigned", unsigned, "not a JWT signed"},
		{"signed with the public key as a secret", h.sign(jose.HS256, []byte(key.Public().(ed25519.PublicKey)), "k1", nil), "not a JWT signed"},
		{"signed by a stranger", h.sign(jose.EdDSA, stranger, "k1", nil), "signature is wrong"},
		{"with a key that nobody knows", h.sign(jose.EdDSA, stranger, "k2", nil), `key "k2"`},
		{"expired", h.sign(jose.EdDSA, key, "k1", map[string]any{"exp": noon.Add(-time.Minute).Unix()}), "expired"},
		{"without an end", h.sign(jose.EdDSA, key, "k1", map[string]any{"exp": nil}), "never expires"},
		{"from tomorrow", h.sign(jose.EdDSA, key, "k1", map[string]any{"nbf": noon.Add(time.Hour).Unix()}), "not valid yet"},
		{"for another audience", h.sign(jose.EdDSA, key, "k1", map[string]any{"aud": "bank"}), "another audience"},
		{"of another issuer", h.sign(jose.EdDSA, key, "k1", map[string]any{"iss": "bank"}), `issuer "bank"`},
		{"no token at all", "hello", "not a JWT"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			claims, err := h.FromHeader(t.Context(), http.Header{"Authorization": {"Bearer " + test.token}})
			if test.want == "" {
				if err != nil || claims.Subject != "ada" || len(claims.Scopes) != 2 {
					t.Errorf("claims = %+v, %v", claims, err)
				}
				return
			}
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("error = %v, want one that says %q", err, test.want)
			}
		})
	}
}

func TestNumbersAmongTheClaimsKeepAllOfTheirDigits(t *testing.T) {
	h := newHouse(t)
	token := h.sign(jose.EdDSA, h.publish("k1"), "k1", map[string]any{"tenant": json.RawMessage("9007199254740993")})
	claims, err := h.Verify(t.Context(), token)
	if err != nil || claims.Raw["tenant"] != json.Number("9007199254740993") {
		t.Errorf("the claims are %+v, %v", claims, err)
	}
}

func TestNoTokenIsAnonymousAndAnotherSchemeIsRefused(t *testing.T) {
	h := newHouse(t)
	if claims, err := h.FromHeader(t.Context(), http.Header{}); claims != nil || err != nil {
		t.Errorf("no header: %v, %v", claims, err)
	}
	if _, err := h.FromHeader(t.Context(), http.Header{"Authorization": {"Basic YTpi"}}); err == nil {
		t.Error("Basic was accepted")
	}
}

func TestKeysRotateAndAFloodOfUnknownKeysReadsThemOnce(t *testing.T) {
	h := newHouse(t)
	first := h.publish("k1")
	if _, err := h.Verify(t.Context(), h.sign(jose.EdDSA, first, "k1", nil)); err != nil {
		t.Fatal(err)
	}
	second := h.publish("k2")
	h.now = h.now.Add(unknownAfter + time.Second)
	if _, err := h.Verify(t.Context(), h.sign(jose.EdDSA, second, "k2", nil)); err != nil {
		t.Errorf("the new key: %v", err)
	}
	for range 100 {
		if _, err := h.Verify(t.Context(), h.sign(jose.EdDSA, second, "flood", nil)); err == nil {
			t.Fatal("an unknown key was accepted")
		}
	}
	if h.reads != 2 {
		t.Errorf("the key set was read %d times, want 2", h.reads)
	}
}

func TestAVerifiedTokenIsRememberedOnlyUntilItExpires(t *testing.T) {
	h := newHouse(t)
	token := h.sign(jose.EdDSA, h.publish("k1"), "k1", nil)
	if _, err := h.Verify(t.Context(), token); err != nil {
		t.Fatal(err)
	}
	h.now = noon.Add(2 * time.Minute)
	if _, err := h.Verify(t.Context(), token); err == nil {
		t.Error("the token is accepted after its end")
	}
}

func TestRequirementsAreMetByTheRightScopes(t *testing.T) {
	anonymous, ada := (*Claims)(nil), &Claims{Subject: "ada", Scopes: []string{"a", "b"}}
	tests := []struct {
		name   string
		claims *Claims
		needs  *supergraph.Requirement
		want   bool
	}{
		{"nothing is demanded", anonymous, nil, true},
		{"a login", anonymous, &supergraph.Requirement{Authenticated: true}, false},
		{"a login that is there", ada, &supergraph.Requirement{Authenticated: true}, true},
		{"both scopes", ada, &supergraph.Requirement{Scopes: [][]string{{"a", "b"}}}, true},
		{"one too many", ada, &supergraph.Requirement{Scopes: [][]string{{"a", "c"}}}, false},
		{"one list of two", ada, &supergraph.Requirement{Scopes: [][]string{{"c"}, {"b"}}}, true},
		{"a policy that nobody decides", ada, &supergraph.Requirement{Policies: [][]string{{"p"}}}, false},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if got := test.claims.Meets(test.needs); got != test.want {
				t.Errorf("Meets = %v, want %v", got, test.want)
			}
		})
	}
}
