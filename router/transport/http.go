package transport

import (
	"bytes"
	"cmp"
	"compress/gzip"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// HTTPConfig configures the transport to one subgraph over HTTP. The zero value of each field but URL works.
type HTTPConfig struct {
	// URL is the subgraph's endpoint, http or https; or unix, for a socket's file: unix:///run/products.sock?path=/graphql.
	URL string
	// Timeout bounds one request, from connect to last byte. Zero means 5 s, a negative value none.
	Timeout time.Duration
	// ConnectTimeout bounds dialling and the TLS handshake, each. Zero means 3 s.
	ConnectTimeout time.Duration
	// IdleTimeout is how long an unused connection is kept. Zero means 60 s.
	IdleTimeout time.Duration
	// MaxIdleConns bounds the unused connections that are kept: below the number of concurrent requests,
	// connections are dialled again and again. Zero means 1024.
	MaxIdleConns int
	// MaxResponseBytes bounds an answer, after decompression. Zero means 64 MiB.
	MaxResponseBytes int
	// Header is sent with every request. A request's own headers replace those of equal name.
	Header http.Header
	// AnswerHeaders names the headers of answers that Response.Header holds; nil for none, "*" for all.
	AnswerHeaders []string
	// DeadlineHeader is the header that tells the subgraph how many milliseconds are left for its answer. Empty means none.
	DeadlineHeader string
	// Gzip asks for compressed answers: worth it over slow links, never on one machine.
	Gzip bool
	// TLS configures https; nil means the system's certificates and HTTP/2 by ALPN.
	TLS *tls.Config
	// Proxy is the URL of an HTTP proxy; nil for none. The environment is not consulted.
	Proxy *url.URL
	// Subscriptions says how subscriptions are carried.
	Subscriptions SubscriptionConfig
}

// HTTP reaches a subgraph over HTTP/1.1 with keep-alive, or HTTP/2 where TLS negotiates it. Redirects are never
// followed: they arrive as answers with their status.
//
// Over HTTP/1.1 queries and mutations go through a client of our own (h1), which costs a third of net/http's; HTTP/2,
// proxies, files and streams go through net/http.
type HTTP struct {
	cfg HTTPConfig
	url *url.URL
	// query and mutation are the headers of requests that bring none of their own.
	query, mutation http.Header
	rt              *http.Transport
	// own is nil where net/http is needed. With TLS that is so from when the subgraph has chosen HTTP/2: http2 says so.
	own   *h1
	http2 atomic.Bool
	// ws is rt without HTTP/2, for WebSockets; made when first needed.
	ws     *http.Transport
	wsOnce sync.Once
}

var _ Starter = (*HTTP)(nil)

// NewHTTP returns a transport to the subgraph at cfg.URL. It starts nothing and connects to nobody.
func NewHTTP(cfg HTTPConfig) (*HTTP, error) {
	u, err := url.Parse(cfg.URL)
	if err != nil {
		return nil, fmt.Errorf("subgraph URL: %w", err)
	}
	socket := ""
	if u.Scheme == "unix" && u.Host == "" && u.Path != "" {
		socket = u.Path
		u = &url.URL{Scheme: "http", Host: "localhost", Path: cmp.Or(u.Query().Get("path"), "/graphql")}
	}
	if u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
		return nil, fmt.Errorf("subgraph URL %q: want http:// or https:// and a host, or unix:// and a socket's file", cfg.URL)
	}
	orDefault(&cfg.Timeout, 5*time.Second)
	orDefault(&cfg.ConnectTimeout, 3*time.Second)
	orDefault(&cfg.IdleTimeout, 60*time.Second)
	orDefault(&cfg.MaxIdleConns, 1024)
	orDefault(&cfg.MaxResponseBytes, 64<<20)
	cfg.Subscriptions.setDefaults(u)
	dialer := &net.Dialer{Timeout: cfg.ConnectTimeout, KeepAlive: 30 * time.Second}
	h := &HTTP{cfg: cfg, url: u, rt: &http.Transport{
		DialContext:            dialer.DialContext,
		TLSClientConfig:        cfg.TLS,
		TLSHandshakeTimeout:    cfg.ConnectTimeout,
		ForceAttemptHTTP2:      true,
		MaxIdleConns:           cfg.MaxIdleConns,
		MaxIdleConnsPerHost:    cfg.MaxIdleConns,
		IdleConnTimeout:        cfg.IdleTimeout,
		DisableCompression:     true,
		MaxResponseHeaderBytes: 256 << 10,
		WriteBufferSize:        16 << 10,
		ReadBufferSize:         16 << 10,
	}}
	connect := tcp(dialer, u)
	if socket != "" {
		connect = func(ctx context.Context) (net.Conn, error) { return dialer.DialContext(ctx, "unix", socket) }
		h.rt.DialContext = func(ctx context.Context, _, _ string) (net.Conn, error) { return connect(ctx) }
	}
	if cfg.Proxy != nil {
		h.rt.Proxy = http.ProxyURL(cfg.Proxy)
	}
	h.mutation = h.headers()
	if u.Scheme == "https" {
		connect = encrypted(connect, &h.cfg, u)
	}
	if cfg.Proxy == nil && u.User == nil {
		h.own = newH1(&h.cfg, u, connect, h.mutation)
	}
	h.query = h.headers()
	// A key without values is not sent, and tells net/http that the request may be sent again if a kept
	// connection turns out to be closed.
	h.query["Idempotency-Key"] = nil
	return h, nil
}

func orDefault[T int | time.Duration](v *T, d T) {
	if *v == 0 {
		*v = d
	}
}

func (h *HTTP) headers() http.Header {
	header := http.Header{
		"Content-Type": {"application/json"},
		"Accept":       {"application/graphql-response+json, application/json;q=0.9"},
		"User-Agent":   {"agora-router"},
	}
	if h.cfg.Gzip {
		header["Accept-Encoding"] = []string{"gzip"}
	}
	merge(header, h.cfg.Header)
	return header
}

// hopByHop says whether a header belongs to a connection or to the protocol, and never comes from a client's request.
func hopByHop(name string) bool {
	switch name {
	case "Accept", "Accept-Encoding", "Connection", "Content-Encoding", "Content-Length", "Content-Type", "Host", "Idempotency-Key",
		"Keep-Alive", "Proxy-Authenticate", "Proxy-Authorization", "Proxy-Connection", "Te", "Trailer", "Transfer-Encoding", "Upgrade",
		"X-Idempotency-Key":
		return true
	}
	return false
}

func merge(to, from http.Header) {
	for name, values := range from {
		if !hopByHop(name) {
			to[name] = values
		}
	}
}

// connector opens a connection to the subgraph.
type connector func(ctx context.Context) (net.Conn, error)

var ports = map[string]string{"http": "80", "https": "443"}

func tcp(dialer *net.Dialer, u *url.URL) connector {
	address := net.JoinHostPort(u.Hostname(), cmp.Or(u.Port(), ports[u.Scheme]))
	return func(ctx context.Context) (net.Conn, error) { return dialer.DialContext(ctx, "tcp", address) }
}

// remaining is how many milliseconds are left until a deadline, at least one.
func remaining(deadline time.Time) int64 { return max(1, time.Until(deadline).Milliseconds()) }

// headersFor are the headers of one request. Without headers of its own it shares those of all: net/http reads
// them only.
func (h *HTTP) headersFor(req *Request) http.Header {
	shared := h.query
	if req.Mutation {
		shared = h.mutation
	}
	if len(req.Header) == 0 {
		return shared
	}
	own := make(http.Header, len(shared)+len(req.Header))
	for name, values := range shared {
		own[name] = values
	}
	merge(own, req.Header)
	return own
}

// Send posts the request and reads the whole answer. Queries whose kept connection was stale are sent again on
// another one, mutations never.
func (h *HTTP) Send(ctx context.Context, req *Request) (*Response, error) {
	resp, err := h.send(ctx, req)
	if err != nil {
		return nil, h.cfg.failure(ctx, err)
	}
	return resp, nil
}

func (h *HTTP) send(ctx context.Context, req *Request) (*Response, error) {
	if files := filesOf(ctx, req); files != nil {
		return h.roundTrip(ctx, req, files)
	}
	if own := h.client(); own != nil {
		resp, err := own.send(ctx, req)
		if !errors.Is(err, errHTTP2) {
			return resp, err
		}
		h.http2.Store(true) // nothing was sent yet
	}
	return h.roundTrip(ctx, req, nil)
}

// client is our own client, or nil if that can't be used.
func (h *HTTP) client() *h1 {
	if h.http2.Load() {
		return nil
	}
	return h.own
}

// Start sends a query on a connection that is kept, if there is one.
func (h *HTTP) Start(ctx context.Context, req *Request) Pending {
	if own := h.client(); own != nil {
		return own.start(ctx, req)
	}
	return nil
}

// roundTrip sends the request through net/http.
func (h *HTTP) roundTrip(ctx context.Context, req *Request, files []File) (*Response, error) {
	if h.cfg.Timeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, h.cfg.Timeout)
		defer cancel()
	}
	body := newBody(req.Body)
	// Nobody may read the caller's bytes after Send has returned, but net/http may still be writing them then.
	defer body.detach()
	post := &http.Request{
		Method: http.MethodPost, URL: h.url, Host: h.url.Host, Header: h.headersFor(req),
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		ContentLength: int64(len(req.Body)), Body: body.reader(), GetBody: body.again,
	}
	if files != nil {
		form, err := newForm(req, files)
		if err != nil {
			return nil, err
		}
		form.carry(post)
	}
	if deadline, ok := ctx.Deadline(); ok && h.cfg.DeadlineHeader != "" {
		post.Header = post.Header.Clone()
		post.Header.Set(h.cfg.DeadlineHeader, strconv.FormatInt(remaining(deadline), 10))
	}
	answer, err := h.rt.RoundTrip(post.WithContext(ctx))
	if err != nil {
		return nil, err
	}
	defer answer.Body.Close()
	buf, err := h.read(answer)
	if err != nil {
		return nil, err
	}
	resp := &Response{Status: answer.StatusCode, Body: buf.b, Free: buf.free}
	if slices.Equal(h.cfg.AnswerHeaders, []string{"*"}) {
		resp.Header = answer.Header
		return resp, nil
	}
	for _, name := range h.cfg.AnswerHeaders {
		if values := answer.Header.Values(name); len(values) > 0 {
			if resp.Header == nil {
				resp.Header = http.Header{}
			}
			resp.Header[http.CanonicalHeaderKey(name)] = values
		}
	}
	return resp, nil
}

var errTooLarge = errors.New("answer is larger than the limit")

// read reads the answer into a pooled buffer.
func (h *HTTP) read(answer *http.Response) (*buffer, error) {
	limit := int64(h.cfg.MaxResponseBytes)
	if answer.ContentLength > limit {
		return nil, errTooLarge
	}
	// One byte more, to learn of the end without growing.
	buf := getBuffer(int(max(answer.ContentLength, 0)) + 1)
	err := buf.readFrom(answer.Body, limit)
	if err == nil && strings.EqualFold(answer.Header.Get("Content-Encoding"), "gzip") {
		var unzipped *buffer
		if unzipped, err = unzip(buf.b, limit); err == nil {
			putBuffer(buf)
			return unzipped, nil
		}
	}
	if err != nil {
		putBuffer(buf)
		return nil, err
	}
	return buf, nil
}

// unzip returns a pooled buffer with what compressed bytes hold.
func unzip(compressed []byte, limit int64) (*buffer, error) {
	z, err := gzip.NewReader(bytes.NewReader(compressed))
	if err != nil {
		return nil, &Error{Code: CodeMalformed, Message: "answered broken gzip", Err: err}
	}
	buf := getBuffer(4 * len(compressed))
	if err = buf.readFrom(z, limit); err != nil {
		putBuffer(buf)
		return nil, err
	}
	return buf, nil
}

// failure turns an error of a client into one that says what clients may know.
func (cfg *HTTPConfig) failure(ctx context.Context, err error) error {
	var known *Error
	var timeout net.Error
	switch {
	case errors.As(err, &known):
		return err
	case errors.Is(err, errTooLarge):
		message := "answered more than " + strconv.Itoa(cfg.MaxResponseBytes) + " bytes"
		return &Error{Code: CodeTooLarge, Message: message, Err: err}
	case errors.Is(err, context.Canceled) && ctx.Err() != nil:
		return &Error{Code: CodeCanceled, Message: "was not waited for: the request was canceled", Err: err}
	case ctx.Err() != nil, errors.Is(err, context.DeadlineExceeded), errors.As(err, &timeout) && timeout.Timeout():
		return &Error{Code: CodeTimeout, Message: "did not answer in time", Err: err}
	case errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, gzip.ErrChecksum), errors.Is(err, gzip.ErrHeader):
		return &Error{Code: CodeMalformed, Message: "broke off its answer", Err: err}
	}
	return &Error{Code: CodeHTTP, Message: "could not be reached", Err: err}
}

// Close closes the connections that are kept.
func (h *HTTP) Close() {
	h.rt.CloseIdleConnections()
	if h.own != nil {
		h.own.close()
	}
}
