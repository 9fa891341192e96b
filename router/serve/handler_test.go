package serve_test

import (
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/agora-supergraph/agora/router/serve"
)

// start serves cfg with a fake engine, closed with the test.
func start(t *testing.T, cfg serve.Config) (*httptest.Server, *fakeEngine) {
	t.Helper()
	engine := newFakeEngine()
	cfg.Engine = engine
	if cfg.Verifier == nil {
		cfg.Verifier = fakeVerifier{}
	}
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.NewTextHandler(t.Output(), &slog.HandlerOptions{Level: slog.LevelDebug}))
	}
	h, err := serve.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(h)
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		if err := h.Drain(ctx); err != nil {
			t.Errorf("Drain: %v", err)
		}
		server.Close()
		if n := engine.fresh.Load(); n != 0 {
			t.Errorf("%d responses were not released", n)
		}
		if n := engine.open.Load(); n != 0 {
			t.Errorf("%d subscriptions were not closed", n)
		}
	})
	return server, engine
}

// answer is what a test looks at.
type answer struct {
	status int
	header http.Header
	body   string
	// code is the extensions.code of the only error.
	code string
}

func do(t *testing.T, method, target, body string, header ...string) answer {
	t.Helper()
	var reader io.Reader
	if body != "" {
		reader = strings.NewReader(body)
	}
	req, err := http.NewRequestWithContext(t.Context(), method, target, reader)
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i < len(header); i += 2 {
		req.Header.Add(header[i], header[i+1])
	}
	client := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	resp, err := client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	content, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer{resp.StatusCode, resp.Header, string(content), codeOf(t, resp, content)}
}

// codeOf is the error code of a GraphQL response that is neither a batch nor compressed; it insists on the specification's shape.
func codeOf(t *testing.T, resp *http.Response, body []byte) string {
	t.Helper()
	if len(body) == 0 || body[0] == '[' || resp.Header.Get("Content-Encoding") != "" || !strings.Contains(resp.Header.Get("Content-Type"), "json") {
		return ""
	}
	var parsed struct {
		Errors []struct {
			Message    string
			Extensions struct{ Code string }
		}
	}
	if err := json.Unmarshal(body, &parsed); err != nil {
		t.Fatalf("body %q: %v", body, err)
	}
	if len(parsed.Errors) == 0 {
		return ""
	}
	if parsed.Errors[0].Message == "" || parsed.Errors[0].Extensions.Code == "" {
		t.Errorf("body %q: an error without a message or a code", body)
	}
	return parsed.Errors[0].Extensions.Code
}

func post(t *testing.T, server *httptest.Server, body string, header ...string) answer {
	t.Helper()
	return do(t, http.MethodPost, server.URL+"/graphql", body, append([]string{"Content-Type", "application/json"}, header...)...)
}

func get(t *testing.T, server *httptest.Server, params url.Values, header ...string) answer {
	t.Helper()
	return do(t, http.MethodGet, server.URL+"/graphql?"+params.Encode(), "", header...)
}

func TestBadRequestsGetTheirStatusAndCode(t *testing.T) {
	server, _ := start(t, serve.Config{HTTP: serve.HTTP{MaxBodyBytes: 1000}})
	const query = `{"query":"{hello}"}`
	jsonType := []string{"Content-Type", "application/json"}
	tests := []struct {
		name, method, path, body string
		header                   []string
		status                   int
		code, message            string
	}{
		{"malformed JSON", "POST", "", `{"query": "{hello}`, jsonType, 400, "BAD_REQUEST", "malformed JSON at byte 18"},
		{"JSON with a tail", "POST", "", query + `{}`, jsonType, 400, "BAD_REQUEST", "malformed JSON at byte 20"},
		{"a form feed before JSON", "POST", "", "\f" + query, jsonType, 400, "BAD_REQUEST", "malformed JSON at byte 1"},
		{"empty body", "POST", "", "", jsonType, 400, "BAD_REQUEST", "body is empty"},
		{"not UTF-8", "POST", "", "{\"query\":\"{hello(name:\\\"\xff\\\")}\"}", jsonType, 400, "BAD_REQUEST", "not UTF-8"},
		{"batch", "POST", "", "[" + query + "]", jsonType, 400, "BATCHING_NOT_ENABLED", "one operation per request"},
		{"a string for a body", "POST", "", `"{hello}"`, jsonType, 400, "BAD_REQUEST", "is a string: expected a JSON object"},
		{"no query", "POST", "", `{"operationName":"a"}`, jsonType, 400, "BAD_REQUEST", "query is missing"},
		{"null query", "POST", "", `{"query":null}`, jsonType, 400, "BAD_REQUEST", "query is missing"},
		{"number as query", "POST", "", `{"query":1}`, jsonType, 400, "BAD_REQUEST", "query is a number: expected a string"},
		{"string as variables", "POST", "", `{"query":"{hello}","variables":"{}"}`, jsonType, 400, "BAD_REQUEST", "variables is a string: expected an object"},
		{"array as extensions", "POST", "", `{"query":"{hello}","extensions":[]}`, jsonType, 400, "BAD_REQUEST", "extensions is an array: expected an object"},
		{"query twice", "POST", "", `{"query":"{hello}","query":"{whoami}"}`, jsonType, 400, "BAD_REQUEST", "query is given twice"},
		{"query twice, once escaped", "POST", "", `{"query":"{hello}","quer\u0079":"{whoami}"}`, jsonType, 400, "BAD_REQUEST", "query is given twice"},
		{"variable twice", "POST", "", `{"query":"{hello}","variables":{"a":1,"b":2,"a":3}}`, jsonType, 400, "BAD_REQUEST", "variable a is given twice"},
		{"variable twice among many", "POST", "", `{"query":"{hello}","variables":{"a":1,"b":1,"c":1,"d":1,"e":1,"f":1,"g":1,"h":1,"i":1,"j":1,"i":1}}`, jsonType, 400, "BAD_REQUEST", "variable i is given twice"},
		{"text/plain", "POST", "", query, []string{"Content-Type", "text/plain"}, 415, "UNSUPPORTED_MEDIA_TYPE", "application/json"},
		{"no Content-Type", "POST", "", query, nil, 415, "UNSUPPORTED_MEDIA_TYPE", "application/json"},
		{"latin1", "POST", "", query, []string{"Content-Type", "application/json; charset=iso-8859-1"}, 415, "UNSUPPORTED_MEDIA_TYPE", "UTF-8"},
		{"two Content-Types", "POST", "", query, []string{"Content-Type", "application/json", "Content-Type", "text/plain"}, 415, "UNSUPPORTED_MEDIA_TYPE", "application/json"},
		{"compressed", "POST", "", query, append([]string{"Content-Encoding", "compress"}, jsonType...), 415, "UNSUPPORTED_MEDIA_TYPE", "gzip, br, zstd and deflate"},
		{"nothing acceptable", "POST", "", query, append([]string{"Accept", "text/html"}, jsonType...), 406, "NOT_ACCEPTABLE", "application/json"},
		{"too large", "POST", "", `{"query":"` + strings.Repeat(" ", 1000) + `"}`, jsonType, 413, "PAYLOAD_TOO_LARGE", "larger than 1000 bytes"},
		{"PUT", "PUT", "", query, jsonType, 405, "METHOD_NOT_ALLOWED", "PUT"},
		{"DELETE", "DELETE", "", "", nil, 405, "METHOD_NOT_ALLOWED", "DELETE"},
		{"GET without parameters", "GET", "", "", nil, 400, "BAD_REQUEST", "query is missing"},
		{"GET with a parameter twice", "GET", "?query=%7Bhello%7D&query=%7Bwhoami%7D", "", nil, 400, "BAD_REQUEST", "query is given twice"},
		{"GET with malformed variables", "GET", "?query=%7Bhello%7D&variables=%7B", "", nil, 400, "BAD_REQUEST", "variables is malformed JSON"},
		{"GET with variables of the wrong kind", "GET", "?query=%7Bhello%7D&variables=1", "", nil, 400, "BAD_REQUEST", "variables is a number"},
		{"GET with a malformed escape", "GET", "?query=%zz", "", nil, 400, "BAD_REQUEST", "query component is malformed"},
		{"GET with a mutation", "GET", "?query=mutation%7Bbump%7D", "", nil, 405, "METHOD_NOT_ALLOWED", "POST"},
		{"unknown path", "GET", "/more", "", nil, 404, "NOT_FOUND", "/graphql"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got := do(t, test.method, server.URL+"/graphql"+test.path, test.body, test.header...)
			if got.status != test.status || got.code != test.code || !strings.Contains(got.body, test.message) {
				t.Errorf("got %d %s %s, want %d %s … %q", got.status, got.code, got.body, test.status, test.code, test.message)
			}
		})
	}
}

func TestWhatClientsSendIsUnderstood(t *testing.T) {
	server, _ := start(t, serve.Config{})
	tests := []struct{ name, body, want string }{
		{"query", `{"query":"{hello}"}`, `{"data":{"hello":"hello nobody"}}`},
		{"all parameters", `{"operationName":"B","variables":{"n":"Ann"},"extensions":{"clientLibrary":{}},"query":"query A{hello} query B($n:String){hello(name:$n)}"}`, `{"data":{"hello":"hello Ann"}}`},
		{"nulls", `{"operationName":null,"variables":null,"extensions":null,"query":"{hello}"}`, `{"data":{"hello":"hello nobody"}}`},
		{"empty operation name", `{"operationName":"","query":"{hello}"}`, `{"data":{"hello":"hello nobody"}}`},
		{"unknown parameters", `{"id":"x","query":"{hello}","more":[{"a":"]}"}]}`, `{"data":{"hello":"hello nobody"}}`},
		{"escapes and white space", " {\n\t\"quer\\u0079\" : \"{\\n hello(name: \\\"\\u00e9\\ud83d\\ude00\\\") }\" } \n", `{"data":{"hello":"hello é😀"}}`},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if got := post(t, server, test.body); got.status != 200 || got.body != test.want {
				t.Errorf("got %d %s, want %s", got.status, got.body, test.want)
			}
		})
	}
	got := get(t, server, url.Values{"query": {"query($n:String){hello(name:$n)}"}, "variables": {` {"n":"Bo"} `}, "operationName": {""}, "extensions": {""}})
	if want := `{"data":{"hello":"hello Bo"}}`; got.body != want {
		t.Errorf("GET: got %s, want %s", got.body, want)
	}
	if got := get(t, server, url.Values{"query": {"query null{hello}"}, "operationName": {"null"}}); got.status != 200 {
		t.Errorf("GET of the operation named null: got %d %s", got.status, got.body)
	}
}

func TestResponsesCarryTheEnginesHeadersAndTheirLength(t *testing.T) {
	server, _ := start(t, serve.Config{})
	got := post(t, server, `{"query":"{hello}"}`, "X-Request-Id", "abc-1")
	want := map[string]string{
		"Content-Type": "application/json; charset=utf-8", "Content-Length": "33", "X-Engine": "fake",
		"X-Request-Id": "abc-1", "X-Content-Type-Options": "nosniff",
	}
	for name, value := range want {
		if got.header.Get(name) != value {
			t.Errorf("%s: got %q, want %q", name, got.header.Get(name), value)
		}
	}
	got = post(t, server, `{"query":"{hello}"}`, "X-Request-Id", "a\"b")
	if id := got.header.Get("X-Request-Id"); len(id) != 32 {
		t.Errorf("a hostile request id was taken over: %q", id)
	}
}

func TestABadTokenIsRefusedAndNoTokenIsAnonymous(t *testing.T) {
	server, _ := start(t, serve.Config{})
	const query = `{"query":"{whoami}"}`
	if got := post(t, server, query); got.body != `{"data":{"whoami":null}}` {
		t.Errorf("no token: got %d %s", got.status, got.body)
	}
	if got := post(t, server, query, "Authorization", "Bearer good"); got.body != `{"data":{"whoami":"usr_1"}}` {
		t.Errorf("good token: got %d %s", got.status, got.body)
	}
	got := post(t, server, query, "Authorization", "Bearer forged")
	if got.status != 401 || got.code != "UNAUTHENTICATED" || got.header.Get("WWW-Authenticate") != `Bearer error="invalid_token"` {
		t.Errorf("bad token: got %d %s %v", got.status, got.body, got.header)
	}
	if !strings.Contains(got.body, "The access token is refused: it is forged.") || strings.Contains(got.body, "details") {
		t.Errorf("bad token: got %s", got.body)
	}
	got = post(t, server, query, "Authorization", "Bearer unjudged")
	if got.status != 503 || got.code != serve.CodeUnavailable || strings.Contains(got.body, "secret") {
		t.Errorf("a token that can't be judged: got %d %s", got.status, got.body)
	}
}
