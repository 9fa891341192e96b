package serve

import (
	"net/http"
	"sync"
)

// socketCount counts open WebSockets: each takes memory for as long as its client likes.
type socketCount struct {
	mu        sync.Mutex
	total     int
	byAddress map[string]int
}

// enter counts one more of an address, unless there are too many.
func (c *socketCount) enter(address string, bounds Streams) *refusal {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case c.total >= bounds.MaxSockets:
		return &refusal{http.StatusServiceUnavailable, CodeUnavailable, "too many WebSockets are open"}
	case bounds.MaxSocketsPerAddress > 0 && c.byAddress[address] >= bounds.MaxSocketsPerAddress:
		return &refusal{http.StatusTooManyRequests, CodeTooManySockets, "too many WebSockets are open from this address"}
	}
	if c.byAddress == nil {
		c.byAddress = map[string]int{}
	}
	c.total++
	c.byAddress[address]++
	return nil
}

func (c *socketCount) leave(address string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.total--
	if c.byAddress[address]--; c.byAddress[address] == 0 {
		delete(c.byAddress, address)
	}
}
