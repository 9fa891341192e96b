package persisted

import (
	"context"
	"log/slog"
	"strings"

	"github.com/agora-supergraph/agora/router/persisted/manifest"
	"github.com/agora-supergraph/agora/router/serve"
)

// habit is the way by which an id came, which decides how refusals look.
type habit uint8

const (
	// byExtension is Apollo's.
	byExtension habit = iota
	// byParameter is the specification's, Hive's and Relay's.
	byParameter
)

// resolve sets the text of a request, or refuses it. register is the hash under which the text is to be stored if it turns
// out to be one that can be executed; mostly empty.
//
// The order of decisions is that of Apollo's router, for all habits: first what has an id, then what has none.
func (e *Engine) resolve(ctx context.Context, req *serve.Request) (register string, refused *serve.Response) {
	id, how := req.DocumentID, byParameter
	if id == "" {
		given, ok := req.PersistedQuery()
		switch {
		case ok && given.Version == "1":
			id, how = given.SHA256Hash, byExtension
		case ok && req.Query == "":
			// A client that hears this sends the text alone.
			return "", refuse(serve.TextNeeded, serve.CodePersistedQueryNotSupported, messageNotSupported)
		}
	}
	c := e.caller(req)
	switch {
	case id == "":
		return "", e.admitText(ctx, c, req)
	case req.Query == "":
		return "", e.resolveID(ctx, c, req, id, how)
	case how == byExtension && e.mayRegister(c):
		if manifest.SHA256(req.Query) != id {
			return "", hashMismatch()
		}
		return id, e.admitText(ctx, c, req)
	}
	return "", idAndBody(how)
}

// mayRegister says whether a caller has automatic persisted queries: a client with a safelist has not, since that would hold
// whatever the client sent.
func (e *Engine) mayRegister(c caller) bool {
	return e.cfg.Automatic != nil && c.mode.strictness() < Safelist.strictness()
}

// resolveID sets the text of a request that has an id only.
func (e *Engine) resolveID(ctx context.Context, c caller, req *serve.Request, id string, how habit) *serve.Response {
	if d := e.lookUp(c, id); d != nil {
		req.Query, req.Published = d.Text, true
		return nil
	}
	switch {
	case how == byExtension && e.mayRegister(c):
		text, ok := e.cfg.Automatic.Get(ctx, id)
		if !ok {
			return askForText()
		}
		req.Query = text
		return e.admitText(ctx, c, req)
	case e.missing.Load() > 0:
		return notLoaded()
	case how == byExtension:
		return notInList(id, req.OperationName)
	case malformed(id):
		return extractionFailed(id)
	}
	return notFound(id)
}

// lookUp finds a document by its id as it was sent: as a whole, or as name~version~id, which says whose it is.
func (e *Engine) lookUp(c caller, id string) *document {
	l, now := e.library.Load(), e.cfg.Now()
	if d := l.find(c, id, now); d != nil {
		return d
	}
	name, rest, _ := strings.Cut(id, "~")
	version, hash, ok := strings.Cut(rest, "~")
	if !ok || malformed(id) || !e.mayClaim(c, name) {
		return nil
	}
	return l.find(caller{name: name, version: version}, hash, now)
}

// malformed says whether an id has the form of Hive's, name~version~id, but lacks a part or has one too many.
func malformed(id string) bool {
	parts := strings.Split(id, "~")
	if len(parts) == 1 {
		return false
	}
	return len(parts) != 3 || parts[0] == "" || parts[1] == "" || parts[2] == ""
}

// admitText decides on a request that has a text, by the caller's mode. A text that a manifest has in another notation is
// replaced by that one, so that all of them share a plan.
func (e *Engine) admitText(ctx context.Context, c caller, req *serve.Request) *serve.Response {
	if c.mode.strictness() == 0 {
		return nil
	}
	if c.mode == RequireID {
		return idRequired()
	}
	l := e.library.Load()
	if d := l.findText(c, req.Query, e.cfg.Tokens, e.cfg.Now()); d != nil {
		req.Query, req.Published = d.Text, true
		return nil
	}
	// Whether clients may ask for the schema is not this package's decision.
	if manifest.Introspects(req.Query, e.cfg.Tokens) {
		return nil
	}
	if l.seen.first(c.name, req.Query) {
		e.cfg.Logger.LogAttrs(
			ctx, slog.LevelWarn, "unknown operation",
			slog.String("id", req.ID), slog.String("client", c.name), slog.String("version", c.version), slog.String("operation", req.OperationName),
			slog.String("sha256", manifest.SHA256(req.Query)), slog.Bool("refused", c.mode == Safelist),
		)
	}
	switch {
	case c.mode == Log:
		return nil
	case e.missing.Load() > 0:
		return notLoaded()
	}
	return notInSafelist()
}
