package webhook

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"syscall"
	"time"
)

// ErrAddress says that an endpoint is at an address that webhooks are not sent to.
var ErrAddress = errors.New("webhooks go to public addresses only")

// maxURL bounds the URL of an endpoint, in bytes.
const maxURL = 2000

// CheckURL refuses what can't be an endpoint's URL. Names are not looked up here: what they stand for may change,
// so that it is checked again whenever a connection is made.
func (q *Queue) CheckURL(raw string) error {
	u, err := url.Parse(raw)
	switch {
	case err != nil || len(raw) > maxURL || u.Hostname() == "" || u.Opaque != "":
		return errors.New("it is no absolute URL")
	case u.User != nil || u.Fragment != "":
		return errors.New("it may not hold a user, a password or a fragment")
	case u.Scheme != "https" && (u.Scheme != "http" || !q.cfg.Private):
		return errors.New("it must begin with https://")
	}
	if ip, err := netip.ParseAddr(u.Hostname()); err == nil && !q.cfg.Private && !public(ip) {
		return ErrAddress
	}
	return nil
}

// reserved are the ranges that lead into somebody's own network or nowhere, by IANA's registries of special-purpose
// addresses, and those in which an IPv4 address hides (NAT64, 6to4, Teredo).
var reserved = prefixes(
	"0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.0.0.0/24", "192.0.2.0/24",
	"192.88.99.0/24", "192.168.0.0/16", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4",
	"::/96", "64:ff9b::/96", "64:ff9b:1::/48", "100::/64", "2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20", "5f00::/16",
	"fc00::/7", "fe80::/10", "fec0::/10", "ff00::/8",
)

func prefixes(list ...string) []netip.Prefix {
	all := make([]netip.Prefix, len(list))
	for i, s := range list {
		all[i] = netip.MustParsePrefix(s)
	}
	return all
}

// public reports whether an address is one of the internet.
func public(ip netip.Addr) bool {
	ip = ip.Unmap().WithZone("")
	for _, p := range reserved {
		if p.Contains(ip) {
			return false
		}
	}
	return ip.IsValid()
}

// client sends webhooks: it follows no redirect and uses no proxy, and looks at each address right before it
// connects, behind the resolution of its name, so that no name can stand for a public address when it is checked and
// for a private one when it is used.
func (cfg Config) client() *http.Client {
	dialer := &net.Dialer{Timeout: cfg.Timeout, Control: func(_, address string, _ syscall.RawConn) error {
		to, err := netip.ParseAddrPort(address)
		if err != nil {
			return fmt.Errorf("%q: %w", address, ErrAddress)
		}
		if !cfg.Private && !public(to.Addr()) {
			return ErrAddress
		}
		return nil
	}}
	return &http.Client{
		Timeout: cfg.Timeout,
		Transport: &http.Transport{
			DialContext: dialer.DialContext, TLSHandshakeTimeout: cfg.Timeout, ForceAttemptHTTP2: true,
			MaxIdleConns: parallel, MaxIdleConnsPerHost: perEndpoint, IdleConnTimeout: 90 * time.Second, MaxResponseHeaderBytes: 64 << 10,
		},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}
