package serve

import "sync"

// lifetime is what a handler shares with those that replace it: one listener, one end.
type lifetime struct {
	// draining is closed when streams are to end.
	draining  chan struct{}
	drainOnce sync.Once
	// streams counts subscriptions and WebSockets, which http.Server.Shutdown does not know or not end.
	streams streamGroup
	// reservations are the event streams that several operations share.
	reservations reservations
	sockets      socketCount
}

// Replace makes next answer what comes from now on, such as with another configuration. What has begun goes on as it is,
// streams too, and ends with h's listener. Settings of the listener and its connections stay those of h. next must not
// have served before.
func (h *Handler) Replace(next *Handler) {
	next.lifetime = h.lifetime
	h.next.Store(next)
}

// SameListener says whether two configurations differ in nothing that only a new listener can take up.
func (c Config) SameListener(other Config) bool {
	c, other = c.withDefaults(), other.withDefaults()
	return c.Listen == other.Listen && c.TLS == other.TLS && c.H2C == other.H2C && c.HTTP.MaxHeaderBytes == other.HTTP.MaxHeaderBytes &&
		c.HTTP.ReadHeaderTimeout == other.HTTP.ReadHeaderTimeout && c.HTTP.IdleTimeout == other.HTTP.IdleTimeout
}
