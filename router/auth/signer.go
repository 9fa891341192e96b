package auth

import (
	"crypto"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"maps"
	"net/http"
	"os"
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
	// KeyFile is a PEM file with an Ed25519 private key (PKCS 8), which all routers of an installation share. Empty means a key
	// that is made at the start: subgraphs then have to look at the key set again after each start of a router.
	KeyFile string
	// PreviousKeyFiles are keys that were used before; they stay in the key set until no token of theirs is good.
	PreviousKeyFiles []string
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

// NewSigner reads the keys of cfg, or makes one.
func NewSigner(cfg SignerConfig) (*Signer, error) {
	if cfg.Issuer == "" {
		cfg.Issuer = "agora-router"
	}
	if cfg.Life == 0 {
		cfg.Life = time.Minute
	}
	current, err := signingKey(cfg.KeyFile)
	if err != nil {
		return nil, err
	}
	set := jose.JSONWebKeySet{Keys: []jose.JSONWebKey{current.Public()}}
	for _, file := range cfg.PreviousKeyFiles {
		previous, err := signingKey(file)
		if err != nil {
			return nil, err
		}
		set.Keys = append(set.Keys, previous.Public())
	}
	s := &Signer{cfg: cfg, made: map[string]madeToken{}}
	if s.set, err = json.Marshal(set); err != nil {
		return nil, err
	}
	s.signer, err = jose.NewSigner(jose.SigningKey{Algorithm: jose.EdDSA, Key: current}, (&jose.SignerOptions{}).WithType("JWT"))
	return s, err
}

// signingKey reads a private key, or makes one for no file. Its id is its thumbprint (RFC 7638).
func signingKey(file string) (jose.JSONWebKey, error) {
	var private ed25519.PrivateKey
	if file == "" {
		_, private, _ = ed25519.GenerateKey(rand.Reader)
	} else {
		text, err := os.ReadFile(file)
		if err != nil {
			return jose.JSONWebKey{}, fmt.Errorf("identity key: %w", err)
		}
		block, _ := pem.Decode(text)
		if block == nil {
			return jose.JSONWebKey{}, fmt.Errorf("identity key: %s is no PEM file", file)
		}
		key, err := x509.ParsePKCS8PrivateKey(block.Bytes)
		if err != nil {
			return jose.JSONWebKey{}, fmt.Errorf("identity key: %s: %w", file, err)
		}
		var ok bool
		if private, ok = key.(ed25519.PrivateKey); !ok {
			return jose.JSONWebKey{}, fmt.Errorf("identity key: %s holds no Ed25519 key: make one by openssl genpkey -algorithm ed25519", file)
		}
	}
	key := jose.JSONWebKey{Key: private, Algorithm: string(jose.EdDSA), Use: "sig"}
	thumbprint, err := key.Thumbprint(crypto.SHA256)
	if err != nil {
		return jose.JSONWebKey{}, err
	}
	key.KeyID = fmt.Sprintf("%x", thumbprint[:12])
	return key, nil
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
			all[name] = value
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
