package transport

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/coder/websocket"
)

// operationID is the id of the one operation on a connection.
const operationID = "1"

// message is one of graphql-transport-ws.
type message struct {
	ID      string          `json:"id,omitempty"`
	Type    string          `json:"type"`
	Payload json.RawMessage `json:"payload,omitempty"`
}

// openWebSocket connects, initialises the connection and subscribes.
func (h *HTTP) openWebSocket(ctx context.Context, cancel func(), req *Request) (Stream, error) {
	header := h.headersFor(&Request{Header: req.Header, Mutation: true}).Clone()
	header.Del("Accept")
	header.Del("Content-Type")
	header.Del("Accept-Encoding")
	conn, _, err := websocket.Dial(ctx, h.cfg.Subscriptions.URL, &websocket.DialOptions{
		HTTPClient:   &http.Client{Transport: h.dialer(), CheckRedirect: noRedirect},
		HTTPHeader:   header,
		Subprotocols: []string{"graphql-transport-ws"},
	})
	if err != nil {
		return nil, err
	}
	conn.SetReadLimit(int64(h.cfg.Subscriptions.MaxEventBytes) + 1<<10)
	s := &socket{conn: conn, cancel: cancel}
	if err := s.start(ctx, h.cfg.Subscriptions.InitPayload, req); err != nil {
		s.drop()
		return nil, err
	}
	return s, nil
}

// dialer is the HTTP transport for handshakes: WebSockets run over HTTP/1.1.
func (h *HTTP) dialer() http.RoundTripper {
	h.wsOnce.Do(func() {
		h.ws = h.rt.Clone()
		h.ws.ForceAttemptHTTP2 = false
		h.ws.Protocols = new(http.Protocols)
		h.ws.Protocols.SetHTTP1(true)
	})
	return h.ws
}

func noRedirect(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }

// socket is a subscription over graphql-transport-ws.
type socket struct {
	conn   *websocket.Conn
	cancel func()
	once   sync.Once
	ended  atomic.Bool
}

func (s *socket) start(ctx context.Context, payload []byte, req *Request) error {
	if s.conn.Subprotocol() != "graphql-transport-ws" {
		return &Error{Code: CodeHTTP, Message: "doesn't speak graphql-transport-ws"}
	}
	if err := s.send(ctx, message{Type: "connection_init", Payload: payload}); err != nil {
		return err
	}
	for {
		m, err := s.receive(ctx)
		if err != nil {
			return err
		}
		if m.Type == "connection_ack" {
			return s.send(ctx, message{ID: operationID, Type: "subscribe", Payload: req.Body})
		}
	}
}

func (s *socket) send(ctx context.Context, m message) error {
	b, err := json.Marshal(m)
	if err != nil {
		return err
	}
	return s.conn.Write(ctx, websocket.MessageText, b)
}

// receive waits for the next message that isn't a ping, which it answers, or a pong.
func (s *socket) receive(ctx context.Context) (m message, err error) {
	for {
		_, b, err := s.conn.Read(ctx)
		if err != nil {
			return m, err
		}
		m = message{}
		if err := json.Unmarshal(b, &m); err != nil {
			return m, &Error{Code: CodeMalformed, Message: "sent a message that is no JSON", Err: err}
		}
		switch m.Type {
		case "ping":
			if err := s.send(ctx, message{Type: "pong", Payload: m.Payload}); err != nil {
				return m, err
			}
		case "pong":
		default:
			return m, nil
		}
	}
}

// Next returns the next response. Errors that end the subscription are a response of their own.
func (s *socket) Next(ctx context.Context) ([]byte, error) {
	for !s.ended.Load() {
		m, err := s.receive(ctx)
		switch {
		case err != nil && ctx.Err() != nil:
			return nil, ctx.Err()
		case errors.Is(err, websocket.ErrMessageTooBig):
			return nil, errEventTooLarge
		case err != nil:
			var known *Error
			if errors.As(err, &known) {
				return nil, err
			}
			return nil, &Error{Code: CodeHTTP, Message: "broke off the subscription", Err: err}
		case m.ID != operationID:
		case m.Type == "next":
			return m.Payload, nil
		case m.Type == "error":
			s.ended.Store(true)
			return append(append([]byte(`{"errors":`), m.Payload...), '}'), nil
		case m.Type == "complete":
			s.ended.Store(true)
		}
	}
	return nil, io.EOF
}

// Close completes the subscription at the subgraph and closes the connection.
func (s *socket) Close() error {
	s.once.Do(func() {
		if !s.ended.Load() {
			ctx, cancel := context.WithTimeout(context.Background(), time.Second)
			defer cancel()
			// The subgraph may be gone already; the connection goes in any case.
			_ = s.send(ctx, message{ID: operationID, Type: "complete"})
		}
		s.drop()
	})
	return nil
}

func (s *socket) drop() {
	// CloseNow doesn't wait for the other side's close frame, which a hanging subgraph would never send.
	_ = s.conn.CloseNow()
	s.cancel()
}
