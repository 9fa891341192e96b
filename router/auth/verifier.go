package auth

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"
)

// Config is what a Verifier needs. It has at least one issuer.
type Config struct {
	// Issuers are those whose tokens are accepted.
	Issuers []Issuer
	// Header is the header that the token is in. Empty means Authorization.
	Header string
	// Leeway is how far clocks may differ. Zero means 10 s.
	Leeway time.Duration
	// Policy decides @policy for somebody; nil meets none.
	Policy func(c *Claims, policy string) bool
	// Now is the clock. Nil means time.Now.
	Now func() time.Time
}

// Issuer signs tokens.
type Issuer struct {
	// Name is the iss claim of its tokens.
	Name string
	// Audience must be in the aud claim. Empty means that any will do.
	Audience string
	// JWKS is the URL of its key set; read when needed, and again as keys change.
	JWKS string
	// Keys is its key set where the issuer is at hand, instead of JWKS.
	Keys Keys
	// Algorithms that it may sign with. Nil means EdDSA, ES256, ES384, ES512, PS256, RS256: none with a shared
	// secret.
	Algorithms []string
	// ScopesClaim is the claim that holds the scopes: a string of words, or a list. Empty means scope.
	ScopesClaim string
}

var defaultAlgorithms = []string{"EdDSA", "ES256", "ES384", "ES512", "PS256", "RS256"}

// Verifier verifies tokens. It is safe for concurrent use.
type Verifier struct {
	cfg Config
	// header is Config.Header as http.Header spells it.
	header     string
	algorithms []jose.SignatureAlgorithm
	issuers    map[string]*issuer

	memory memory
}

type issuer struct {
	Issuer
	keys keySource
}

// maxToken bounds a token's length, in bytes: nobody's claims are that long.
const maxToken = 16 << 10

// Error is the refusal of a token or key. Its message is for the client: it names the reason and nothing secret.
type Error struct {
	// What was refused. Empty means an access token.
	What   string
	Reason string
	// Err is what is behind it, for the log; may be nil.
	Err error
}

// Error is the reason.
func (e *Error) Error() string {
	return "The " + cmp.Or(e.What, "access token") + " is refused: " + e.Reason + "."
}

// Unwrap returns what is behind the refusal.
func (e *Error) Unwrap() error { return e.Err }

func refuse(err error, format string, args ...any) error {
	return &Error{Reason: fmt.Sprintf(format, args...), Err: err}
}

// NewVerifier returns a verifier, or says what is wrong with cfg. It reads no keys yet.
func NewVerifier(cfg Config) (*Verifier, error) {
	cfg.Header = cmp.Or(cfg.Header, "Authorization")
	cfg.Leeway = cmp.Or(cfg.Leeway, 10*time.Second)
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	v := &Verifier{cfg: cfg, header: http.CanonicalHeaderKey(cfg.Header), issuers: map[string]*issuer{}, memory: memory{verified: map[string]remembered{}}}
	for _, i := range cfg.Issuers {
		if i.Name == "" || (i.JWKS == "") == (i.Keys == nil) {
			return nil, fmt.Errorf("jwt issuer %q: needs a name, and the URL of its key set", i.Name)
		}
		if _, twice := v.issuers[i.Name]; twice {
			return nil, fmt.Errorf("jwt issuer %q is listed twice", i.Name)
		}
		i.ScopesClaim = cmp.Or(i.ScopesClaim, "scope")
		if i.Algorithms == nil {
			i.Algorithms = defaultAlgorithms
		}
		if i.Keys == nil {
			i.Keys = httpKeys(i.JWKS)
		}
		for _, a := range i.Algorithms {
			if !slices.Contains(defaultAlgorithms, a) && !slices.Contains([]string{"PS384", "PS512", "RS384", "RS512"}, a) {
				return nil, fmt.Errorf("jwt issuer %q: algorithm %q is not one of a public key", i.Name, a)
			}
			if !slices.Contains(v.algorithms, jose.SignatureAlgorithm(a)) {
				v.algorithms = append(v.algorithms, jose.SignatureAlgorithm(a))
			}
		}
		v.issuers[i.Name] = &issuer{Issuer: i, keys: keySource{read: i.Keys, now: cfg.Now}}
	}
	if len(v.issuers) == 0 {
		return nil, errors.New("jwt: there are no issuers")
	}
	return v, nil
}

// FromHeader verifies the token in the header. Without one, it returns nil, nil: an anonymous request. A token that is
// not good is an *Error; any other error says that its issuer's keys can't be had now, so that nobody can tell.
func (v *Verifier) FromHeader(ctx context.Context, header http.Header) (*Claims, error) {
	values := header[v.header]
	if len(values) == 0 || len(values) == 1 && values[0] == "" {
		return nil, nil
	}
	if len(values) > 1 {
		return nil, refuse(nil, "there is more than one %s header", v.cfg.Header)
	}
	scheme, token, ok := strings.Cut(values[0], " ")
	if !ok || !strings.EqualFold(scheme, "Bearer") {
		return nil, refuse(nil, "the %s header is not of the form Bearer TOKEN", v.cfg.Header)
	}
	return v.Verify(ctx, strings.TrimSpace(token))
}

// Verify verifies a token. For one that it has verified before, and that is still good, it takes a look-up and no
// allocation. Errors are FromHeader's.
func (v *Verifier) Verify(ctx context.Context, token string) (*Claims, error) {
	now := v.cfg.Now()
	if claims := v.memory.recall(token, now); claims != nil {
		return claims, nil
	}
	if len(token) > maxToken {
		return nil, refuse(nil, "it is longer than %d bytes", maxToken)
	}
	r, err := v.check(ctx, token, now)
	if err != nil {
		return nil, err
	}
	v.memory.remember(token, r, now)
	return r.claims, nil
}

func (v *Verifier) check(ctx context.Context, token string, now time.Time) (remembered, error) {
	parsed, err := jwt.ParseSigned(token, v.algorithms)
	if err != nil || len(parsed.Headers) != 1 {
		return remembered{}, refuse(err, "it is not a JWT signed with an algorithm that is accepted here")
	}
	var unverified struct {
		Issuer string `json:"iss"`
	}
	if err := parsed.UnsafeClaimsWithoutVerification(&unverified); err != nil {
		return remembered{}, refuse(err, "its claims are not JSON")
	}
	from := v.issuers[unverified.Issuer]
	if from == nil {
		return remembered{}, refuse(nil, "its issuer %q is not known here", unverified.Issuer)
	}
	header := parsed.Headers[0]
	if !slices.Contains(from.Algorithms, header.Algorithm) {
		return remembered{}, refuse(nil, "its issuer does not sign with %s", header.Algorithm)
	}
	keys, set, err := from.keys.candidates(ctx, header)
	switch {
	case err != nil:
		return remembered{}, fmt.Errorf("keys of issuer %q: %w", from.Name, err)
	case len(keys) == 0:
		return remembered{}, refuse(nil, "its key %q is not one of its issuer's", header.KeyID)
	}
	claims, err := v.claims(parsed, keys, from, now)
	return remembered{claims: claims, from: from, set: set}, err
}

// claims checks the signature, with the one of keys that made it, and then what it signs.
func (v *Verifier) claims(parsed *jwt.JSONWebToken, keys []*jose.JSONWebKey, from *issuer, now time.Time) (*Claims, error) {
	var standard jwt.Claims
	var raw exact
	var err error
	for _, key := range keys {
		if err = parsed.Claims(key.Key, &standard, &raw); err == nil {
			break
		}
	}
	switch {
	case errors.Is(err, jose.ErrCryptoFailure):
		return nil, refuse(err, "its signature is wrong")
	case err != nil:
		return nil, refuse(err, "its claims are not valid")
	}
	if err := v.valid(standard, from, now); err != nil {
		return nil, err
	}
	return &Claims{
		Issuer: standard.Issuer, Subject: standard.Subject, Expires: standard.Expiry.Time(),
		Scopes: scopes(raw[from.ScopesClaim]), Raw: raw, policies: v.cfg.Policy,
	}, nil
}

func (v *Verifier) valid(c jwt.Claims, from *issuer, now time.Time) error {
	expected := jwt.Expected{Issuer: from.Name, Time: now}
	if from.Audience != "" {
		expected.AnyAudience = jwt.Audience{from.Audience}
	}
	err := c.ValidateWithLeeway(expected, v.cfg.Leeway)
	switch {
	case c.Expiry == nil:
		return refuse(nil, "it never expires")
	case errors.Is(err, jwt.ErrExpired):
		return refuse(err, "it has expired")
	case errors.Is(err, jwt.ErrNotValidYet), errors.Is(err, jwt.ErrIssuedInTheFuture):
		return refuse(err, "it is not valid yet")
	case errors.Is(err, jwt.ErrInvalidAudience):
		return refuse(err, "it is for another audience")
	case err != nil:
		return refuse(err, "its claims are not valid")
	}
	return nil
}

// exact are claims whose numbers are as they stand in the token: identifiers may have more digits than a float64.
type exact map[string]any

func (e *exact) UnmarshalJSON(text []byte) error {
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.UseNumber()
	return decoder.Decode((*map[string]any)(e))
}

// scopes reads a claim of scopes: words in a string, or a list of strings.
func scopes(claim any) []string {
	switch claim := claim.(type) {
	case string:
		return strings.Fields(claim)
	case []any:
		var list []string
		for _, s := range claim {
			if s, ok := s.(string); ok {
				list = append(list, s)
			}
		}
		return list
	}
	return nil
}
