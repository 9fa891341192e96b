package main

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// subgraph answers every request alike.
func subgraph(t *testing.T, body string) string {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		fmt.Fprint(w, body)
	}))
	t.Cleanup(server.Close)
	return server.URL
}

// analyzable writes a supergraph whose subgraphs run, and returns its file.
func analyzable(t *testing.T) string {
	folder := t.TempDir()
	write := func(name, text string) {
		if err := os.WriteFile(filepath.Join(folder, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	const link = `extend schema @link(url: "https://specs.apollo.dev/federation/v2.9", import: ["@key", "@external", "@requires"]) `
	write("users.graphql", link+`type Query { users: [User] } type User @key(fields: "id") { id: ID! name: String }`)
	write("reviews.graphql", link+`type User @key(fields: "id") { id: ID! name: String @external greeting: String @requires(fields: "name") }`)
	users := subgraph(t, `{"data":{"users":[{"id":"1","name":"Ada"},{"id":"1","name":"Ada"},{"id":"2","name":null}]}}`)
	reviews := subgraph(t, `{"data":{"_entities":[{"greeting":"Hello Ada"},null]},"errors":[{"message":"nobody","path":["_entities",1,"greeting"]}]}`)
	write("supergraph.yaml", fmt.Sprintf(`
federation_version: =2.9.0
subgraphs:
  users: { routing_url: %s, schema: { file: users.graphql } }
  reviews: { routing_url: %s, schema: { file: reviews.graphql } }
`, users, reviews))
	write("query.graphql", "{ users { greeting } }")
	return filepath.Join(folder, "supergraph.yaml")
}

var anyTime = regexp.MustCompile(`[0-9.]+(ns|µs|ms|s)\b|"(start|end)?[mM]icros": [0-9]+`)

func TestAnalyzeTellsWhatEachFetchTook(t *testing.T) {
	file := analyzable(t)
	out, log := &output{}, &output{}
	query := filepath.Join(filepath.Dir(file), "query.graphql")
	if status := run(t.Context(), []string{"explain", "--analyze", "--supergraph", file, query}, streams{nil, out, log}); status != 0 {
		t.Fatalf("exits with %d: %s", status, log)
	}
	got, _, _ := strings.Cut(anyTime.ReplaceAllString(out.String(), "TIME"), "\nQueryPlan")
	want := `2 of 2 fetches sent in 2 requests, depth 2, TIME

0  users
   asks   {users{name id}}
   for    users
   took   TIME from TIME on, 43 bytes out, 91 in, status 200

1  reviews  User { id name } at users.@
   asks   query($r:[_Any!]!){_entities(representations:$r){...on User{greeting}}}
   for    greeting of users; sends the requires "name"
   after  0
   took   TIME from TIME on, 3 entities, 2 distinct, 190 bytes out, 120 in, status 200, 1 errors
`
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if !strings.Contains(out.String(), `Errors of the answer:`) {
		t.Errorf("nothing about the errors in %s", out)
	}
}

func TestAnalyzeAsJSONHasEveryRun(t *testing.T) {
	file := analyzable(t)
	out, log := &output{}, &output{}
	query := filepath.Join(filepath.Dir(file), "query.graphql")
	if status := run(t.Context(), []string{"explain", "--analyze", "--format", "json", "--supergraph", file, query}, streams{nil, out, log}); status != 0 {
		t.Fatalf("exits with %d: %s", status, log)
	}
	for _, part := range []string{`"representations": 2`, `"objects": 3`, `"dependsOn": [`, `"errors": 1`, `"message": "nobody"`} {
		if !strings.Contains(out.String(), part) {
			t.Errorf("no %s in %s", part, out)
		}
	}
}

func TestAnalyzeSaysWhatTheRouterRefuses(t *testing.T) {
	file := analyzable(t)
	log := &output{}
	std := streams{strings.NewReader("{ nobody }"), &output{}, log}
	if status := run(t.Context(), []string{"explain", "--analyze", "--supergraph", file, "-"}, std); status != failed || !strings.Contains(log.String(), "nobody") {
		t.Errorf("exits with %d: %s", status, log)
	}
}
