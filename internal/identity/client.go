package identity

import (
	"context"
	"net/http"
	"net/netip"
)

// ClientAddressHeader is the header in which the router says where a request came from: one IP address. Nobody
// else may set it, so the router replaces what a client sends.
const ClientAddressHeader = "X-Client-Address"

// Client is the program that a request came from, as far as the router tells.
type Client struct {
	// Address is where it is; the zero Addr if that is not known.
	Address netip.Addr
	// UserAgent is what it says that it is, unchecked.
	UserAgent string
}

// ReadClient reads the headers of a request.
func ReadClient(h http.Header) Client {
	c := Client{UserAgent: h.Get("User-Agent")}
	if address, err := netip.ParseAddr(h.Get(ClientAddressHeader)); err == nil {
		c.Address = address.Unmap().WithZone("")
	}
	return c
}

// Network is what one client can have many addresses in: the address itself, or the first 64 bits of an IPv6
// address, which is what one household gets. It is empty if the address is not known.
func (c Client) Network() string {
	if !c.Address.IsValid() {
		return ""
	}
	if c.Address.Is4() {
		return c.Address.String()
	}
	network, err := c.Address.Prefix(64)
	if err != nil {
		return c.Address.String()
	}
	return network.String()
}

type clientKey struct{}

// WithClient returns a context that carries the client.
func WithClient(ctx context.Context, c Client) context.Context {
	return context.WithValue(ctx, clientKey{}, c)
}

// ClientFrom is the client that the context carries, or one of which nothing is known.
func ClientFrom(ctx context.Context) Client {
	c, _ := ctx.Value(clientKey{}).(Client)
	return c
}
