package batch

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"
)

// counted is a Load that keeps the keys of each read.
func counted(reads *[][]string) *Load[int] {
	return &Load[int]{Read: func(_ context.Context, keys []string) (map[string]int, error) {
		slices.Sort(keys)
		*reads = append(*reads, keys)
		values := map[string]int{}
		for _, k := range keys {
			if k != "none" {
				values[k] = len(k)
			}
		}
		return values, nil
	}}
}

func TestTheFirstDemandReadsAllThatIsWanted(t *testing.T) {
	var reads [][]string
	l := counted(&reads)
	l.Want("a", "bb")
	l.Put("known", 7)
	l.Want("known", "none")
	var wg sync.WaitGroup
	for key, want := range map[string]int{"a": 1, "bb": 2, "known": 7, "none": 0} {
		wg.Go(func() {
			if got, err := l.Get(t.Context(), key); err != nil || got != want {
				t.Errorf("%s = %d, %v, want %d", key, got, err, want)
			}
		})
	}
	wg.Wait()
	if len(reads) != 1 || !slices.Equal(reads[0], []string{"a", "bb", "none"}) {
		t.Errorf("reads %v", reads)
	}
}

func TestWhatIsForgottenIsReadAgain(t *testing.T) {
	var reads [][]string
	l := counted(&reads)
	l.Want("a", "bb")
	for _, forget := range []func(){func() {}, func() { l.Forget("a") }, l.ForgetAll} {
		forget()
		if _, err := l.Get(t.Context(), "a"); err != nil {
			t.Fatal(err)
		}
	}
	if len(reads) != 3 || len(reads[0]) != 2 || len(reads[1]) != 1 || len(reads[2]) != 1 {
		t.Errorf("reads %v", reads)
	}
}

func TestAReadThatFailsIsTriedAgain(t *testing.T) {
	failing := true
	l := &Load[int]{Read: func(_ context.Context, keys []string) (map[string]int, error) {
		if failing {
			return nil, errors.New("away")
		}
		return map[string]int{keys[0]: 1}, nil
	}}
	if _, err := l.Get(t.Context(), "a"); err == nil {
		t.Fatal("no error")
	}
	failing = false
	if got, err := l.Get(t.Context(), "a"); got != 1 || err != nil {
		t.Errorf("%d, %v", got, err)
	}
}
