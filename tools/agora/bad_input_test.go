package main

import (
	"bytes"
	"cmp"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/agora-supergraph/agora/internal/identity"
)

// query is the body of a request with a query only.
func query(text string) string {
	body, err := json.Marshal(map[string]string{"query": text})
	if err != nil {
		panic(err)
	}
	return string(body)
}

// forged are tokens for a user, by what is wrong with them.
func forged(t *testing.T, user string) map[string]string {
	t.Helper()
	stranger, err := newCaller(user)
	if err != nil {
		t.Fatal(err)
	}
	token := func(key jose.JSONWebKey, at time.Time) string {
		signed, err := identity.AccessToken(key, "t", user, "s", at, time.Minute, []string{"orders:read"})
		if err != nil {
			t.Fatal(err)
		}
		return signed
	}
	service, err := identity.ServiceToken(bytes.Repeat([]byte("k"), 32), "orders", "orders:read", "payments:write")
	if err != nil {
		t.Fatal(err)
	}
	return map[string]string{
		"signed by a stranger": token(stranger.key, time.Now()), "of long ago": token(stranger.key, time.Now().Add(-time.Hour)),
		"of a service": service, "without a signature": "eyJhbGciOiJub25lIn0.eyJpc3MiOiJhZ29yYS91c2VycyIsInN1YiI6InVzcl8xIn0.",
	}
}

// badRequest is a request that can't be granted, or only just, and what comes of it.
type badRequest struct {
	name string
	// Empty means POST, and /graphql.
	method, path string
	body         string
	header       []string
	status       int
	code         string
}

// badRequests are about form and size.
func badRequests() []badRequest {
	deep := "{ categories " + strings.Repeat("{ parent ", 300) + "{ id }" + strings.Repeat(" }", 301)
	var aliases, fragments strings.Builder
	for i := range 1000 {
		aliases.WriteString(" a" + strings.Repeat("x", i%7) + "_" + string(rune('a'+i%26)) + strings.Repeat("y", i/26) + ": me { id }")
	}
	for i := range 30 {
		next := "F" + strings.Repeat("x", i+1)
		fragments.WriteString(" fragment F" + strings.Repeat("x", i) + " on Query { ..." + next + " a: __typename ..." + next + " }")
	}
	fragments.WriteString(" fragment F" + strings.Repeat("x", 30) + " on Query { __typename }")
	return []badRequest{
		{name: "malformed JSON", body: `{"query": `, status: 400, code: "BAD_REQUEST"},
		{name: "no body", status: 400, code: "BAD_REQUEST"},
		{name: "a list of operations", body: `[{"query":"{me{id}}"}]`, status: 400, code: "BATCHING_NOT_ENABLED"},
		{name: "no query", body: `{}`, status: 400, code: "BAD_REQUEST"},
		{name: "a query that is none", body: `{"query": 7}`, status: 400, code: "BAD_REQUEST"},
		{name: "variables that are a list", body: `{"query":"{me{id}}","variables":[1]}`, status: 400, code: "BAD_REQUEST"},
		{name: "invalid UTF-8", body: "{\"query\":\"{me{id}} # \xff\xfe\"}", status: 400, code: "BAD_REQUEST"},
		{name: "a form", body: "query=%7Bme%7Bid%7D%7D", header: []string{"Content-Type", "application/x-www-form-urlencoded"}, status: 415, code: "UNSUPPORTED_MEDIA_TYPE"},
		{name: "PUT", method: "PUT", body: query("{me{id}}"), status: 405, code: "METHOD_NOT_ALLOWED"},
		{name: "DELETE", method: "DELETE", status: 405, code: "METHOD_NOT_ALLOWED"},
		{name: "a mutation by GET", method: "GET", path: "/graphql?query=mutation{logout{revokedSessions}}", status: 405, code: "METHOD_NOT_ALLOWED"},
		{name: "GET without a query", method: "GET", path: "/graphql", status: 400, code: "BAD_REQUEST"},
		{name: "a path that isn't there", path: "/graphqll", body: query("{me{id}}"), status: 404, code: "NOT_FOUND"},
		{name: "a way out", method: "GET", path: "/etc/passwd", status: 404, code: "NOT_FOUND"},
		{name: "no GraphQL", body: query("select * from users"), status: 400, code: "GRAPHQL_PARSE_FAILED"},
		{name: "an empty query", body: query(""), status: 400, code: "GRAPHQL_PARSE_FAILED"},
		{name: "an unknown field", body: query("{ me { passwordHash } }"), status: 400, code: "GRAPHQL_VALIDATION_FAILED"},
		{name: "a field of federation", body: query("{ _service { sdl } }"), status: 400, code: "GRAPHQL_VALIDATION_FAILED"},
		{name: "entities from outside", body: query(`{ _entities(representations: [{__typename: "User", id: "usr_1"}]) { ... on User { email } } }`), status: 400, code: "GRAPHQL_VALIDATION_FAILED"},
		{name: "a subscription by POST", body: query(`subscription { orderUpdated(id: "ord_1") { id } }`), status: 406, code: "SUBSCRIPTION_NEEDS_STREAM"},
		{name: "two operations and no name", body: query("query A { me { id } } query B { me { id } }"), status: 400, code: "OPERATION_RESOLUTION_FAILURE"},
		{name: "a missing variable", body: query("query($id: ID!) { order(id: $id) { id } }"), status: 400, code: "BAD_USER_INPUT"},
		{name: "a wrong variable", body: `{"query":"query($n: Int) { products(first: $n) { totalCount } }","variables":{"n":"many"}}`, status: 400, code: "BAD_USER_INPUT"},
		{name: "a number beyond Int", body: `{"query":"query($n: Int) { products(first: $n) { totalCount } }","variables":{"n":99999999999}}`, status: 400, code: "BAD_USER_INPUT"},
		{name: "a deep query", body: query(deep), status: 400, code: "MAX_DEPTH_LIMIT"},
		{name: "a query of a megabyte", body: query("{" + strings.Repeat(" me", 350_000) + "}"), status: 400, code: "MAX_TOKENS_LIMIT"},
		{name: "fragments that grow exponentially", body: query("{ ...F }" + fragments.String()), status: 400, code: "MAX_FIELDS_LIMIT"},
		{name: "a body of ten megabytes", body: query("{me{id}} #" + strings.Repeat("x", 10<<20)), status: 413, code: "PAYLOAD_TOO_LARGE"},
		{name: "a thousand aliases", body: query("{" + aliases.String() + "}"), status: 200},
		{name: "a string of a megabyte", body: query(`{ product(slug: "` + strings.Repeat("x", 1<<20) + `") { id } }`), status: 200},
		{name: "search for a megabyte", body: query(`{ products(query: "` + strings.Repeat("x ", 1<<19) + `") { totalCount } }`), status: 200, code: "BAD_USER_INPUT"},
		{name: "a null character", body: `{"query":"{ product(slug: \"a\\u0000b\") { id } }"}`, status: 200},
		{name: "not a token", body: query("{me{id}}"), header: []string{"Authorization", "Bearer nonsense"}, status: 401, code: "UNAUTHENTICATED"},
		{name: "another scheme", body: query("{me{id}}"), header: []string{"Authorization", "Basic YTpi"}, status: 401, code: "UNAUTHENTICATED"},
		{name: "introspection", body: query("{ __schema { queryType { name } } }"), status: 200},
	}
}

func TestBadInputIsRefusedWithAStatusAndACode(t *testing.T) {
	t.Parallel()
	p := shared(t)
	tests := badRequests()
	for name, token := range forged(t, "usr_1") {
		tests = append(tests, badRequest{name: "a token " + name, body: query("{me{id}}"), header: []string{"Authorization", "Bearer " + token}, status: 401, code: "UNAUTHENTICATED"})
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) { test.send(t, p) })
	}
	if me := (client{program: p}).do("{ me { id } }", nil); me["me"] != nil {
		t.Errorf("afterwards: %v", me)
	}
}

// send sends the request and checks the response.
func (r badRequest) send(t *testing.T, p *program) {
	req, err := http.NewRequestWithContext(t.Context(), cmp.Or(r.method, http.MethodPost), p.url+cmp.Or(r.path, "/graphql"), strings.NewReader(r.body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Accept", "application/graphql-response+json")
	for i := 0; i < len(r.header); i += 2 {
		req.Header.Set(r.header[i], r.header[i+1])
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	var got response
	if err := json.Unmarshal(body, &got); err != nil {
		t.Fatalf("%d, and a body that is no response: %.300q", resp.StatusCode, body)
	}
	code := ""
	if len(got.Errors) > 0 {
		code, _ = got.Errors[0].Extensions["code"].(string)
	}
	if resp.StatusCode != r.status || code != r.code {
		t.Errorf("%d %q, want %d %q: %.300q", resp.StatusCode, code, r.status, r.code, body)
	}
	if len(got.Errors) > 0 && got.Errors[0].Message == "" {
		t.Error("the error says nothing")
	}
}
