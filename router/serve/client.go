package serve

import (
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strings"
)

// Clients says how clients are told apart.
type Clients struct {
	// NameHeaders are the headers that may hold the client's name; the first one that is there counts. Empty means
	// apollographql-client-name and graphql-client-name.
	NameHeaders []string `yaml:"name_headers"`
	// VersionHeaders are the same for its version. Empty means apollographql-client-version and graphql-client-version.
	VersionHeaders []string `yaml:"version_headers"`
	// TrustedProxies are the addresses, or networks as 10.0.0.0/8, whose X-Forwarded-For is believed; unix stands for who
	// connects over a unix socket. Empty means that the client is who has connected.
	TrustedProxies []string `yaml:"trusted_proxies"`
}

// Client is what a request says of the program that sent it. It is not proven: an API key or a token is.
type Client struct {
	Name, Version string
}

// clients finds out who a client is.
type clients struct {
	names, versions []string
	// credentials are Config.InitHeaders.
	credentials []string
	trusted     []netip.Prefix
	trustsUnix  bool
}

func newClients(cfg Clients) (clients, error) {
	c := clients{
		names:    canonical(cfg.NameHeaders, "Apollographql-Client-Name", "Graphql-Client-Name"),
		versions: canonical(cfg.VersionHeaders, "Apollographql-Client-Version", "Graphql-Client-Version"),
	}
	for _, text := range cfg.TrustedProxies {
		if text == unixPeer {
			c.trustsUnix = true
			continue
		}
		prefix, err := netip.ParsePrefix(text)
		if err != nil {
			address, err := netip.ParseAddr(text)
			if err != nil {
				return c, fmt.Errorf("clients.trusted_proxies: %q is no address, nor a network such as 10.0.0.0/8, nor unix", text)
			}
			prefix = netip.PrefixFrom(address, address.BitLen())
		}
		c.trusted = append(c.trusted, prefix)
	}
	return c, nil
}

func canonical(names []string, usual ...string) []string {
	if len(names) == 0 {
		return usual
	}
	list := make([]string, len(names))
	for i, name := range names {
		list[i] = http.CanonicalHeaderKey(name)
	}
	return list
}

// fromInit says whether a header may stand in the payload of connection_init.
func (c *clients) fromInit(name string) bool {
	return name == "Authorization" || name == "Accept" || slices.Contains(c.names, name) || slices.Contains(c.versions, name) || slices.Contains(c.credentials, name)
}

// identify sets what req says of its client, which has connected from remote.
func (c *clients) identify(req *Request, remote string) {
	c.name(req)
	req.Address = c.address(req.Header, remote)
}

// name sets what the program that sent req calls itself.
func (c *clients) name(req *Request) {
	req.Client = Client{limited(first(req.Header, c.names)), limited(first(req.Header, c.versions))}
}

func first(header http.Header, names []string) string {
	for _, name := range names {
		if values := header[name]; len(values) > 0 {
			return values[0]
		}
	}
	return ""
}

// limited cuts a name that is too long for logs and metrics.
func limited(name string) string {
	const most = 128
	if len(name) > most {
		return name[:most]
	}
	return name
}

// address is the client's: the last one of X-Forwarded-For that no trusted proxy has, if one has connected. What stands
// before it may be made up.
func (c *clients) address(header http.Header, remote string) string {
	host, _, err := net.SplitHostPort(remote)
	if err != nil {
		host = remote
	}
	if !c.trusts(host) {
		return host
	}
	hops := header["X-Forwarded-For"]
	for i := len(hops) - 1; i >= 0; i-- {
		rest := hops[i]
		for rest != "" {
			cut := strings.LastIndexByte(rest, ',')
			hop := strings.TrimSpace(rest[cut+1:])
			rest = rest[:max(cut, 0)]
			if _, err := netip.ParseAddr(hop); err != nil {
				return host // not what a proxy writes: the last one that is sure
			}
			if host = hop; !c.trusts(host) {
				return host
			}
		}
	}
	return host
}

func (c *clients) trusts(host string) bool {
	if host == unixPeer {
		return c.trustsUnix
	}
	if len(c.trusted) == 0 {
		return false
	}
	address, err := netip.ParseAddr(host)
	if err != nil {
		return false
	}
	address = address.Unmap().WithZone("")
	for _, prefix := range c.trusted {
		if prefix.Contains(address) {
			return true
		}
	}
	return false
}
