package serve_test

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"

	"github.com/agora-supergraph/agora/router/serve"
)

// peer is a client that speaks the protocol word by word.
type peer struct {
	t    *testing.T
	conn *websocket.Conn
}

func dial(t *testing.T, server *httptest.Server, header ...string) *peer {
	t.Helper()
	opts := &websocket.DialOptions{Subprotocols: []string{"graphql-transport-ws"}, HTTPHeader: http.Header{}}
	for i := 0; i < len(header); i += 2 {
		opts.HTTPHeader.Add(header[i], header[i+1])
	}
	conn, _, err := websocket.Dial(t.Context(), server.URL+"/graphql", opts)
	if err != nil {
		t.Fatal(err)
	}
	conn.SetReadLimit(1 << 20)
	t.Cleanup(func() { _ = conn.CloseNow() })
	return &peer{t, conn}
}

// connect dials and is acknowledged.
func connect(t *testing.T, server *httptest.Server) *peer {
	t.Helper()
	p := dial(t, server)
	p.say(`{"type":"connection_init"}`)
	p.hear(`{"type":"connection_ack"}`)
	return p
}

func (p *peer) say(message string) {
	p.t.Helper()
	if err := p.conn.Write(p.t.Context(), websocket.MessageText, []byte(message)); err != nil {
		p.t.Fatal(err)
	}
}

func (p *peer) subscribe(id, query string) {
	p.t.Helper()
	payload, err := json.Marshal(map[string]any{"id": id, "type": "subscribe", "payload": map[string]any{"query": query}})
	if err != nil {
		p.t.Fatal(err)
	}
	p.say(string(payload))
}

func (p *peer) read() (string, error) {
	ctx, cancel := context.WithTimeout(p.t.Context(), 10*time.Second)
	defer cancel()
	_, message, err := p.conn.Read(ctx)
	return string(message), err
}

func (p *peer) hear(want ...string) {
	p.t.Helper()
	for _, w := range want {
		got, err := p.read()
		if err != nil {
			p.t.Fatalf("read: %v, want %s", err, w)
		}
		if got != w {
			p.t.Fatalf("got %s, want %s", got, w)
		}
	}
}

// closed expects the connection to end with a code and a reason.
func (p *peer) closed(code int, reason string) {
	p.t.Helper()
	message, err := p.read()
	var closed websocket.CloseError
	if !errors.As(err, &closed) || int(closed.Code) != code || !strings.Contains(closed.Reason, reason) {
		p.t.Errorf("got %q, %v, want close %d %q", message, err, code, reason)
	}
}

func TestSocketsCarryOperations(t *testing.T) {
	server, engine := start(t, serve.Config{})
	p := connect(t, server)
	p.subscribe("q", "query A { hello }")
	p.hear(`{"id":"q","type":"next","payload":{"data":{"hello":"hello nobody"}}}`, `{"id":"q","type":"complete"}`)
	p.subscribe("m", "mutation { bump }")
	p.hear(`{"id":"m","type":"next","payload":{"data":{"bump":1}}}`, `{"id":"m","type":"complete"}`)
	p.subscribe("s", "subscription { count(to: 2) }")
	p.hear(`{"id":"s","type":"next","payload":{"data":{"count":1}}}`, `{"id":"s","type":"next","payload":{"data":{"count":2}}}`, `{"id":"s","type":"complete"}`)
	p.say(`{"payload":{"query":"query($n:String){hello(name:$n)}","variables":{"n":"Ann"},"operationName":null},"type":"subscribe","id":"é\""}`)
	p.hear(`{"id":"é\"","type":"next","payload":{"data":{"hello":"hello Ann"}}}`, `{"id":"é\"","type":"complete"}`)
	if n := engine.bumps.Load(); n != 1 {
		t.Errorf("the mutation ran %d times", n)
	}
}

func TestSocketsTellErrors(t *testing.T) {
	server, _ := start(t, serve.Config{})
	p := connect(t, server)
	p.subscribe("1", "{ nothing }")
	p.hear(`{"id":"1","type":"error","payload":[{"message":"input:1:3: Cannot query field \"nothing\" on type \"Query\".\n","extensions":{"code":"GRAPHQL_VALIDATION_FAILED"}}]}`)
	p.say(`{"id":"2","type":"subscribe","payload":{"query":1}}`)
	p.hear(`{"id":"2","type":"error","payload":[{"message":"the parameter query is a number: expected a string","extensions":{"code":"BAD_REQUEST"}}]}`)
	p.subscribe("3", "subscription { broken }")
	p.hear(
		`{"id":"3","type":"next","payload":{"data":{"broken":1}}}`,
		`{"id":"3","type":"error","payload":[{"message":"the subscription has failed","extensions":{"code":"INTERNAL_SERVER_ERROR"}}]}`,
	)
	for _, query := range []string{"{ boom }", "subscription { boom }"} {
		p.subscribe("4", query)
		p.hear(`{"id":"4","type":"error","payload":[{"message":"internal server error","extensions":{"code":"INTERNAL_SERVER_ERROR"}}]}`)
	}
	p.subscribe("5", "{ hello }") // the connection lives on
	p.hear(`{"id":"5","type":"next","payload":{"data":{"hello":"hello nobody"}}}`, `{"id":"5","type":"complete"}`)
}

func TestSocketsAnswerPings(t *testing.T) {
	server, _ := start(t, serve.Config{})
	p := dial(t, server)
	p.say(`{"type":"ping"}`)
	p.hear(`{"type":"pong"}`)
	p.say(`{"type":"ping","payload":{"a":[1]}}`)
	p.hear(`{"type":"pong","payload":{"a":[1]}}`)
	p.say(`{"type":"pong"}`)
	p.say(`{"type":"complete","id":"unknown"}`)
	p.say(`{"type":"connection_init","payload":null}`)
	p.hear(`{"type":"connection_ack"}`)
}

func TestSocketsAreClosedAsTheProtocolSays(t *testing.T) {
	tests := []struct {
		name   string
		say    []string
		code   int
		reason string
	}{
		{"no JSON", []string{"{"}, 4400, "malformed JSON"},
		{"no object", []string{"[]"}, 4400, "an array, expected an object"},
		{"no type", []string{`{"id":"1"}`}, 4400, "type is missing"},
		{"an unknown type", []string{`{"type":"start"}`}, 4400, `invalid message type "start"`},
		{"a number as type", []string{`{"type":1}`}, 4400, "type is a number"},
		{"a number as id", []string{`{"type":"complete","id":1}`}, 4400, "id is a number"},
		{"an array as payload", []string{`{"type":"ping","payload":[]}`}, 4400, "payload is an array"},
		{"no id", []string{`{"type":"subscribe","payload":{}}`}, 4400, "subscribe without an id"},
		{"no payload", []string{`{"type":"subscribe","id":"1"}`}, 4400, "without a payload"},
		{"subscribe before the acknowledgement", []string{`{"type":"subscribe","id":"1","payload":{"query":"{hello}"}}`}, 4401, "Unauthorized"},
		{"two initialisations", []string{`{"type":"connection_init"}`, `{"type":"connection_init"}`}, 4429, "Too many initialisation requests"},
		{"a bad token", []string{`{"type":"connection_init","payload":{"authorization":"Bearer forged"}}`}, 4403, "Forbidden: The access token is refused: it is forged."},
		{"a long type", []string{`{"type":"` + strings.Repeat("é", 200) + `"}`}, 4400, "invalid message type"},
		{"a message that is too large", []string{`{"type":"ping","payload":{"a":"` + strings.Repeat("x", 3000) + `"}}`}, 1009, ""},
	}
	server, _ := start(t, serve.Config{Streams: serve.Streams{MaxMessageBytes: 2000}})
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			p := dial(t, server)
			for i, message := range test.say {
				p.say(message)
				if i < len(test.say)-1 {
					p.hear(`{"type":"connection_ack"}`)
				}
			}
			p.closed(test.code, test.reason)
		})
	}
	t.Run("an id twice", func(t *testing.T) {
		p := connect(t, server)
		p.subscribe("1", "subscription { forever }")
		p.subscribe("1", "{ hello }")
		p.closed(4409, "Subscriber for 1 already exists")
	})
	t.Run("binary", func(t *testing.T) {
		p := dial(t, server)
		if err := p.conn.Write(t.Context(), websocket.MessageBinary, []byte(`{"type":"ping"}`)); err != nil {
			t.Fatal(err)
		}
		p.closed(4400, "expected text")
	})
	t.Run("no initialisation in time", func(t *testing.T) {
		server, _ := start(t, serve.Config{Streams: serve.Streams{InitTimeout: 20 * time.Millisecond}})
		dial(t, server).closed(4408, "Connection initialisation timeout")
	})
	t.Run("another subprotocol", func(t *testing.T) {
		conn, _, err := websocket.Dial(t.Context(), server.URL+"/graphql", &websocket.DialOptions{Subprotocols: []string{"graphql-ws"}})
		if err != nil {
			t.Fatal(err)
		}
		(&peer{t, conn}).closed(4406, "graphql-transport-ws")
	})
}

func TestSocketsTakeTheTokenOfConnectionInitOrHandshake(t *testing.T) {
	server, _ := start(t, serve.Config{})
	whoami := func(t *testing.T, p *peer, want string) {
		t.Helper()
		p.hear(`{"type":"connection_ack"}`)
		p.subscribe("1", "{ whoami }")
		p.hear(`{"id":"1","type":"next","payload":{"data":{"whoami":` + want + `}}}`)
	}
	for _, name := range []string{"Authorization", "authorization"} {
		p := dial(t, server)
		p.say(`{"type":"connection_init","payload":{"` + name + `":"Bearer good"}}`)
		whoami(t, p, `"usr_1"`)
	}
	p := dial(t, server, "Authorization", "Bearer good")
	p.say(`{"type":"connection_init"}`)
	whoami(t, p, `"usr_1"`)
	p = dial(t, server)
	p.say(`{"type":"connection_init","payload":{"authorization":null,"other":1}}`)
	whoami(t, p, `null`)
}

func TestASocketEndsWithItsToken(t *testing.T) {
	server, engine := start(t, serve.Config{})
	p := dial(t, server)
	p.say(`{"type":"connection_init","payload":{"Authorization":"Bearer brief"}}`)
	p.hear(`{"type":"connection_ack"}`)
	p.subscribe("1", "subscription { forever }")
	<-engine.subscribed
	p.closed(4403, "the access token has expired")
	eventually(t, "the subscription is closed", func() bool { return engine.open.Load() == 0 })
}

func TestACompletedOperationEndsAndItsIDIsFree(t *testing.T) {
	server, engine := start(t, serve.Config{})
	p := connect(t, server)
	p.subscribe("1", "subscription { forever }")
	<-engine.subscribed
	p.say(`{"type":"complete","id":"1"}`)
	eventually(t, "the subscription is closed", func() bool { return engine.open.Load() == 0 })
	p.subscribe("1", "{ slow }")
	<-engine.entered
	released := engine.released.Load()
	p.say(`{"type":"complete","id":"1"}`)
	// Its answer, "cut short", is there by now, and must not be sent.
	eventually(t, "the answer is released", func() bool { return engine.released.Load() > released })
	p.subscribe("1", "{ hello }")
	p.hear(`{"id":"1","type":"next","payload":{"data":{"hello":"hello nobody"}}}`, `{"id":"1","type":"complete"}`)
}

func TestTheFirstPartOfAnAnswerIsSentBeforeTheOthersAreThere(t *testing.T) {
	server, engine := start(t, serve.Config{})
	p := connect(t, server)
	p.subscribe("1", "{ parts }")
	p.hear(`{"id":"1","type":"next","payload":{"data":{"parts":null}}}`)
	p.subscribe("2", "{ hello }") // what is still to come keeps nobody waiting
	p.hear(`{"id":"2","type":"next","payload":{"data":{"hello":"hello nobody"}}}`, `{"id":"2","type":"complete"}`)
	close(engine.release)
	p.hear(`{"id":"1","type":"next","payload":{"data":{"later":1}}}`, `{"id":"1","type":"complete"}`)
	eventually(t, "the parts are closed", func() bool { return engine.open.Load() == 0 && engine.fresh.Load() == 0 })
}

func TestAClientThatCompletesGetsNoFurtherParts(t *testing.T) {
	server, engine := start(t, serve.Config{})
	p := connect(t, server)
	p.subscribe("1", "{ parts }")
	p.hear(`{"id":"1","type":"next","payload":{"data":{"parts":null}}}`)
	<-engine.entered
	p.say(`{"type":"complete","id":"1"}`)
	eventually(t, "the parts are closed", func() bool { return engine.open.Load() == 0 && engine.fresh.Load() == 0 })
	p.subscribe("1", "{ hello }")
	p.hear(`{"id":"1","type":"next","payload":{"data":{"hello":"hello nobody"}}}`, `{"id":"1","type":"complete"}`)
}

func TestAnAnswerThatBreaksOffIsNotComplete(t *testing.T) {
	server, engine := start(t, serve.Config{})
	p := connect(t, server)
	p.subscribe("1", "{ torn }")
	p.hear(
		`{"id":"1","type":"next","payload":{"data":{"torn":null}}}`,
		`{"id":"1","type":"error","payload":[{"message":"the answer has broken off","extensions":{"code":"INTERNAL_SERVER_ERROR"}}]}`,
	)
	eventually(t, "the parts are closed", func() bool { return engine.open.Load() == 0 })
}

func TestTheOperationsOfASocketAreBounded(t *testing.T) {
	server, engine := start(t, serve.Config{Streams: serve.Streams{MaxOperations: 2}})
	p := connect(t, server)
	p.subscribe("1", "subscription { forever }")
	p.subscribe("2", "subscription { forever }")
	p.subscribe("3", "{ hello }")
	p.hear(`{"id":"3","type":"error","payload":[{"message":"more than 2 operations on one connection","extensions":{"code":"TOO_MANY_OPERATIONS"}}]}`)
	if err := p.conn.Close(websocket.StatusNormalClosure, ""); err != nil {
		t.Fatal(err)
	}
	eventually(t, "all is closed with the connection", func() bool { return engine.open.Load() == 0 })
}

func TestOperationsThatTheEngineHasNotLeftCount(t *testing.T) {
	server, engine := start(t, serve.Config{Streams: serve.Streams{MaxOperations: 2}})
	p := connect(t, server)
	for range 2 {
		p.subscribe("1", "{ stubborn }")
		<-engine.entered
		p.say(`{"type":"complete","id":"1"}`)
	}
	p.subscribe("2", "{ hello }")
	p.hear(`{"id":"2","type":"error","payload":[{"message":"more than 2 operations on one connection","extensions":{"code":"TOO_MANY_OPERATIONS"}}]}`)
	close(engine.release)
	eventually(t, "there is room again", func() bool {
		p.subscribe("2", "{ hello }")
		message, err := p.read()
		if err != nil {
			t.Fatal(err)
		}
		room := !strings.Contains(message, "TOO_MANY_OPERATIONS")
		if room {
			p.hear(`{"id":"2","type":"complete"}`)
		}
		return room
	})
	for range 5 { // what has ended counts no more
		p.subscribe("3", "{ hello }")
		p.hear(`{"id":"3","type":"next","payload":{"data":{"hello":"hello nobody"}}}`, `{"id":"3","type":"complete"}`)
	}
}

func TestASocketThatDoesNotReadIsCutOff(t *testing.T) {
	server, engine := start(t, serve.Config{HTTP: serve.HTTP{WriteTimeout: 50 * time.Millisecond}})
	connect(t, server).subscribe("1", "subscription { flood }")
	<-engine.subscribed
	eventually(t, "the subscription is closed", func() bool { return engine.open.Load() == 0 })
}

func TestASocketThatAnswersNoPingIsCutOff(t *testing.T) {
	server, engine := start(t, serve.Config{
		HTTP:    serve.HTTP{WriteTimeout: 300 * time.Millisecond},
		Streams: serve.Streams{Heartbeat: 10 * time.Millisecond},
	})
	// Pongs are sent while reading, and nobody reads any more.
	connect(t, server).subscribe("1", "subscription { forever }")
	<-engine.subscribed
	eventually(t, "the subscription is closed", func() bool { return engine.open.Load() == 0 })
}

func TestSocketsOfOtherOriginsFollowCORS(t *testing.T) {
	server, _ := start(t, serve.Config{CORS: serve.CORS{Origins: []string{"https://shop.example"}}})
	for origin, want := range map[string]int{
		"https://shop.example": http.StatusSwitchingProtocols, server.URL: http.StatusSwitchingProtocols,
		"https://evil.example": http.StatusForbidden, "null": http.StatusForbidden,
	} {
		conn, resp, err := websocket.Dial(t.Context(), server.URL+"/graphql", &websocket.DialOptions{HTTPHeader: http.Header{"Origin": {origin}}})
		if resp == nil || resp.StatusCode != want {
			t.Errorf("%s: got %v, %v, want %d", origin, resp, err, want)
		}
		if err == nil {
			_ = conn.CloseNow()
		}
	}
	public, _ := start(t, serve.Config{CORS: serve.CORS{Origins: []string{"*"}}})
	for cookie, want := range map[string]int{"": http.StatusSwitchingProtocols, "session=1": http.StatusForbidden} {
		header := http.Header{"Origin": {"https://any.example"}}
		if cookie != "" {
			header.Set("Cookie", cookie)
		}
		conn, resp, err := websocket.Dial(t.Context(), public.URL+"/graphql", &websocket.DialOptions{HTTPHeader: header})
		if resp == nil || resp.StatusCode != want {
			t.Errorf("any origin with the cookie %q: got %v, %v, want %d", cookie, resp, err, want)
		}
		if err == nil {
			_ = conn.CloseNow()
		}
	}
}

func TestABrokenHandshakeIsABadRequest(t *testing.T) {
	server, _ := start(t, serve.Config{})
	got := do(t, "GET", server.URL+"/graphql", "", "Upgrade", "websocket", "Connection", "Upgrade")
	if got.status != 400 || got.code != serve.CodeBadRequest {
		t.Errorf("got %d %s", got.status, got.body)
	}
}
