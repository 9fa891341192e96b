package serve

import (
	"context"
	"sync"
)

// streamGroup counts what runs, and lets nothing in once it waits. A WaitGroup would not do: it must not be
// added to while somebody waits.
type streamGroup struct {
	mu     sync.Mutex
	n      int
	closed bool
	empty  chan struct{}
}

// enter is false once the group is closed.
func (g *streamGroup) enter() bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.closed {
		return false
	}
	g.n++
	return true
}

func (g *streamGroup) leave() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.n--
	if g.closed && g.n == 0 {
		close(g.empty)
	}
}

// close lets nothing in any more; the channel is closed when all have left.
func (g *streamGroup) close() <-chan struct{} {
	g.mu.Lock()
	defer g.mu.Unlock()
	if !g.closed {
		g.closed = true
		g.empty = make(chan struct{})
		if g.n == 0 {
			close(g.empty)
		}
	}
	return g.empty
}

// Drain ends all subscriptions and WebSockets and waits until they have, or until ctx ends. /health/ready
// answers 503 from now on. Plain requests go on; they are http.Server.Shutdown's.
func (h *Handler) Drain(ctx context.Context) error {
	h.drainOnce.Do(func() {
		close(h.draining)
		h.resumables.closeAll()
	})
	select {
	case <-h.streams.close():
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
