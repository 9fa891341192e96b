package telemetry

import "sync"

// names are the values that a label may have: those listed, and some that turn up where not everybody can make them up. All
// others are "other", and none is "": what clients send never makes a new time series.
type names struct {
	most int

	mu    sync.RWMutex
	known map[string]bool
	// listed are those that closed takes.
	listed map[string]bool
}

const other = "other"

func newNames(listed []string, most int) *names {
	n := &names{most: most, known: map[string]bool{}, listed: map[string]bool{}}
	for _, name := range listed {
		n.listed[name] = true
	}
	return n
}

// closed takes names that anybody may have made up.
func (n *names) closed(name string) string {
	if name == "" || n.listed[name] {
		return name
	}
	return other
}

// open takes names of trusted origin, as many as there may be.
func (n *names) open(name string) string {
	if name == "" || n.listed[name] {
		return name
	}
	n.mu.RLock()
	known := n.known[name]
	n.mu.RUnlock()
	if known {
		return name
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	if len(n.known) >= n.most {
		return other
	}
	n.known[name] = true
	return name
}
