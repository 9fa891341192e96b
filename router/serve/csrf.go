package serve

import (
	"net/http"
	"strings"
)

// Cross-site request forgery: a page elsewhere makes a browser send a request with the credentials that the
// browser holds for us. The page can do so unseen only by a request that needs no CORS preflight.
//
// Apollo's rule refuses every request that needed none. It also refuses curl, the audits of GraphQL over
// HTTP and urql's GET of persisted documents, none of which is an attack. So a request passes if any of these
// holds:
//
//  1. It forced a preflight: its Content-Type is none that a form can send, or it has one of the headers
//     below. (This is Apollo's rule, and with CSRF.RequireHeader the only one.)
//  2. Its Origin is allowed by CORS by name; or all origins are, and it carries no cookie.
//  3. The browser says that it comes from ourselves, or from nobody's page: Sec-Fetch-Site is same-origin or
//     none, or, where that is missing (plain HTTP, old browsers), Origin or Referer is our own host.
//  4. It is not a browser's: no Sec-Fetch-Site, Origin or Referer, and no User-Agent that begins with
//     Mozilla/, as every browser's does and no page can change without a preflight.
//
// A GET never runs a mutation and a body is read only as application/json, so what is left to prevent is
// the timing of queries from elsewhere; nothing that changes data depends on this rule.

// preflightHeaders force a preflight. The first two are Apollo's, sent by its clients.
var preflightHeaders = [...]string{"X-Apollo-Operation-Name", "Apollo-Require-Preflight", "Graphql-Require-Preflight"}

// csrfSafe says whether a request passes the rule above.
func (h *Handler) csrfSafe(r *http.Request) bool {
	if h.cfg.CSRF.Disabled || preflighted(r.Header) {
		return true
	}
	return !h.cfg.CSRF.RequireHeader && h.fromTrustedPlace(r)
}

func preflighted(header http.Header) bool {
	for _, name := range preflightHeaders {
		if len(header[name]) > 0 && header[name][0] != "" {
			return true
		}
	}
	contentType := header.Get("Content-Type")
	if contentType == "" {
		return false
	}
	name, _ := cutQuoted(contentType, ';')
	switch strings.ToLower(strings.TrimSpace(name)) {
	case "application/x-www-form-urlencoded", "multipart/form-data", "text/plain":
		return false
	}
	// A value that is no media type at all is sent by browsers without a preflight, too.
	return strings.Contains(name, "/")
}

// trusts says whether CORS lets pages of another origin make this request with what it carries: "*" is for
// requests without a cookie.
func (h *Handler) trusts(r *http.Request, origin string) bool {
	return origin != "" && (h.origins.named(origin) || h.origins.any && len(r.Header["Cookie"]) == 0)
}

func (h *Handler) fromTrustedPlace(r *http.Request) bool {
	origin := r.Header.Get("Origin")
	if h.trusts(r, origin) {
		return true
	}
	switch r.Header.Get("Sec-Fetch-Site") {
	case "":
	case "same-origin", "none":
		return true
	default:
		return false
	}
	if origin != "" {
		return sameOrigin(r, origin)
	}
	if referer := r.Header.Get("Referer"); referer != "" {
		return sameOrigin(r, referer)
	}
	return !strings.HasPrefix(r.Header.Get("User-Agent"), "Mozilla/")
}
