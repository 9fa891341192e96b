package auth

import (
	"context"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"encoding/base64"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
)

// bearer asks as a client would.
func (h *house) bearer(token string) (*Claims, error) {
	return h.FromHeader(h.Context(), http.Header{"Authorization": {"Bearer " + token}})
}

func (h *house) wantRefusal(err error, reason string) {
	h.Helper()
	var refused *Error
	if !errors.As(err, &refused) || !strings.Contains(refused.Reason, reason) {
		h.Errorf("error = %v, want a refusal that says %q", err, reason)
	}
}

func TestATokenDoesNotChooseHowItsSignatureIsChecked(t *testing.T) {
	h := newHouse(t)
	p384, err := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	small, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	h.set = &jose.JSONWebKeySet{Keys: []jose.JSONWebKey{
		{Key: p384.Public(), KeyID: "ec"},
		{Key: small.Public(), KeyID: "rsa", Algorithm: "PS256"},
		{Key: small.Public(), KeyID: "enc", Use: "enc"},
	}}
	for _, c := range []struct {
		name, id string
		alg      jose.SignatureAlgorithm
		key      any
		want     string
	}{
		{"the curve's own", "ec", jose.ES384, p384, ""},
		{"by an algorithm the key is pinned to", "rsa", jose.PS256, small, ""},
		{"by another one", "rsa", jose.RS256, small, `key "rsa"`},
		{"with a key for encryption", "enc", jose.RS256, small, `key "enc"`},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := h.bearer(h.sign(c.alg, c.key, c.id, nil))
			if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
				t.Errorf("error = %v, want %q", err, c.want)
			}
		})
	}
	if fits(&h.set.Keys[0], "ES256") {
		t.Error("a key of P-384 fits ES256")
	}
}

func TestATokenWithoutKeyIDIsTriedWithAllKeysThatFit(t *testing.T) {
	h := newHouse(t)
	h.publish("k1")
	key := h.publish("k2")
	if _, err := h.bearer(h.sign(jose.EdDSA, key, "", nil)); err != nil {
		t.Error(err)
	}
	_, stranger, _ := ed25519.GenerateKey(nil)
	_, err := h.bearer(h.sign(jose.EdDSA, stranger, "", nil))
	h.wantRefusal(err, "signature is wrong")
}

func TestATokenEndsWithTheKeyThatSignedIt(t *testing.T) {
	h := newHouse(t)
	token := h.sign(jose.EdDSA, h.publish("k1"), "k1", map[string]any{"exp": noon.Add(time.Hour).Unix()})
	if _, err := h.bearer(token); err != nil {
		t.Fatal(err)
	}
	h.set = &jose.JSONWebKeySet{}
	h.publish("k2")
	h.now = noon.Add(refreshAfter + time.Second)
	_, err := h.bearer(token)
	h.wantRefusal(err, `key "k1"`)
}

func TestKeysThatCannotBeReadAreNoRefusal(t *testing.T) {
	h := newHouse(t)
	token := h.sign(jose.EdDSA, h.publish("k1"), "k1", nil)
	down := true
	source := &h.issuers["house"].keys
	read := source.read
	source.read = func(ctx context.Context) (*jose.JSONWebKeySet, error) {
		if down {
			h.reads++
			return nil, errors.New("connection refused")
		}
		return read(ctx)
	}
	var refused *Error
	for range 10 {
		if _, err := h.bearer(token); err == nil || errors.As(err, &refused) {
			t.Fatalf("error = %v, want one that is no refusal", err)
		}
	}
	if h.reads != 1 {
		t.Errorf("the key set was tried %d times within a second, want once", h.reads)
	}
	down = false
	h.now = h.now.Add(failedAfter + time.Millisecond)
	if _, err := h.bearer(token); err != nil {
		t.Errorf("after the issuer came back: %v", err)
	}
	// From now on a failure changes nothing for tokens whose key is known.
	down = true
	h.now = h.now.Add(refreshAfter)
	other := h.sign(jose.EdDSA, h.publish("k2"), "k2", map[string]any{"exp": h.now.Add(time.Hour).Unix()})
	if _, err := h.bearer(other); !errors.As(err, &refused) {
		t.Errorf("error = %v, want a refusal of the key that is not known", err)
	}
}

func TestReadingKeysHoldsUpNobodyWhoseKeyIsThere(t *testing.T) {
	h := newHouse(t)
	key := h.publish("k1")
	first := h.sign(jose.EdDSA, key, "k1", nil)
	if _, err := h.bearer(first); err != nil {
		t.Fatal(err)
	}
	h.now = noon.Add(unknownAfter + time.Second)
	source := &h.issuers["house"].keys
	started, release := make(chan struct{}), make(chan struct{})
	read := source.read
	source.read = func(ctx context.Context) (*jose.JSONWebKeySet, error) {
		close(started)
		<-release
		return read(ctx)
	}
	unknown := h.sign(jose.EdDSA, key, "k2", nil)
	done := make(chan error)
	go func() {
		_, err := h.bearer(unknown)
		done <- err
	}()
	<-started
	if _, err := h.bearer(h.sign(jose.EdDSA, key, "k1", map[string]any{"sub": "bob"})); err != nil {
		t.Error(err)
	}
	close(release)
	h.wantRefusal(<-done, `key "k2"`)
}

func TestKeySetsAreReadOverHTTP(t *testing.T) {
	h := newHouse(t)
	key := h.publish("k1")
	known, err := json.Marshal(h.set.Keys[0])
	if err != nil {
		t.Fatal(err)
	}
	body := `{"keys":[{"kty":"OKP","crv":"X9","x":"AA","kid":"future"},` + string(known) + `]}`
	status := http.StatusOK
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(status)
		_, _ = w.Write([]byte(body))
	}))
	defer server.Close()
	v := func() *Verifier {
		v, err := NewVerifier(Config{
			Now:     func() time.Time { return noon },
			Issuers: []Issuer{{Name: "house", JWKS: server.URL}},
		})
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
	token := h.sign(jose.EdDSA, key, "k1", nil)
	if _, err := v().Verify(t.Context(), token); err != nil {
		t.Errorf("a key of an unknown kind beside ours: %v", err)
	}
	for _, broken := range []string{`{`, `{"keys":[]}`, `{"keys":[{"kty":"X"}]}`} {
		body = broken
		if _, err := v().Verify(t.Context(), token); err == nil || errors.As(err, new(*Error)) {
			t.Errorf("key set %s: error = %v, want one that is no refusal", broken, err)
		}
	}
	status = http.StatusInternalServerError
	if _, err := v().Verify(t.Context(), token); err == nil || !strings.Contains(err.Error(), "500") {
		t.Errorf("status 500: error = %v", err)
	}
}

func TestOddHeadersAreRefused(t *testing.T) {
	h := newHouse(t)
	token := h.sign(jose.EdDSA, h.publish("k1"), "k1", nil)
	for _, c := range []struct {
		name   string
		values []string
		want   string
	}{
		{"two headers", []string{"Bearer " + token, "Bearer " + token}, "more than one"},
		{"no scheme", []string{token}, "form Bearer TOKEN"},
		{"a huge token", []string{"Bearer " + strings.Repeat("a", maxToken+1)}, "longer than"},
		{"claims of the wrong type", []string{"Bearer " + h.sign(jose.EdDSA, h.publish("k2"), "k2", map[string]any{"exp": "soon"})}, "claims are not valid"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := h.FromHeader(t.Context(), http.Header{"Authorization": c.values})
			h.wantRefusal(err, c.want)
		})
	}
	if _, err := h.FromHeader(t.Context(), http.Header{"Authorization": {"bEARER  " + token}}); err != nil {
		t.Errorf("the scheme in another case: %v", err)
	}
}

func TestMemoryIsBounded(t *testing.T) {
	m := memory{verified: map[string]remembered{}}
	for i := range 3 * maxVerified {
		token := base64.StdEncoding.EncodeToString([]byte{byte(i), byte(i >> 8), byte(i >> 16)})
		m.remember(token, remembered{claims: &Claims{Expires: noon.Add(time.Duration(i%2) * time.Hour)}}, noon)
	}
	if n := len(m.verified); n > maxVerified || n < maxVerified/2 {
		t.Errorf("%d tokens are remembered, bound %d", n, maxVerified)
	}
}

func BenchmarkVerifiedToken(b *testing.B) {
	h := newHouse(b)
	header := http.Header{"Authorization": {"Bearer " + h.sign(jose.EdDSA, h.publish("k1"), "k1", nil)}}
	ctx := context.Background()
	b.ReportAllocs()
	for b.Loop() {
		if _, err := h.FromHeader(ctx, header); err != nil {
			b.Fatal(err)
		}
	}
}

func FuzzVerify(f *testing.F) {
	h := newHouse(f)
	f.Add(h.sign(jose.EdDSA, h.publish("k1"), "k1", nil))
	f.Add("eyJhbGciOiJub25lIn0.e30.")
	f.Fuzz(func(t *testing.T, token string) {
		if claims, err := h.Verify(context.Background(), token); err == nil && claims.Subject != "ada" {
			t.Errorf("Verify(%q) = %+v", token, claims)
		}
	})
}
