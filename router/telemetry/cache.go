package telemetry

import "github.com/agora-supergraph/agora/router/responsecache"

// answers are the metrics of the cache of subgraphs' answers. They are a responsecache.Observer.
type answers struct{ *metrics }

var _ responsecache.Observer = answers{}

// watchAnswers lets the cache be seen from its first look-up on: what has not happened yet is zero.
func (m *metrics) watchAnswers(cache *responsecache.Cache) {
	cache.Observe(answers{m})
	for _, subgraph := range cache.Subgraphs() {
		for _, result := range []string{"hit", "partial", "miss", "bypass"} {
			m.lookups.WithLabelValues(subgraph, result)
		}
		for _, result := range []string{"hit", "stale", "miss"} {
			m.parts.WithLabelValues(subgraph, result)
		}
		m.stored.WithLabelValues(subgraph)
		m.invalidations.WithLabelValues(subgraph)
	}
}

// LookedUp counts a look-up, and its parts.
func (m answers) LookedUp(subgraph string, hits, stale, misses int, direct bool) {
	found, how := hits+stale, "hit"
	switch {
	case direct:
		m.lookups.WithLabelValues(subgraph, "bypass").Inc()
		return
	case misses > 0 && found > 0:
		how = "partial"
	case misses > 0:
		how = "miss"
	}
	m.lookups.WithLabelValues(subgraph, how).Inc()
	for result, n := range map[string]int{"hit": hits, "stale": stale, "miss": misses} {
		m.parts.WithLabelValues(subgraph, result).Add(float64(n))
	}
}

// Stored counts bytes.
func (m answers) Stored(subgraph string, bytes int) {
	m.stored.WithLabelValues(subgraph).Add(float64(bytes))
}

// Invalidated counts what has been ended.
func (m answers) Invalidated(subgraph string) { m.invalidations.WithLabelValues(subgraph).Inc() }

// Holds moves the gauge.
func (m answers) Holds(bytes int) { m.held.Add(float64(bytes)) }
