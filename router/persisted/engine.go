// Package persisted lets clients name a document instead of sending it, and lets an operator say which documents a client may
// send at all.
//
// In comes a serve.Request with an id, a text or both; out goes the same request with its text, to the Engine behind, or a
// refusal. Since it stands between the front door and the router, the rules are the same over GET, POST, WebSocket,
// server-sent events and batches. Texts come from two places:
//   - persisted documents: manifests that clients' builds publish, read by Run again and again, the last good ones kept;
//   - automatic persisted queries (APQ), which clients register as they go: a saving of bytes, never a safelist.
//
// An id may come as documentId (https://github.com/graphql/graphql-over-http, appendix A on persisted documents), in Apollo's
// extension persistedQuery, as doc_id, in the URL. Refusals have the codes and status codes that the habit by which the id came
// knows: those of Apollo's router for the extension, those of Hive's for the others.
package persisted

import (
	"context"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/agora-supergraph/agora/router/persisted/automatic"
	"github.com/agora-supergraph/agora/router/serve"
)

// Config is what an Engine needs. The zero value works.
type Config struct {
	// Next answers the requests, whose Query is always there. It may be set later, by Around.
	Next serve.Engine
	// Automatic stores automatic persisted queries. Nil turns them off. Clients whose mode is Safelist or RequireID have none.
	Automatic automatic.Store
	// Manifests hold the persisted documents. Of two that give an id different texts the first one counts.
	Manifests []Manifest
	// Mode says what clients may send that are not in Clients, and those that name nobody. Empty means Off.
	Mode Mode
	// Clients are rules for clients by name.
	Clients map[string]Client
	// Bypass lets a request send any text, whatever the mode; nil lets none.
	Bypass func(req *serve.Request) bool
	// Warm makes a document ready to be executed, and says what is wrong with it. It is called for each text of the manifests
	// when that is new, one after the other, and by Engine.Warm. A document that it refuses is logged and stays: those who ask
	// for it get the error. Nil means that documents are not looked at before somebody asks for them.
	Warm func(ctx context.Context, query string) error
	// Tokens bounds the lexical tokens of a text that is compared with the safelist. Zero means 15,000.
	Tokens int
	// Logger is told of manifests that changed or can't be read, and of unknown operations. Nil discards.
	Logger *slog.Logger
	// Now is the clock by which documents retire. Nil means time.Now.
	Now func() time.Time
}

// Engine resolves the documents of requests. It is a serve.Engine, safe for concurrent use.
type Engine struct {
	cfg       Config
	manifests []*watched
	library   atomic.Pointer[library]
	// missing counts the manifests that were never read.
	missing atomic.Int32

	// mu lets one reading of manifests replace the library at a time.
	mu sync.Mutex
}

var _ serve.Engine = (*Engine)(nil)

// New returns an engine that knows no documents yet: call Load, then Run.
func New(cfg Config) (*Engine, error) {
	if err := checkRules(cfg); err != nil {
		return nil, err
	}
	if cfg.Tokens == 0 {
		cfg.Tokens = 15_000
	}
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	e := &Engine{cfg: cfg}
	for _, m := range cfg.Manifests {
		e.manifests = append(e.manifests, &watched{Manifest: m})
	}
	e.missing.Store(int32(len(e.manifests)))
	e.library.Store(e.newLibrary(nil))
	return e, nil
}

// Around sets Config.Next, for router.Config.Around: it is called once, before the first request.
func (e *Engine) Around(next serve.Engine) serve.Engine {
	e.cfg.Next = next
	return e
}

// Execute answers a query or a mutation.
func (e *Engine) Execute(ctx context.Context, req *serve.Request) *serve.Response {
	register, refused := e.resolve(ctx, req)
	if refused != nil {
		return refused
	}
	resp := e.cfg.Next.Execute(ctx, req)
	if register != "" && resp.Outcome == serve.Executed {
		e.cfg.Automatic.Put(ctx, register, req.Query)
	}
	return resp
}

// Subscribe starts a subscription, or answers an operation that is none.
func (e *Engine) Subscribe(ctx context.Context, req *serve.Request) (serve.Subscription, *serve.Response) {
	register, refused := e.resolve(ctx, req)
	if refused != nil {
		return nil, refused
	}
	sub, resp := e.cfg.Next.Subscribe(ctx, req)
	if register != "" && (sub != nil || resp.Outcome == serve.Executed) {
		e.cfg.Automatic.Put(ctx, register, req.Query)
	}
	return sub, resp
}
