// Package heap says when the garbage collector runs.
package heap

import (
	"os"
	"runtime"
	"runtime/debug"
	"runtime/metrics"
)

// standard is the collector's own setting: the heap may grow by as much as is alive, in percent.
const standard = 100

// Floor lets the heap grow to a size, in bytes, before it is collected, however little of it is alive. A service keeps little and
// allocates much: with the standard setting it would look through the little over and over. Where
// more than half of the size is alive, nothing changes, and neither where the environment sets GOGC.
func Floor(size uint64) {
	if os.Getenv("GOGC") != "" {
		return
	}
	debug.SetGCPercent(percent(0, size))
	runtime.SetFinalizer(&cycle{}, func(c *cycle) { c.ended(size) })
}

// cycle is garbage from the beginning, so that its finalizer runs behind every collection.
type cycle struct{ _ [1]*byte }

func (c *cycle) ended(size uint64) {
	alive := []metrics.Sample{{Name: "/gc/heap/live:bytes"}}
	metrics.Read(alive)
	debug.SetGCPercent(percent(alive[0].Value.Uint64(), size))
	runtime.SetFinalizer(c, func(c *cycle) { c.ended(size) })
}

// smallest is what the runtime takes for a heap where there is next to none.
const smallest = 4 << 20

// percent is the setting by which a heap of which some is alive grows to a size.
func percent(alive, size uint64) int {
	alive = min(max(alive, smallest), size)
	return int(max(standard, 100*(size-alive)/alive))
}
