package introspection

import (
	"container/list"
	"sync"
)

// cache keeps answers by their question; the one not asked for longest goes first.
type cache struct {
	most int

	mu    sync.Mutex
	bytes int
	byKey map[string]*list.Element
	order list.List
}

type kept struct {
	key  string
	body []byte
}

func (k *kept) size() int { return len(k.key) + len(k.body) }

func (c *cache) get(key string) ([]byte, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	e, ok := c.byKey[key]
	if !ok {
		return nil, false
	}
	c.order.MoveToFront(e)
	return e.Value.(*kept).body, true
}

func (c *cache) put(key string, body []byte) {
	k := &kept{key, body}
	c.mu.Lock()
	defer c.mu.Unlock()
	if _, ok := c.byKey[key]; ok || k.size() > c.most {
		return
	}
	if c.byKey == nil {
		c.byKey = map[string]*list.Element{}
	}
	c.byKey[key] = c.order.PushFront(k)
	for c.bytes += k.size(); c.bytes > c.most; {
		last := c.order.Back()
		dropped := c.order.Remove(last).(*kept)
		delete(c.byKey, dropped.key)
		c.bytes -= dropped.size()
	}
}
