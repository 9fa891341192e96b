package responsecache

// Observer watches a cache, for metrics. Its methods are called from many goroutines at once, and must return at once.
type Observer interface {
	// LookedUp is told of each query to a subgraph whose answers are kept: how many of its parts, entities or the root fields
	// together, were there, were there and old, and were not. Direct says that nothing was looked for, since the client has
	// just written something.
	LookedUp(subgraph string, hits, stale, misses int, direct bool)
	// Stored is told how many bytes were kept of a subgraph's answer.
	Stored(subgraph string, bytes int)
	// Invalidated is told of each type, entity or tag of which what was kept of a subgraph has been ended, or of all of it.
	Invalidated(subgraph string)
	// Holds is told by how much has changed what is kept in the process.
	Holds(bytes int)
}

// Observe lets o watch the cache. It is called before the cache is used.
func (c *Cache) Observe(o Observer) {
	c.observer = o
	if m, ok := c.store.(*memory); ok {
		m.observer = o
	}
}

// Subgraphs are the names of those whose answers are kept, sorted.
func (c *Cache) Subgraphs() []string { return c.names() }

// unobserved is the observer of a cache that nobody watches.
type unobserved struct{}

func (unobserved) LookedUp(string, int, int, int, bool) {}
func (unobserved) Stored(string, int)                   {}
func (unobserved) Invalidated(string)                   {}
func (unobserved) Holds(int)                            {}
