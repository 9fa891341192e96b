package orders

import (
	"sync"

	"github.com/agora-supergraph/agora/subgraphs/orders/gen"
)

// hub tells those who wait for an order in this process that its status has changed. It may drop what a slow
// listener doesn't take: listeners look at the database from time to time as well, since the change may have been
// made by another replica. The zero value is ready.
type hub struct {
	mu        sync.Mutex
	listeners map[string]map[chan gen.OrderStatus]bool
}

// listen returns a channel of an order's statuses, and the function that ends it.
func (h *hub) listen(orderID string) (<-chan gen.OrderStatus, func()) {
	ch := make(chan gen.OrderStatus, 8)
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.listeners == nil {
		h.listeners = map[string]map[chan gen.OrderStatus]bool{}
	}
	if h.listeners[orderID] == nil {
		h.listeners[orderID] = map[chan gen.OrderStatus]bool{}
	}
	h.listeners[orderID][ch] = true
	return ch, func() {
		h.mu.Lock()
		defer h.mu.Unlock()
		delete(h.listeners[orderID], ch)
		if len(h.listeners[orderID]) == 0 {
			delete(h.listeners, orderID)
		}
	}
}

// notify tells all listeners of an order. Call it after the commit.
func (h *hub) notify(orderID string, status gen.OrderStatus) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for ch := range h.listeners[orderID] {
		select {
		case ch <- status:
		default:
		}
	}
}
