package users

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"
)

// From the reference implementation: echo -n "password" | argon2 somesalt -id -t 2 -m 16 -p 1 -l 32 (its test.c).
const referencePHC = "$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc"

func TestHashesOfOtherProgramsVerify(t *testing.T) {
	h, err := newHasher(cheap)
	if err != nil {
		t.Fatal(err)
	}
	for password, want := range map[string]bool{"password": true, "Password": false, "": false} {
		ok, outdated, err := h.verify(t.Context(), password, referencePHC)
		if err != nil || ok != want || !outdated {
			t.Errorf("verify(%q) = %v, outdated %v, %v; want %v", password, ok, outdated, err, want)
		}
	}
}

func TestTheDefaultCostIsOWASPs(t *testing.T) {
	h, err := newHasher(PasswordCost{})
	if err != nil || h.cost != (PasswordCost{MemoryKiB: 19456, Passes: 2, Lanes: 1}) {
		t.Errorf("cost %+v, %v", h.cost, err)
	}
}

func TestDamagedHashesAreErrors(t *testing.T) {
	h, err := newHasher(cheap)
	if err != nil {
		t.Fatal(err)
	}
	good, err := h.hash(t.Context(), "x")
	if err != nil {
		t.Fatal(err)
	}
	for _, phc := range []string{
		"x", strings.Replace(good, "argon2id", "argon2i", 1), strings.Replace(good, "v=19", "v=16", 1),
		strings.Replace(good, "m=64", "m=4294967295", 1), strings.Replace(good, "t=1", "t=0", 1),
		strings.Replace(good, "p=1", "p=0", 1), good[:len(good)-30], good + "!", good + "$",
	} {
		if ok, _, err := h.verify(t.Context(), "x", phc); ok || err == nil {
			t.Errorf("verify against %s = %v, %v", phc, ok, err)
		}
	}
	for _, c := range []PasswordCost{{MemoryKiB: 4, Passes: 1, Lanes: 1}, {MemoryKiB: 64, Passes: 1}, {MemoryKiB: 2 << 20, Passes: 1, Lanes: 1}} {
		if _, err := newHasher(c); err == nil {
			t.Errorf("cost %+v is accepted", c)
		}
	}
}

func TestNoMoreHashesRunThanThereAreSlots(t *testing.T) {
	h, err := newHasher(cheap)
	if err != nil {
		t.Fatal(err)
	}
	for range cap(h.running) {
		h.running <- struct{}{}
	}
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer cancel()
	if _, err := h.hash(ctx, "x"); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("a hash ran while all slots were taken: %v", err)
	}
}

func TestEveryPlaceInTheQueueIsGivenBack(t *testing.T) {
	h, err := newHasher(cheap)
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	for range 4 * cap(h.places) {
		wg.Go(func() {
			if leave, ok := h.enter(); ok {
				leave()
			}
		})
	}
	wg.Wait()
	if len(h.places) != 0 {
		t.Errorf("%d places are taken by nobody", len(h.places))
	}
}

func BenchmarkHashAtTheDefaultCost(b *testing.B) {
	h, err := newHasher(PasswordCost{})
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if _, err := h.hash(b.Context(), goodPassword); err != nil {
			b.Fatal(err)
		}
	}
}
