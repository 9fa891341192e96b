package auth

import (
	"crypto"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"
)

// SignerConfig says how the router tells subgraphs who is asking. The zero value works.
type SignerConfig struct {
	// Issuer is the claim iss. Empty means agora-router.
	Issuer string
	// Audience is the claim aud. Empty means none.
	Audience string
	// Key is an Ed25519 private key (PKCS 8) that all routers of an installation share, as PEM or as its base64 alone; from a file
	// by ${file.router.key}. Empty means a key that is made at the start: subgraphs then have to look at the key set again after
	// each start of a router.
	Key string `secret:"true"`
	// OtherKeys are in the key set too: the next key, before any router signs with it, and the last one, until no token of its
	// is good.
	OtherKeys []string `secret:"true"`
	// Life is how long a token is good. Zero means 1 min.
	Life time.Duration `min:"0s" max:"1h"`
	// Claims are names of the caller's claims that are passed on besides sub and scope.
	Claims []string
}

// Signer makes short-lived tokens (RFC 7519, EdDSA) by which subgraphs know who is asking without trusting anybody but the
// router, and without ever seeing the client's own token. It is safe for concurrent use.
type Signer struct {
	cfg    SignerConfig
	signer jose.Signer
	set    []byte

	mu sync.Mutex
	// made are tokens by whom they speak of, until half of their life has gone.
	made map[string]madeToken
}

type madeToken struct {
	token string
	until time.Time
}

// maxMade bounds the memory of tokens.
const maxMade = 10_000

// NewSigner returns a signer with the keys of cfg, or with one that it makes.
func NewSigner(cfg SignerConfig) (*Signer, error) {
	if cfg.Issuer == "" {
		cfg.Issuer = "agora-router"
	}
	if cfg.Life == 0 {
		cfg.Life = time.Minute
	}
	current, err := signingKey("identity.key", cfg.Key)
	if err != nil {
		return nil, err
	}
	set := jose.JSONWebKeySet{Keys: []jose.JSONWebKey{current.Public()}}
	for _, text := range cfg.OtherKeys {
		other, err := signingKey("identity.other_keys", text)
		if err != nil {
			return nil, err
		}
		set.Keys = append(set.Keys, other.Public())
	}
	s := &Signer{cfg: cfg, made: map[string]madeToken{}}
	if s.set, err = json.Marshal(set); err != nil {
		return nil, err
	}
	s.signer, err = jose.NewSigner(jose.SigningKey{Algorithm: jose.EdDSA, Key: current}, (&jose.SignerOptions{}).WithType("JWT"))
	return s, err
}

// Validate says what in c can't work.
func (c SignerConfig) Validate() (errs []error) {
	if _, err := signingKey("identity.key", c.Key); err != nil {
		errs = append(errs, err)
	}
	for i, text := range c.OtherKeys {
		if _, err := signingKey(fmt.Sprintf("identity.other_keys[%d]", i), text); err != nil {
			errs = append(errs, err)
		}
	}
	return errs
}

// signingKey reads a private key, or makes one of no text. Its id is its thumbprint (RFC 7638).
func signingKey(setting, text string) (jose.JSONWebKey, error) {
	private, err := parseKey(text)
	if err != nil {
		return jose.JSONWebKey{}, fmt.Errorf("%s: %w: make one by openssl genpkey -algorithm ed25519", setting, err)
	}
	key := jose.JSONWebKey{Key: private, Algorithm: string(jose.EdDSA), Use: "sig"}
	thumbprint, err := key.Thumbprint(crypto.SHA256)
	if err != nil {
		return jose.JSONWebKey{}, err
	}
	key.KeyID = fmt.Sprintf("%x", thumbprint[:12])
	return key, nil
}

func parseKey(text string) (private ed25519.PrivateKey, err error) {
	if text == "" {
		_, private, err = ed25519.GenerateKey(rand.Reader)
		return private, err
	}
	var der []byte
	if block, _ := pem.Decode([]byte(text)); block != nil {
		der = block.Bytes
	} else if der, err = base64.StdEncoding.DecodeString(strings.TrimSpace(text)); err != nil {
		return nil, errors.New("it is neither PEM nor base64")
	}
	key, err := x509.ParsePKCS8PrivateKey(der)
	if err != nil {
		return nil, errors.New("it is no PKCS 8 key")
	}
	private, ok := key.(ed25519.PrivateKey)
	if !ok {
		return nil, errors.New("it is no Ed25519 key")
	}
	return private, nil
}

// Token is the one for a caller, without "Bearer"; empty for nobody.
func (s *Signer) Token(c *Claims) (string, error) {
	if c == nil || c.Subject == "" {
		return "", nil
	}
	now := time.Now()
	key := s.key(c)
	s.mu.Lock()
	known, ok := s.made[key]
	s.mu.Unlock()
	if ok && now.Before(known.until) {
		return known.token, nil
	}
	expires := now.Add(s.cfg.Life)
	if !c.Expires.IsZero() && c.Expires.Before(expires) {
		expires = c.Expires // nobody is who he is for longer than his own token says
	}
	all := map[string]any{}
	for _, name := range s.cfg.Claims {
		if value, ok := c.Raw[name]; ok {
			text, _ := json.Marshal(value) // it came from JSON: it can't fail
			all[name] = json.RawMessage(text)
		}
	}
	maps.Copy(all, map[string]any{
		"iss": s.cfg.Issuer, "sub": c.Subject, "scope": strings.Join(c.Scopes, " "), "act": map[string]any{"iss": c.Issuer},
		"iat": now.Unix(), "exp": expires.Unix(),
	})
	if s.cfg.Audience != "" {
		all["aud"] = s.cfg.Audience
	}
	token, err := jwt.Signed(s.signer).Claims(all).Serialize()
	if err != nil {
		return "", fmt.Errorf("sign identity: %w", err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.made) >= maxMade {
		clear(s.made)
	}
	s.made[key] = madeToken{token, now.Add(expires.Sub(now) / 2)}
	return token, nil
}

// key is equal for callers that get equal tokens.
func (s *Signer) key(c *Claims) string {
	scopes := slices.Clone(c.Scopes)
	slices.Sort(scopes)
	parts := []any{c.Issuer, c.Subject, scopes, c.Expires.Unix()}
	for _, name := range s.cfg.Claims {
		parts = append(parts, c.Raw[name])
	}
	text, _ := json.Marshal(parts) // claims came from JSON: it can't fail
	return string(text)
}

// ServeHTTP serves the public keys, as a JSON Web Key Set.
func (s *Signer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		w.Header().Set("Allow", "GET, HEAD")
		http.Error(w, "use GET", http.StatusMethodNotAllowed)
		return
	}
	w.Header().Set("Content-Type", "application/jwk-set+json")
	w.Header().Set("Cache-Control", "public, max-age=60")
	_, _ = w.Write(s.set)
}
