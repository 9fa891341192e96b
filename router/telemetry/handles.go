package telemetry

import "sync"

// handles are metrics by their labels, each made when it is first needed: a vector of Prometheus hashes label by label to find
// one, and a request needs several. There are as many as there are time series, which the labels bound.
type handles[K comparable, M any] struct {
	create func(K) M

	mu   sync.RWMutex
	made map[K]M
}

func newHandles[K comparable, M any](create func(K) M) *handles[K, M] {
	return &handles[K, M]{create: create, made: map[K]M{}}
}

// of is the metric with the labels.
func (h *handles[K, M]) of(labels K) M {
	h.mu.RLock()
	m, ok := h.made[labels]
	h.mu.RUnlock()
	if ok {
		return m
	}
	m = h.create(labels) // the same one for all who come here at the same time
	h.mu.Lock()
	defer h.mu.Unlock()
	h.made[labels] = m
	return m
}
