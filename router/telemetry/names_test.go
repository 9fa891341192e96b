package telemetry

import (
	"strconv"
	"testing"
)

func TestALabelHasNoMoreValuesThanItMay(t *testing.T) {
	n := newNames([]string{"listed"}, 3)
	for _, test := range []struct{ name, want string }{
		{"", ""}, {"listed", "listed"}, {"a", "a"}, {"b", "b"}, {"c", "c"}, {"d", other}, {"a", "a"}, {"listed", "listed"},
	} {
		if got := n.open(test.name); got != test.want {
			t.Errorf("open(%q) = %q, want %q", test.name, got, test.want)
		}
	}
	for i := range 1000 {
		n.open(strconv.Itoa(i))
		n.closed(strconv.Itoa(i))
	}
	if len(n.known) != 3 {
		t.Errorf("%d names are kept", len(n.known))
	}
	if got := n.closed("a"); got != other {
		t.Errorf("closed(a) = %q: what one may say is not what all may", got)
	}
}
