package fault

import (
	"errors"
	"testing"
	"time"
)

func TestAPointFailsOnlyWhereAndAsOftenAsItIsToldTo(t *testing.T) {
	t.Cleanup(func() { Configure("", 0) })
	if err := Configure("a=error; b=error@0.5; c=delay:20ms", 7); err != nil {
		t.Fatal(err)
	}
	if err := Point("a"); !errors.Is(err, ErrInjected) {
		t.Errorf("a: %v", err)
	}
	if err := Point("somewhere else"); err != nil {
		t.Errorf("a point that nobody named: %v", err)
	}
	failed := 0
	for range 1000 {
		if Point("b") != nil {
			failed++
		}
	}
	if failed < 400 || failed > 600 {
		t.Errorf("b failed %d times of 1000, want about half", failed)
	}
	begun := time.Now()
	if err := Point("c"); err != nil || time.Since(begun) < 20*time.Millisecond {
		t.Errorf("c: %v after %v", err, time.Since(begun))
	}
	if err := Configure("", 0); err != nil || Point("a") != nil {
		t.Error("a still fails after all faults were switched off")
	}
}

func TestASpecThatCantBeReadSaysWhatIsWanted(t *testing.T) {
	for _, spec := range []string{"a", "a=explode", "a=delay:soon", "a=error@often", "=error@"} {
		if err := Configure(spec, 0); err == nil {
			t.Errorf("%q was taken", spec)
			Configure("", 0)
		}
	}
}
