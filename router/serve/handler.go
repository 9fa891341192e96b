package serve

import (
	"context"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"time"
)

const allowedMethods = "GET, POST, OPTIONS"

// Handler is the front door as an http.Handler. It is safe for concurrent use.
type Handler struct {
	cfg     Config
	origins origins
	clients clients
	*lifetime
}

// New makes the handler of cfg, or says what in cfg can't work. Listening is Run's part: Listen, TLS, H2C and
// the bounds of connections are not used here.
func New(cfg Config) (*Handler, error) {
	if err := errors.Join(cfg.Validate()...); err != nil {
		return nil, err
	}
	if cfg.Engine == nil {
		return nil, errors.New("serve: Config.Engine is missing")
	}
	cfg = cfg.withDefaults()
	allowed, err := parseOrigins(cfg.CORS)
	if err != nil {
		return nil, err
	}
	known, err := newClients(cfg.Clients)
	if err != nil {
		return nil, err
	}
	known.credentials = canonical(cfg.InitHeaders)
	h := &Handler{cfg: cfg, origins: allowed, clients: known}
	h.lifetime = newLifetime(h)
	return h, nil
}

// ServeHTTP answers one request, logs it, and turns a panic into a 500.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	ex := h.now.Load().handler.begin(w, r)
	defer ex.end()
	if headerBytes(r) > ex.h.cfg.HTTP.MaxHeaderBytes {
		ex.refuse(&refusal{
			http.StatusRequestHeaderFieldsTooLarge, CodeHeadersTooLarge,
			"the request's line and headers take more than " + strconv.Itoa(ex.h.cfg.HTTP.MaxHeaderBytes) + " bytes",
		}, mediaJSON)
		return
	}
	ex.h.route(ex, r)
}

// headerBytes is what a request's line and headers take, about as they were sent.
func headerBytes(r *http.Request) int {
	n := len(r.Method) + len(r.RequestURI) + len(r.Host)
	for name, values := range r.Header {
		for _, value := range values {
			n += len(name) + len(value) + len(": \r\n")
		}
	}
	return n
}

func (h *Handler) route(ex *exchange, r *http.Request) {
	switch path := r.URL.Path; {
	case path == h.cfg.Path:
		h.graphql(ex, r, "")
	case h.cfg.DocumentIDs.inPath(h.cfg.Path, path) && !isUpgrade(r):
		h.graphql(ex, r, path[len(h.cfg.Path)+1:])
	case path == "/health/live":
		ex.quiet = true
		h.health(ex, r, nil)
	case path == "/health/ready":
		ex.quiet = true
		h.health(ex, r, h.ready(r.Context()))
	case path == "/" && h.cfg.Playground != nil && wantsPage(r):
		http.Redirect(ex, r, "/playground", http.StatusFound)
	case (path == "/playground" || strings.HasPrefix(path, "/playground/")) && h.cfg.Playground != nil:
		ex.quiet = true
		h.cfg.Playground.ServeHTTP(ex, r)
	default:
		if page := h.now.Load().pages[path]; page != nil {
			page.ServeHTTP(ex, r)
			return
		}
		ex.refuse(&refusal{http.StatusNotFound, CodeNotFound, "no such page: GraphQL is at " + h.cfg.Path}, mediaJSON)
	}
}

// wantsPage says whether a request is a browser's navigation.
func wantsPage(r *http.Request) bool {
	return r.Method == http.MethodGet && strings.Contains(r.Header.Get("Accept"), "text/html")
}

// ready is nil as long as new requests are welcome.
func (h *Handler) ready(ctx context.Context) error {
	select {
	case <-h.draining:
		return errors.New("shutting down")
	default:
		return h.now.Load().ready(ctx)
	}
}

// health answers 200 UP, or 503 DOWN with the reason.
func (h *Handler) health(ex *exchange, r *http.Request, err error) {
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		ex.Header().Set("Allow", "GET, HEAD")
		ex.refuse(&refusal{http.StatusMethodNotAllowed, CodeMethodNotAllowed, "use GET"}, mediaJSON)
		return
	}
	status, body := http.StatusOK, []byte(`{"status":"UP"}`)
	if err != nil {
		status = http.StatusServiceUnavailable
		body = append(appendString([]byte(`{"status":"DOWN","reason":`), err.Error()), '}')
	}
	ex.Header().Set("Cache-Control", "no-store")
	ex.write(status, mediaJSON, body)
}

// graphql answers at the endpoint. id is a document's that stands in the path.
func (h *Handler) graphql(ex *exchange, r *http.Request, id string) {
	h.cors(ex.Header(), r)
	if r.Method == http.MethodOptions {
		ex.quiet = true
		h.options(ex, r)
		return
	}
	if isUpgrade(r) {
		h.socket(ex, r)
		return
	}
	if h.cfg.Streams.SingleConnection && h.singleConnection(ex, r) {
		return
	}
	if r.Method == http.MethodGet {
		ex.Header().Add("Vary", "Accept")
	}
	accepts := accept(r.Header["Accept"])
	if err := h.admit(ex, r, accepts); err != nil {
		ex.refuse(err, accepts.single)
		return
	}
	ex.req = Request{Header: r.Header, ID: ex.id, QueryOnly: r.Method == http.MethodGet, ids: h.cfg.DocumentIDs, alternative: id}
	h.clients.identify(&ex.req, r.RemoteAddr)
	if err := h.authenticate(r.Context(), &ex.req); err != nil {
		ex.refuse(err, accepts.single)
		return
	}
	if err := ex.decode(); err != nil {
		ex.refuse(err, accepts.single)
		return
	}
	if ex.batch != nil {
		h.answerBatch(ex, r, accepts)
		return
	}
	h.answer(ex, r, accepts)
}

// admit refuses what can be refused by the request's line and headers.
func (h *Handler) admit(ex *exchange, r *http.Request, accepts acceptance) *refusal {
	switch {
	case r.Method != http.MethodGet && r.Method != http.MethodPost:
		ex.Header().Set("Allow", allowedMethods)
		return &refusal{
			http.StatusMethodNotAllowed, CodeMethodNotAllowed,
			"the method " + r.Method + " is not allowed: use POST, or GET for queries",
		}
	case accepts.single == mediaNone:
		return &refusal{
			http.StatusNotAcceptable, CodeNotAcceptable,
			"none of the media types in Accept can be served: use application/graphql-response+json or application/json",
		}
	case r.Method == http.MethodPost && isForm(r.Header):
		return h.admitForm(r.Header)
	case !h.csrfSafe(r):
		return &refusal{
			http.StatusForbidden, CodeCSRF,
			"refused to prevent cross-site request forgery: send the header GraphQL-Require-Preflight, " +
				"a Content-Type of application/json, or call from an allowed origin",
		}
	case r.Method == http.MethodPost:
		return admitBody(ex.Header(), r.Header)
	}
	return nil
}

// admitBody refuses bodies that can't be read.
func admitBody(answer, header http.Header) *refusal {
	if types := header["Content-Type"]; len(types) != 1 || !isJSON(types[0]) {
		return &refusal{
			http.StatusUnsupportedMediaType, CodeUnsupportedMediaType,
			"expected the header Content-Type: application/json, in UTF-8",
		}
	}
	if encodings := header["Content-Encoding"]; len(encodings) > 1 || len(encodings) == 1 && encodings[0] != "" && codingOf(encodings[0]) == codings {
		return unsupportedCoding(answer, strings.Join(encodings, ", "))
	}
	return nil
}

// answer gives the request to the engine and writes what it answers.
func (h *Handler) answer(ex *exchange, r *http.Request, accepts acceptance) {
	ex.req.Increments = accepts.increments.format()
	if accepts.stream != mediaNone && ex.form == nil {
		h.streamOrAnswer(ex, r, accepts)
		return
	}
	ex.req.Began = time.Now()
	ctx := newWithin(r.Context(), ex.req.Began.Add(h.cfg.HTTP.Timeout))
	defer ctx.end()
	ex.deliver(h.now.Load().engine.Execute(ctx, &ex.req), accepts)
}
