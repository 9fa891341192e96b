package transport

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"
	"github.com/google/go-cmp/cmp"
)

// events reads a stream to its end.
func events(t *testing.T, s Stream) (list []string) {
	t.Helper()
	for {
		event, err := s.Next(t.Context())
		if err != nil {
			return append(list, code(err))
		}
		list = append(list, string(bytes.TrimSpace(event)))
	}
}

// talkWS is a subgraph that speaks graphql-transport-ws: it sends what script says after the subscription, then
// waits for the other side.
func talkWS(t *testing.T, script []string, got chan<- string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		conn, err := websocket.Accept(w, r, &websocket.AcceptOptions{Subprotocols: []string{"graphql-transport-ws"}})
		if err != nil {
			t.Error(err)
			return
		}
		defer conn.CloseNow()
		receive := func() bool {
			_, b, err := conn.Read(r.Context())
			if err != nil {
				got <- "gone"
				return false
			}
			got <- r.Header.Get("Authorization") + string(b)
			return true
		}
		send := func(m string) { _ = conn.Write(r.Context(), websocket.MessageText, []byte(m)) }
		receive()
		send(`{"type":"connection_ack"}`)
		receive()
		for _, m := range script {
			if m == "close" {
				conn.Close(4400, "tired")
				return
			}
			send(m)
		}
		for receive() {
		}
	}
}

func TestSubscriptionsOverWebSocket(t *testing.T) {
	for name, c := range map[string]struct{ script, want []string }{
		"complete": {
			[]string{`{"id":"1","type":"next","payload":{"data":{"n":1}}}`, `{"type":"ping","payload":{"x":1}}`, `{"type":"pong"}`, `{"id":"1","type":"next","payload":{"data":{"n":2}}}`, `{"id":"1","type":"complete"}`},
			[]string{`{"data":{"n":1}}`, `{"data":{"n":2}}`, "EOF"},
		},
		"error":     {[]string{`{"id":"1","type":"error","payload":[{"message":"no"}]}`}, []string{`{"errors":[{"message":"no"}]}`, "EOF"}},
		"close":     {[]string{`{"id":"1","type":"next","payload":{}}`, "close"}, []string{"{}", CodeHTTP}},
		"not JSON":  {[]string{"what?"}, []string{CodeMalformed}},
		"too large": {[]string{`{"id":"1","type":"next","payload":"` + strings.Repeat("x", 9000) + `"}`}, []string{CodeTooLarge}},
	} {
		t.Run(name, func(t *testing.T) {
			got := make(chan string, 10)
			server := serve(t, talkWS(t, c.script, got))
			h := dial(t, HTTPConfig{URL: server.URL, Subscriptions: SubscriptionConfig{InitPayload: []byte(`{"token":"t"}`), MaxEventBytes: 4000, Reconnect: Reconnect{For: -1}}})
			req := query(`{"query":"subscription{n}"}`)
			req.Header = http.Header{"Authorization": {"me"}}
			s, err := h.Subscribe(t.Context(), req)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(c.want, events(t, s)); diff != "" {
				t.Errorf("events (-want +got):\n%s", diff)
			}
			s.Close()
			s.Close()
			for _, want := range []string{`me{"type":"connection_init","payload":{"token":"t"}}`, `me{"id":"1","type":"subscribe","payload":{"query":"subscription{n}"}}`} {
				if m := <-got; m != want {
					t.Errorf("sent %s, want %s", m, want)
				}
			}
		})
	}
}

func TestClosingCompletesTheSubscriptionAtTheSubgraph(t *testing.T) {
	got := make(chan string, 10)
	server := serve(t, talkWS(t, nil, got))
	s, err := dial(t, HTTPConfig{URL: server.URL}).Subscribe(t.Context(), query("{}"))
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	<-got
	<-got
	if m := <-got; m != `{"id":"1","type":"complete"}` {
		t.Errorf("the subgraph got %s", m)
	}
	if _, err := s.Next(ctx); err == nil {
		t.Error("an event after Close")
	}
}

func TestSubscriptionsOverHTTP(t *testing.T) {
	mixed := `multipart/mixed;boundary="graphql";subscriptionSpec=1.0`
	for name, c := range map[string]struct {
		protocol  Protocol
		kind      string
		answer    string
		want      []string
		hangs     bool
		status    int
		wantStart string
	}{
		"sse": {
			protocol: SSE, kind: "text/event-stream; charset=utf-8",
			answer: ":\n\nevent: next\ndata: {\"data\":1}\n\nevent: ping\ndata: x\n\nevent: next\r\ndata: {\"data\":\r\ndata: 2}\r\n\r\nevent: complete\n\n",
			want:   []string{`{"data":1}`, "{\"data\":\n2}", "EOF"}, hangs: true,
		},
		"sse broken off": {protocol: SSE, kind: "text/event-stream", answer: "event: next\ndata: 1\n\nevent: next\n", want: []string{"1", CodeHTTP}},
		"sse too large":  {protocol: SSE, kind: "text/event-stream", answer: "data: " + strings.Repeat("x", 1<<16), want: []string{CodeTooLarge}},
		"multipart": {
			protocol: Multipart, kind: mixed, hangs: true,
			answer: "\r\n--graphql\r\nContent-Type: application/json\r\n\r\n{}\r\n--graphql\r\nContent-Type: application/json\r\n\r\n{\"payload\":{\"data\":\"}\\\"\"}}\r\n--graphql\r\n\r\n{\"payload\":null,\"errors\":[{\"message\":\"m\"}]}\r\n--graphql--\r\n",
			want:   []string{`{"data":"}\""}`, `{"errors":[{"message":"m"}]}`, "EOF"},
		},
		"multipart end":        {protocol: Multipart, kind: mixed, answer: "--graphql--", want: []string{"EOF"}},
		"multipart broken off": {protocol: Multipart, kind: mixed, answer: "--graphql\r\n\r\n{\"pay", want: []string{CodeHTTP}},
		"multipart not JSON":   {protocol: Multipart, kind: mixed, answer: "--graphql\r\n\r\nhello\r\n", want: []string{CodeMalformed}},
		"plain JSON":           {protocol: SSE, kind: "application/json", answer: `{"errors":[]}`, status: 400, want: []string{`{"errors":[]}`, "EOF"}},
		"status":               {protocol: SSE, kind: "text/html", status: 503, wantStart: CodeHTTP},
		"another kind":         {protocol: Multipart, kind: "text/html", wantStart: CodeMalformed},
	} {
		t.Run(name, func(t *testing.T) {
			server := serve(t, func(w http.ResponseWriter, r *http.Request) {
				body, _ := io.ReadAll(r.Body)
				if r.Method != http.MethodPost || string(body) != "{}" {
					t.Errorf("%s %q", r.Method, body)
				}
				w.Header().Set("Content-Type", c.kind)
				if c.status != 0 {
					w.WriteHeader(c.status)
				}
				fmt.Fprint(w, c.answer)
				w.(http.Flusher).Flush()
				if c.hangs {
					<-r.Context().Done()
				}
			})
			h := dial(t, HTTPConfig{URL: server.URL, Subscriptions: SubscriptionConfig{Protocol: c.protocol, MaxEventBytes: 4000, Reconnect: Reconnect{For: -1}}})
			s, err := h.Subscribe(t.Context(), query("{}"))
			if err != nil || c.wantStart != "" {
				if code(err) != c.wantStart {
					t.Errorf("start: %v, want %s", err, c.wantStart)
				}
				return
			}
			defer s.Close()
			if diff := cmp.Diff(c.want, events(t, s)); diff != "" {
				t.Errorf("events (-want +got):\n%s", diff)
			}
		})
	}
}

func TestASubgraphThatAcceptsNothingIsNotWaitedFor(t *testing.T) {
	server := serve(t, func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		<-r.Context().Done()
	})
	for _, p := range []Protocol{WebSocket, SSE, Multipart} {
		h := dial(t, HTTPConfig{URL: server.URL, Subscriptions: SubscriptionConfig{Protocol: p, StartTimeout: 30 * time.Millisecond}})
		if _, err := h.Subscribe(t.Context(), query("{}")); code(err) != CodeTimeout {
			t.Errorf("%s: %v", p, err)
		}
	}
}

// shaky is a subgraph in process that panics.
type shaky struct{}

func (shaky) Serve(context.Context, *Request) (*Response, error)  { panic("oops") }
func (shaky) Subscribe(context.Context, *Request) (Stream, error) { panic("oops") }

func TestAPanicInProcessIsAnErrorOfTheRequest(t *testing.T) {
	tr := &InProcess{Server: shaky{}, Timeout: time.Second}
	var known *Error
	if _, err := tr.Send(t.Context(), query("{}")); !errors.As(err, &known) || known.Message != "could not answer" {
		t.Errorf("Send: %v", err)
	}
	if _, err := tr.Subscribe(t.Context(), query("{}")); code(err) != CodeHTTP {
		t.Errorf("Subscribe: %v", err)
	}
}
