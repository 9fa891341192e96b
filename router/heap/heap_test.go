package heap

import (
	"runtime"
	"runtime/debug"
	"runtime/metrics"
	"testing"
	"time"
)

func TestAHeapGrowsToTheFloorAndAsEverFromHalfOfItOn(t *testing.T) {
	const size = 128 << 20
	for alive, want := range map[uint64]int{
		0: 3100, 4 << 20: 3100, 16 << 20: 700, 32 << 20: 300, 64 << 20: 100, 100 << 20: 100, 1 << 30: 100,
	} {
		if got := percent(alive, size); got != want {
			t.Errorf("with %d MiB alive: %d %%, want %d", alive>>20, got, want)
		}
	}
}

func TestTheSettingFollowsWhatIsAliveFromOneCollectionToTheNext(t *testing.T) {
	t.Setenv("GOGC", "")
	defer debug.SetGCPercent(debug.SetGCPercent(standard))
	Floor(128 << 20)
	kept := make([]byte, 64<<20)
	await(t, "as much may be added as ever", func(percent uint64) bool { return percent <= 110 })
	runtime.KeepAlive(kept)
	await(t, "much may be added again", func(percent uint64) bool { return percent > 1000 })
}

// await collects until the collector's setting is as it should be.
func await(t *testing.T, what string, right func(percent uint64) bool) {
	t.Helper()
	setting := []metrics.Sample{{Name: "/gc/gogc:percent"}}
	for range 1000 {
		runtime.GC()
		time.Sleep(time.Millisecond) // finalizers run behind it
		if metrics.Read(setting); right(setting[0].Value.Uint64()) {
			return
		}
	}
	t.Errorf("%s, but the setting is %d %%", what, setting[0].Value.Uint64())
}
