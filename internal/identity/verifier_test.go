package identity

import (
	"context"
	"crypto"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/rsa"
	"encoding/base64"
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

var secret = []byte("a secret that all services share")

// newKey returns a private key and its public half, as the users service would make and publish them.
func newKey(t *testing.T, kid string) (private, public jose.JSONWebKey) {
	t.Helper()
	pub, priv, err := ed25519.GenerateKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	return jose.JSONWebKey{Key: priv, KeyID: kid, Algorithm: "EdDSA", Use: "sig"}, jose.JSONWebKey{Key: pub, KeyID: kid, Algorithm: "EdDSA", Use: "sig"}
}

func published(keys ...jose.JSONWebKey) JWKS {
	return func(context.Context) (*jose.JSONWebKeySet, error) { return &jose.JSONWebKeySet{Keys: keys}, nil }
}

func access(t *testing.T, key jose.JSONWebKey, at time.Time) string {
	t.Helper()
	token, err := AccessToken(key, "jti", "usr_1", "ses_1", at, 5*time.Minute, []string{"orders:read", "users:read"})
	if err != nil {
		t.Fatal(err)
	}
	return token
}

// raw builds a token by hand, of whatever header and claims, with a signature made by sign.
func raw(t *testing.T, header, claims map[string]any, sign func(input []byte) []byte) string {
	t.Helper()
	part := func(v map[string]any) string {
		b, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		return base64.RawURLEncoding.EncodeToString(b)
	}
	input := part(header) + "." + part(claims)
	return input + "." + base64.RawURLEncoding.EncodeToString(sign([]byte(input)))
}

func TestAnAccessTokenSaysTheUserTheSessionAndTheScopes(t *testing.T) {
	private, public := newKey(t, "k1")
	_, next := newKey(t, "k2")
	v := &Verifier{Keys: published(next, public), Secret: secret}
	got, err := v.Verify(t.Context(), access(t, private, time.Now()))
	if err != nil {
		t.Fatal(err)
	}
	want := Identity{Subject: "usr_1", Session: "ses_1", Scopes: []string{"orders:read", "users:read"}}
	if got.Expires.Before(time.Now()) || got.Expires.After(time.Now().Add(time.Hour)) {
		t.Errorf("it is believed until %v", got.Expires)
	}
	if diff := cmp.Diff(want, got, cmpopts.IgnoreFields(Identity{}, "Expires")); diff != "" {
		t.Errorf("identity (-want +got)\n%s", diff)
	}
}

func TestAServiceTokenSaysTheServiceAndNoUser(t *testing.T) {
	token, err := ServiceToken(secret, "orders", "inventory:write")
	if err != nil {
		t.Fatal(err)
	}
	got, err := (&Verifier{Secret: secret}).Verify(t.Context(), token)
	if diff := cmp.Diff(Identity{Service: "orders", Scopes: []string{"inventory:write"}}, got, cmpopts.IgnoreFields(Identity{}, "Expires")); diff != "" || err != nil {
		t.Errorf("%v, identity (-want +got)\n%s", err, diff)
	}
}

func TestBadTokensAreRefused(t *testing.T) {
	now := time.Now()
	private, public := newKey(t, "k1")
	stranger, _ := newKey(t, "k1")
	unknown, _ := newKey(t, "k9")
	rsaKey, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	claims := func(change map[string]any) map[string]any {
		c := map[string]any{"iss": UsersIssuer, "aud": Audience, "sub": "usr_1", "iat": now.Unix(), "nbf": now.Unix(), "exp": now.Add(time.Minute).Unix()}
		for k, v := range change {
			if c[k] = v; v == nil {
				delete(c, k)
			}
		}
		return c
	}
	eddsa := map[string]any{"alg": "EdDSA", "kid": "k1"}
	signed := func(change map[string]any) string {
		return raw(t, eddsa, claims(change), func(b []byte) []byte { return ed25519.Sign(private.Key.(ed25519.PrivateKey), b) })
	}
	hmacWith := func(key []byte, header, c map[string]any) string {
		signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.HS256, Key: key}, (&jose.SignerOptions{}).WithHeader("kid", header["kid"]))
		if err != nil {
			t.Fatal(err)
		}
		token, err := jwt.Signed(signer).Claims(c).Serialize()
		if err != nil {
			t.Fatal(err)
		}
		return token
	}
	none := func([]byte) []byte { return nil }
	good := access(t, private, now)
	v := &Verifier{Keys: published(public), Secret: secret}
	if _, err := v.Verify(t.Context(), signed(nil)); err != nil {
		t.Fatalf("the token that the others are made of is refused: %v", err)
	}
	for name, token := range map[string]string{
		"nothing":                          "",
		"no token":                         "abc",
		"three empty parts":                "..",
		"no algorithm":                     raw(t, map[string]any{"alg": "none", "kid": "k1"}, claims(nil), none),
		"no signature":                     raw(t, eddsa, claims(nil), none),
		"another's signature":              access(t, stranger, now),
		"a key that is not published":      access(t, unknown, now),
		"a changed signature":              good[:len(good)-4] + "AAAA",
		"changed claims":                   swapClaims(t, good, signed(map[string]any{"sub": "usr_2"})),
		"expired":                          access(t, private, now.Add(-6*time.Minute)),
		"not yet valid":                    access(t, private, now.Add(time.Minute)),
		"another issuer":                   signed(map[string]any{"iss": "https://elsewhere.example"}),
		"the services' issuer":             signed(map[string]any{"iss": ServiceIssuer, "sub": "orders"}),
		"another audience":                 signed(map[string]any{"aud": "elsewhere"}),
		"no audience":                      signed(map[string]any{"aud": nil}),
		"no expiry":                        signed(map[string]any{"exp": nil}),
		"no subject":                       signed(map[string]any{"sub": nil}),
		"HMAC with the public key":         hmacWith(public.Key.(ed25519.PublicKey), eddsa, claims(nil)),
		"HMAC with a guessed secret":       hmacWith([]byte("a secret that nobody else shares!!"), eddsa, claims(map[string]any{"iss": ServiceIssuer})),
		"a user's claims under the secret": hmacWith(secret, eddsa, claims(nil)),
		"RSA": raw(t, map[string]any{"alg": "RS256", "kid": "k1"}, claims(nil), func(b []byte) []byte {
			sum := crypto.SHA256.New()
			sum.Write(b)
			signature, err := rsa.SignPKCS1v15(rand.Reader, rsaKey, crypto.SHA256, sum.Sum(nil))
			if err != nil {
				t.Fatal(err)
			}
			return signature
		}),
	} {
		t.Run(name, func(t *testing.T) {
			who, err := v.Verify(t.Context(), token)
			if !errors.Is(err, ErrToken) || !who.Anonymous() {
				t.Errorf("Verify(%q) = %+v, %v; want ErrToken", token, who, err)
			}
		})
	}
}

// swapClaims puts the claims of one token under the header and signature of another.
func swapClaims(t *testing.T, token, other string) string {
	t.Helper()
	a, b := strings.Split(token, "."), strings.Split(other, ".")
	return a[0] + "." + b[1] + "." + a[2]
}

func TestAVerifierTakesNoKindOfTokenThatItHasNoKeyFor(t *testing.T) {
	private, public := newKey(t, "k1")
	service, err := ServiceToken(nil, "orders")
	if err == nil {
		if _, err := (&Verifier{Keys: published(public)}).Verify(t.Context(), service); !errors.Is(err, ErrToken) {
			t.Errorf("a service token under no secret: %v", err)
		}
	}
	if _, err := (&Verifier{Secret: secret}).Verify(t.Context(), access(t, private, time.Now())); !errors.Is(err, ErrToken) {
		t.Errorf("an access token without a key set: %v", err)
	}
	wrongUse := public
	wrongUse.Algorithm = "HS256"
	if _, err := (&Verifier{Keys: published(wrongUse)}).Verify(t.Context(), access(t, private, time.Now())); !errors.Is(err, ErrToken) {
		t.Errorf("a key that is published for another algorithm: %v", err)
	}
}

func TestAKeySetThatCannotBeReadIsNoFaultOfTheToken(t *testing.T) {
	private, _ := newKey(t, "k1")
	away := errors.New("away")
	v := &Verifier{Keys: func(context.Context) (*jose.JSONWebKeySet, error) { return nil, away }}
	if _, err := v.Verify(t.Context(), access(t, private, time.Now())); !errors.Is(err, away) || errors.Is(err, ErrToken) {
		t.Errorf("err = %v", err)
	}
}

func TestTheHeaderIsReadStrictly(t *testing.T) {
	private, public := newKey(t, "k1")
	token := access(t, private, time.Now())
	v := &Verifier{Keys: published(public)}
	for header, want := range map[string]struct {
		subject string
		refused bool
	}{
		"":                   {},
		"Bearer " + token:    {subject: "usr_1"},
		"bearer " + token:    {subject: "usr_1"},
		"Bearer  " + token:   {subject: "usr_1"},
		token:                {refused: true},
		"Bearer":             {refused: true},
		"Bearer ":            {refused: true},
		"Basic dXNlcjpwdw==": {refused: true},
	} {
		h := http.Header{}
		if header != "" {
			h.Set("Authorization", header)
		}
		who, err := v.FromHeader(t.Context(), h)
		if errors.Is(err, ErrToken) != want.refused || who.Subject != want.subject {
			t.Errorf("%.20q: %+v, %v", header, who, err)
		}
	}
}

func TestATokenIsVerifiedOnceUntilItExpires(t *testing.T) {
	private, public := newKey(t, "k1")
	asked := 0
	v := &Verifier{Keys: func(context.Context) (*jose.JSONWebKeySet, error) {
		asked++
		return &jose.JSONWebKeySet{Keys: []jose.JSONWebKey{public}}, nil
	}}
	token := access(t, private, time.Now())
	for range 3 {
		if _, err := v.Verify(t.Context(), token); err != nil {
			t.Fatal(err)
		}
	}
	if asked != 1 {
		t.Errorf("the keys were asked for %d times, want once", asked)
	}
	// What is remembered must not outlive the token.
	late := access(t, private, time.Now().Add(-5*time.Minute-leeway+time.Second))
	if _, err := v.Verify(t.Context(), late); err != nil {
		t.Fatalf("within the leeway: %v", err)
	}
	time.Sleep(2100 * time.Millisecond)
	if _, err := v.Verify(t.Context(), late); !errors.Is(err, ErrToken) {
		t.Errorf("after it has expired: %v", err)
	}
}

func TestManyVerifyAtOnce(t *testing.T) {
	private, public := newKey(t, "k1")
	v := &Verifier{Keys: published(public), Secret: secret}
	tokens := []string{access(t, private, time.Now()), access(t, private, time.Now().Add(-time.Hour))}
	var wg sync.WaitGroup
	for i := range 200 {
		wg.Go(func() {
			if _, err := v.Verify(t.Context(), tokens[i%2]); (err == nil) != (i%2 == 0) {
				t.Errorf("token %d: %v", i%2, err)
			}
		})
	}
	wg.Wait()
}

func TestARouterSaysWhoIsAskingByTokensOfItsOwn(t *testing.T) {
	private, public := newKey(t, "r1")
	users, usersPublic := newKey(t, "u1")
	v := &Verifier{Router: published(public), Keys: published(usersPublic)}
	now := time.Now()
	token := func(issuer string, key jose.JSONWebKey) string {
		signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.EdDSA, Key: key}, nil)
		if err != nil {
			t.Fatal(err)
		}
		made, err := sign(signer, issuer, "usr_1", "ses_1", "", now, time.Minute, []string{"orders:read"})
		if err != nil {
			t.Fatal(err)
		}
		return made
	}
	got, err := v.Verify(t.Context(), token(RouterIssuer, private))
	got.Expires = time.Time{}
	if diff := cmp.Diff(Identity{Subject: "usr_1", Session: "ses_1", Scopes: []string{"orders:read"}}, got); err != nil || diff != "" {
		t.Errorf("the router's token: %v\n%s", err, diff)
	}
	for name, wrong := range map[string]string{
		"the router's key for the users service": token(UsersIssuer, private), "the users service's key for the router": token(RouterIssuer, users),
	} {
		if _, err := v.Verify(t.Context(), wrong); !errors.Is(err, ErrToken) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
