package transport

import (
	"context"
	"io"
	"mime"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// Protocol is how subscriptions reach a subgraph over HTTP.
type Protocol string

// The protocols for subscriptions.
const (
	// WebSocket is graphql-transport-ws (https://github.com/enisdenjo/graphql-ws/blob/master/PROTOCOL.md).
	WebSocket Protocol = "websocket"
	// SSE is graphql-sse in distinct connections mode
	// (https://github.com/enisdenjo/graphql-sse/blob/master/PROTOCOL.md).
	SSE Protocol = "sse"
	// Multipart is multipart/mixed;subscriptionSpec=1.0
	// (https://www.apollographql.com/docs/graphos/routing/operations/subscriptions/multipart-protocol).
	Multipart Protocol = "multipart"
)

// SubscriptionConfig says how subscriptions reach a subgraph.
type SubscriptionConfig struct {
	// Protocol; empty means WebSocket.
	Protocol Protocol
	// URL is where they go. Empty means the subgraph's URL, with ws or wss for WebSocket.
	URL string
	// InitPayload is the JSON object of connection_init, for WebSocket; nil means none.
	InitPayload []byte
	// StartTimeout bounds the time until the subgraph has accepted. Zero means 10 s.
	StartTimeout time.Duration
	// MaxEventBytes bounds one event. Zero means 4 MiB.
	MaxEventBytes int
	// Reconnect says what becomes of a subscription whose stream breaks off.
	Reconnect Reconnect
	// Backlog is how many events of a subscription that several clients share wait for one that reads slower than they
	// come. Zero means 100.
	Backlog int
	// DropOldest makes the one that is too slow lose the oldest events, instead of its subscription.
	DropOldest bool
}

func (c *SubscriptionConfig) setDefaults(u *url.URL) {
	if c.Protocol == "" {
		c.Protocol = WebSocket
	}
	if c.URL == "" {
		to := *u
		if c.Protocol == WebSocket {
			to.Scheme = strings.Replace(to.Scheme, "http", "ws", 1)
		}
		c.URL = to.String()
	}
	orDefault(&c.StartTimeout, 10*time.Second)
	orDefault(&c.MaxEventBytes, 4<<20)
	orDefault(&c.Reconnect.For, 30*time.Second)
	orDefault(&c.Reconnect.Delay, 500*time.Millisecond)
}

// Subscribe starts a subscription by the protocol of the configuration, on a connection (or HTTP/2 stream) of
// its own. It lasts until Close, or until ctx or the context of a Next ends. The request must stay as it is until then.
func (h *HTTP) Subscribe(ctx context.Context, req *Request) (Stream, error) {
	stream, err := h.subscribe(ctx, req)
	if err != nil || h.cfg.Subscriptions.Reconnect.For < 0 {
		return stream, err
	}
	return &reconnecting{stream, h.cfg.Subscriptions.Reconnect, func() (Stream, error) { return h.subscribe(ctx, req) }}, nil
}

// subscribe starts the subscription once.
func (h *HTTP) subscribe(ctx context.Context, req *Request) (Stream, error) {
	ctx, cancel := context.WithCancel(ctx)
	late := time.AfterFunc(h.cfg.Subscriptions.StartTimeout, cancel)
	var stream Stream
	var err error
	switch h.cfg.Subscriptions.Protocol {
	case WebSocket:
		stream, err = h.openWebSocket(ctx, cancel, req)
	case SSE:
		stream, err = h.openResponse(ctx, cancel, req, "text/event-stream", openSSE)
	case Multipart:
		stream, err = h.openResponse(ctx, cancel, req, `multipart/mixed;subscriptionSpec="1.0"`, openMultipart)
	default:
		cancel()
		return nil, &Error{Code: CodeHTTP, Message: "has no known protocol for subscriptions"}
	}
	inTime := late.Stop()
	switch {
	case err != nil && !inTime:
		err = &Error{Code: CodeTimeout, Message: "did not answer in time", Err: err}
	case err == nil && !inTime:
		stream.Close()
		err = &Error{Code: CodeTimeout, Message: "did not answer in time"}
	}
	if err != nil {
		cancel()
		return nil, h.cfg.failure(ctx, err)
	}
	return stream, nil
}

// openResponse starts a subscription whose events are the parts of one long answer.
func (h *HTTP) openResponse(
	ctx context.Context, cancel func(), req *Request, accept string, open func(*response, string) (Stream, error),
) (Stream, error) {
	post, err := http.NewRequestWithContext(ctx, http.MethodPost, h.cfg.Subscriptions.URL, strings.NewReader(string(req.Body)))
	if err != nil {
		return nil, err
	}
	for name, values := range h.headersFor(&Request{Header: req.Header, Mutation: true}) {
		post.Header[name] = values
	}
	post.Header.Set("Accept", accept+", application/graphql-response+json, application/json;q=0.9")
	post.Header.Del("Accept-Encoding")
	answer, err := h.rt.RoundTrip(post)
	if err != nil {
		return nil, err
	}
	r := &response{body: answer.Body, cancel: cancel, limit: h.cfg.Subscriptions.MaxEventBytes}
	kind, params, _ := mime.ParseMediaType(answer.Header.Get("Content-Type"))
	switch {
	case kind == "application/json" || kind == "application/graphql-response+json":
		return single(r)
	case answer.StatusCode != http.StatusOK:
		r.Close()
		return nil, &Error{Code: CodeHTTP, Message: "answered HTTP status " + strconv.Itoa(answer.StatusCode)}
	}
	want, _, _ := mime.ParseMediaType(accept)
	if kind != want {
		r.Close()
		return nil, &Error{Code: CodeMalformed, Message: "answered a subscription with " + strconv.Quote(kind)}
	}
	stream, err := open(r, params["boundary"])
	if err != nil {
		r.Close()
	}
	return stream, err
}

// response is the long answer that events are read from.
type response struct {
	body   io.ReadCloser
	cancel func()
	limit  int
}

// Close ends the subscription: the subgraph sees the connection, or the HTTP/2 stream, go.
func (r *response) Close() error {
	r.cancel()
	return r.body.Close()
}

// until ends the subscription if ctx ends before the returned function is called.
func (r *response) until(ctx context.Context) (stop func() bool) {
	return context.AfterFunc(ctx, r.cancel)
}

// single is a subscription that was answered at once, mostly by errors.
func single(r *response) (Stream, error) {
	defer r.Close()
	body, err := io.ReadAll(io.LimitReader(r.body, int64(r.limit)+1))
	if err == nil && len(body) > r.limit {
		err = errTooLarge
	}
	if err != nil {
		return nil, err
	}
	return &once{event: body}, nil
}

// once is a stream of one event.
type once struct{ event []byte }

// Next returns the event, then io.EOF.
func (o *once) Next(context.Context) ([]byte, error) {
	event := o.event
	if o.event = nil; event == nil {
		return nil, io.EOF
	}
	return event, nil
}

// Close does nothing.
func (o *once) Close() error { return nil }
