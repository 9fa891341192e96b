package serve

import (
	"context"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/coder/websocket"
)

// The close codes of graphql-transport-ws.
const (
	closeBadRequest   websocket.StatusCode = 4400
	closeUnauthorized websocket.StatusCode = 4401
	closeForbidden    websocket.StatusCode = 4403
	closeSubprotocol  websocket.StatusCode = 4406
	closeInitTimeout  websocket.StatusCode = 4408
	closeDuplicate    websocket.StatusCode = 4409
	closeTooManyInits websocket.StatusCode = 4429
	closeInternal     websocket.StatusCode = 4500
	maxCloseReason                         = 123
	goingAway                              = "the router is shutting down"
)

// isUpgrade says whether a request wants to become a WebSocket.
func isUpgrade(r *http.Request) bool {
	return r.Method == http.MethodGet && strings.EqualFold(r.Header.Get("Upgrade"), "websocket")
}

// socket is one WebSocket. The goroutine that serves the request reads; each operation has a goroutine of
// its own; another one sends pings and ends the connection. A client that does not take what is written to
// it for HTTP.WriteTimeout is cut off; until then an operation waits, and with it its source.
type socket struct {
	h    *Handler
	conn *websocket.Conn
	id   string
	// door is the handler that has let the client in, and handshake what it came with; they belong to the reader. Of another
	// handler that answers later, the connection keeps nothing but this: its times stay those of h.
	door      *Handler
	handshake *http.Request
	// client is what all requests on the connection have in common: the handshake's headers with what connection_init adds
	// to them, and who that is.
	client Request
	// expired ends the connection with the token; nil if that does not expire.
	expired *time.Timer
	// started counts operations.
	started int

	// running are the goroutines of operations.
	running sync.WaitGroup

	mu sync.Mutex
	// acknowledged is set by connection_init.
	acknowledged bool
	// closing lets no new operations in.
	closing bool
	// operations are those that have not completed, by their ids.
	operations map[string]*socketOperation
	// active counts them, and those that the client has completed but the engine has not left.
	active int

	// writing guards the order of messages: none of an operation may follow its end.
	writing sync.Mutex
	buf     []byte
}

// socket upgrades the request and serves the connection until it ends.
func (h *Handler) socket(ex *exchange, r *http.Request) {
	if err := h.refuseOrigin(r); err != nil {
		ex.refuse(err, mediaJSON)
		return
	}
	if r.Header.Get("Sec-WebSocket-Version") != "13" || r.Header.Get("Sec-WebSocket-Key") == "" {
		ex.Header().Set("Sec-WebSocket-Version", "13")
		ex.refuse(badRequest("not a WebSocket handshake of version 13"), mediaJSON)
		return
	}
	address := h.clients.address(r.Header, r.RemoteAddr)
	if err := h.sockets.enter(address, h.cfg.Streams); err != nil {
		ex.refuse(err, mediaJSON)
		return
	}
	defer h.sockets.leave(address)
	if !ex.enterStreams() {
		return
	}
	conn, err := websocket.Accept(ex, r, &websocket.AcceptOptions{
		Subprotocols:       []string{subprotocol},
		InsecureSkipVerify: true, // checked above, by the rules of CORS
	})
	if err != nil {
		ex.operation.Code = CodeBadRequest // Accept has answered
		return
	}
	ex.hijacked = true
	ex.operation.Kind = "websocket"
	conn.SetReadLimit(h.cfg.Streams.MaxMessageBytes)
	s := &socket{
		h: h, conn: conn, id: ex.id, door: h, handshake: r,
		client: Request{Header: r.Header, ids: h.cfg.DocumentIDs}, operations: make(map[string]*socketOperation),
	}
	h.clients.identify(&s.client, r.RemoteAddr)
	s.serve(context.WithoutCancel(r.Context()))
}

// refuseOrigin refuses the pages of other origins, by the rules of CORS.
func (h *Handler) refuseOrigin(r *http.Request) *refusal {
	if origin := r.Header.Get("Origin"); origin != "" && !sameOrigin(r, origin) && !h.trusts(r, origin) {
		return &refusal{http.StatusForbidden, CodeForbidden, "the origin " + origin + " is not allowed"}
	}
	return nil
}

// serve runs the connection and returns when everything that belongs to it has ended.
func (s *socket) serve(ctx context.Context) {
	if s.conn.Subprotocol() != subprotocol {
		s.close(closeSubprotocol, "the subprotocol must be "+subprotocol)
		return
	}
	ctx, cancel := context.WithCancel(ctx)
	var beside sync.WaitGroup
	defer func() {
		cancel()
		if s.expired != nil {
			s.expired.Stop()
		}
		_ = s.conn.CloseNow() // it is closed already, or broken
		s.running.Wait()
		beside.Wait()
	}()
	beside.Go(func() { s.keepAlive(ctx) })
	initial := time.AfterFunc(s.h.cfg.Streams.InitTimeout, func() {
		if !s.isAcknowledged() {
			s.close(closeInitTimeout, "Connection initialisation timeout")
		}
	})
	defer initial.Stop()
	for {
		kind, raw, err := s.conn.Read(ctx)
		if err != nil {
			return
		}
		if kind != websocket.MessageText {
			s.close(closeBadRequest, "invalid message: expected text")
			return
		}
		if code, reason := s.handle(ctx, raw); code != 0 {
			s.close(code, reason)
			return
		}
	}
}

// handle takes one message. A code other than zero ends the connection.
func (s *socket) handle(ctx context.Context, raw []byte) (code websocket.StatusCode, reason string) {
	m, err := decodeMessage(raw)
	if err != nil {
		return closeBadRequest, err.Error()
	}
	switch m.kind {
	case messageInit:
		return s.init(ctx, m)
	case messagePing:
		s.write(nil, func(b []byte) []byte { return appendPong(b, m.payload) })
	case messageSubscribe:
		if !s.isAcknowledged() {
			return closeUnauthorized, "Unauthorized"
		}
		if code, reason = s.renew(ctx); code != 0 {
			return code, reason
		}
		return s.subscribe(ctx, m)
	case messageComplete:
		s.complete(m.id)
	case messagePong: // a sign of life, nothing more
	}
	return 0, ""
}

// init takes connection_init: it says who the client is.
func (s *socket) init(ctx context.Context, m message) (code websocket.StatusCode, reason string) {
	if s.isAcknowledged() {
		return closeTooManyInits, "Too many initialisation requests"
	}
	s.door = s.h.now.Load().handler
	s.client.ID, s.client.Header = s.id, m.addTo(s.client.Header, &s.door.clients)
	s.client.Increments = overSocket(s.client.Header)
	if code, reason = s.authenticate(ctx); code != 0 {
		return code, reason
	}
	s.mu.Lock()
	s.acknowledged = true
	s.mu.Unlock()
	if expiry := s.h.expiry(s.client.Claims); !expiry.IsZero() {
		s.expired = time.AfterFunc(time.Until(expiry), func() { s.close(closeForbidden, "Forbidden: the access token has expired") })
	}
	s.write(nil, func(b []byte) []byte { return append(b, `{"type":"connection_ack"}`...) })
	return 0, ""
}

// authenticate sets who the client is by what it has sent. A code other than zero ends the connection.
func (s *socket) authenticate(ctx context.Context) (code websocket.StatusCode, reason string) {
	req := s.client
	req.ids, req.Claims = s.door.cfg.DocumentIDs, nil
	s.door.clients.name(&req)
	if err := s.door.authenticate(ctx, &req); err != nil {
		if err.status == http.StatusUnauthorized {
			return closeForbidden, "Forbidden: " + err.message
		}
		return closeInternal, err.message
	}
	s.client = req
	return 0, ""
}

// renew asks the handler that answers now whether it lets the client in, if it is another one than that which has.
func (s *socket) renew(ctx context.Context) (code websocket.StatusCode, reason string) {
	now := s.h.now.Load().handler
	if now == s.door {
		return 0, ""
	}
	s.door = now
	if err := now.refuseOrigin(s.handshake); err != nil {
		return closeForbidden, "Forbidden: " + err.message
	}
	return s.authenticate(ctx)
}

func (s *socket) isAcknowledged() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.acknowledged
}

// keepAlive pings until ctx ends, and ends the connection when the client is dead or the router drains.
func (s *socket) keepAlive(ctx context.Context) {
	beat := time.NewTicker(s.h.cfg.Streams.Heartbeat)
	defer beat.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-s.h.draining:
			s.drain()
			return
		case <-beat.C:
			wait, cancel := context.WithTimeout(ctx, s.h.cfg.HTTP.WriteTimeout)
			err := s.conn.Ping(wait)
			cancel()
			if err != nil && ctx.Err() == nil {
				_ = s.conn.CloseNow()
				return
			}
		}
	}
}

// drain ends the subscriptions, lets queries and mutations finish, and says goodbye with 1001, on which
// clients connect again, to another replica.
func (s *socket) drain() {
	s.mu.Lock()
	s.closing = true
	for _, op := range s.operations {
		if op.streaming {
			op.cancel()
		}
	}
	s.mu.Unlock()
	s.running.Wait()
	s.close(websocket.StatusGoingAway, goingAway)
}

// write sends a message, unless it belongs to an operation that has ended. The message is built in the
// socket's own buffer.
func (s *socket) write(op *socketOperation, build func(b []byte) []byte) {
	s.writing.Lock()
	defer s.writing.Unlock()
	if op != nil && op.ended {
		return
	}
	s.buf = build(s.buf[:0])
	// Not the operation's context: a write that is cut off takes the connection with it.
	ctx, cancel := context.WithTimeout(context.Background(), s.h.cfg.HTTP.WriteTimeout)
	defer cancel()
	if err := s.conn.Write(ctx, websocket.MessageText, s.buf); err != nil {
		_ = s.conn.CloseNow() // the reader sees that and ends everything
	}
	if cap(s.buf) > keepBuffer {
		s.buf = nil
	}
}

// close ends the connection with a code and a reason that fits into a close frame.
func (s *socket) close(code websocket.StatusCode, reason string) {
	if len(reason) > maxCloseReason {
		reason = strings.ToValidUTF8(reason[:maxCloseReason], "")
	}
	// The client may have closed first, or be gone.
	_ = s.conn.Close(code, reason)
}
