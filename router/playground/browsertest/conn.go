package browsertest

import (
	"context"
	"encoding/json"
	"fmt"
	"sync"

	"github.com/coder/websocket"
)

// conn is a connection to DevTools. Commands of all sessions share it; each is answered under its
// id, and events arrive under the session they belong to.
type conn struct {
	socket *websocket.Conn
	done   chan struct{} // closed when reading has ended

	mu      sync.Mutex
	nextID  int
	waiting map[int]chan message
	events  map[string]func(message)
	failure error // why reading ended
}

// message is a command's answer (ID) or an event (Method).
type message struct {
	ID        int             `json:"id"`
	SessionID string          `json:"sessionId"`
	Method    string          `json:"method"`
	Params    json.RawMessage `json:"params"`
	Result    json.RawMessage `json:"result"`
	Error     *struct {
		Message string `json:"message"`
		Data    string `json:"data"`
	} `json:"error"`
}

type command struct {
	ID        int    `json:"id"`
	SessionID string `json:"sessionId,omitempty"`
	Method    string `json:"method"`
	Params    any    `json:"params,omitempty"`
}

func dial(address string) (*conn, error) {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	socket, _, err := websocket.Dial(ctx, address, nil)
	if err != nil {
		return nil, fmt.Errorf("dial DevTools %s: %w", address, err)
	}
	socket.SetReadLimit(64 << 20) // Screenshots arrive as one message.
	c := &conn{
		socket:  socket,
		done:    make(chan struct{}),
		waiting: map[int]chan message{},
		events:  map[string]func(message){},
	}
	go c.read()
	return c, nil
}

// close ends the connection and waits for its reader.
func (c *conn) close() {
	_ = c.socket.CloseNow()
	<-c.done
}

// read delivers messages until the connection ends. Handlers of events run here, so they must not
// wait for answers.
func (c *conn) read() {
	defer close(c.done)
	for {
		_, text, err := c.socket.Read(context.Background())
		if err == nil {
			err = c.deliver(text)
		}
		if err != nil {
			c.mu.Lock()
			c.failure = err
			c.mu.Unlock()
			return
		}
	}
}

func (c *conn) deliver(text []byte) error {
	var m message
	if err := json.Unmarshal(text, &m); err != nil {
		return fmt.Errorf("read DevTools: %w", err)
	}
	c.mu.Lock()
	answer, waited := c.waiting[m.ID]
	delete(c.waiting, m.ID)
	handle := c.events[m.SessionID]
	c.mu.Unlock()
	switch {
	case waited:
		answer <- m
	case m.Method != "" && handle != nil:
		handle(m)
	}
	return nil
}

// listen delivers a session's events to a function, from now on.
func (c *conn) listen(session string, handle func(message)) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.events[session] = handle
}

// send writes a command without waiting for its answer.
func (c *conn) send(ctx context.Context, session, method string, params any) (int, chan message, error) {
	answer := make(chan message, 1)
	c.mu.Lock()
	c.nextID++
	id := c.nextID
	c.waiting[id] = answer
	c.mu.Unlock()
	text, err := json.Marshal(command{ID: id, SessionID: session, Method: method, Params: params})
	if err != nil {
		return 0, nil, err
	}
	return id, answer, c.socket.Write(ctx, websocket.MessageText, text)
}

// call runs a command and decodes its result, unless that is nil.
func (c *conn) call(ctx context.Context, session, method string, params, result any) error {
	id, answer, err := c.send(ctx, session, method, params)
	if err != nil {
		return fmt.Errorf("%s: %w", method, err)
	}
	select {
	case m := <-answer:
		if m.Error != nil {
			return fmt.Errorf("%s: %s %s", method, m.Error.Message, m.Error.Data)
		}
		if result == nil {
			return nil
		}
		return json.Unmarshal(m.Result, result)
	case <-c.done:
		c.mu.Lock()
		defer c.mu.Unlock()
		return fmt.Errorf("%s: connection ended: %w", method, c.failure)
	case <-ctx.Done():
		c.mu.Lock()
		defer c.mu.Unlock()
		delete(c.waiting, id)
		return fmt.Errorf("%s: %w", method, ctx.Err())
	}
}
