package playground

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/agora-supergraph/agora/router/playground/browsertest"
)

func aLinkSharesTheQueryButNoSecrets(t *testing.T, browser *browsertest.Browser) {
	cfg := example()
	cfg.Tabs[0].Headers = `{ "x-key": "topsecret" }`
	page, server := open(t, browser, cfg)
	page.Click(`[data-testid="sign-in"]`)
	page.Click(`[data-testid="token-form"] textarea`)
	page.Type("tok-5")
	page.Click(`[data-testid="token-form"] button`)
	page.Wait(`!document.querySelector('[data-testid="token-form"]')`)
	link := share(page)
	page.Screenshot("shared")
	checkLink(t, link, greet, `{ "name": "Ada" }`)

	page.Click("#graphiql-session-tab-3")
	page.Wait(`__MONACO.editor.getModels().some(model => model.uri.path.includes("operation") && model.getValue().includes("LogIn"))`)
	checkLink(t, share(page), cfg.Tabs[3].Query, "{\n  \"email\": \"tab@example.test\",\n  \"password\": \"\"\n}")
	checkClean(t, page, server)

	link = strings.Replace(link, "Ada", "Grace", 1)
	guest := browser.Open(t, link)
	ready(guest)
	guest.Wait(`document.querySelectorAll("[id^=graphiql-session-tab-]").length === 5`)
	run(guest, "Hello, Grace!")
	answered(guest, `"authorization": ""`)
	guest.Wait(`location.hash === ""`)
	guest.Eval(`location.hash = "query=%7B+greeting+%7B+text+%7D+%7D"`, nil)
	guest.Wait(`document.querySelectorAll("[id^=graphiql-session-tab-]").length === 6`)
	run(guest, "Hello, <nil>!")
	checkClean(t, guest, server)
}

// share presses the button and returns the link, which the address bar has too.
func share(page *browsertest.Page) string {
	page.Eval(`history.replaceState(null, "", location.pathname)`, nil)
	page.Click(`[data-testid="share"]`)
	page.Wait(`location.hash !== "" && document.querySelector('[data-testid="share"]').innerText.startsWith("Link")`)
	var link string
	page.Eval("location.href", &link)
	return link
}

func checkLink(t *testing.T, link, query, variables string) {
	t.Helper()
	_, fragment, _ := strings.Cut(link, "#")
	parts, err := url.ParseQuery(fragment)
	if err != nil {
		t.Fatal(err)
	}
	if parts.Get("query") != query || parts.Get("variables") != variables || len(parts) != 2 {
		t.Errorf("the link holds %q, want %q and %q", parts, query, variables)
	}
}

// told is an endpoint that tells what it was sent.
type told struct {
	http.Handler
	requests chan map[string]any
}

// ServeHTTP passes on.
func (e told) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	r.Body = io.NopCloser(bytes.NewReader(body))
	var request map[string]any
	if json.Unmarshal(body, &request) == nil && request["operationName"] != "IntrospectionQuery" {
		e.requests <- request
	}
	e.Handler.ServeHTTP(w, r)
}

func persistedDocumentsArePickedAndSentByTheirIDs(t *testing.T, browser *browsertest.Browser) {
	cfg := example()
	cfg.Documents = []Document{
		{ID: "sha256:0b1946ac", Name: "Greet by id", Query: "query Persisted($name: String) {\n  greeting(name: $name) {\n    text\n  }\n}"},
		{ID: "sha256:77aa", Query: "{ other }"},
	}
	graphql := told{newEndpoint(t), make(chan map[string]any, 10)}
	page, server := openBeside(t, browser, cfg, graphql)
	pick := func(n int) {
		page.Click(`[data-testid="documents"]`)
		page.Wait(`document.querySelectorAll('[role="menuitem"]').length === 3`)
		page.Screenshot("documents")
		page.Click(fmt.Sprintf(`[role="menuitem"]:nth-child(%d)`, n))
		page.Wait(`!document.querySelector('[role="menuitem"]')`)
	}
	sent := func(wantID any, wantQuery bool) {
		t.Helper()
		run(page, "Hello, <nil>!")
		request := <-graphql.requests
		if query, _ := request["query"].(string); request["documentId"] != wantID || (query != "") != wantQuery || request["operationName"] != "Persisted" {
			t.Errorf("sent %v, want documentId %v, query %v", request, wantID, wantQuery)
		}
	}
	pick(2)
	page.Wait(`document.querySelectorAll("[id^=graphiql-session-tab-]").length === 5`)
	sent("sha256:0b1946ac", false)
	pick(1)
	sent(nil, true)
	pick(1)
	page.Eval(`__MONACO.editor.getModels().find(model => model.uri.path.includes("operation")).setValue("query Persisted { greeting { text authorization } }")`, nil)
	sent(nil, true)
	checkClean(t, page, server)
}

func deferredPartsShowAsTheyCome(t *testing.T, browser *browsertest.Browser) {
	// By the name of the operation, in the format that the name says.
	parts := map[string][2]string{
		"Apollo": {
			`{"data":{"greeting":{"text":"first"}},"hasNext":true}`,
			`{"incremental":[{"path":["greeting"],"data":{"authorization":"second"},"extensions":{"cost":1}}],"hasNext":false}`,
		},
		"Draft": {
			`{"data":{"greeting":{"text":"first"}},"pending":[{"id":"0","path":["greeting"]}],"hasNext":true}`,
			`{"incremental":[{"id":"0","data":{"authorization":"second"}}],"completed":[{"id":"0"}],"hasNext":false}`,
		},
	}
	seen, introspection := make(chan struct{}), newEndpoint(t)
	var cfg Config
	for _, name := range []string{"Apollo", "Draft"} {
		cfg.Tabs = append(cfg.Tabs, Tab{Name: name, Query: "query " + name + " {\n  greeting {\n    text\n    ... @defer {\n      authorization\n    }\n  }\n}"})
	}
	page, server := openBeside(t, browser, cfg, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		var request graphQLRequest
		if json.Unmarshal(body, &request) != nil || parts[request.OperationName][0] == "" {
			r.Body = io.NopCloser(bytes.NewReader(body))
			introspection.ServeHTTP(w, r)
			return
		}
		if accept := r.Header.Get("Accept"); !strings.Contains(accept, "multipart/mixed;deferSpec=20220824") || !strings.Contains(accept, "multipart/mixed;incrementalSpec=v0.2") {
			t.Errorf("the page accepts %q", accept)
		}
		w.Header().Set("Content-Type", `multipart/mixed;boundary="graphql"`)
		fmt.Fprintf(w, "\r\n--graphql\r\nContent-Type: application/json\r\n\r\n%s\r\n--graphql", parts[request.OperationName][0])
		_ = http.NewResponseController(w).Flush()
		select {
		case <-seen:
		case <-r.Context().Done():
			t.Error("the first part does not show before the second has come")
		}
		fmt.Fprintf(w, "\r\nContent-Type: application/json\r\n\r\n%s\r\n--graphql--\r\n", parts[request.OperationName][1])
	}))
	for i := range cfg.Tabs {
		page.Click(fmt.Sprint("#graphiql-session-tab-", i))
		page.Wait(`__MONACO.editor.getModels().some(model => model.uri.path.includes("operation") && model.getValue().includes("` + cfg.Tabs[i].Name + `"))`)
		page.Click(".graphiql-execute-button")
		answered(page, `"text": "first"`)
		page.Screenshot("first-part")
		seen <- struct{}{}
		answered(page, `"authorization": "second"`)
		answered(page, `"text": "first"`)
		page.Wait(`document.querySelector(".graphiql-execute-button").getAttribute("aria-label").startsWith("Execute")`)
	}
	checkClean(t, page, server)
}
