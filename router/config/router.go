package config

import (
	"log/slog"
	"maps"
	"net/http"

	"github.com/agora-supergraph/agora/router"
	"github.com/agora-supergraph/agora/router/auth"
	"github.com/agora-supergraph/agora/router/execute"
	"github.com/agora-supergraph/agora/router/playground"
	"github.com/agora-supergraph/agora/router/responsecache"
)

// keySetPath is where the keys are that identities are signed with.
const keySetPath = "/.well-known/router/jwks.json"

// Router is what the configuration says of a router over the supergraph of sdl. It reads the files that TLS needs; it
// starts nothing.
func (c Config) Router(sdl string, log *slog.Logger) (router.Config, error) {
	cfg := router.Config{
		Supergraph: sdl, Headers: c.Headers, Traffic: c.Traffic(), Explain: c.Explain, Share: c.ShareQueries, ShareRequests: c.ShareRequests, CacheBytes: c.CacheBytes, Limits: c.Limits, Cost: c.Cost, RateLimit: c.RateLimit, Overload: c.Overload, HideSchema: !c.Introspection,
		Execute: execute.Config{SubgraphErrors: execute.ErrorPolicy{Redact: c.SubgraphErrors.Redact, OmitServiceName: c.SubgraphErrors.OmitServiceName}},
		Serve:   c.Serve,
	}
	cfg.Serve.Logger = log
	pages := map[string]http.Handler{}
	cfg.Serve.Pages = pages
	var err error
	if cfg.HTTP, err = c.Transports(); err != nil {
		return router.Config{}, err
	}
	if len(c.JWT.Issuers) > 0 {
		if cfg.Serve.Verifier, err = auth.NewVerifier(c.JWT.Auth()); err != nil {
			return router.Config{}, err
		}
	}
	if c.Headers.Identifies() {
		if cfg.Signer, err = auth.NewSigner(c.Identity); err != nil {
			return router.Config{}, err
		}
		pages[keySetPath] = cfg.Signer
	}
	if c.ResponseCache.Enabled() {
		cache, err := responsecache.New(c.ResponseCache)
		if err != nil {
			return router.Config{}, err
		}
		cfg.Hooks = append(cfg.Hooks, cache)
		maps.Copy(pages, cache.Pages())
	}
	if c.Playground {
		cfg.Serve.Playground = playground.Handler(playground.Config{Endpoint: cfg.Serve.Endpoint(), Explain: c.Explain})
	}
	return cfg, nil
}
