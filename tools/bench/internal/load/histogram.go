package load

import (
	"math/bits"
	"time"
)

// histogram counts durations in steps of at most 3 %: 32 to each power of two of nanoseconds.
type histogram struct {
	counts [64 * 32]uint32
	total  uint64
}

func (h *histogram) add(d time.Duration) {
	n := uint64(max(d, 32))
	shift := bits.Len64(n) - 6
	h.counts[max(shift, 0)*32+int(n>>max(shift, 0))]++
	h.total++
}

// merge adds what other has counted.
func (h *histogram) merge(other *histogram) {
	for i, n := range other.counts {
		h.counts[i] += n
	}
	h.total += other.total
}

// quantile is the duration that the part q of all does not exceed, q between 0 and 1.
func (h *histogram) quantile(q float64) time.Duration {
	rank := uint64(q * float64(h.total))
	for i, n := range h.counts {
		if uint64(n) > rank {
			shift := max(i/32-1, 0)
			return time.Duration(uint64(i-shift*32) << shift)
		}
		rank -= uint64(n)
	}
	return 0
}
