package auth

import (
	"context"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/go-jose/go-jose/v4"
)

// Keys returns an issuer's key set.
type Keys func(ctx context.Context) (*jose.JSONWebKeySet, error)

// The rhythm of reading a key set.
const (
	// refreshAfter is the age at which a set is read again; keys that are gone then verify nothing any more.
	refreshAfter = 10 * time.Minute
	// unknownAfter is how long after an attempt another is made, because a token names a key that is not there
	// or because the set is old.
	unknownAfter = 30 * time.Second
	// failedAfter is the same while there is no set at all.
	failedAfter = time.Second
	readTimeout = 5 * time.Second
	maxJWKS     = 1 << 20
	// maxTried bounds the keys tried for a token that names none.
	maxTried = 16
)

// keySource holds an issuer's keys. Reading a set never makes those wait whose key is there already.
type keySource struct {
	read Keys
	now  func() time.Time

	set atomic.Pointer[keySet]

	mu      sync.Mutex
	attempt time.Time
	err     error
	reading chan struct{}
}

// keySet is one answer of the source.
type keySet struct {
	keys   []jose.JSONWebKey
	readAt time.Time
}

// fresh reports whether what was verified with set still holds.
func (k *keySource) fresh(set *keySet, now time.Time) bool {
	return k.set.Load() == set && now.Sub(set.readAt) <= refreshAfter
}

// candidates are the keys that may have signed a token with this header, and the set they are of. A set that is
// old or lacks the key is read again, at most once per unknownAfter; if that fails, the set at hand goes on.
func (k *keySource) candidates(ctx context.Context, header jose.Header) ([]*jose.JSONWebKey, *keySet, error) {
	set := k.set.Load()
	found := set.find(header)
	if len(found) == 0 || k.now().Sub(set.readAt) > refreshAfter {
		if err := k.refresh(ctx, len(found) == 0); err != nil && k.set.Load() == nil {
			return nil, nil, err
		}
		set = k.set.Load()
		found = set.find(header)
	}
	return found, set, nil
}

// refresh reads the set unless somebody does so just now, whom it joins if wait is set, or has just tried.
func (k *keySource) refresh(ctx context.Context, wait bool) error {
	k.mu.Lock()
	if reading := k.reading; reading != nil {
		k.mu.Unlock()
		if !wait {
			return nil
		}
		select {
		case <-reading:
		case <-ctx.Done():
			return ctx.Err()
		}
		k.mu.Lock()
		defer k.mu.Unlock()
		return k.err
	}
	now, pause := k.now(), unknownAfter
	if k.set.Load() == nil {
		pause = failedAfter
	}
	if !k.attempt.IsZero() && now.Sub(k.attempt) <= pause {
		defer k.mu.Unlock()
		return k.err
	}
	k.attempt = now
	k.reading = make(chan struct{})
	k.mu.Unlock()

	err := errors.New("reading the key set did not end")
	defer func() {
		k.mu.Lock()
		defer k.mu.Unlock()
		k.err = err
		close(k.reading)
		k.reading = nil
	}()
	// Others wait for this, too: it does not end with the request that happens to be first.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), readTimeout)
	defer cancel()
	var set *jose.JSONWebKeySet
	if set, err = k.read(ctx); err == nil && set == nil {
		err = errors.New("there is no key set")
	}
	if err == nil {
		k.set.Store(&keySet{keys: set.Keys, readAt: now})
	}
	return err
}

// find returns the keys with the header's id that fit its algorithm; all that fit if it has none.
func (s *keySet) find(header jose.Header) []*jose.JSONWebKey {
	if s == nil {
		return nil
	}
	var found []*jose.JSONWebKey
	for i := range s.keys {
		k := &s.keys[i]
		if (header.KeyID == "" || k.KeyID == header.KeyID) && fits(k, header.Algorithm) && len(found) < maxTried {
			found = append(found, k)
		}
	}
	return found
}

// fits reports whether a key is public, for signatures, and made for the algorithm: by what it says of itself, and
// by its kind and curve. A token must not choose how its signature is checked.
func fits(k *jose.JSONWebKey, algorithm string) bool {
	if k.Use != "" && k.Use != "sig" || k.Algorithm != "" && k.Algorithm != algorithm {
		return false
	}
	switch key := k.Key.(type) {
	case ed25519.PublicKey:
		return algorithm == "EdDSA"
	case *rsa.PublicKey:
		return strings.HasPrefix(algorithm, "RS") || strings.HasPrefix(algorithm, "PS")
	case *ecdsa.PublicKey:
		return algorithm == map[int]string{256: "ES256", 384: "ES384", 521: "ES512"}[key.Curve.Params().BitSize]
	}
	return false
}

// httpKeys reads a key set from a URL.
func httpKeys(url string) Keys {
	return func(ctx context.Context) (*jose.JSONWebKeySet, error) {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
		if err != nil {
			return nil, fmt.Errorf("GET %s: %w", url, err)
		}
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			return nil, fmt.Errorf("GET %s: %w", url, err)
		}
		defer resp.Body.Close()
		if resp.StatusCode != http.StatusOK {
			return nil, fmt.Errorf("GET %s: %s", url, resp.Status)
		}
		body, err := io.ReadAll(io.LimitReader(resp.Body, maxJWKS))
		if err != nil {
			return nil, fmt.Errorf("GET %s: %w", url, err)
		}
		set, err := ParseKeySet(body)
		if err != nil {
			return nil, fmt.Errorf("GET %s: %w", url, err)
		}
		return set, nil
	}
}

// ParseKeySet reads a key set (RFC 7517, section 5). Keys of kinds that are not known are left out, as the
// standard asks; a set of which no key is left is an error.
func ParseKeySet(body []byte) (*jose.JSONWebKeySet, error) {
	var raw struct {
		Keys []json.RawMessage `json:"keys"`
	}
	if err := json.Unmarshal(body, &raw); err != nil {
		return nil, fmt.Errorf("key set: %w", err)
	}
	set := &jose.JSONWebKeySet{}
	var last error
	for _, one := range raw.Keys {
		var key jose.JSONWebKey
		if err := key.UnmarshalJSON(one); err != nil {
			last = err
			continue
		}
		set.Keys = append(set.Keys, key)
	}
	if len(set.Keys) == 0 {
		if last == nil {
			last = errors.New("there is none")
		}
		return nil, fmt.Errorf("key set: no usable key: %w", last)
	}
	return set, nil
}
