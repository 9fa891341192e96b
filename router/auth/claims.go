// Package auth verifies access tokens: who asks, and what may they see.
//
// In comes an Authorization header with a signed JWT (RFC 7519) of one of the configured issuers; out come its
// Claims. Keys come from each issuer's key set (JWKS, RFC 7517): its signature is checked with a key of the issuer
// that the token names, by an algorithm that the issuer is allowed and the key is made for; then issuer, audience and
// times. Tokens that were good are remembered until they expire, since a page makes many requests with one.
package auth

import (
	"slices"
	"time"

	"github.com/agora-supergraph/agora/router/supergraph"
)

// Claims say who asks. They are immutable. Nil is anonymous.
type Claims struct {
	// Issuer is who signed the token.
	Issuer string
	// Subject is who it was signed for.
	Subject string
	// Client is the program that asks, as its API key proves; empty if it has shown none. See the package apikey.
	Client string
	// Scopes are what the subject may do.
	Scopes []string
	// Expires is when the token ceases to be good.
	Expires time.Time
	// Raw are all claims of the token, as JSON decodes them; numbers are json.Number, as they stand in the token.
	Raw map[string]any

	policies func(c *Claims, policy string) bool
}

// Meets reports whether the claims satisfy what a field demands; see supergraph.Requirement. It may be called on
// nil.
func (c *Claims) Meets(r *supergraph.Requirement) bool {
	if r == nil {
		return true
	}
	if c == nil {
		return false
	}
	return anyOf(r.Scopes, func(scope string) bool { return slices.Contains(c.Scopes, scope) }) &&
		anyOf(r.Policies, func(policy string) bool { return c.policies != nil && c.policies(c, policy) })
}

// anyOf reports whether all elements of one of the lists hold; no lists demand nothing.
func anyOf(lists [][]string, holds func(string) bool) bool {
	if lists == nil {
		return true
	}
	for _, all := range lists {
		if !slices.ContainsFunc(all, func(s string) bool { return !holds(s) }) {
			return true
		}
	}
	return false
}
