package heap

import "testing"

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
