package serve_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/agora-supergraph/agora/router/serve"
)

func TestRequestsFromOtherSitesAreRefused(t *testing.T) {
	const chrome = "Mozilla/5.0 (X11; Linux x86_64) Chrome/140"
	cors := serve.CORS{Origins: []string{"https://shop.example", "https://*.partner.example"}}
	anyone := serve.CORS{Origins: []string{"*"}}
	strict := serve.CSRF{RequireHeader: true}
	tests := []struct {
		name   string
		cfg    serve.Config
		header []string
		safe   bool
	}{
		{"curl", serve.Config{}, []string{"User-Agent", "curl/8"}, true},
		{"urql in a program", serve.Config{}, []string{"Accept", "application/graphql-response+json"}, true},
		{"a fetch of another site", serve.Config{}, []string{"User-Agent", chrome, "Sec-Fetch-Site", "cross-site"}, false},
		{"a fetch of a sister site", serve.Config{}, []string{"User-Agent", chrome, "Sec-Fetch-Site", "same-site"}, false},
		{"a fetch of our own page", serve.Config{}, []string{"User-Agent", chrome, "Sec-Fetch-Site", "same-origin"}, true},
		{"an address typed by the user", serve.Config{}, []string{"User-Agent", chrome, "Sec-Fetch-Site", "none"}, true},
		{"another site's, with a preflight header", serve.Config{}, []string{"Sec-Fetch-Site", "cross-site", "GraphQL-Require-Preflight", "1"}, true},
		{"another site's, with Apollo's header", serve.Config{}, []string{"Sec-Fetch-Site", "cross-site", "Apollo-Require-Preflight", "1"}, true},
		{"another site's, with an operation name", serve.Config{}, []string{"Sec-Fetch-Site", "cross-site", "X-Apollo-Operation-Name", "A"}, true},
		{"another site's, with an empty header", serve.Config{}, []string{"Sec-Fetch-Site", "cross-site", "X-Apollo-Operation-Name", ""}, false},
		{"another site's, with a content type", serve.Config{}, []string{"Sec-Fetch-Site", "cross-site", "Content-Type", "application/json"}, true},
		{"another site's, with a form's content type", serve.Config{}, []string{"Sec-Fetch-Site", "cross-site", "Content-Type", "text/plain; charset=utf-8"}, false},
		{"another origin", serve.Config{}, []string{"Origin", "https://evil.example"}, false},
		{"the opaque origin", serve.Config{}, []string{"Origin", "null"}, false},
		{"another page's image in an old browser", serve.Config{}, []string{"User-Agent", chrome, "Referer", "https://evil.example/a"}, false},
		{"no word of the page in an old browser", serve.Config{}, []string{"User-Agent", chrome}, false},
		{"an allowed origin", serve.Config{CORS: cors}, []string{"Origin", "https://shop.example", "Sec-Fetch-Site", "cross-site", "Cookie", "a=b"}, true},
		{"an allowed subdomain", serve.Config{CORS: cors}, []string{"Origin", "https://a.b.partner.example", "Sec-Fetch-Site", "cross-site"}, true},
		{"the domain of allowed subdomains", serve.Config{CORS: cors}, []string{"Origin", "https://partner.example"}, false},
		{"an allowed origin as a prefix", serve.Config{CORS: cors}, []string{"Origin", "https://shop.example.evil.example"}, false},
		{"any origin, without cookies", serve.Config{CORS: anyone}, []string{"Origin", "https://a.example", "Sec-Fetch-Site", "cross-site"}, true},
		{"any origin, with cookies", serve.Config{CORS: anyone}, []string{"Origin", "https://a.example", "Sec-Fetch-Site", "cross-site", "Cookie", "a=b"}, false},
		{"Apollo's rule alone refuses curl", serve.Config{CSRF: strict}, nil, false},
		{"Apollo's rule alone, with the header", serve.Config{CSRF: strict}, []string{"Apollo-Require-Preflight", "1"}, true},
		{"turned off", serve.Config{CSRF: serve.CSRF{Disabled: true}}, []string{"Sec-Fetch-Site", "cross-site"}, true},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			server, _ := start(t, test.cfg)
			got := get(t, server, url.Values{"query": {"{hello}"}}, test.header...)
			if test.safe && got.status != http.StatusOK || !test.safe && (got.status != http.StatusForbidden || got.code != serve.CodeCSRF) {
				t.Errorf("got %d %s, want safe %v", got.status, got.body, test.safe)
			}
		})
	}
	t.Run("our own origin without Sec-Fetch-Site", func(t *testing.T) {
		server, _ := start(t, serve.Config{})
		for _, name := range []string{"Origin", "Referer"} {
			if got := get(t, server, url.Values{"query": {"{hello}"}}, name, server.URL, "User-Agent", chrome); got.status != 200 {
				t.Errorf("%s: got %d %s", name, got.status, got.body)
			}
		}
	})
}

func TestOtherOriginsLearnWhatTheyMayDo(t *testing.T) {
	const origin = "https://shop.example"
	preflight := []string{"Origin", origin, "Access-Control-Request-Method", "POST", "Access-Control-Request-Headers", "content-type,x-a"}
	t.Run("by default nothing", func(t *testing.T) {
		server, _ := start(t, serve.Config{})
		got := do(t, "OPTIONS", server.URL+"/graphql", "", preflight...)
		if got.status != 204 || got.header.Get("Access-Control-Allow-Origin") != "" || got.header.Get("Allow") != "GET, POST, OPTIONS" {
			t.Errorf("got %d %v", got.status, got.header)
		}
	})
	t.Run("a preflight", func(t *testing.T) {
		server, _ := start(t, serve.Config{CORS: serve.CORS{Origins: []string{origin}, Credentials: true}})
		got := do(t, "OPTIONS", server.URL+"/graphql", "", preflight...)
		expectHeaders(t, got, map[string]string{
			"Access-Control-Allow-Origin": origin, "Access-Control-Allow-Credentials": "true",
			"Access-Control-Allow-Methods": "GET, POST", "Access-Control-Allow-Headers": "content-type,x-a",
			"Access-Control-Max-Age": "7200", "Vary": "Origin",
		})
	})
	t.Run("a preflight of a stranger", func(t *testing.T) {
		server, _ := start(t, serve.Config{CORS: serve.CORS{Origins: []string{"https://other.example"}}})
		got := do(t, "OPTIONS", server.URL+"/graphql", "", preflight...)
		expectHeaders(t, got, map[string]string{"Access-Control-Allow-Origin": "", "Access-Control-Allow-Methods": "", "Vary": "Origin"})
	})
	t.Run("an answer", func(t *testing.T) {
		server, _ := start(t, serve.Config{CORS: serve.CORS{Origins: []string{"*"}, Headers: []string{"X-A"}, ExposeHeaders: []string{"X-Cost", "X-B"}}})
		got := post(t, server, `{"query":"{hello}"}`, "Origin", origin)
		expectHeaders(t, got, map[string]string{"Access-Control-Allow-Origin": "*", "Access-Control-Expose-Headers": "X-Cost, X-B"})
		got = do(t, "OPTIONS", server.URL+"/graphql", "", preflight...)
		expectHeaders(t, got, map[string]string{"Access-Control-Allow-Headers": "X-A"})
	})
	t.Run("an error can be read too", func(t *testing.T) {
		server, _ := start(t, serve.Config{CORS: serve.CORS{Origins: []string{origin}}})
		got := post(t, server, `{`, "Origin", origin)
		expectHeaders(t, got, map[string]string{"Access-Control-Allow-Origin": origin})
	})
}

func expectHeaders(t *testing.T, a answer, want map[string]string) {
	t.Helper()
	for name, value := range want {
		if got := a.header.Get(name); got != value {
			t.Errorf("%s: got %q, want %q", name, got, value)
		}
	}
}

func TestConfigurationsThatCannotWorkAreRefused(t *testing.T) {
	tests := []struct {
		name string
		cfg  serve.Config
		want string
	}{
		{"credentials for everyone", serve.Config{CORS: serve.CORS{Origins: []string{"*"}, Credentials: true}}, "cors.credentials"},
		{"an origin with a path", serve.Config{CORS: serve.CORS{Origins: []string{"https://a.example/"}}}, `cors.origins "https://a.example/": expected`},
		{"an origin without a scheme", serve.Config{CORS: serve.CORS{Origins: []string{"a.example"}}}, "cors.origins"},
		{"a wildcard inside", serve.Config{CORS: serve.CORS{Origins: []string{"https://a.*.example"}}}, "cors.origins"},
		{"a relative path", serve.Config{Path: "graphql"}, `path "graphql"`},
		{"a path of the router's own", serve.Config{Path: "/health/live"}, "taken"},
		{"a path below the Playground", serve.Config{Path: "/playground/x"}, "taken"},
		{"a negative bound", serve.Config{Streams: serve.Streams{MaxOperations: -1}}, "streams.max_operations: -1"},
		{"no engine", serve.Config{}, "Engine is missing"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if _, err := serve.New(test.cfg); err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("New: %v, want %q", err, test.want)
			}
		})
	}
}
