package serve

import (
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
)

// origins is the set of other origins that may call.
type origins struct {
	any   bool
	exact map[string]bool
	// suffixes are "scheme://" and ".host" of patterns with a wildcard for subdomains.
	suffixes []originPattern
}

type originPattern struct{ scheme, suffix string }

func parseOrigins(c CORS) (origins, error) {
	o := origins{exact: make(map[string]bool)}
	for _, origin := range c.Origins {
		if origin == "*" {
			o.any = true
			continue
		}
		u, err := url.Parse(strings.Replace(origin, "://*.", "://wildcard.", 1))
		if err != nil || u.Host == "" || u.Scheme == "" || u.Path != "" || u.RawQuery != "" || u.Fragment != "" || u.User != nil ||
			strings.Contains(u.Host, "*") {
			return o, fmt.Errorf("cors.origins %q: expected scheme://host[:port], scheme://*.host or *", origin)
		}
		if scheme, suffix, ok := strings.Cut(strings.ToLower(origin), "://*."); ok {
			o.suffixes = append(o.suffixes, originPattern{scheme + "://", "." + suffix})
			continue
		}
		o.exact[strings.ToLower(origin)] = true
	}
	if o.any && c.Credentials {
		return o, fmt.Errorf("cors.credentials: can't be combined with the origin *")
	}
	return o, nil
}

// named says whether an origin is allowed by name, and not just because all are.
func (o *origins) named(origin string) bool {
	origin = strings.ToLower(origin)
	if o.exact[origin] {
		return true
	}
	for _, p := range o.suffixes {
		if rest, ok := strings.CutPrefix(origin, p.scheme); ok && len(rest) > len(p.suffix) && strings.HasSuffix(rest, p.suffix) {
			return true
		}
	}
	return false
}

func (o *origins) allows(origin string) bool { return o.any || o.named(origin) }

// sameOrigin says whether an origin, or another absolute URL, is of the host that the request was sent to.
// The scheme is left out: behind a proxy that ends TLS we can't know our own.
func sameOrigin(r *http.Request, origin string) bool {
	_, rest, ok := strings.Cut(origin, "://")
	if !ok {
		return false
	}
	host, _, _ := strings.Cut(rest, "/")
	return strings.EqualFold(host, r.Host)
}

// varyOrigin is shared: what is added behind it goes into a copy.
var varyOrigin = []string{"Origin"}

// cors adds the response headers of the CORS protocol, for the endpoint only. The request goes on whether
// the origin is allowed or not: it is the browser that keeps the answer from the page.
func (h *Handler) cors(header http.Header, r *http.Request) {
	if len(h.cfg.CORS.Origins) == 0 {
		return
	}
	// The answer to one origin must not be given from a cache to another.
	if had := header["Vary"]; had == nil {
		header["Vary"] = varyOrigin
	} else {
		header["Vary"] = append(had, varyOrigin...)
	}
	origin := r.Header.Get("Origin")
	if origin == "" || !h.origins.allows(origin) {
		return
	}
	if h.origins.any {
		header.Set("Access-Control-Allow-Origin", "*")
	} else {
		header.Set("Access-Control-Allow-Origin", origin)
	}
	if h.cfg.CORS.Credentials {
		header.Set("Access-Control-Allow-Credentials", "true")
	}
	if len(h.cfg.CORS.ExposeHeaders) > 0 {
		header.Set("Access-Control-Expose-Headers", strings.Join(h.cfg.CORS.ExposeHeaders, ", "))
	}
}

// options answers OPTIONS: preflights, and whoever asks for the methods.
func (h *Handler) options(w http.ResponseWriter, r *http.Request) {
	header := w.Header()
	more := ""
	if h.cfg.Streams.SingleConnection {
		more = ", PUT, DELETE"
	}
	header.Set("Allow", allowedMethods+more)
	if header.Get("Access-Control-Allow-Origin") != "" && r.Header.Get("Access-Control-Request-Method") != "" {
		header.Add("Vary", "Access-Control-Request-Headers")
		header.Set("Access-Control-Allow-Methods", "GET, POST"+more)
		allowed := strings.Join(h.cfg.CORS.Headers, ", ")
		if allowed == "" {
			allowed = r.Header.Get("Access-Control-Request-Headers")
		}
		if allowed != "" {
			header.Set("Access-Control-Allow-Headers", allowed)
		}
		header.Set("Access-Control-Max-Age", strconv.Itoa(int(h.cfg.CORS.MaxAge.Seconds())))
	}
	w.WriteHeader(http.StatusNoContent)
}
