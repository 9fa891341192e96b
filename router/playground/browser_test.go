package playground

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/agora-supergraph/agora/router/playground/browsertest"
)

const greet = `query Greet($name: String) {
  greeting(name: $name) {
    text
    authorization
  }
}`

func example() Config {
	return Config{
		Title: "Greetings",
		Tabs: []Tab{
			{Name: "Greet somebody", Query: greet, Variables: `{ "name": "Ada" }`},
			{Name: "Count", Query: "subscription Count {\n  count(to: 3)\n}"},
			{Name: "Endless", Query: "subscription Endless {\n  count(to: 1000)\n}"},
			{
				Name: "Log in", Query: "mutation LogIn($email: String!, $password: String!) {\n  login(email: $email, password: $password) {\n    token\n  }\n}",
				Variables: `{ "email": "tab@example.test", "password": "secret" }`,
			},
		},
		Login: &Login{
			Operation:  "mutation($email: String!, $password: String!) { login(email: $email, password: $password) { token errors { message } } }",
			TokenPaths: []string{"data.login.token"},
			ErrorPaths: []string{"data.login.errors.0.message"},
			Accounts:   []Account{{Name: "Ada", Variables: map[string]string{"email": "ada@example.test", "password": "secret"}}},
		},
	}
}

// open serves a playground beside the endpoint and opens it.
func open(t *testing.T, browser *browsertest.Browser, cfg Config) (*browsertest.Page, *httptest.Server) {
	t.Helper()
	return openBeside(t, browser, cfg, newEndpoint(t))
}

func openBeside(t *testing.T, browser *browsertest.Browser, cfg Config, graphql http.Handler) (*browsertest.Page, *httptest.Server) {
	t.Helper()
	mux := http.NewServeMux()
	mux.Handle("/playground/", Handler(cfg))
	mux.Handle("/graphql", graphql)
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	page := browser.Open(t, server.URL+"/playground/")
	ready(page)
	return page, server
}

// ready waits until the editors are there and the schema has arrived.
func ready(page *browsertest.Page) {
	page.Wait(`document.querySelector(".graphiql-query-editor .view-lines")`)
	page.Wait(`document.querySelector(".graphiql-response .monaco-editor")`)
	page.Wait(`!document.querySelector(".graphiql-sidebar .graphiql-spin")`)
}

// checkClean fails on console errors and on requests that leave the server.
func checkClean(t *testing.T, page *browsertest.Page, server *httptest.Server) {
	t.Helper()
	for _, message := range page.Messages() {
		if message.Level == "error" || message.Level == "warning" {
			t.Errorf("console %s: %s", message.Level, message.Text)
		}
	}
	requests := page.Requests()
	for _, request := range requests {
		u, err := url.Parse(request)
		if err != nil || u.Host != server.Listener.Addr().String() {
			t.Errorf("request to another host: %s", request)
		}
	}
	if len(requests) < 10 {
		t.Errorf("saw only %d requests, so the check of hosts proves little: %q", len(requests), requests)
	}
}

// run executes the operation of the open tab and waits for an answer that holds a text.
func run(page *browsertest.Page, want string) {
	page.Click(".graphiql-execute-button")
	answered(page, want)
}

func answered(page *browsertest.Page, want string) {
	page.Wait(`__MONACO.editor.getModels().some(model => model.uri.path.includes("response") && model.getValue().includes(` + "`" + want + "`" + `))`)
}

// TestInABrowser starts the browser once: that takes longer than most of these.
func TestInABrowser(t *testing.T) {
	browser := browsertest.Start(t)
	for _, test := range []struct {
		name string
		run  func(*testing.T, *browsertest.Browser)
	}{
		{"an example runs and its answer shows", anExampleRunsAndItsAnswerShows},
		{"an empty configuration is a plain GraphiQL", anEmptyConfigurationIsAPlainGraphiQL},
		{"a pasted token is sent and can be cleared", aPastedTokenIsSentAndCanBeCleared},
		{"the login form signs in", theLoginFormSignsIn},
		{"a token that a tab returns is adopted", aTokenThatATabReturnsIsAdopted},
		{"subscriptions stream with the token until stopped", subscriptionsStreamWithTheTokenUntilStopped},
		{"the examples menu brings back an example", theExamplesMenuBringsBackAnExample},
		{"an example left untouched is that of the server as it is now", anExampleLeftUntouchedIsThatOfTheServerNow},
		{"an example keeps its variables when the page is loaded again", anExampleKeepsItsVariablesWhenThePageIsLoadedAgain},
		{"a server that is gone is said clearly", aServerThatIsGoneIsSaidClearly},
		{"an endpoint that is not GraphQL is said clearly", anEndpointThatIsNotGraphQLIsSaidClearly},
		{"the plan of a run is shown as a picture, and what failed in it", thePlanOfARunIsShownAsAPicture},
		{"a link shares the query but no secrets", aLinkSharesTheQueryButNoSecrets},
		{"persisted documents are picked and sent by their ids", persistedDocumentsArePickedAndSentByTheirIDs},
		{"deferred parts show as they come", deferredPartsShowAsTheyCome},
	} {
		t.Run(test.name, func(t *testing.T) { test.run(t, browser) })
	}
}

func anExampleRunsAndItsAnswerShows(t *testing.T, browser *browsertest.Browser) {
	page, server := open(t, browser, example())
	run(page, `Hello, Ada!`)
	page.Wait(`document.querySelector(".graphiql-response .view-lines").innerText.replace(/\s/g, " ").includes("Hello, Ada!")`)
	page.Screenshot("light")
	page.ColorScheme("dark")
	page.Wait(`document.querySelector(".graphiql-query-editor .monaco-editor.vs-dark")`)
	page.Screenshot("dark")
	page.ColorScheme("light")
	page.Wait(`document.querySelector(".graphiql-query-editor .monaco-editor.vs")`)
	if got := page.Text(".graphiql-logo .title"); got != "Greetings" {
		t.Errorf("title = %q", got)
	}
	page.Click(`button[aria-label="Show Documentation Explorer"]`)
	page.Wait(`document.querySelector(".graphiql-doc-explorer").innerText.includes("Subscription")`)
	page.Screenshot("docs")
	page.Click(`button[aria-label="Show History"]`)
	page.Wait(`document.querySelector(".graphiql-history").innerText.includes("Greet")`)
	page.Screenshot("history")
	checkClean(t, page, server)
}

func anEmptyConfigurationIsAPlainGraphiQL(t *testing.T, browser *browsertest.Browser) {
	page, server := open(t, browser, Config{})
	page.Wait(`document.querySelector(".graphiql-query-editor .view-lines").innerText.includes("Welcome")`)
	page.Screenshot("plain")
	page.Click(".graphiql-query-editor .view-lines")
	page.Eval(`__MONACO.editor.getModels().find(model => model.uri.path.includes("operation")).setValue("")`, nil)
	page.Type("{ greeting { text } }")
	run(page, "Hello, ")
	checkClean(t, page, server)

	var directive string
	page.Eval(`new Promise(resolve => {
		addEventListener("securitypolicyviolation", event => resolve(event.effectiveDirective))
		fetch("http://elsewhere.invalid/").catch(() => {})
	})`, &directive)
	if directive != "connect-src" {
		t.Errorf("a request to another host is stopped by %q, want connect-src", directive)
	}
}

func aPastedTokenIsSentAndCanBeCleared(t *testing.T, browser *browsertest.Browser) {
	page, server := open(t, browser, example())
	page.Click(`[data-testid="sign-in"]`)
	page.Click(`[data-testid="token-form"] textarea`)
	page.Type("Bearer tok-123\n")
	page.Screenshot("sign-in")
	page.Click(`[data-testid="token-form"] button`)
	page.Wait(`document.querySelector('[data-testid="badge"]')`)
	page.Wait(`!document.querySelector('[data-testid="token-form"]')`)
	run(page, `"authorization": "Bearer tok-123"`)
	page.Screenshot("signed-in")

	page.Navigate(server.URL + "/playground/")
	ready(page)
	run(page, `"authorization": "Bearer tok-123"`)

	page.Click(`[data-testid="badge"] .clear`)
	page.Wait(`document.querySelector('[data-testid="sign-in"]')`)
	run(page, `"authorization": ""`)
	checkClean(t, page, server)
}

func theLoginFormSignsIn(t *testing.T, browser *browsertest.Browser) {
	page, server := open(t, browser, example())
	page.Click(`[data-testid="sign-in"]`)
	page.Click(`[data-testid="login-form"] input[name="email"]`)
	page.Type("ada@example.test")
	page.Click(`[data-testid="login-form"] input[name="password"]`)
	page.Type("wrong")
	page.Click(`[data-testid="login-form"] button[type="submit"]`)
	if got := page.Text(".problem"); got != "No such account." {
		t.Errorf("a refused login says %q", got)
	}
	page.Screenshot("login-refused")
	page.Click(`[data-testid="login-form"] .accounts button`)
	page.Click(`[data-testid="login-form"] button[type="submit"]`)
	page.Wait(`document.querySelector('[data-testid="badge"]')`)
	if got := strings.Join(strings.Fields(page.Text(`[data-testid="badge"] .who`)), " "); got != "Signed in 10 min" {
		t.Errorf("badge = %q, want Signed in 10 min", got)
	}
	run(page, `"authorization": "Bearer ey`)
	checkClean(t, page, server)
}

func aTokenThatATabReturnsIsAdopted(t *testing.T, browser *browsertest.Browser) {
	page, server := open(t, browser, example())
	page.Click("#graphiql-session-tab-3")
	run(page, `"login"`)
	page.Wait(`document.querySelector('[data-testid="badge"] .who').title === "tab@example.test"`)
	page.Screenshot("tab-login")
	checkClean(t, page, server)
}

func subscriptionsStreamWithTheTokenUntilStopped(t *testing.T, browser *browsertest.Browser) {
	for _, protocol := range []SubscriptionProtocol{GraphQLTransportWS, SSE} {
		t.Run(string(protocol), func(t *testing.T) {
			cfg := example()
			cfg.SubscriptionProtocol = protocol
			graphql := newEndpoint(t)
			page, server := openBeside(t, browser, cfg, graphql)
			page.Eval(`sessionStorage.setItem("playground:token", "tok-9")`, nil)
			page.Navigate(server.URL + "/playground/")
			ready(page)
			page.Click("#graphiql-session-tab-1")
			run(page, `"count": 3`)
			answered(page, `"authorization": "Bearer tok-9"`)
			page.Wait(`document.querySelector(".graphiql-execute-button").getAttribute("aria-label").startsWith("Execute")`)

			page.Click("#graphiql-session-tab-2")
			run(page, `"count": 3`)
			page.Click(`.graphiql-execute-button[aria-label^="Stop"]`)
			select {
			case <-graphql.left:
			case <-time.After(10 * time.Second):
				t.Error("the server was not told that the subscription was stopped")
			}
			answered(page, `"count": 3`)
			checkClean(t, page, server)
		})
	}
}

func theExamplesMenuBringsBackAnExample(t *testing.T, browser *browsertest.Browser) {
	page, server := open(t, browser, example())
	page.Eval(`__MONACO.editor.getModels().find(model => model.uri.path.includes("operation")).setValue("{ changed }")`, nil)
	page.Click(`[data-testid="examples"]`)
	page.Wait(`document.querySelectorAll('[role="menuitem"]').length === 4`)
	page.Screenshot("examples")
	page.Click(`[role="menuitem"]`)
	page.Wait(`document.querySelectorAll("[id^=graphiql-session-tab-]").length === 5`)
	run(page, "Hello, Ada!")
	checkClean(t, page, server)
}

func anExampleLeftUntouchedIsThatOfTheServerNow(t *testing.T, browser *browsertest.Browser) {
	cfg := example()
	cfg.Tabs = append(cfg.Tabs, Tab{Name: "Another", Query: strings.Replace(greet, "Greet", "Another", 1), Variables: `{ "name": "Ben" }`})
	before, endpoint := Handler(cfg), newEndpoint(t)
	cfg.Tabs[0].Variables, cfg.Tabs[4].Variables = `{ "name": "Grace" }`, `{ "name": "Cleo" }`
	after, restarted := Handler(cfg), false
	mux := http.NewServeMux()
	mux.Handle("/graphql", endpoint)
	mux.HandleFunc("/playground/", func(w http.ResponseWriter, r *http.Request) {
		if restarted {
			after.ServeHTTP(w, r)
		} else {
			before.ServeHTTP(w, r)
		}
	})
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	page := browser.Open(t, server.URL+"/playground/")
	ready(page)
	run(page, "Hello, Ada!")
	page.Click("#graphiql-session-tab-4")
	page.Eval(`__MONACO.editor.getModels().find(model => model.uri.path.includes("variables")).setValue('{ "name": "me" }')`, nil)
	run(page, "Hello, me!")
	// GraphiQL stores an edit after a moment, unless another tab is opened before.
	page.Wait(`localStorage.getItem("graphiql:tabState").includes('"me')`)
	page.Click("#graphiql-session-tab-0")
	run(page, "Hello, Ada!")
	restarted = true
	page.Navigate(server.URL + "/playground/")
	ready(page)
	page.Click("#graphiql-session-tab-0") // which tab is open hangs on when GraphiQL last stored it
	run(page, "Hello, Grace!")
	page.Click("#graphiql-session-tab-4")
	run(page, "Hello, me!")
	checkClean(t, page, server)
}

func anExampleKeepsItsVariablesWhenThePageIsLoadedAgain(t *testing.T, browser *browsertest.Browser) {
	page, server := open(t, browser, example())
	page.Navigate(server.URL + "/playground/")
	ready(page)
	run(page, "Hello, Ada!")
	checkClean(t, page, server)
}

func aServerThatIsGoneIsSaidClearly(t *testing.T, browser *browsertest.Browser) {
	page, server := open(t, browser, example())
	checkClean(t, page, server)
	address := server.URL
	server.Close()
	page.Click(".graphiql-execute-button")
	want := "No answer from " + address + "/graphql. Is the server running, and does it allow this page to call it?"
	if got := page.Text(".notice span"); got != want {
		t.Errorf("notice = %q, want %q", got, want)
	}
	answered(page, want)
	page.Screenshot("unreachable")
	page.Click("#graphiql-session-tab-1")
	run(page, "No connection to ws:"+strings.TrimPrefix(address, "http:")+"/graphql.")
}

func anEndpointThatIsNotGraphQLIsSaidClearly(t *testing.T, browser *browsertest.Browser) {
	page, server := openBeside(t, browser, Config{}, http.NotFoundHandler())
	want := server.URL + "/graphql answered 404 Not Found with text/plain; charset=utf-8, not with GraphQL. It says: 404 page not found"
	if got := page.Text(".notice span"); got != want {
		t.Errorf("notice = %q, want %q", got, want)
	}
}
