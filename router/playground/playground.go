// Package playground serves an interactive page for a GraphQL endpoint: GraphiQL 5 with example
// operations in tabs, a sign-in box, live subscriptions and deferred parts, a view of the query plan, persisted documents
// to pick from, and links that share a query.
//
// In goes a Config, out comes an http.Handler. The page is built from ui/ by Vite, committed under
// dist/ and embedded, so a browser fetches nothing from any other host; a Content-Security-Policy
// makes that certain. The page is a template that carries the configuration as a JSON data block.
// Assets are stored compressed under names that hold a hash of their content, so browsers may keep
// them for ever.
//
// After a change below ui/: cd router/playground/ui && npm ci && npm run build. A test fails while
// dist/ is older than ui/.
//
// The page speaks GraphQL over HTTP (https://graphql.github.io/graphql-over-http), and for
// subscriptions graphql-transport-ws (https://github.com/enisdenjo/graphql-ws) or GraphQL over SSE
// (https://github.com/enisdenjo/graphql-sse).
package playground

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
)

// Config says what the page offers. The zero value is a plain GraphiQL for /graphql, mounted at
// /playground/.
type Config struct {
	// Path is where the handler is mounted, as the request's URL path has it. It begins and ends
	// with a slash. Empty means /playground/; under http.StripPrefix it is "/".
	Path string

	// Endpoint is the URL that operations are sent to, relative to the page's or absolute.
	// Empty means /graphql.
	Endpoint string

	// SubscriptionURL is the URL that subscriptions are sent to. Empty means Endpoint.
	SubscriptionURL string

	// SubscriptionProtocol is how they are sent. Empty means GraphQLTransportWS.
	SubscriptionProtocol SubscriptionProtocol

	// Title is the name of the page. Empty means "GraphQL Playground".
	Title string

	// Tabs are the example operations: open at the first visit, and in the Examples menu ever
	// after. Empty means GraphiQL's own welcome text in one tab and no menu.
	Tabs []Tab

	// Login adds a sign-in form. Nil leaves the box that takes a pasted token.
	Login *Login

	// Explain adds a panel that shows the query plan of the operation in the tab, with the time of each fetch. It is for a
	// router whose Config.Explain is on: while the panel is open, operations are sent with the header Agora-Explain.
	Explain bool

	// Documents are persisted documents to pick from. Empty means no menu.
	Documents []Document
}

// SubscriptionProtocol names a protocol for subscriptions.
type SubscriptionProtocol string

// The protocols for subscriptions that the page speaks.
const (
	GraphQLTransportWS SubscriptionProtocol = "graphql-transport-ws"
	SSE                SubscriptionProtocol = "sse"
)

// Tab is an example operation.
type Tab struct {
	// Name is its entry in the Examples menu. The tab itself shows the operation's name.
	Name string `json:"name"`

	// Query is the document.
	Query string `json:"query"`

	// Variables is a JSON object, shown as written. Empty means none.
	Variables string `json:"variables,omitempty"`

	// Headers is a JSON object of request headers, shown as written. Empty means none.
	Headers string `json:"headers,omitempty"`
}

// Document is a persisted document. A tab that holds its text unchanged sends its ID instead, as documentId, unless the
// visitor wants the text to be sent.
type Document struct {
	// ID is what the server knows it by.
	ID string `json:"id"`

	// Name is its entry in the menu. Empty means ID.
	Name string `json:"name,omitempty"`

	// Query is the text.
	Query string `json:"query"`
}

// Login describes an operation that yields an access token. Whoever sends it, the form or a tab,
// is signed in by its answer: the token goes with every later operation as
// "Authorization: Bearer …", and with subscriptions in connection_init's payload.
type Login struct {
	// Operation is a document with one operation. Each of its variables becomes a field of the
	// form and is sent as a string.
	Operation string `json:"operation"`

	// TokenPaths are where in a response a token may be, each like
	// "data.login.tokens.accessToken"; digits index lists. The first that holds a string counts.
	TokenPaths []string `json:"tokenPaths"`

	// ErrorPaths are where a refused login says why, such as "data.login.userErrors.0.message".
	// Errors of the response itself come first.
	ErrorPaths []string `json:"errorPaths,omitempty"`

	// Accounts are offered to fill in the form, for development only: everyone who can open the
	// page can read them.
	Accounts []Account `json:"accounts,omitempty"`
}

// Account fills in the login form.
type Account struct {
	// Name is the label of its button.
	Name string `json:"name"`

	// Variables are the values of the operation's variables.
	Variables map[string]string `json:"variables"`
}

// Handler serves the page at Config.Path and its files below it; every other path is not found.
// An invalid configuration is answered with status 500 and what is wrong with it.
func Handler(cfg Config) http.Handler {
	cfg = cfg.withDefaults()
	if err := cfg.validate(); err != nil {
		return invalid{err}
	}
	return &handler{path: cfg.Path, page: newPage(cfg)}
}

func (c Config) withDefaults() Config {
	setDefault(&c.Path, "/playground/")
	setDefault(&c.Endpoint, "/graphql")
	setDefault(&c.SubscriptionURL, c.Endpoint)
	setDefault(&c.SubscriptionProtocol, GraphQLTransportWS)
	setDefault(&c.Title, "GraphQL Playground")
	return c
}

func setDefault[T ~string](value *T, otherwise T) {
	if *value == "" {
		*value = otherwise
	}
}

func (c Config) validate() error {
	if !strings.HasPrefix(c.Path, "/") || !strings.HasSuffix(c.Path, "/") {
		return fmt.Errorf("path %q: must begin and end with a slash", c.Path)
	}
	if _, err := url.Parse(c.Endpoint); err != nil {
		return fmt.Errorf("endpoint: %w", err)
	}
	if _, err := url.Parse(c.SubscriptionURL); err != nil {
		return fmt.Errorf("subscription URL: %w", err)
	}
	if c.SubscriptionProtocol != GraphQLTransportWS && c.SubscriptionProtocol != SSE {
		return fmt.Errorf("subscription protocol %q: must be %q or %q", c.SubscriptionProtocol, GraphQLTransportWS, SSE)
	}
	return nil
}

// invalid answers every request with the reason why the configuration is refused.
type invalid struct{ err error }

// ServeHTTP implements http.Handler.
func (h invalid) ServeHTTP(w http.ResponseWriter, _ *http.Request) {
	http.Error(w, "playground: "+h.err.Error(), http.StatusInternalServerError)
}

type handler struct {
	path string
	page *page
}

// ServeHTTP implements http.Handler.
func (h *handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path+"/" == h.path {
		// Relative, so that it holds below a prefix that was stripped.
		w.Header().Set("Location", lastSegment(r.URL.Path)+"/")
		w.WriteHeader(http.StatusMovedPermanently)
		return
	}
	name, below := strings.CutPrefix(r.URL.Path, h.path)
	file, found := files()[name]
	if !below || name != "" && !found {
		http.NotFound(w, r)
		return
	}
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		w.Header().Set("Allow", "GET, HEAD")
		http.Error(w, "method not allowed", http.StatusMethodNotAllowed)
		return
	}
	h.page.protect(w.Header(), r.Host)
	if name == "" {
		h.page.serve(w, r)
		return
	}
	file.serve(w, r)
}

func lastSegment(path string) string {
	return path[strings.LastIndexByte(path, '/')+1:]
}
