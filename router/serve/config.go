package serve

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"time"
)

// Config is the whole configuration of the front door. Only Engine is needed: the zero value of everything
// else works. The yaml tags are the names in the router's configuration file.
type Config struct {
	// Engine answers the requests.
	Engine Engine `yaml:"-"`
	// Verifier tells who is asking. Nil means that everyone is anonymous.
	Verifier Verifier `yaml:"-"`
	// Ready says whether requests can be answered: its error is the body of /health/ready, with status 503.
	// It must be quick. Nil means always.
	Ready func(ctx context.Context) error `yaml:"-"`
	// Playground is served at /playground and below, and / sends browsers there. Nil means that there is
	// none.
	Playground http.Handler `yaml:"-"`
	// Pages are further handlers, each at one path, such as an issuer's key set at /.well-known/jwks.json. Nil
	// means none.
	Pages map[string]http.Handler `yaml:"-"`
	// InitHeaders are headers that the payload of a WebSocket's connection_init may hold, besides Authorization and those that
	// name the client: an API key's, say. Nil means none.
	InitHeaders []string `yaml:"-"`
	// DocumentIDs says how requests may name a document instead of sending its text. Nil means that the engine knows no
	// ids: such requests are refused with PERSISTED_QUERY_NOT_SUPPORTED.
	DocumentIDs *DocumentIDs `yaml:"-"`
	// Logger gets one line a request, and what went wrong on our side. Nil discards.
	Logger *slog.Logger `yaml:"-"`
	// Observer is told of requests, streams and connections. Nil is not told.
	Observer Observer `yaml:"-"`
	// OnListen is told the address once Run listens. Nil is not told.
	OnListen func(addr net.Addr) `yaml:"-"`

	// Listen is the TCP address that Run listens on, as host:port, or a unix socket as unix:/run/router.sock. Port 0 lets
	// the system choose. Empty means 127.0.0.1:4000.
	Listen string `yaml:"listen"`
	// TLS makes it HTTPS, with HTTP/2.
	TLS TLS `yaml:"tls"`
	// Path is the URL path of the GraphQL endpoint. Empty means /graphql.
	Path string `yaml:"path"`
	// H2C accepts HTTP/2 without TLS next to HTTP/1.1: for a trusted proxy that speaks it.
	H2C bool `yaml:"h2c"`
	// Clients says how clients are told apart.
	Clients Clients `yaml:"clients"`
	// CORS says which other origins' pages may call the endpoint.
	CORS CORS `yaml:"cors"`
	// CSRF is the prevention of cross-site request forgery.
	CSRF CSRF `yaml:"csrf"`
	// HTTP bounds requests and connections.
	HTTP HTTP `yaml:"http"`
	// Compression says when answers are compressed. Compressed bodies of requests are always read: max_body_bytes bounds
	// what is in them.
	Compression Compression `yaml:"compression"`
	// Batching is about several operations in one request.
	Batching Batching `yaml:"batching"`
	// Uploads are files that come with mutations.
	Uploads Uploads `yaml:"uploads"`
	// Streams bounds subscriptions, over server-sent events and WebSocket.
	Streams Streams `yaml:"streams"`
}

// CORS is the policy for pages of other origins (https://fetch.spec.whatwg.org/#http-cors-protocol). The
// zero value allows the router's own origin only. WebSockets obey it too.
type CORS struct {
	// Origins that may call: "https://shop.example", "https://*.shop.example" for any subdomain, or "*" for
	// any origin at all.
	Origins []string `yaml:"origins"`
	// Headers that such pages may send. Empty allows what they ask for.
	Headers []string `yaml:"headers"`
	// ExposeHeaders are response headers that such pages may read besides the safelisted ones.
	ExposeHeaders []string `yaml:"expose_headers"`
	// Credentials allows cookies. It can't be combined with the origin "*".
	Credentials bool `yaml:"credentials"`
	// MaxAge is how long a browser may remember a preflight's answer. Zero means 2 h.
	MaxAge time.Duration `yaml:"max_age" min:"0s" max:"24h"`
}

// CSRF configures the prevention of cross-site request forgery; see csrf.go for the rule.
type CSRF struct {
	// Disabled turns it off: safe only where no browser ever holds credentials for the router.
	Disabled bool `yaml:"disabled"`
	// RequireHeader insists on Apollo's rule alone: a request must have forced a preflight, whatever the
	// browser says of its origin.
	RequireHeader bool `yaml:"require_header"`
}

// HTTP bounds what one HTTP request or connection may take.
type HTTP struct {
	// MaxBodyBytes is the largest request body. Zero means 2 MiB.
	MaxBodyBytes int64 `yaml:"max_body_bytes" min:"0" max:"1073741824"`
	// MaxHeaderBytes is the most that a request's line and headers may take. More is refused with status 431; more than four
	// times as much is not even read, and answered by a line of text. Zero means 64 KiB.
	MaxHeaderBytes int `yaml:"max_header_bytes" min:"0" max:"16777216"`
	// ReadHeaderTimeout is the time to send the headers. Zero means 10 s.
	ReadHeaderTimeout time.Duration `yaml:"read_header_timeout" min:"0s" max:"10m"`
	// ReadBodyTimeout is the time to send the body after the headers. Zero means 30 s.
	ReadBodyTimeout time.Duration `yaml:"read_body_timeout" min:"0s" max:"1h"`
	// Timeout bounds the execution of a query or a mutation. Zero means 60 s.
	Timeout time.Duration `yaml:"timeout" min:"0s" max:"1h"`
	// WriteTimeout is the time that a client may take to receive 256 KiB of an answer, or one event of a
	// stream. Zero means 30 s.
	WriteTimeout time.Duration `yaml:"write_timeout" min:"0s" max:"1h"`
	// IdleTimeout is how long a connection is kept for its next request. Zero means 2 min.
	IdleTimeout time.Duration `yaml:"idle_timeout" min:"0s" max:"1h"`
	// DrainTimeout is how long running requests may go on after shutdown began. Zero means 30 s.
	DrainTimeout time.Duration `yaml:"drain_timeout" min:"0s" max:"1h"`
}

// Streams bounds the transports of subscriptions.
type Streams struct {
	// Heartbeat is the time between two signs of life on a quiet stream: comments on server-sent events,
	// pings on a WebSocket. Zero means 12 s.
	Heartbeat time.Duration `yaml:"heartbeat" min:"0s" max:"10m"`
	// InitTimeout is the time for connection_init after a WebSocket has opened. Zero means 3 s.
	InitTimeout time.Duration `yaml:"init_timeout" min:"0s" max:"10m"`
	// MaxMessageBytes is the largest message that a client may send over a WebSocket. Zero means 1 MiB.
	MaxMessageBytes int64 `yaml:"max_message_bytes" min:"0" max:"1073741824"`
	// MaxOperations is how many operations may run at a time on one WebSocket. Zero means 100.
	MaxOperations int `yaml:"max_operations" min:"0" max:"100000"`
	// MaxSockets is how many WebSockets may be open. Zero means 100,000.
	MaxSockets int `yaml:"max_sockets" min:"0" max:"10000000"`
	// MaxSocketsPerAddress is how many of them one address may have. Zero means any number: a proxy's users share one.
	MaxSocketsPerAddress int `yaml:"max_sockets_per_address" min:"0" max:"10000000"`
	// SingleConnection lets clients have the responses of all their operations over one stream of server-sent events, as
	// graphql-sse has it for HTTP/1.1, where browsers open few connections. Off by default.
	SingleConnection bool `yaml:"single_connection"`
	// Resume lets clients of server-sent events go on where their connection broke, by the header Last-Event-ID.
	Resume Resume `yaml:"resume"`
	// OutliveToken lets streams go on when the access token that opened them has expired. Otherwise they end
	// then, in a way that makes clients connect again with a new one.
	OutliveToken bool `yaml:"outlive_token"`
}

// withDefaults replaces each zero by what it means.
func (c Config) withDefaults() Config {
	c.Listen = cmp.Or(c.Listen, "127.0.0.1:4000")
	c.Path = c.Endpoint()
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	if c.Ready == nil {
		c.Ready = func(context.Context) error { return nil }
	}
	c.CORS.MaxAge = cmp.Or(c.CORS.MaxAge, 2*time.Hour)
	c.HTTP.MaxBodyBytes = cmp.Or(c.HTTP.MaxBodyBytes, 2<<20)
	c.HTTP.MaxHeaderBytes = cmp.Or(c.HTTP.MaxHeaderBytes, 64<<10)
	c.HTTP.ReadHeaderTimeout = cmp.Or(c.HTTP.ReadHeaderTimeout, 10*time.Second)
	c.HTTP.ReadBodyTimeout = cmp.Or(c.HTTP.ReadBodyTimeout, 30*time.Second)
	c.HTTP.Timeout = cmp.Or(c.HTTP.Timeout, time.Minute)
	c.HTTP.WriteTimeout = cmp.Or(c.HTTP.WriteTimeout, 30*time.Second)
	c.HTTP.IdleTimeout = cmp.Or(c.HTTP.IdleTimeout, 2*time.Minute)
	c.HTTP.DrainTimeout = cmp.Or(c.HTTP.DrainTimeout, 30*time.Second)
	c.Compression.MinBytes = cmp.Or(c.Compression.MinBytes, 1400)
	c.Batching.MaxOperations = cmp.Or(c.Batching.MaxOperations, 10)
	c.Batching.Concurrency = cmp.Or(c.Batching.Concurrency, 5)
	c.Uploads.MaxFiles = cmp.Or(c.Uploads.MaxFiles, 10)
	c.Uploads.MaxFileBytes = cmp.Or(c.Uploads.MaxFileBytes, 50<<20)
	c.Uploads.MaxBytes = cmp.Or(c.Uploads.MaxBytes, 50<<20)
	c.Streams.Resume = c.Streams.Resume.withDefaults()
	c.Streams.Heartbeat = cmp.Or(c.Streams.Heartbeat, 12*time.Second)
	c.Streams.InitTimeout = cmp.Or(c.Streams.InitTimeout, 3*time.Second)
	c.Streams.MaxMessageBytes = cmp.Or(c.Streams.MaxMessageBytes, 1<<20)
	c.Streams.MaxSockets = cmp.Or(c.Streams.MaxSockets, 100_000)
	c.Streams.MaxOperations = cmp.Or(c.Streams.MaxOperations, 100)
	return c
}

// Endpoint is the URL path of the GraphQL endpoint.
func (c Config) Endpoint() string { return cmp.Or(c.Path, "/graphql") }

// URL is where clients find the endpoint, if Run listens at addr.
func (c Config) URL(addr net.Addr) string {
	switch {
	case addr.Network() == "unix":
		return unixPrefix + addr.String() + ":" + c.Endpoint()
	case c.TLS.enabled():
		return "https://" + addr.String() + c.Endpoint()
	}
	return "http://" + addr.String() + c.Endpoint()
}

// Validate says everything in c that can't work; the messages name the settings as the configuration file does.
func (c Config) Validate() []error {
	var errs []error
	if c.Path != "" && (!strings.HasPrefix(c.Path, "/") || strings.ContainsAny(c.Path, "?#{} ")) {
		errs = append(errs, fmt.Errorf("path %q: expected an absolute URL path such as /graphql", c.Path))
	}
	if c.Path != "" && own(c.Path) {
		errs = append(errs, fmt.Errorf("path %q: taken by the router's own pages", c.Path))
	}
	for _, bound := range c.bounds() {
		if bound.value < 0 {
			errs = append(errs, fmt.Errorf("%s: %d: must not be negative", bound.name, bound.value))
		}
	}
	switch {
	case c.Listen == unixPrefix:
		errs = append(errs, errors.New("listen: expected a path after unix:, such as unix:/run/router.sock"))
	case c.Listen != "" && !strings.HasPrefix(c.Listen, unixPrefix):
		_, port, err := net.SplitHostPort(c.Listen)
		if err == nil {
			_, err = net.LookupPort("tcp", port)
		}
		if err != nil {
			errs = append(errs, fmt.Errorf("listen: found %q, expected an address such as 127.0.0.1:4000", c.Listen))
		}
	}
	if err := c.TLS.validate(); err != nil {
		errs = append(errs, err)
	}
	if _, err := newClients(c.Clients); err != nil {
		errs = append(errs, err)
	}
	if _, err := parseOrigins(c.CORS); err != nil {
		errs = append(errs, err)
	}
	return errs
}

// Taken reports whether the front door answers at a path itself: as its endpoint, or with a page of its own.
func (c Config) Taken(path string) bool { return path == c.Endpoint() || own(path) }

// own reports whether a path is that of a page of every front door.
func own(path string) bool {
	return path == "/" || strings.HasPrefix(path, "/health/") || strings.HasPrefix(path+"/", "/playground/")
}

// bound is a setting that must not be negative.
type bound struct {
	name  string
	value int64
}

func (c Config) bounds() []bound {
	return []bound{
		{"cors.max_age", int64(c.CORS.MaxAge)},
		{"http.max_body_bytes", c.HTTP.MaxBodyBytes},
		{"http.max_header_bytes", int64(c.HTTP.MaxHeaderBytes)},
		{"http.read_header_timeout", int64(c.HTTP.ReadHeaderTimeout)},
		{"http.read_body_timeout", int64(c.HTTP.ReadBodyTimeout)},
		{"http.timeout", int64(c.HTTP.Timeout)},
		{"http.write_timeout", int64(c.HTTP.WriteTimeout)},
		{"http.idle_timeout", int64(c.HTTP.IdleTimeout)},
		{"http.drain_timeout", int64(c.HTTP.DrainTimeout)},
		{"compression.min_bytes", int64(c.Compression.MinBytes)},
		{"batching.max_operations", int64(c.Batching.MaxOperations)},
		{"batching.concurrency", int64(c.Batching.Concurrency)},
		{"uploads.max_files", int64(c.Uploads.MaxFiles)},
		{"uploads.max_file_bytes", c.Uploads.MaxFileBytes},
		{"uploads.max_bytes", c.Uploads.MaxBytes},
		{"streams.heartbeat", int64(c.Streams.Heartbeat)},
		{"streams.init_timeout", int64(c.Streams.InitTimeout)},
		{"streams.max_message_bytes", c.Streams.MaxMessageBytes},
		{"streams.resume.window", int64(c.Streams.Resume.Window)},
		{"streams.resume.max_waiting", int64(c.Streams.Resume.MaxWaiting)},
		{"streams.resume.max_events", int64(c.Streams.Resume.MaxEvents)},
		{"streams.resume.max_bytes", int64(c.Streams.Resume.MaxBytes)},
		{"streams.resume.max_total_bytes", int64(c.Streams.Resume.MaxTotalBytes)},
		{"streams.max_sockets", int64(c.Streams.MaxSockets)},
		{"streams.max_sockets_per_address", int64(c.Streams.MaxSocketsPerAddress)},
		{"streams.max_operations", int64(c.Streams.MaxOperations)},
	}
}
