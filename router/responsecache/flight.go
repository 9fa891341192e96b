package responsecache

import "sync"

// flights are the fetches under way, by the key of what they fetch: of many who miss the same at the same time, one asks.
type flights struct {
	mu    sync.Mutex
	calls map[string]*flight
}

// flight is the fetch of one key.
type flight struct{ done chan struct{} }

// claim says which of the keys the caller has to fetch, by their indexes: it must end them in any case. Somebody else is
// at the others.
func (f *flights) claim(keys []string) (own []int, others []*flight) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for i, key := range keys {
		if other := f.calls[key]; other != nil {
			others = append(others, other)
			continue
		}
		f.calls[key] = &flight{done: make(chan struct{})}
		own = append(own, i)
	}
	return own, others
}

// end lets those go on who wait for a key.
func (f *flights) end(keys []string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, key := range keys {
		close(f.calls[key].done)
		delete(f.calls, key)
	}
}
