package auth

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"sync"
	"time"

	"github.com/go-jose/go-jose/v4"
)

// Keys returns an issuer's key set.
type Keys func(ctx context.Context) (*jose.JSONWebKeySet, error)

// The rhythm of reading a key set over HTTP.
const (
	// refreshAfter is the age at which a set is read again.
	refreshAfter = 10 * time.Minute
	// unknownAfter is the age at which it is read again because a token names a key that is not in it.
	unknownAfter = 30 * time.Second
	maxJWKSBytes = 1 << 20
)

// keySource holds an issuer's keys.
type keySource struct {
	read Keys
	now  func() time.Time

	mu      sync.Mutex
	set     *jose.JSONWebKeySet
	readAt  time.Time
	attempt time.Time
}

// key is the issuer's key with this id. A set that is stale, or lacks the key, is read again, at most once per
// unknownAfter; if that fails, the set at hand goes on.
func (k *keySource) key(ctx context.Context, id string) (*jose.JSONWebKey, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	now := k.now()
	found := k.find(id)
	stale := k.set == nil || now.Sub(k.readAt) > refreshAfter || found == nil
	if stale && (k.attempt.IsZero() || now.Sub(k.attempt) > unknownAfter) {
		k.attempt = now
		set, err := k.read(ctx)
		if err == nil {
			k.set, k.readAt = set, now
			found = k.find(id)
		} else if k.set == nil {
			k.attempt = time.Time{} // nothing to go on with: the next request tries again
			return nil, fmt.Errorf("read the issuer's keys: %w", err)
		}
	}
	return found, nil
}

func (k *keySource) find(id string) *jose.JSONWebKey {
	if k.set == nil {
		return nil
	}
	if id == "" && len(k.set.Keys) == 1 {
		return &k.set.Keys[0]
	}
	for i := range k.set.Keys {
		if k.set.Keys[i].KeyID == id {
			return &k.set.Keys[i]
		}
	}
	return nil
}

// httpKeys reads a key set from a URL.
func httpKeys(url string) Keys {
	client := &http.Client{Timeout: 5 * time.Second}
	return func(ctx context.Context) (*jose.JSONWebKeySet, error) {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
		if err != nil {
			return nil, err
		}
		resp, err := client.Do(req)
		if err != nil {
			return nil, err
		}
		defer resp.Body.Close()
		if resp.StatusCode != http.StatusOK {
			return nil, fmt.Errorf("GET %s: %s", url, resp.Status)
		}
		var set jose.JSONWebKeySet
		if err := json.NewDecoder(io.LimitReader(resp.Body, maxJWKSBytes)).Decode(&set); err != nil {
			return nil, fmt.Errorf("GET %s: %w", url, err)
		}
		return &set, nil
	}
}
