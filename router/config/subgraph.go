package config

import (
	"cmp"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"os"
	"time"

	"github.com/agora-supergraph/agora/router/traffic"
	"github.com/agora-supergraph/agora/router/transport"
)

// Subgraph says how a subgraph is reached.
type Subgraph struct {
	// URL is the endpoint, http or https, or unix:///FILE?path=/graphql for a socket. Empty means the routing URL in the
	// supergraph.
	URL string `format:"uri" schemes:"http,https,unix"`
	// Timeout bounds one request, from connect to last byte. Zero means 5 s.
	Timeout time.Duration `min:"0s" max:"1h"`
	// ConnectTimeout bounds dialling and the TLS handshake, each. Zero means 3 s.
	ConnectTimeout time.Duration `min:"0s" max:"10m"`
	// IdleTimeout is how long an unused connection is kept. Zero means 60 s.
	IdleTimeout time.Duration `min:"0s" max:"1h"`
	// MaxIdleConnections bounds the unused connections that are kept. Zero means 1024.
	MaxIdleConnections int `min:"0" max:"1000000"`
	// MaxResponseBytes bounds an answer, after decompression. Zero means 64 MiB.
	MaxResponseBytes int `min:"0" max:"4294967296"`
	// Headers are sent with every request. Their values are secrets.
	Headers map[string]string
	// DeadlineHeader is the header that tells the subgraph how many milliseconds are left for its answer. Empty means none.
	DeadlineHeader string
	// Traffic guards it.
	Traffic traffic.Config `yaml:",inline"`
	// TLS says how https is spoken.
	TLS TLS
	// Proxy is the URL of an HTTP proxy. Empty means none; the environment is not consulted.
	Proxy string `format:"uri"`
	// Gzip asks for compressed answers: worth it over slow links only.
	Gzip bool
	// Subscriptions says how subscriptions are carried.
	Subscriptions Subscriptions
}

// Subscriptions says how subscriptions reach a subgraph.
type Subscriptions struct {
	// Protocol is the transport. Empty means websocket.
	Protocol string `enum:"websocket,sse,multipart"`
	// URL is where they go. Empty means the subgraph's URL, with ws or wss for WebSocket.
	URL string `format:"uri" schemes:"http,https,ws,wss,unix"`
	// StartTimeout bounds the time until the subgraph has accepted. Zero means 10 s.
	StartTimeout time.Duration `min:"0s" max:"10m"`
	// MaxEventBytes bounds one event. Zero means 4 MiB.
	MaxEventBytes int `min:"0" max:"1073741824"`
	// ReconnectFor is how long a stream that broke off, as when the subgraph restarts, is tried again before the subscription
	// ends. Zero means 30 s, a negative value that it is not tried.
	ReconnectFor time.Duration `min:"-1s" max:"24h"`
	// Backlog is how many events of a subscription that several clients share (share_queries) wait for one that reads slower
	// than they come. Zero means 100.
	Backlog int `min:"0" max:"1000000"`
	// DropOldest makes the one that is too slow lose the oldest events, instead of its subscription.
	DropOldest bool
}

// TLS says how https is spoken to a subgraph.
type TLS struct {
	// CAFile is a PEM file of the authorities whose certificates are taken. Empty means the system's.
	CAFile string
	// CertFile and KeyFile are PEM files that the router identifies itself by (mutual TLS). Empty means that it doesn't.
	CertFile string
	// KeyFile holds the private key of CertFile.
	KeyFile string
	// ServerName is the name that the certificate must be for. Empty means the URL's host.
	ServerName string
}

// config is nil if nothing is set.
func (t TLS) config() (*tls.Config, error) {
	if t == (TLS{}) {
		return nil, nil //nolint:nilnil // nil is net/http's default
	}
	cfg := &tls.Config{ServerName: t.ServerName, MinVersion: tls.VersionTLS12}
	if t.CAFile != "" {
		pem, err := os.ReadFile(t.CAFile)
		if err != nil {
			return nil, fmt.Errorf("tls.ca_file: %w", err)
		}
		if cfg.RootCAs = x509.NewCertPool(); !cfg.RootCAs.AppendCertsFromPEM(pem) {
			return nil, fmt.Errorf("tls.ca_file: %s holds no certificate in PEM", t.CAFile)
		}
	}
	if (t.CertFile == "") != (t.KeyFile == "") {
		return nil, errors.New("tls: cert_file and key_file belong together")
	}
	if t.CertFile != "" {
		pair, err := tls.LoadX509KeyPair(t.CertFile, t.KeyFile)
		if err != nil {
			return nil, fmt.Errorf("tls.cert_file: %w", err)
		}
		cfg.Certificates = []tls.Certificate{pair}
	}
	return cfg, nil
}

// Transports are the subgraphs' transports by name; that of all others is under "". It reads the files that TLS needs.
func (c Config) Transports() (map[string]transport.HTTPConfig, error) {
	list := map[string]transport.HTTPConfig{}
	var errs []error
	for name, s := range c.subgraphs() {
		cfg, err := s.transport()
		if err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", cmp.Or(name, "all_subgraphs"), err))
		}
		list[name] = cfg
	}
	return list, errors.Join(errs...)
}

// Traffic are the policies for subgraphs by name; those for all others are under "".
func (c Config) Traffic() map[string]traffic.Config {
	list := map[string]traffic.Config{}
	for name, s := range c.subgraphs() {
		list[name] = s.Traffic
	}
	return list
}

func (c Config) subgraphs() map[string]Subgraph {
	list := map[string]Subgraph{"": c.AllSubgraphs}
	maps.Copy(list, c.Subgraphs)
	return list
}

func (s Subgraph) transport() (transport.HTTPConfig, error) {
	cfg := transport.HTTPConfig{
		URL: s.URL, Timeout: s.Timeout, ConnectTimeout: s.ConnectTimeout, IdleTimeout: s.IdleTimeout,
		MaxIdleConns: s.MaxIdleConnections, MaxResponseBytes: s.MaxResponseBytes, DeadlineHeader: s.DeadlineHeader, Gzip: s.Gzip,
		Subscriptions: transport.SubscriptionConfig{
			Protocol: transport.Protocol(s.Subscriptions.Protocol), URL: s.Subscriptions.URL,
			StartTimeout: s.Subscriptions.StartTimeout, MaxEventBytes: s.Subscriptions.MaxEventBytes,
			Reconnect: transport.Reconnect{For: s.Subscriptions.ReconnectFor}, Backlog: s.Subscriptions.Backlog, DropOldest: s.Subscriptions.DropOldest,
		},
	}
	if len(s.Headers) > 0 {
		cfg.Header = make(http.Header, len(s.Headers))
		for name, value := range s.Headers {
			cfg.Header.Set(name, value)
		}
	}
	var err error
	if cfg.TLS, err = s.TLS.config(); err != nil {
		return cfg, err
	}
	if s.Proxy != "" {
		if cfg.Proxy, err = url.Parse(s.Proxy); err != nil {
			return cfg, fmt.Errorf("proxy: %w", err)
		}
	}
	return cfg, nil
}
