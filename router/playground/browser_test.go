package playground

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

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

// open serves a playground beside the endpoint and opens it. When the test ends, it checks what
// must hold in every test: no error in the console, no request to another host.
func open(t *testing.T, cfg Config) (*browsertest.Page, *httptest.Server) {
	t.Helper()
	browser := browsertest.Start(t)
	mux := http.NewServeMux()
	mux.Handle("/playground/", Handler(cfg))
	mux.Handle("/graphql", newEndpoint(t))
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	page := browser.Open(server.URL + "/playground/")
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

func TestAnExampleRunsAndItsAnswerShows(t *testing.T) {
	page, server := open(t, example())
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

func TestAnEmptyConfigurationIsAPlainGraphiQL(t *testing.T) {
	page, server := open(t, Config{})
	page.Wait(`document.querySelector(".graphiql-query-editor .view-lines").innerText.includes("Welcome")`)
	page.Screenshot("plain")
	page.Click(".graphiql-query-editor .view-lines")
	page.Eval(`__MONACO.editor.getModels().find(model => model.uri.path.includes("operation")).setValue("")`, nil)
	page.Type("{ greeting { text } }")
	run(page, "Hello, ")
	checkClean(t, page, server)
}

func TestAPastedTokenIsSentAndCanBeCleared(t *testing.T) {
	page, server := open(t, example())
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

func TestTheLoginFormSignsIn(t *testing.T) {
	page, server := open(t, example())
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

func TestATokenThatATabReturnsIsAdopted(t *testing.T) {
	page, server := open(t, example())
	page.Click("#graphiql-session-tab-2")
	run(page, `"login"`)
	page.Wait(`document.querySelector('[data-testid="badge"] .who').title === "tab@example.test"`)
	page.Screenshot("tab-login")
	checkClean(t, page, server)
}

func TestSubscriptionsStreamWithTheToken(t *testing.T) {
	for _, protocol := range []SubscriptionProtocol{GraphQLTransportWS, SSE} {
		t.Run(string(protocol), func(t *testing.T) {
			cfg := example()
			cfg.SubscriptionProtocol = protocol
			page, server := open(t, cfg)
			page.Eval(`sessionStorage.setItem("playground:token", "tok-9")`, nil)
			page.Navigate(server.URL + "/playground/")
			ready(page)
			page.Click("#graphiql-session-tab-1")
			run(page, `"count": 3`)
			answered(page, `"authorization": "Bearer tok-9"`)
			page.Wait(`document.querySelector(".graphiql-execute-button").getAttribute("aria-label").startsWith("Execute")`)
			checkClean(t, page, server)
		})
	}
}

func TestTheExamplesMenuBringsBackAnExample(t *testing.T) {
	page, server := open(t, example())
	page.Eval(`__MONACO.editor.getModels().find(model => model.uri.path.includes("operation")).setValue("{ changed }")`, nil)
	page.Click(`[data-testid="examples"]`)
	page.Wait(`document.querySelectorAll('[role="menuitem"]').length === 3`)
	page.Screenshot("examples")
	page.Click(`[role="menuitem"]`)
	page.Wait(`document.querySelectorAll("[id^=graphiql-session-tab-]").length === 4`)
	run(page, "Hello, Ada!")
	checkClean(t, page, server)
}

func TestAServerThatIsGoneIsSaidClearly(t *testing.T) {
	page, server := open(t, example())
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
