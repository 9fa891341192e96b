package router_test

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/agora-supergraph/agora/router"
	"github.com/agora-supergraph/agora/router/compose"
	"github.com/agora-supergraph/agora/router/operation"
	"github.com/agora-supergraph/agora/router/serve"
)

// attack is a request that is refused.
type attack struct {
	name   string
	method string // "" is POST
	params url.Values
	body   string
	header http.Header // besides Content-Type: application/json
	status int
	code   string
	// secret must not be in the answer.
	secret string
}

// says is the body of an operation.
func says(query string) string {
	body, err := json.Marshal(map[string]string{"query": query})
	if err != nil {
		panic(err) // strings always marshal
	}
	return string(body)
}

func asked(query string) url.Values { return url.Values{"query": {query}} }

// elsewhere are the headers of a browser that shows a stranger's page.
func elsewhere(contentType string) http.Header {
	return http.Header{
		"Content-Type": {contentType}, "Origin": {"https://evil.example"}, "Sec-Fetch-Site": {"cross-site"}, "User-Agent": {"Mozilla/5.0"},
	}
}

func gzipped(n int) string {
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	_, _ = io.CopyN(w, zeros{}, int64(n)) // a bytes.Buffer takes everything
	_ = w.Close()
	return b.String()
}

type zeros struct{}

// Read fills b with spaces.
func (zeros) Read(b []byte) (int, error) {
	for i := range b {
		b[i] = ' '
	}
	return len(b), nil
}

// expensive are operations that are small to send and large to answer.
func expensive() []attack {
	var fragments strings.Builder
	for i := range 30 {
		fmt.Fprintf(&fragments, "fragment F%d on User { friends { ...F%d } other: friends { ...F%d } } ", i, i+1, i+1)
	}
	fragments.WriteString("fragment F30 on User { name }")
	aliases, roots := new(strings.Builder), new(strings.Builder)
	for i := range 200 {
		fmt.Fprintf(aliases, " a%d: name", i)
		fmt.Fprintf(roots, " ...on Query { me { id } }")
	}
	return []attack{
		{name: "depth bomb", body: says("{ me {" + strings.Repeat(" friends {", 300) + " id" + strings.Repeat(" }", 302)), status: 400, code: "MAX_DEPTH_LIMIT"},
		{name: "depth bomb for the parser", body: says(strings.Repeat("{ me ", 20_000)), status: 400, code: "GRAPHQL_PARSE_FAILED"},
		{name: "literal bomb", body: says("{ me(x: " + strings.Repeat("[", 20_000)), status: 400, code: "GRAPHQL_PARSE_FAILED"},
		{name: "fragments that double", body: says("{ me { ...F0 } } " + fragments.String()), status: 400, code: "MAX_FIELDS_LIMIT"},
		{name: "alias bomb", body: says("{ me {" + aliases.String() + " } }"), status: 400, code: "MAX_ALIASES_LIMIT"},
		{name: "one login attempt per alias", body: says("mutation { a: visit b: visit c: visit d: visit e: visit f: visit }"), status: 400, code: "MAX_ROOT_FIELDS_LIMIT"},
		{name: "root fields", body: says("{" + roots.String() + " }"), status: 400, code: "MAX_ROOT_FIELDS_LIMIT"},
		{name: "field duplication", body: says("{ me {" + strings.Repeat(" name", 20_000) + " } }"), status: 400, code: "MAX_TOKENS_LIMIT"},
		{name: "directive overload", body: says("{ me { name" + strings.Repeat(" @x", 5_000) + " } }"), status: 400, code: "GRAPHQL_VALIDATION_FAILED"},
		{name: "directive overload beyond the tokens", body: says("{ me { name" + strings.Repeat(" @x", 10_000) + " } }"), status: 400, code: "MAX_TOKENS_LIMIT"},
		{name: "a directive twice", body: says("{ me { name @skip(if: false) @skip(if: true) } }"), status: 400, code: "GRAPHQL_VALIDATION_FAILED"},
		{name: "circular fragments", body: says("{ me { ...A } } fragment A on User { friends { ...B } } fragment B on User { friends { ...A } }"), status: 400, code: "GRAPHQL_VALIDATION_FAILED"},
		{name: "a fragment in itself", body: says("{ me { ...A } } fragment A on User { ...A }"), status: 400, code: "GRAPHQL_VALIDATION_FAILED"},
		{name: "oversized query", body: says("{ me { name } } #" + strings.Repeat("x", 1<<20)), status: 413, code: "PAYLOAD_TOO_LARGE"},
		{name: "oversized variables", body: `{"query":"{ me { name } }","variables":{"a":"` + strings.Repeat("x", 1<<20) + `"}}`, status: 413, code: "PAYLOAD_TOO_LARGE"},
		{name: "compressed bomb", body: gzipped(64 << 20), header: http.Header{"Content-Encoding": {"gzip"}}, status: 413, code: "PAYLOAD_TOO_LARGE"},
		{name: "compressed twice", body: gzipped(10), header: http.Header{"Content-Encoding": {"gzip, gzip"}}, status: 415, code: "UNSUPPORTED_MEDIA_TYPE"},
		{name: "JSON nesting bomb", body: strings.Repeat(`{"a":`, 20_000), status: 400, code: "BAD_REQUEST"},
		{name: "JSON nesting bomb in variables", body: `{"query":"{ me { name } }","variables":{"a":` + strings.Repeat("[", 20_000) + strings.Repeat("]", 20_000) + `}}`, status: 400, code: "BAD_REQUEST"},
		{name: "batch beyond its bound", body: "[" + strings.Repeat(says("{ me { name } }")+",", 10) + says("{ me { name } }") + "]", status: 400, code: "TOO_MANY_OPERATIONS"},
		{name: "batch of batches", body: "[[" + says("{ me { name } }") + "]]", status: 400, code: "BAD_REQUEST"},
	}
}

// curious are requests for what the router does not tell.
func curious() []attack {
	return []attack{
		{name: "introspection", body: says("{ __schema { types { name } } }"), status: 400, code: "INTROSPECTION_DISABLED", secret: "User"},
		{name: "introspection by GET", method: "GET", params: asked(`{ __type(name: "User") { name } }`), status: 400, code: "INTROSPECTION_DISABLED", secret: "friends"},
		{name: "introspection behind an alias and a fragment", body: says("{ ...I } fragment I on Query { x: __schema { queryType { name } } }"), status: 400, code: "INTROSPECTION_DISABLED"},
		{name: "introspection beside data", body: says("{ me { id } __schema { queryType { name } } }"), status: 400, code: "INTROSPECTION_DISABLED", secret: "data"},
		{name: "field suggestions", body: says("{ me { nane } }"), status: 400, code: "GRAPHQL_VALIDATION_FAILED", secret: `\"name\"`},
		{name: "type suggestions", body: says("{ me { ...on Usr { name } } }"), status: 400, code: "GRAPHQL_VALIDATION_FAILED", secret: `\"User\"`},
		{name: "argument suggestions", body: says("{ me(idd: 1) { name } }"), status: 400, code: "GRAPHQL_VALIDATION_FAILED", secret: "Did you mean"},
		{name: "_service", body: says("{ _service { sdl } }"), status: 400, code: "GRAPHQL_VALIDATION_FAILED", secret: "@key"},
		{name: "_entities", body: says(`{ _entities(representations: [{__typename: "User", id: "1"}]) { ...on User { name } } }`), status: 400, code: "GRAPHQL_VALIDATION_FAILED", secret: "Ada"},
		{name: "_entities by variables", body: `{"query":"query($r: [_Any!]!) { _entities(representations: $r) { __typename } }","variables":{"r":[{"__typename":"User","id":"1"}]}}`, status: 400, code: "GRAPHQL_VALIDATION_FAILED"},
		{name: "the plan", body: says("{ me { name } }"), header: http.Header{"Agora-Explain": {"plan"}}, status: 403, code: "EXPLAIN_DISABLED", secret: "users"},
	}
}

// forged are requests that a page elsewhere can make a browser send, or that claim to be something else.
func forged() []attack {
	const form = "multipart/form-data; boundary=x"
	return []attack{
		{name: "mutation by GET", method: "GET", params: asked("mutation { visit }"), status: 405, code: "METHOD_NOT_ALLOWED"},
		{name: "mutation by GET among queries", method: "GET", params: url.Values{"query": {"query A { me { id } } mutation B { visit }"}, "operationName": {"B"}}, status: 405, code: "METHOD_NOT_ALLOWED"},
		{name: "GET from another page", method: "GET", params: asked("{ me { name } }"), header: elsewhere(""), status: 403, code: "CSRF_ERROR"},
		{name: "form in text", body: says("mutation { visit }"), header: elsewhere("text/plain"), status: 403, code: "CSRF_ERROR"},
		{name: "form in text that claims to be JSON", body: says("mutation { visit }"), header: elsewhere("text/plain; application/json"), status: 403, code: "CSRF_ERROR"},
		{name: "form", body: "query=mutation+{+visit+}", header: elsewhere("application/x-www-form-urlencoded"), status: 403, code: "CSRF_ERROR"},
		{name: "form with files", body: "--x--", header: elsewhere(form), status: 403, code: "CSRF_ERROR"},
		{name: "no content type at all", body: says("mutation { visit }"), header: elsewhere(""), status: 403, code: "CSRF_ERROR"},
		{name: "PUT", method: "PUT", body: says("mutation { visit }"), status: 405, code: "METHOD_NOT_ALLOWED"},
		{name: "another charset", body: says("{ me { name } }"), header: http.Header{"Content-Type": {"application/json; charset=utf-7"}}, status: 415, code: "UNSUPPORTED_MEDIA_TYPE"},
		{name: "malformed UTF-8", body: "{\"query\":\"{ me { name } } #\xff\"}", status: 400, code: "BAD_REQUEST"},
		{name: "malformed UTF-8 by GET", method: "GET", params: asked("{ me(id: \"\xff\") { name } }"), status: 400, code: "BAD_REQUEST"},
		{name: "null byte in JSON", body: "{\"query\":\"{ me\x00 { name } }\"}", status: 400, code: "BAD_REQUEST"},
		{name: "null byte, escaped", body: `{"query":"{ me\u0000 { name } }"}`, status: 400, code: "GRAPHQL_PARSE_FAILED"},
		{name: "null byte by GET", method: "GET", params: asked("{ me\x00 { name } }"), status: 400, code: "GRAPHQL_PARSE_FAILED"},
		{name: "a parameter twice", body: `{"query":"{ me { id } }","query":"mutation { visit }"}`, status: 400, code: "BAD_REQUEST"},
		{name: "a parameter twice by GET", method: "GET", params: url.Values{"query": {"{ me { id } }", "mutation { visit }"}}, status: 400, code: "BAD_REQUEST"},
		{name: "a variable that nobody declared", body: `{"query":"{ me { ...on User @include(if: $x) { id } } }"}`, status: 400, code: "GRAPHQL_VALIDATION_FAILED"},
		{name: "a subscription without a stream", body: says("subscription { signedIn { id } }"), status: 406, code: "SUBSCRIPTION_NEEDS_STREAM"},
	}
}

// fortress is a router as one would run it for strangers.
func fortress(t *testing.T, batching bool) *router.Router {
	t.Helper()
	return newRouter(t, router.Config{
		Supergraph: composed(t, compose.Subgraph{
			Name: "friends", URL: "http://friends/graphql",
			SDL: link + `type Mutation { visit: Int } type User @key(fields: "id") { id: ID! friends: [User!] }`,
		}),
		HideSchema: true,
		Limits:     operation.Limits{Aliases: 50, RootFields: 5, HideSuggestions: true},
		Serve: serve.Config{
			HTTP: serve.HTTP{MaxBodyBytes: 1 << 20}, Batching: serve.Batching{Enabled: batching}, Uploads: serve.Uploads{Enabled: true},
		},
	})
}

// commit sends the attack.
func (a attack) commit(t *testing.T, to http.Handler) *httptest.ResponseRecorder {
	t.Helper()
	method := a.method
	if method == "" {
		method = "POST"
	}
	req := httptest.NewRequest(method, "/graphql?"+a.params.Encode(), strings.NewReader(a.body))
	if method != "GET" {
		req.Header.Set("Content-Type", "application/json")
	}
	req.Header.Set("Accept", "application/graphql-response+json")
	for name, values := range a.header {
		req.Header[name] = values
	}
	rec := httptest.NewRecorder()
	to.ServeHTTP(rec, req)
	return rec
}

// The list is that of https://cheatsheetseries.owasp.org/cheatsheets/GraphQL_Cheat_Sheet.html. Headers over the limit are
// refused by net/http itself, with status 431 and without a GraphQL body: serve's tests have that.
func TestAttacksAreRefusedWithAClearErrorAndTheRouterGoesOn(t *testing.T) {
	r := fortress(t, true)
	for _, a := range append(append(expensive(), curious()...), forged()...) {
		t.Run(a.name, func(t *testing.T) { a.refused(t, r) })
	}
	attack{name: "batching when it is off", body: "[" + says("{ me { name } }") + "]", status: 400, code: "BATCHING_NOT_ENABLED"}.refused(t, fortress(t, false))
	if status, body := ask(t, r, question); status != 200 || body != adasStars {
		t.Errorf("afterwards: %d %s", status, body)
	}
}

func (a attack) refused(t *testing.T, r *router.Router) {
	t.Helper()
	rec := a.commit(t, r)
	var answer struct {
		Data   any
		Errors []struct {
			Message    string
			Extensions struct{ Code string }
		}
	}
	if err := json.Unmarshal(rec.Body.Bytes(), &answer); err != nil || len(answer.Errors) == 0 {
		t.Fatalf("%d %s: %v", rec.Code, rec.Body, err)
	}
	first := answer.Errors[0]
	if rec.Code != a.status || first.Extensions.Code != a.code || len(first.Message) < 10 || answer.Data != nil {
		t.Errorf("%s: got %d %.300s, want %d %s", a.name, rec.Code, rec.Body, a.status, a.code)
	}
	if a.secret != "" && strings.Contains(rec.Body.String(), a.secret) {
		t.Errorf("%s: %s is in %s", a.name, a.secret, rec.Body)
	}
	if rec.Body.Len() > 32<<10 {
		t.Errorf("%s: the answer has %d bytes", a.name, rec.Body.Len())
	}
}
