package transport

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"net/url"
)

// errHTTP2 says that the subgraph has chosen HTTP/2, which our client does not speak.
var errHTTP2 = errors.New("the subgraph speaks HTTP/2")

// encrypted opens connections with TLS. It offers what net/http would offer, so that a subgraph that has HTTP/2 is found
// out.
func encrypted(connect connector, cfg *HTTPConfig, u *url.URL) connector {
	settings := &tls.Config{}
	if cfg.TLS != nil {
		settings = cfg.TLS.Clone()
	}
	if settings.ServerName == "" {
		settings.ServerName = u.Hostname()
	}
	if len(settings.NextProtos) == 0 {
		settings.NextProtos = []string{"h2", "http/1.1"}
	}
	return func(ctx context.Context) (net.Conn, error) {
		below, err := connect(ctx)
		if err != nil {
			return nil, err
		}
		ctx, cancel := context.WithTimeout(ctx, cfg.ConnectTimeout)
		defer cancel()
		conn := tls.Client(below, settings)
		err = conn.HandshakeContext(ctx)
		if err == nil && conn.ConnectionState().NegotiatedProtocol == "h2" {
			err = errHTTP2
		}
		if err != nil {
			_ = below.Close()
			return nil, err
		}
		return conn, nil
	}
}

// beneath is the connection that a connection with TLS goes over, or the connection itself.
func beneath(conn net.Conn) net.Conn {
	if encrypted, ok := conn.(*tls.Conn); ok {
		return encrypted.NetConn()
	}
	return conn
}
