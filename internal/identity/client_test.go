package identity

import (
	"net/http"
	"testing"
)

func TestAClientIsKnownByItsNetwork(t *testing.T) {
	for header, want := range map[string]string{
		"203.0.113.7":          "203.0.113.7",
		"::ffff:203.0.113.7":   "203.0.113.7",
		"2001:db8:1:2:3:4:5:6": "2001:db8:1:2::/64",
		"2001:db8:1:2::9":      "2001:db8:1:2::/64",
		"fe80::1%eth0":         "fe80::/64",
		"":                     "",
		"203.0.113.7, 1.2.3.4": "",
		"somewhere":            "",
	} {
		if got := ReadClient(http.Header{ClientAddressHeader: {header}}).Network(); got != want {
			t.Errorf("network of %q = %q, want %q", header, got, want)
		}
	}
}
