package id

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"pgregory.net/rapid"
)

func TestIdentifiersSayTheirType(t *testing.T) {
	s := New(Order)
	if Prefix(s) != Order || !Is(Order, s) || Is(Product, s) {
		t.Errorf("New(%q) = %q with prefix %q", Order, s, Prefix(s))
	}
}

func TestIdentifiersSortByTimeOfCreation(t *testing.T) {
	var ids []string
	for range 5 {
		ids = append(ids, New(User))
		time.Sleep(2 * time.Millisecond)
	}
	if !slices.IsSorted(ids) {
		t.Errorf("not in order: %q", ids)
	}
}

func TestIdentifiersAreDistinct(t *testing.T) {
	seen := map[string]bool{}
	for range 10_000 {
		s := New(User)
		if seen[s] {
			t.Fatalf("%q was made twice", s)
		}
		seen[s] = true
	}
}

func TestAnIdentifierHoldsAUUIDv7OfItsTime(t *testing.T) {
	before := time.Now().Add(-time.Millisecond)
	raw, err := encoding.DecodeString(strings.TrimPrefix(New(User), User+"_"))
	if err != nil {
		t.Fatal(err)
	}
	u := uuid.UUID(raw)
	seconds, nanos := u.Time().UnixTime()
	if at := time.Unix(seconds, nanos); u.Version() != 7 || at.Before(before) || at.After(time.Now().Add(time.Second)) {
		t.Errorf("version %d of %v", u.Version(), at)
	}
}

func TestDerivedIdentifiersDependOnTypeAndNameAlone(t *testing.T) {
	a := Derived(Reservation, "ord_1:reserve")
	if !Is(Reservation, a) || a != Derived(Reservation, "ord_1:reserve") {
		t.Errorf("Derived = %q, then %q", a, Derived(Reservation, "ord_1:reserve"))
	}
	if a == Derived(Reservation, "ord_2:reserve") || strings.TrimPrefix(a, Reservation) == strings.TrimPrefix(Derived(Payment, "ord_1:reserve"), Payment) {
		t.Error("another name or type gives the same identifier")
	}
}

func TestWhatIsNoIdentifierHasNoPrefix(t *testing.T) {
	good := strings.TrimPrefix(New(User), User+"_")
	for name, s := range map[string]string{
		"empty":               "",
		"only a prefix":       "usr_",
		"no prefix at all":    good,
		"too short":           "usr_" + good[1:],
		"too long":            "usr_" + good + "0",
		"capitals":            "usr_" + strings.ToUpper(good[:25]) + "Z",
		"letters left out":    "usr_" + good[:25] + "i",
		"a line break inside": "usr_" + good[:25] + "\n",
		"a line break behind": "usr_" + good + "\n",
		"a NUL":               "usr_" + good[:25] + "\x00",
		"another separator":   "usr-" + good,
	} {
		if got := Prefix(s); got != "" {
			t.Errorf("%s: Prefix(%q) = %q, want none", name, s, got)
		}
	}
}

// What two texts name must be one thing, or a cache, a lock and a log would take it for two.
func TestNoTwoTextsAreTheSameIdentifier(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		body := rapid.StringOfN(rapid.RuneFrom([]rune("0123456789abcdefghjkmnpqrstvwxyz")), length, length, -1).Draw(t, "body")
		s := User + "_" + body
		raw, err := encoding.DecodeString(body)
		if err != nil {
			t.Fatalf("decode %q: %v", body, err)
		}
		if canonical := encoding.EncodeToString(raw); Is(User, s) != (canonical == body) {
			t.Errorf("Is(%q) = %v, although it spells %q", s, Is(User, s), canonical)
		}
	})
}
