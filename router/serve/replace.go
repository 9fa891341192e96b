package serve

import (
	"context"
	"net/http"
	"sync"
	"sync/atomic"
)

// lifetime is what a handler shares with those that replace it: one listener, one end.
type lifetime struct {
	// now is who answers.
	now atomic.Pointer[answering]
	// draining is closed when streams are to end.
	draining  chan struct{}
	drainOnce sync.Once
	// streams counts subscriptions and WebSockets, which http.Server.Shutdown does not know or not end.
	streams streamGroup
	// reservations are the event streams that several operations share.
	reservations reservations
	// resumables are those that wait for clients that may come back.
	resumables resumables
	sockets    socketCount
}

// answering is the handler that answers, with what stands behind it. Of handlers that were replaced, streams and the listener
// hold on to the door alone: what stood behind it goes, with all its caches.
type answering struct {
	handler *Handler
	engine  Engine
	ready   func(ctx context.Context) error
	pages   map[string]http.Handler
	// replaced ends, by retire, when another one answers.
	replaced context.Context
	retire   context.CancelFunc
}

// newLifetime is that of a first handler, of which it takes what stands behind it.
func newLifetime(h *Handler) *lifetime {
	a := &answering{handler: h, engine: h.cfg.Engine, ready: h.cfg.Ready, pages: h.cfg.Pages}
	h.cfg.Engine, h.cfg.Ready, h.cfg.Pages = nil, nil, nil
	a.replaced, a.retire = context.WithCancel(context.Background())
	l := &lifetime{draining: make(chan struct{})}
	l.now.Store(a)
	return l
}

// Replace makes next answer what comes from now on, such as with another configuration. Requests under way end as they
// began. Subscriptions are authenticated and started again behind next, and go on there without a gap; those that next does
// not allow end with the error that says so. Settings of the listener and its connections stay those of h. next must not
// have served before.
func (h *Handler) Replace(next *Handler) {
	a := next.now.Load()
	next.lifetime = h.lifetime
	h.now.Swap(a).retire() // after the swap: subscriptions look for what has come instead
}

// SameListener says whether two configurations differ in nothing that only a new listener can take up.
func (c Config) SameListener(other Config) bool {
	c, other = c.withDefaults(), other.withDefaults()
	return c.Listen == other.Listen && c.TLS == other.TLS && c.H2C == other.H2C && c.HTTP.MaxHeaderBytes == other.HTTP.MaxHeaderBytes &&
		c.HTTP.ReadHeaderTimeout == other.HTTP.ReadHeaderTimeout && c.HTTP.IdleTimeout == other.HTTP.IdleTimeout
}
