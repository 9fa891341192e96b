package transport

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"runtime/debug"
	"strings"
	"sync"
	"time"
)

// Handler reaches a subgraph that is an http.Handler in this process, such as somebody's gqlgen server or a mux of
// several, without a socket. Queries and mutations run in the goroutine of the caller. The handler must return soon
// after the context of its request has ended, as net/http asks of all handlers.
type Handler struct {
	// Handler is the subgraph.
	Handler http.Handler
	// URL is what requests are addressed to: its path matters to a mux. Empty means http://localhost/graphql.
	URL string
	// Timeout bounds one request. Zero means that only the context's own deadline holds.
	Timeout time.Duration
	// MaxResponseBytes bounds an answer, after decompression. Zero means 64 MiB.
	MaxResponseBytes int
	// Header is sent with every request. A request's own headers replace those of equal name.
	Header http.Header
	// Subscriptions says how subscriptions are carried: by SSE, which an empty protocol means
	// here, or Multipart. An empty URL is the one above.
	Subscriptions SubscriptionConfig
}

var _ Transport = (*Handler)(nil)

const (
	defaultURL = "http://localhost/graphql"
	// localAddress is where requests come from, for handlers that look.
	localAddress = "127.0.0.1:0"
)

// Send calls the handler. A panic in it is an error of this request alone.
func (h *Handler) Send(ctx context.Context, req *Request) (*Response, error) {
	if h.Timeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, h.Timeout)
		defer cancel()
	}
	cfg := HTTPConfig{MaxResponseBytes: h.MaxResponseBytes}
	orDefault(&cfg.MaxResponseBytes, 64<<20)
	resp, err := h.send(ctx, req, cfg.MaxResponseBytes)
	if err != nil {
		return nil, cfg.failure(ctx, err)
	}
	return resp, nil
}

func (h *Handler) send(ctx context.Context, req *Request, limit int) (*Response, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	body := newBody(req.Body)
	// A handler may have left somebody behind who still reads.
	defer body.detach()
	r, err := h.request(ctx, req, body)
	if err != nil {
		return nil, err
	}
	defer r.Body.Close()
	w := &answerWriter{header: http.Header{}, buf: getBuffer(0), limit: limit, stop: cancel}
	err = run(h.Handler, w, r)
	buf, tooLarge := w.finish()
	switch {
	case tooLarge:
		err = errTooLarge
	case err == nil:
		err = ctx.Err()
	}
	if err == nil && strings.EqualFold(w.header.Get("Content-Encoding"), "gzip") {
		compressed := buf
		buf, err = unzip(compressed.b, int64(limit))
		putBuffer(compressed)
	}
	if err != nil {
		return nil, err
	}
	return &Response{Status: w.status, Header: w.header, Body: buf.b, Free: buf.free}, nil
}

// request is the HTTP request that the handler sees.
func (h *Handler) request(ctx context.Context, req *Request, body *body) (*http.Request, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	u, err := url.Parse(cmp.Or(h.URL, defaultURL))
	if err != nil {
		return nil, fmt.Errorf("subgraph URL: %w", err)
	}
	header := (&HTTP{cfg: HTTPConfig{Header: h.Header}}).headers()
	merge(header, req.Header)
	r := &http.Request{
		Method: http.MethodPost, URL: u, Host: u.Host, RequestURI: u.RequestURI(), RemoteAddr: localAddress,
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Header: header, ContentLength: int64(len(req.Body)), Body: body.reader(),
	}
	if files := filesOf(ctx, req); files != nil {
		form, err := newForm(req, files)
		if err != nil {
			return nil, err
		}
		form.carry(r)
	}
	return r.WithContext(ctx), nil
}

// run calls a handler, and turns its panic into an error with its stack, for the log.
func run(handler http.Handler, w http.ResponseWriter, r *http.Request) (err error) {
	defer func() {
		switch reason := recover(); reason {
		case nil:
		case http.ErrAbortHandler:
			err = &Error{Code: CodeMalformed, Message: "broke off its answer"}
		default:
			reason := fmt.Errorf("panic: %v\n%s", reason, debug.Stack())
			err = &Error{Code: CodeHTTP, Message: "could not answer", Err: reason}
		}
	}()
	handler.ServeHTTP(w, r)
	return nil
}

// final tells a status from the informational ones that may come before it.
func final(status int) bool { return status >= 200 }

// answerWriter collects an answer. Once the handler has returned, whoever still writes is told that it is too late.
type answerWriter struct {
	header http.Header
	limit  int
	stop   func()

	mu       sync.Mutex
	status   int
	buf      *buffer // nil when finished
	tooLarge bool
}

// Header is the answer's header.
func (w *answerWriter) Header() http.Header { return w.header }

// WriteHeader keeps the first status that is not informational.
func (w *answerWriter) WriteHeader(status int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.setStatus(status)
}

func (w *answerWriter) setStatus(status int) {
	if w.status == 0 && final(status) {
		w.status = status
	}
}

// Write keeps a part of the body. Beyond the limit it ends the request.
func (w *answerWriter) Write(b []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.setStatus(http.StatusOK)
	switch {
	case w.buf == nil:
		return 0, errTooLate
	case len(w.buf.b)+len(b) > w.limit:
		w.tooLarge = true
		w.stop()
		return 0, errTooLarge
	}
	w.buf.b = append(w.buf.b, b...)
	return len(b), nil
}

// Flush does nothing: the answer is read as a whole.
func (w *answerWriter) Flush() {}

// finish takes the answer's body.
func (w *answerWriter) finish() (buf *buffer, tooLarge bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.setStatus(http.StatusOK)
	buf, w.buf = w.buf, nil
	return buf, w.tooLarge
}

var errTooLate = errors.New("the handler has returned")

// Subscribe calls the handler in a goroutine of its own; Close ends it and waits for it. The handler can write an event
// only when the one before has been read.
func (h *Handler) Subscribe(ctx context.Context, req *Request) (Stream, error) {
	over := &HTTP{
		cfg: HTTPConfig{Header: h.Header, Subscriptions: h.Subscriptions},
		// Not nil, it keeps net/http from taking https for itself.
		rt: &http.Transport{TLSNextProto: map[string]func(string, *tls.Conn) http.RoundTripper{}},
	}
	over.rt.RegisterProtocol("http", streaming{h.Handler})
	over.rt.RegisterProtocol("https", streaming{h.Handler})
	over.mutation = over.headers()
	cfg := &over.cfg.Subscriptions
	cfg.Protocol = cmp.Or(cfg.Protocol, SSE)
	cfg.URL = cmp.Or(cfg.URL, h.URL, defaultURL)
	cfg.setDefaults(nil)
	if cfg.Protocol == WebSocket {
		return nil, &Error{Code: CodeHTTP, Message: "can't be asked for a WebSocket in process"}
	}
	// Without trying again: a subgraph in this process does not go away by itself.
	return over.subscribe(ctx, req)
}

// streaming is a handler as a round trip whose answer's body is what the handler writes, as it writes it.
type streaming struct{ handler http.Handler }

// RoundTrip returns when the handler has begun its answer.
func (s streaming) RoundTrip(req *http.Request) (*http.Response, error) {
	ctx, cancel := context.WithCancel(req.Context())
	in, out := io.Pipe()
	w := &streamWriter{header: http.Header{}, out: out, begun: make(chan struct{})}
	r := req.WithContext(ctx)
	r.RequestURI, r.RemoteAddr = req.URL.RequestURI(), localAddress
	done := make(chan struct{})
	go func() {
		defer close(done)
		err := run(s.handler, w, r)
		w.end(err)
	}()
	body := &streamBody{PipeReader: in, stop: cancel, done: done}
	// Also who only waits for an event is to learn that it won't come.
	body.unblock = context.AfterFunc(ctx, func() { _ = in.CloseWithError(context.Cause(ctx)) })
	select {
	case <-w.begun:
	case <-ctx.Done():
		_ = body.Close()
		return nil, ctx.Err()
	}
	if w.err != nil {
		_ = body.Close()
		return nil, w.err
	}
	return &http.Response{StatusCode: w.status, Header: w.sent, Body: body, Request: req, ContentLength: -1}, nil
}

// streamBody is the answer of a handler that is still running.
type streamBody struct {
	*io.PipeReader
	stop    context.CancelFunc
	unblock func() bool
	done    <-chan struct{}
}

// Close ends the handler's request and waits for it.
func (b *streamBody) Close() error {
	b.unblock()
	b.stop()
	err := b.PipeReader.Close()
	<-b.done
	return err
}

// streamWriter passes on what a handler writes.
type streamWriter struct {
	header http.Header
	out    *io.PipeWriter
	once   sync.Once
	// begun is closed once the rest, which describes the answer, is set.
	begun  chan struct{}
	status int
	sent   http.Header
	err    error
}

// Header is the answer's header, until the answer has begun.
func (w *streamWriter) Header() http.Header { return w.header }

// WriteHeader begins the answer.
func (w *streamWriter) WriteHeader(status int) {
	if final(status) {
		w.begin(status, nil)
	}
}

// Write passes a part of the body on, and waits until it is read.
func (w *streamWriter) Write(b []byte) (int, error) {
	w.begin(http.StatusOK, nil)
	return w.out.Write(b)
}

// Flush begins the answer; what was written is on its way already.
func (w *streamWriter) Flush() { w.begin(http.StatusOK, nil) }

func (w *streamWriter) begin(status int, err error) {
	w.once.Do(func() {
		w.status, w.sent, w.err = status, w.header.Clone(), err
		close(w.begun)
	})
}

// end ends the answer when the handler has returned.
func (w *streamWriter) end(err error) {
	w.begin(http.StatusOK, err)
	_ = w.out.CloseWithError(err)
}
