package main

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"encoding/json"
	"net/http"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/go-jose/go-jose/v4"

	"github.com/agora-supergraph/agora/internal/identity"
	"github.com/agora-supergraph/agora/internal/subgraph"
)

// caller asks services of this process as a user, without that user's password and without a session. The zero value
// is nobody.
type caller struct {
	subject string
	// key signs the caller's tokens; no other server than the caller's own takes them.
	key jose.JSONWebKey
}

func newCaller(userID string) (caller, error) {
	_, private, err := ed25519.GenerateKey(rand.Reader)
	return caller{userID, jose.JSONWebKey{Key: private, KeyID: "caller", Algorithm: string(jose.EdDSA), Use: "sig"}}, err
}

// ask sends an operation to a service and decodes the data of its response. The response must have no errors.
func (c caller) ask(ctx context.Context, schema graphql.ExecutableSchema, query string, variables map[string]any, data any) error {
	req := &subgraph.Request{Query: query, Header: http.Header{}}
	var err error
	if req.Variables, err = json.Marshal(variables); err != nil {
		return err
	}
	verifier := &identity.Verifier{}
	if c.subject != "" {
		token, err := identity.AccessToken(c.key, "example", c.subject, "example", time.Now(), time.Minute, nil)
		if err != nil {
			return err
		}
		req.Header.Set("Authorization", "Bearer "+token)
		verifier.Keys = func(context.Context) (*jose.JSONWebKeySet, error) {
			return &jose.JSONWebKeySet{Keys: []jose.JSONWebKey{c.key.Public()}}, nil
		}
	}
	var response struct {
		Data   json.RawMessage
		Errors subgraph.ResponseErrors
	}
	if err := json.Unmarshal(subgraph.New(subgraph.Config{Schema: schema, Verifier: verifier}).Serve(ctx, req), &response); err != nil {
		return err
	}
	if len(response.Errors) > 0 {
		return response.Errors
	}
	return json.Unmarshal(response.Data, data)
}
