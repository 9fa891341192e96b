package telemetry

import (
	"sync"
	"sync/atomic"
)

// handles are metrics by their labels, each made when it is first needed: a vector of Prometheus hashes label by label to find
// one, and a request needs several. There are as many as there are time series, which the labels bound.
type handles[K comparable, M any] struct {
	create func(K) M
	// last is the one that was asked for last: one request is often like the one before, and to compare strings that are the
	// same takes a tenth of hashing them.
	last atomic.Pointer[handle[K, M]]

	mu   sync.RWMutex
	made map[K]*handle[K, M]
}

// handle is a metric with its labels.
type handle[K comparable, M any] struct {
	labels K
	metric M
}

func newHandles[K comparable, M any](create func(K) M) *handles[K, M] {
	return &handles[K, M]{create: create, made: map[K]*handle[K, M]{}}
}

// of is the metric with the labels.
func (h *handles[K, M]) of(labels K) M {
	if last := h.last.Load(); last != nil && last.labels == labels {
		return last.metric
	}
	h.mu.RLock()
	found := h.made[labels]
	h.mu.RUnlock()
	if found == nil {
		found = &handle[K, M]{labels, h.create(labels)} // the same metric for all who come here at the same time
		h.mu.Lock()
		h.made[labels] = found
		h.mu.Unlock()
	}
	h.last.Store(found)
	return found.metric
}
