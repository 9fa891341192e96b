package responsecache

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"golang.org/x/net/http/httpguts"

	"github.com/agora-supergraph/agora/router/supergraph"
)

// Config says what is kept. The zero value keeps nothing.
type Config struct {
	// Subgraphs are those whose answers may be kept, by name. Those that are not named are always asked.
	Subgraphs map[string]Subgraph
	// Mutations say what mutation fields change besides the entities that their payloads name, by the field's name.
	Mutations map[string]Changes
	// MaxBytes bounds what is kept in the process; what was not used for longest goes first. Zero means 64 MiB.
	MaxBytes int `min:"0" max:"1099511627776"`
	// Redis is the URL of a Redis that routers share what they keep by: redis://user:password@host:6379/0, rediss for TLS.
	// While it is away, subgraphs are asked. It must not evict keys by chance: noeviction or volatile-ttl. Empty means that
	// each router keeps its own, in the process.
	Redis string `format:"uri" schemes:"redis,rediss,unix"`
	// Prefix begins the keys in Redis. Empty means agora.
	Prefix string
	// Timeout bounds a command to Redis. Zero means 50 ms.
	Timeout time.Duration `min:"0s" max:"10s"`
	// ReadYourWrites is how long a client's reads go to subgraphs after a mutation of its own. Zero means 5 s; less than
	// zero means not at all.
	ReadYourWrites time.Duration `min:"-1s" max:"1h"`
	// Invalidation is the endpoint at which others say what has changed.
	Invalidation Invalidation
	// DebugHeader is the header of responses that says what was found, such as Agora-Cache. Empty means none.
	DebugHeader string
}

// Subgraph says what is kept of a subgraph's answers.
type Subgraph struct {
	// MaxAge is for answers of which neither a Cache-Control header nor a hint says how long they may be kept. Zero means
	// that they are not.
	MaxAge time.Duration `min:"0s" max:"24h"`
	// StaleWhileRevalidate is how long an answer may be given after its time, while a newer one is fetched, unless a hint or
	// the header says so. Zero means not at all.
	StaleWhileRevalidate time.Duration `min:"0s" max:"24h"`
	// IgnoreHeaders are headers to the subgraph that don't change its answers. All others are a part of the key; leaving out
	// Authorization is right only if what the subgraph shows to some callers alone is marked private.
	IgnoreHeaders []string
	// Hints are for a Type or a Type.field, such as Product or Query.products.
	Hints map[string]Hint
}

// Hint says how long what is of a type, or in a field, may be kept.
type Hint struct {
	// MaxAge is how long. Zero says nothing of it.
	MaxAge time.Duration `min:"0s" max:"24h"`
	// Never says that it may not be kept at all.
	Never bool
	// Private says that it is for whom it was made for alone.
	Private bool
	// StaleWhileRevalidate is how long it may be given after its time, while a newer one is fetched. Zero means as the
	// subgraph's.
	StaleWhileRevalidate time.Duration `min:"0s" max:"24h"`
	// Tags are names by which it can be invalidated.
	Tags []string
}

// Changes are what a mutation field changes.
type Changes struct {
	// Types are the types whose entities it changes, besides those in its payload.
	Types []string
	// Nothing says that it changes nothing that is kept.
	Nothing bool
}

// Invalidation is the endpoint at which others say what has changed.
type Invalidation struct {
	// Token is the secret that requests have to show: Authorization: Bearer TOKEN. Empty means that there is no endpoint.
	Token string
	// Path is the endpoint's URL path. Empty means /cache/invalidate.
	Path string
}

// Enabled says whether anything is kept.
func (c Config) Enabled() bool { return len(c.Subgraphs) > 0 }

// Validate says everything in c that can't work; the messages name the settings as the configuration file does.
func (c Config) Validate() error {
	var errs []error
	for name, s := range c.Subgraphs {
		for _, header := range s.IgnoreHeaders {
			if !httpguts.ValidHeaderFieldName(header) {
				errs = append(errs, fmt.Errorf("response_cache.subgraphs.%s.ignore_headers: %q is no header name", name, header))
			}
		}
		for at, h := range s.Hints {
			if h.Never && h.MaxAge > 0 {
				errs = append(errs, fmt.Errorf("response_cache.subgraphs.%s.hints.%s: never and max_age exclude each other", name, at))
			}
			if t, f, dot := strings.Cut(at, "."); t == "" || dot && f == "" {
				errs = append(errs, fmt.Errorf("response_cache.subgraphs.%s.hints: %q: expected Type or Type.field", name, at))
			}
		}
	}
	for name, m := range c.Mutations {
		if m.Nothing && len(m.Types) > 0 {
			errs = append(errs, fmt.Errorf("response_cache.mutations.%s: nothing and types exclude each other", name))
		}
	}
	if c.DebugHeader != "" && !httpguts.ValidHeaderFieldName(c.DebugHeader) {
		errs = append(errs, fmt.Errorf("response_cache.debug_header: %q is no header name", c.DebugHeader))
	}
	if p := c.Invalidation.Path; p != "" && (!strings.HasPrefix(p, "/") || strings.ContainsAny(p, "?#{} ")) {
		errs = append(errs, fmt.Errorf("response_cache.invalidation.path %q: expected an absolute URL path", p))
	}
	if c.Invalidation.Token != "" && len(c.Invalidation.Token) < minToken {
		errs = append(errs, fmt.Errorf("response_cache.invalidation.token: at least %d characters are needed", minToken))
	}
	return errors.Join(errs...)
}

const minToken = 16

// fits says what of c is not in a supergraph.
func (c Config) fits(sg *supergraph.Supergraph) error {
	var errs []error
	has := func(setting, typeName, field string) {
		if t := sg.Type(typeName); t == nil || field != "" && t.Field(field) == nil {
			errs = append(errs, fmt.Errorf("%s: the supergraph has none of that name", setting))
		}
	}
	for name, s := range c.Subgraphs {
		if !slices.ContainsFunc(sg.Subgraphs, func(s supergraph.Subgraph) bool { return s.Name == name }) {
			errs = append(errs, fmt.Errorf("response_cache.subgraphs: there is no subgraph %q", name))
		}
		for at := range s.Hints {
			t, f, _ := strings.Cut(at, ".")
			has("response_cache.subgraphs."+name+".hints."+at, t, f)
		}
	}
	for field, m := range c.Mutations {
		if sg.Mutation == nil || sg.Mutation.Field(field) == nil {
			errs = append(errs, fmt.Errorf("response_cache.mutations.%s: the supergraph has no such mutation", field))
		}
		for _, t := range m.Types {
			has("response_cache.mutations."+field+".types: "+t, t, "")
		}
	}
	return errors.Join(errs...)
}

// Pages is the invalidation endpoint by its path; empty if there is none.
func (c *Cache) Pages() map[string]http.Handler {
	if c.cfg.Invalidation.Token == "" {
		return nil
	}
	path := c.cfg.Invalidation.Path
	if path == "" {
		path = "/cache/invalidate"
	}
	return map[string]http.Handler{path: endpoint{c}}
}
