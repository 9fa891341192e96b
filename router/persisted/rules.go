package persisted

import (
	"fmt"
	"slices"

	"github.com/agora-supergraph/agora/router/serve"
)

// Mode says what a client may send besides the ids of its documents.
type Mode string

// The modes, each stricter than the one before.
const (
	// Off lets any text pass. It is the same as the empty mode.
	Off Mode = "off"
	// Log lets any text pass, and logs each that is in no manifest of the client: for the time before Safelist.
	Log Mode = "log"
	// Safelist lets texts pass that a manifest of the client has, by their normal form, and questions about the schema.
	Safelist Mode = "safelist"
	// RequireID lets no text pass.
	RequireID Mode = "require_id"
)

var modes = []Mode{Off, Log, Safelist, RequireID}

// strictness is the mode's place among modes; -1 for none.
func (m Mode) strictness() int {
	if m == "" {
		return 0
	}
	return slices.Index(modes, m)
}

// Client are the rules for one client.
type Client struct {
	// Mode says what it may send. Empty means Off. It can be laxer than Config.Mode only for requests with the client's key:
	// anybody can send a header with its name.
	Mode Mode
	// RequireKey ignores the name in requests without the client's API key: its documents are for its own use.
	RequireKey bool
}

func checkRules(cfg Config) error {
	if cfg.Mode.strictness() < 0 {
		return fmt.Errorf("persisted: the mode %q is unknown: want one of %v", cfg.Mode, modes)
	}
	for name, client := range cfg.Clients {
		if client.Mode.strictness() < 0 {
			return fmt.Errorf("persisted: client %s: the mode %q is unknown: want one of %v", name, client.Mode, modes)
		}
	}
	return nil
}

// caller is who sends a request, as far as documents are concerned.
type caller struct {
	name, version string
	// proven means that an API key says so.
	proven bool
	mode   Mode
}

// caller finds out who sends a request, and what they may send.
func (e *Engine) caller(req *serve.Request) caller {
	c := caller{name: req.Client.Name, version: req.Client.Version, mode: e.cfg.Mode}
	if req.Claims != nil && req.Claims.Client != "" {
		c.name, c.proven = req.Claims.Client, true
	}
	rules, known := e.cfg.Clients[c.name]
	if known && rules.RequireKey && !c.proven {
		c.name, c.version, known = "", "", false
	}
	if known && (c.proven || rules.Mode.strictness() > c.mode.strictness()) {
		c.mode = rules.Mode
	}
	if e.cfg.Bypass != nil && e.cfg.Bypass(req) {
		c.mode = Off
	}
	return c
}

// mayClaim says whether the caller may ask for documents by an id that names their client.
func (e *Engine) mayClaim(c caller, name string) bool {
	if c.name != "" {
		return c.name == name
	}
	return !e.cfg.Clients[name].RequireKey
}

// BypassByScope is a Config.Bypass for those whose token or key has a scope; an empty scope lets nobody.
func BypassByScope(scope string) func(req *serve.Request) bool {
	return func(req *serve.Request) bool {
		return scope != "" && req.Claims != nil && slices.Contains(req.Claims.Scopes, scope)
	}
}
