package main

import (
	"crypto/ed25519"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/agora-supergraph/agora/internal/identity"
	"github.com/agora-supergraph/agora/internal/subgraph"
	"github.com/agora-supergraph/agora/subgraphs/node"
)

func TestASubgraphAnswersTheRouterAndServicesAndNobodyElse(t *testing.T) {
	secret := []byte("a secret of thirty-two bytes or so")
	server := httptest.NewServer(subgraph.New(subgraph.Config{
		Name: "node", Schema: node.Schema(), Verifier: &identity.Verifier{Secret: secret}, RouterSecrets: []string{"new", "old"},
	}))
	defer server.Close()
	service, err := identity.ServiceToken(secret, "orders")
	if err != nil {
		t.Fatal(err)
	}
	forged, err := identity.ServiceToken([]byte("another secret of thirty-two bytes"), "orders")
	if err != nil {
		t.Fatal(err)
	}
	_, key, err := ed25519.GenerateKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	person, err := identity.AccessToken(jose.JSONWebKey{Key: key}, "jti", "usr_1", "ses_1", time.Now(), time.Minute, nil)
	if err != nil {
		t.Fatal(err)
	}
	for name, test := range map[string]struct {
		header, value string
		status        int
	}{
		"nobody":                       {"", "", http.StatusForbidden},
		"the router":                   {subgraph.RouterHeader, "new", http.StatusOK},
		"the router before a change":   {subgraph.RouterHeader, "old", http.StatusOK},
		"somebody who guesses":         {subgraph.RouterHeader, "guess", http.StatusForbidden},
		"somebody with an empty guess": {subgraph.RouterHeader, "", http.StatusForbidden},
		"a service":                    {"Authorization", "Bearer " + service, http.StatusOK},
		"a person":                     {"Authorization", "Bearer " + person, http.StatusForbidden},
		"a forged service":             {"Authorization", "Bearer " + forged, http.StatusForbidden},
	} {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, server.URL, strings.NewReader(`{"query":"{ _service { sdl } }"}`))
		if err != nil {
			t.Fatal(err)
		}
		if test.header != "" {
			req.Header.Set(test.header, test.value)
		}
		response, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		response.Body.Close()
		if response.StatusCode != test.status {
			t.Errorf("%s: status %d, want %d", name, response.StatusCode, test.status)
		}
	}
}
