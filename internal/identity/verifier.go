package identity

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"
)

// The issuers and the audience of tokens.
const (
	UsersIssuer   = "agora/users"
	RouterIssuer  = "agora-router"
	ServiceIssuer = "agora/services"
	Audience      = "agora"
)

// leeway is how far the clocks of two machines may differ.
const leeway = 10 * time.Second

// ErrToken is wrapped by every refusal of a token.
var ErrToken = errors.New("token refused")

// JWKS returns the users service's current public keys.
type JWKS func(ctx context.Context) (*jose.JSONWebKeySet, error)

// Verifier turns tokens into identities. It is safe for concurrent use.
type Verifier struct {
	// Keys are those that access tokens are verified with.
	Keys JWKS
	// Router are the keys of a router that says by tokens of its own who is asking, such as one that never shows the client's
	// to services. Nil means that there is none.
	Router JWKS
	// Secret is the one that service tokens are signed with; service tokens are refused if it is empty.
	Secret []byte

	mu       sync.Mutex
	verified map[string]verified
}

// verified is a token that was good, until it expires: a page makes several requests with one token.
type verified struct {
	identity Identity
	expires  time.Time
}

// maxVerified bounds the memory of verified tokens.
const maxVerified = 10_000

// FromHeader reads the Authorization header: anonymous without one, ErrToken with one that is not good.
func (v *Verifier) FromHeader(ctx context.Context, h http.Header) (Identity, error) {
	header := h.Get("Authorization")
	if header == "" {
		return Identity{}, nil
	}
	scheme, token, ok := strings.Cut(header, " ")
	if !ok || !strings.EqualFold(scheme, "Bearer") {
		return Identity{}, fmt.Errorf("%w: want Authorization: Bearer TOKEN", ErrToken)
	}
	return v.Verify(ctx, strings.TrimSpace(token))
}

// Verify checks a token's signature, issuer, audience and time.
func (v *Verifier) Verify(ctx context.Context, token string) (Identity, error) {
	now := time.Now()
	v.mu.Lock()
	known, ok := v.verified[token]
	v.mu.Unlock()
	if ok && now.Before(known.expires) {
		return known.identity, nil
	}
	identity, expires, err := v.check(ctx, token, now)
	if err != nil {
		return Identity{}, err
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.verified == nil || len(v.verified) >= maxVerified {
		v.verified = map[string]verified{}
	}
	v.verified[token] = verified{identity, expires}
	return identity, nil
}

// claims are those of both kinds of token.
type claims struct {
	jwt.Claims
	Scope   string `json:"scope,omitempty"`
	Session string `json:"sid,omitempty"`
}

func (v *Verifier) check(ctx context.Context, token string, now time.Time) (Identity, time.Time, error) {
	parsed, err := jwt.ParseSigned(token, []jose.SignatureAlgorithm{jose.EdDSA, jose.HS256})
	if err != nil || len(parsed.Headers) != 1 {
		return Identity{}, time.Time{}, fmt.Errorf("%w: it is no signed JWT", ErrToken)
	}
	issuer := UsersIssuer
	var verifyKey any = v.Secret
	switch jose.SignatureAlgorithm(parsed.Headers[0].Algorithm) {
	case jose.HS256:
		issuer = ServiceIssuer
		if len(v.Secret) == 0 {
			return Identity{}, time.Time{}, fmt.Errorf("%w: service tokens are not accepted here", ErrToken)
		}
	default:
		if verifyKey, issuer, err = v.publicKey(ctx, parsed.Headers[0].KeyID); err != nil {
			return Identity{}, time.Time{}, err
		}
	}
	var c claims
	if err := parsed.Claims(verifyKey, &c); err != nil {
		return Identity{}, time.Time{}, fmt.Errorf("%w: its signature is not ours", ErrToken)
	}
	expected := jwt.Expected{Issuer: issuer, AnyAudience: jwt.Audience{Audience}, Time: now}
	if err := c.ValidateWithLeeway(expected, leeway); err != nil {
		return Identity{}, time.Time{}, fmt.Errorf("%w: %w", ErrToken, err)
	}
	if c.Expiry == nil || c.Subject == "" {
		return Identity{}, time.Time{}, fmt.Errorf("%w: exp or sub is missing", ErrToken)
	}
	i := Identity{Subject: c.Subject, Session: c.Session, Scopes: strings.Fields(c.Scope), Expires: c.Expiry.Time().Add(leeway)}
	if issuer == ServiceIssuer {
		i.Service, i.Subject = c.Subject, ""
	}
	return i, c.Expiry.Time(), nil
}

// publicKey is a key by its id, with whose it is. The router's are looked at first: where it signs, users' tokens don't come.
func (v *Verifier) publicKey(ctx context.Context, kid string) (key any, issuer string, err error) {
	if v.Keys == nil && v.Router == nil {
		return nil, "", fmt.Errorf("%w: access tokens are not accepted here", ErrToken)
	}
	for _, from := range []struct {
		issuer string
		keys   JWKS
	}{{RouterIssuer, v.Router}, {UsersIssuer, v.Keys}} {
		if from.keys == nil {
			continue
		}
		set, readErr := from.keys(ctx)
		if readErr != nil {
			err = errors.Join(err, fmt.Errorf("read the keys of %s: %w", from.issuer, readErr))
			continue
		}
		for _, k := range set.Key(kid) {
			if k.Algorithm == string(jose.EdDSA) {
				return k.Key, from.issuer, nil
			}
		}
	}
	if err != nil {
		return nil, "", err
	}
	return nil, "", fmt.Errorf("%w: its key %q is not one of ours", ErrToken, kid)
}
