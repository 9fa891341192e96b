package store

import (
	"sync"
	"testing"
)

func TestWhatWasOfUseOutlivesWhatWasNot(t *testing.T) {
	s := New[int](1000)
	for i := range 10 {
		s.Keep(uint64(i)<<32, i, 100)
	}
	for i := 0; i < 10; i += 2 {
		s.Get(uint64(i) << 32).Use()
	}
	for i := range 5 {
		s.Keep(uint64(100+i)<<32, 100+i, 100)
	}
	for i := range 10 {
		if kept := s.Get(uint64(i)<<32) != nil; kept != (i%2 == 0) {
			t.Errorf("value %d kept: %v", i, kept)
		}
	}
	if s.Len() != 10 || s.Bytes() != 1000 {
		t.Errorf("%d values of %d bytes", s.Len(), s.Bytes())
	}
}

func TestOneValueIsKeptForAHash(t *testing.T) {
	s := New[string](100)
	s.Keep(1, "a", 10)
	s.Keep(2, "b", 10) // in the same bucket
	s.Keep(1, "c", 20)
	s.Keep(3, "too large", 101)
	var all []string
	for e := range s.All() {
		all = append(all, e.Value)
	}
	if len(all) != 2 || all[0] != "b" || all[1] != "c" || s.Bytes() != 30 || s.Get(3) != nil || s.Get(1).Value != "c" {
		t.Errorf("kept %q of %d bytes", all, s.Bytes())
	}
}

func TestValuesAreFoundWhileOthersComeAndGo(t *testing.T) {
	s := New[uint64](64 * 100)
	var writers, readers sync.WaitGroup
	var mu sync.Mutex
	done := make(chan struct{})
	for range 4 {
		readers.Go(func() {
			for i := uint64(0); ; i++ {
				select {
				case <-done:
					return
				default:
				}
				if e := s.Get(i % 256); e != nil && e.Value != i%256 {
					t.Errorf("looked for %d, found %d", i%256, e.Value)
					return
				} else if e != nil {
					e.Use()
				}
			}
		})
	}
	for w := range uint64(2) {
		writers.Go(func() {
			for i := range uint64(5000) {
				n := (i*7 + w) % 256
				mu.Lock()
				s.Keep(n, n, 100)
				mu.Unlock()
			}
		})
	}
	writers.Wait()
	close(done)
	readers.Wait()
	if s.Bytes() != 100*s.Len() || s.Bytes() > s.Most() {
		t.Errorf("%d values of %d bytes, bound %d", s.Len(), s.Bytes(), s.Most())
	}
}

func BenchmarkKeep(b *testing.B) {
	s := New[int](64 << 20)
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		s.Keep(uint64(i)*0x9e3779b97f4a7c15, i, 8<<10)
	}
}
