package main

import (
	"crypto/ed25519"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/agora-supergraph/agora/internal/identity"
	"github.com/agora-supergraph/agora/internal/subgraph"
	"github.com/agora-supergraph/agora/router/auth"
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

// refusesForgeries tries to ask a subgraph of a cluster as somebody: who holds the router's secret alone, or its key alone,
// is not the router.
func refusesForgeries(t *testing.T, folder, url string, person client) {
	t.Helper()
	secret, err := os.ReadFile(filepath.Join(folder, "router.secret"))
	if err != nil {
		t.Fatal(err)
	}
	key, err := os.ReadFile(filepath.Join(folder, "router.key"))
	if err != nil {
		t.Fatal(err)
	}
	me := text(person.do(`{ me { id } }`, nil), "me.id")
	says := func(cfg auth.SignerConfig) string {
		signer, err := auth.NewSigner(cfg)
		if err != nil {
			t.Fatal(err)
		}
		token, err := signer.Token(&auth.Claims{Issuer: identity.UsersIssuer, Subject: me})
		if err != nil {
			t.Fatal(err)
		}
		return token
	}
	for name, test := range map[string]struct{ secret, token, want string }{
		"the router":                       {string(secret), says(auth.SignerConfig{Key: string(key), Audience: "agora"}), `{"data":{"me":{"id":"` + me + `"}}}`},
		"the router, for nobody":           {string(secret), "", `{"data":{"me":null}}`},
		"its token without its secret":     {"", says(auth.SignerConfig{Key: string(key), Audience: "agora"}), "FORBIDDEN"},
		"its secret and another's key":     {string(secret), says(auth.SignerConfig{Audience: "agora"}), "UNAUTHENTICATED"},
		"its secret and a person's token":  {string(secret), person.token, "UNAUTHENTICATED"},
		"its key for another installation": {string(secret), says(auth.SignerConfig{Key: string(key), Audience: "other"}), "UNAUTHENTICATED"},
		"its secret and no token":          {string(secret), "x", "UNAUTHENTICATED"},
	} {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url+"/users/graphql", strings.NewReader(`{"query":"{ me { id } }"}`))
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set(subgraph.RouterHeader, test.secret)
		if test.token != "" {
			req.Header.Set("Authorization", "Bearer "+test.token)
		}
		response, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(response.Body)
		response.Body.Close()
		if err != nil || !strings.Contains(string(body), test.want) {
			t.Errorf("%s: %s %v, want %s", name, body, err, test.want)
		}
	}
}
