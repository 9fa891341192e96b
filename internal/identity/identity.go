// Package identity says who asks: subgraphs read it off the token of each request and check it themselves,
// although the router has checked it before.
//
// Two kinds of token are understood, each with its own issuer, key and algorithm, so that neither can pass for
// the other: access tokens of people, signed by the users service with Ed25519 and verified against its JWKS,
// and service tokens, signed with a secret that the services share (HMAC-SHA256), by which one service asks
// another. No token is an anonymous request; a bad one is refused.
package identity

import (
	"context"
	"slices"
	"time"
)

// Identity is who makes a request. The zero value is anonymous.
type Identity struct {
	// Subject is the user's id; empty for anonymous requests and for services.
	Subject string
	// Session is the id of the user's session.
	Session string
	// Service is the name of the service that asks on its own behalf; empty for people.
	Service string
	// Scopes are what the identity may do.
	Scopes []string
	// Expires is until when the token is believed; zero without one.
	Expires time.Time
}

// Anonymous reports whether nobody is known.
func (i Identity) Anonymous() bool { return i.Subject == "" && i.Service == "" }

// Has reports whether the identity has a scope.
func (i Identity) Has(scope string) bool { return slices.Contains(i.Scopes, scope) }

// May reports whether the identity is the user with this id, or has the scope that opens the user's things
// to others.
func (i Identity) May(userID, scope string) bool {
	return (userID != "" && i.Subject == userID) || i.Has(scope)
}

// Actor names the identity in histories and logs.
func (i Identity) Actor() string {
	switch {
	case i.Service != "":
		return "service:" + i.Service
	case i.Subject != "":
		return i.Subject
	}
	return "anonymous"
}

type key struct{}

// With returns a context that carries the identity.
func With(ctx context.Context, i Identity) context.Context { return context.WithValue(ctx, key{}, i) }

// From is the identity that the context carries, or an anonymous one.
func From(ctx context.Context) Identity {
	i, _ := ctx.Value(key{}).(Identity)
	return i
}
