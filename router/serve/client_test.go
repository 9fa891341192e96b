package serve

import (
	"net/http"
	"testing"
)

func TestTheClientsAddressIsTheLastOneThatNoTrustedProxyHas(t *testing.T) {
	c, err := newClients(Clients{TrustedProxies: []string{"10.0.0.0/8", "192.0.2.7", "::1"}})
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		name, remote string
		forwarded    []string
		want         string
	}{
		{"nobody in between", "198.51.100.1:4711", nil, "198.51.100.1"},
		{"somebody who pretends", "198.51.100.1:4711", []string{"203.0.113.9"}, "198.51.100.1"},
		{"one proxy", "10.1.2.3:4711", []string{"203.0.113.9"}, "203.0.113.9"},
		{"what comes before the last hop may be made up", "10.1.2.3:4711", []string{"1.1.1.1, 203.0.113.9"}, "203.0.113.9"},
		{"two proxies", "10.1.2.3:4711", []string{"203.0.113.9, 192.0.2.7"}, "203.0.113.9"},
		{"two header lines", "10.1.2.3:4711", []string{"203.0.113.9", "10.9.9.9"}, "203.0.113.9"},
		{"proxies all the way", "10.1.2.3:4711", []string{"10.4.4.4"}, "10.4.4.4"},
		{"nonsense", "10.1.2.3:4711", []string{"<script>"}, "10.1.2.3"},
		{"a proxy over IPv6", "[::1]:4711", []string{"2001:db8::1"}, "2001:db8::1"},
		{"a proxy over IPv4 in IPv6", "[::ffff:10.1.2.3]:4711", []string{"203.0.113.9"}, "203.0.113.9"},
	} {
		t.Run(test.name, func(t *testing.T) {
			req := Request{Header: http.Header{"X-Forwarded-For": test.forwarded}}
			c.identify(&req, test.remote)
			if req.Address != test.want {
				t.Errorf("address = %s, want %s", req.Address, test.want)
			}
		})
	}
}

func TestAProxyThatIsNoAddressIsRefused(t *testing.T) {
	if _, err := newClients(Clients{TrustedProxies: []string{"proxy.example"}}); err == nil {
		t.Error("a name is taken for an address")
	}
}
