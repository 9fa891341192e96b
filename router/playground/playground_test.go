package playground

import (
	"compress/gzip"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func get(t *testing.T, handler http.Handler, method, target string, header http.Header) *http.Response {
	t.Helper()
	request := httptest.NewRequest(method, target, nil)
	for name, values := range header {
		request.Header[name] = values
	}
	recorder := httptest.NewRecorder()
	handler.ServeHTTP(recorder, request)
	return recorder.Result()
}

func body(t *testing.T, reader io.Reader) string {
	t.Helper()
	content, err := io.ReadAll(reader)
	if err != nil {
		t.Fatal(err)
	}
	return string(content)
}

func TestEveryPathIsServedOrNotFound(t *testing.T) {
	script := assetPath(t, `src="\./(assets/[^"]+\.js)"`)
	tests := []struct {
		name, method, target string
		mount                string
		status               int
		contentType          string
	}{
		{"the page", "GET", "/playground/", "", 200, "text/html; charset=utf-8"},
		{"the page, header only", "HEAD", "/playground/", "", 200, "text/html; charset=utf-8"},
		{"a script", "GET", "/playground/" + script, "", 200, "text/javascript; charset=utf-8"},
		{"the licences", "GET", "/playground/licenses.md", "", 200, "text/plain; charset=utf-8"},
		{"the page without its slash", "GET", "/playground", "", 301, ""},
		{"another mount path", "GET", "/tools/graphiql/", "/tools/graphiql/", 200, "text/html; charset=utf-8"},
		{"the root as mount path", "GET", "/" + script, "/", 200, "text/javascript; charset=utf-8"},
		{"a page below the page", "GET", "/playground/nowhere/", "", 404, "text/plain; charset=utf-8"},
		{"an asset that does not exist", "GET", "/playground/assets/none.js", "", 404, "text/plain; charset=utf-8"},
		{"an asset's stored name", "GET", "/playground/" + script + ".gz", "", 404, "text/plain; charset=utf-8"},
		{"the folder of assets", "GET", "/playground/assets/", "", 404, "text/plain; charset=utf-8"},
		{"the template", "GET", "/playground/index.html", "", 404, "text/plain; charset=utf-8"},
		{"a way out", "GET", "/playground/../playground.go", "", 404, "text/plain; charset=utf-8"},
		{"elsewhere", "GET", "/", "", 404, "text/plain; charset=utf-8"},
		{"a post", "POST", "/playground/", "", 405, "text/plain; charset=utf-8"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got := get(t, Handler(Config{Path: test.mount}), test.method, test.target, nil)
			if got.StatusCode != test.status || got.Header.Get("Content-Type") != test.contentType {
				t.Errorf("%s %s = %d %q, want %d %q", test.method, test.target,
					got.StatusCode, got.Header.Get("Content-Type"), test.status, test.contentType)
			}
		})
	}
}

func TestTheRedirectHoldsBelowAStrippedPrefix(t *testing.T) {
	server := httptest.NewServer(http.StripPrefix("/shop", Handler(Config{})))
	defer server.Close()
	response, err := http.Get(server.URL + "/shop/playground")
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	if response.StatusCode != 200 || response.Request.URL.Path != "/shop/playground/" {
		t.Errorf("ended at %s with %d, want /shop/playground/ with 200", response.Request.URL.Path, response.StatusCode)
	}
}

func TestTheConfigurationReachesThePageWhateverItHolds(t *testing.T) {
	cfg := Config{
		Endpoint: "/graphql?a=1&b=2",
		Title:    `Shop </title><script>alert(1)</script>`,
		Tabs:     []Tab{{Name: "Browse", Query: "{ a(b: \"</script><!--\\u2028\") }\n# {{.}} é", Variables: `{"n": 1}`, Headers: `{"x": "y"}`}},
		Login: &Login{
			Operation: "mutation($email: String!) { login(email: $email) }", TokenPaths: []string{"data.login"},
			Accounts: []Account{{Name: "Staff", Variables: map[string]string{"email": "a@b.c"}}},
		},
		Explain:   true,
		Documents: []Document{{ID: "sha256:1", Name: "</script>", Query: "{ a }"}},
	}
	html := body(t, get(t, Handler(cfg), "GET", "/playground/", nil).Body)
	block := regexp.MustCompile(`(?s)<script id="config" type="application/json">(.*?)</script>`).FindStringSubmatch(html)
	if block == nil {
		t.Fatalf("no configuration in\n%s", html)
	}
	var got pageConfig
	if err := json.Unmarshal([]byte(block[1]), &got); err != nil {
		t.Fatalf("%v in %s", err, block[1])
	}
	want := pageConfig{cfg.Endpoint, cfg.Endpoint, GraphQLTransportWS, cfg.Title, cfg.Tabs, cfg.Login, cfg.Explain, cfg.Documents}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if strings.Contains(html, "alert(1)</script>") {
		t.Errorf("the title is not escaped:\n%s", html)
	}
}

func TestAnInvalidConfigurationSaysWhatIsWrong(t *testing.T) {
	tests := []struct {
		name string
		cfg  Config
		want string
	}{
		{"mount path without a slash", Config{Path: "/playground"}, `path "/playground": must begin and end with a slash`},
		{"endpoint", Config{Endpoint: "http://[::1"}, "endpoint: parse"},
		{"subscription URL", Config{SubscriptionURL: ":"}, "subscription URL: parse"},
		{"protocol", Config{SubscriptionProtocol: "carrier-pigeon"}, `subscription protocol "carrier-pigeon": must be`},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			response := get(t, Handler(test.cfg), "GET", "/playground/", nil)
			if got := body(t, response.Body); response.StatusCode != 500 || !strings.Contains(got, test.want) {
				t.Errorf("got %d %q, want 500 with %q", response.StatusCode, got, test.want)
			}
		})
	}
}

func TestThePolicyForbidsOtherHosts(t *testing.T) {
	const own = "connect-src 'self' ws://shop.test:4000 wss://shop.test:4000"
	tests := []struct {
		name, host string
		cfg        Config
		want       string
	}{
		{"same host", "shop.test:4000", Config{}, own + ";"},
		{
			"endpoint elsewhere", "shop.test:4000",
			Config{Endpoint: "https://api.test/graphql", SubscriptionURL: "/ws"},
			own + " https://api.test wss://api.test;",
		},
		{
			"plain endpoint elsewhere", "shop.test:4000",
			Config{Endpoint: "http://api.test:1"},
			own + " http://api.test:1 ws://api.test:1;",
		},
		{"hostile Host header", "x; script-src *", Config{}, "connect-src 'self';"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			request := httptest.NewRequest("GET", "/playground/", nil)
			request.Host = test.host
			recorder := httptest.NewRecorder()
			Handler(test.cfg).ServeHTTP(recorder, request)
			got := recorder.Header().Get("Content-Security-Policy")
			if !strings.Contains(got, test.want) || !strings.Contains(got, "default-src 'none'; script-src 'self';") {
				t.Errorf("policy %q lacks %q", got, test.want)
			}
		})
	}
}

func TestThePageIsRevalidatedAndAssetsAreKept(t *testing.T) {
	handler := Handler(Config{})
	page := get(t, handler, "GET", "/playground/", nil)
	again := get(t, handler, "GET", "/playground/", http.Header{"If-None-Match": {page.Header.Get("ETag")}})
	if again.StatusCode != http.StatusNotModified || page.Header.Get("Cache-Control") != "no-cache" {
		t.Errorf("page: %d, Cache-Control %q; want 304, no-cache", again.StatusCode, page.Header.Get("Cache-Control"))
	}
	other := get(t, Handler(Config{Title: "Other"}), "GET", "/playground/", nil)
	if other.Header.Get("ETag") == page.Header.Get("ETag") {
		t.Error("two configurations share an ETag")
	}
	script := get(t, handler, "GET", "/playground/"+assetPath(t, `src="\./(assets/[^"]+\.js)"`), nil)
	if got := script.Header.Get("Cache-Control"); got != "public, max-age=31536000, immutable" {
		t.Errorf("script: Cache-Control %q", got)
	}
}

func TestAssetsComeInTheEncodingTheClientTakes(t *testing.T) {
	style := "/playground/" + assetPath(t, `href="\./(assets/[^"]+\.css)"`)
	plain := body(t, get(t, Handler(Config{}), "GET", style, nil).Body)
	if !strings.Contains(plain, ".graphiql-container") {
		t.Fatal("the style sheet is not GraphiQL's")
	}
	tests := []struct {
		accept string
		gzip   bool
	}{
		{"", false},
		{"gzip", true},
		{"br, GZip;q=0.5", true},
		{"*", true},
		{"*;q=0", false},
		{"gzip;q=0", false},
		{"*, gzip;q=0.0", false},
		{"identity", false},
		{"gzip;q=x", false},
	}
	for _, test := range tests {
		t.Run(test.accept, func(t *testing.T) {
			response := get(t, Handler(Config{}), "GET", style, http.Header{"Accept-Encoding": {test.accept}})
			var content io.Reader = response.Body
			if got := response.Header.Get("Content-Encoding") == "gzip"; got != test.gzip {
				t.Fatalf("Accept-Encoding %q: gzip = %v, want %v", test.accept, got, test.gzip)
			}
			if test.gzip {
				var err error
				if content, err = gzip.NewReader(response.Body); err != nil {
					t.Fatal(err)
				}
			}
			if body(t, content) != plain {
				t.Error("the content differs between encodings")
			}
			if got := response.Header.Get("Vary"); got != "Accept-Encoding" {
				t.Errorf("Vary = %q", got)
			}
		})
	}
}

// assetPath finds a file that the page refers to.
func assetPath(t *testing.T, pattern string) string {
	t.Helper()
	html := body(t, get(t, Handler(Config{}), "GET", "/playground/", nil).Body)
	match := regexp.MustCompile(pattern).FindStringSubmatch(html)
	if match == nil {
		t.Fatalf("nothing like %s in\n%s", pattern, html)
	}
	return match[1]
}
