package auth

import (
	"context"
	"crypto/ed25519"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/go-jose/go-jose/v4"
)

// reader verifies a signer's tokens as a subgraph would: by the key set that it serves.
func reader(t *testing.T, s *Signer) *Verifier {
	t.Helper()
	v, err := NewVerifier(Config{Issuers: []Issuer{{Name: "agora-router", Keys: func(context.Context) (*jose.JSONWebKeySet, error) {
		rec := httptest.NewRecorder()
		s.ServeHTTP(rec, httptest.NewRequest(http.MethodGet, "/", nil))
		set := &jose.JSONWebKeySet{}
		return set, json.Unmarshal(rec.Body.Bytes(), set)
	}}}})
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func newSigner(t *testing.T, cfg SignerConfig) *Signer {
	t.Helper()
	s, err := NewSigner(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func ada() *Claims {
	return &Claims{
		Issuer: "house", Subject: "ada", Scopes: []string{"orders:read", "cart"}, Expires: time.Now().Add(5 * time.Minute),
		Raw: map[string]any{"sub": "ada", "sid": "s1", "tenant": json.Number("9007199254740993"), "email": "ada@example.org"},
	}
}

func TestSubgraphsReadWhoIsAskingFromTheRoutersToken(t *testing.T) {
	s := newSigner(t, SignerConfig{Claims: []string{"sid", "tenant"}})
	token, err := s.Token(ada())
	if err != nil {
		t.Fatal(err)
	}
	claims, err := reader(t, s).FromHeader(t.Context(), http.Header{"Authorization": {"Bearer " + token}})
	if err != nil {
		t.Fatal(err)
	}
	if claims.Subject != "ada" || !slices.Equal(claims.Scopes, []string{"orders:read", "cart"}) || claims.Raw["sid"] != "s1" || claims.Raw["tenant"] != json.Number("9007199254740993") {
		t.Errorf("claims %+v", claims)
	}
	if _, told := claims.Raw["email"]; told {
		t.Error("a claim is passed on that nobody asked for")
	}
}

func TestNobodyHasNoToken(t *testing.T) {
	if token, err := newSigner(t, SignerConfig{}).Token(nil); token != "" || err != nil {
		t.Errorf("token %q, %v", token, err)
	}
}

func TestATokenIsMadeOncePerCallerAndNewInTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSigner(t, SignerConfig{Life: time.Minute})
		token := func(c *Claims) string {
			made, err := s.Token(c)
			if err != nil {
				t.Fatal(err)
			}
			return made
		}
		caller := ada()
		first := token(caller)
		if token(caller) != first {
			t.Error("a second request gets a token of its own")
		}
		for name, other := range map[string]*Claims{
			"subject": {Issuer: "house", Subject: "bea", Scopes: caller.Scopes, Expires: caller.Expires},
			"issuer":  {Issuer: "other", Subject: "ada", Scopes: caller.Scopes, Expires: caller.Expires},
			"scopes":  {Issuer: "house", Subject: "ada", Scopes: []string{"cart"}, Expires: caller.Expires},
		} {
			if token(other) == first {
				t.Errorf("callers who differ by %s share a token", name)
			}
		}
		time.Sleep(31 * time.Second)
		if token(caller) == first {
			t.Error("a token is used for longer than half of its life")
		}
		time.Sleep(4 * time.Minute)
		claims, err := reader(t, s).FromHeader(t.Context(), http.Header{"Authorization": {"Bearer " + token(caller)}})
		if err != nil || claims.Expires.After(caller.Expires) {
			t.Errorf("a token outlives that of its caller: %v, %v", claims, err)
		}
	})
}

func TestKeysAreSharedAndTurnedWithoutRefusingAnybody(t *testing.T) {
	made := func() []byte {
		_, key, err := ed25519.GenerateKey(nil)
		if err != nil {
			t.Fatal(err)
		}
		der, err := x509.MarshalPKCS8PrivateKey(key)
		if err != nil {
			t.Fatal(err)
		}
		return der
	}
	before := string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: made()}))
	now := base64.StdEncoding.EncodeToString(made()) + "\n"
	// Each step is a router's configuration; while it becomes the next one, there are routers of both.
	steps := []SignerConfig{{Key: before}, {Key: before, OtherKeys: []string{now}}, {Key: now, OtherKeys: []string{before}}, {Key: now}}
	accepts := func(of, from SignerConfig) bool {
		token, err := newSigner(t, from).Token(ada())
		if err != nil {
			t.Fatal(err)
		}
		_, err = reader(t, newSigner(t, of)).FromHeader(t.Context(), http.Header{"Authorization": {"Bearer " + token}})
		return err == nil
	}
	for i := range steps[1:] {
		if !accepts(steps[i], steps[i+1]) || !accepts(steps[i+1], steps[i]) {
			t.Errorf("between step %d and %d tokens are refused", i, i+1)
		}
	}
	if accepts(steps[3], steps[0]) {
		t.Error("a token of a key that is forgotten is good")
	}
	for wrong, want := range map[string]string{"no key": "neither PEM nor base64", "bm8ga2V5": "no PKCS 8 key"} {
		if _, err := NewSigner(SignerConfig{Key: wrong}); err == nil || !strings.Contains(err.Error(), "identity.key: it is "+want) {
			t.Errorf("key %q: %v", wrong, err)
		}
	}
}
