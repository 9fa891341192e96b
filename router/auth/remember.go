package auth

import (
	"strings"
	"sync"
	"time"
)

// maxVerified bounds the tokens that are remembered.
const maxVerified = 10_000

// memory remembers tokens that were good, with the key set that they were verified by: when that is replaced,
// they are verified again, so that a key which its issuer took back ends what it signed.
type memory struct {
	mu       sync.RWMutex
	verified map[string]remembered
}

type remembered struct {
	claims *Claims
	from   *issuer
	set    *keySet
}

// recall returns the claims of a token that is still good; nil if it must be verified. It does not allocate.
func (m *memory) recall(token string, now time.Time) *Claims {
	m.mu.RLock()
	r, ok := m.verified[token]
	m.mu.RUnlock()
	if !ok || !now.Before(r.claims.Expires) || !r.from.keys.fresh(r.set, now) {
		return nil
	}
	return r.claims
}

// remember keeps a token. When there are too many, an eighth is forgotten, the expired ones and any others.
func (m *memory) remember(token string, r remembered, now time.Time) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if _, known := m.verified[token]; !known && len(m.verified) >= maxVerified {
		for token, r := range m.verified {
			if !now.Before(r.claims.Expires) || len(m.verified) > maxVerified-maxVerified/8 {
				delete(m.verified, token)
			}
		}
	}
	// The token may be part of a buffer that is used again, or of one far larger.
	m.verified[strings.Clone(token)] = r
}
