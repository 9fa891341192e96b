package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"sync"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/agora-supergraph/agora/internal/identity"
	"github.com/agora-supergraph/agora/router/auth"
)

// remoteKeys are public keys of another process: the users service's, or a router's. It publishes a key long before it signs
// with it, so that a set which is some seconds old will do.
type remoteKeys struct {
	url string

	// mu guards the set, and has one request read it for all.
	mu     sync.Mutex
	set    *jose.JSONWebKeySet
	readAt time.Time
}

// The rhythm of reading keys: how old a set may be, and how long one request may take.
const (
	keysFresh   = 10 * time.Second
	keysTimeout = 5 * time.Second
	maxKeys     = 1 << 20
)

// keysOfUsers are the keys of the users service whose GraphQL endpoint is given.
func keysOfUsers(endpoint string) (identity.JWKS, error) {
	u, err := url.Parse(endpoint)
	if err != nil {
		return nil, fmt.Errorf("services.users.url: %w", err)
	}
	return (&remoteKeys{url: u.Scheme + "://" + u.Host + "/.well-known/jwks.json"}).Keys, nil
}

// Keys is the set. While the process can't be reached, it is the last one that was read.
func (k *remoteKeys) Keys(ctx context.Context) (*jose.JSONWebKeySet, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.set != nil && time.Since(k.readAt) < keysFresh {
		return k.set, nil
	}
	set, err := k.read(ctx)
	if err == nil {
		k.set = set
	}
	if k.set == nil {
		return nil, err
	}
	k.readAt = time.Now()
	return k.set, nil
}

func (k *remoteKeys) read(ctx context.Context) (*jose.JSONWebKeySet, error) {
	ctx, cancel := context.WithTimeout(ctx, keysTimeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, k.url, nil)
	if err != nil {
		return nil, err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxKeys))
	if err != nil {
		return nil, fmt.Errorf("GET %s: %w", k.url, err)
	}
	if resp.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("GET %s: %s", k.url, resp.Status)
	}
	return auth.ParseKeySet(body)
}
