package playground

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"
	"github.com/coder/websocket/wsjson"
)

// endpoint answers just the operations of the browser test, by hand: the browser's side is under
// test, and a real server at this edge would only hide what the page sent.
type endpoint struct {
	t             *testing.T
	introspection []byte
	left          chan struct{} // receives when a client ended a subscription that had not ended
}

func newEndpoint(t *testing.T) *endpoint {
	t.Helper()
	introspection, err := os.ReadFile("testdata/introspection.json")
	if err != nil {
		t.Fatal(err)
	}
	return &endpoint{t, introspection, make(chan struct{}, 1)}
}

type graphQLRequest struct {
	Query         string         `json:"query"`
	OperationName string         `json:"operationName"`
	Variables     map[string]any `json:"variables"`
}

// ServeHTTP implements http.Handler.
func (e *endpoint) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if strings.EqualFold(r.Header.Get("Upgrade"), "websocket") {
		e.serveSocket(w, r)
		return
	}
	var request graphQLRequest
	if err := json.NewDecoder(r.Body).Decode(&request); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	if strings.Contains(r.Header.Get("Accept"), "text/event-stream") {
		e.serveEvents(w, r, request)
		return
	}
	w.Header().Set("Content-Type", "application/graphql-response+json")
	_, _ = w.Write(e.answer(request, r.Header.Get("Authorization")))
}

func (e *endpoint) answer(request graphQLRequest, authorization string) []byte {
	switch {
	case request.OperationName == "IntrospectionQuery":
		return e.introspection
	case strings.Contains(request.Query, "login("):
		if request.Variables["password"] != "secret" {
			return []byte(`{"data":{"login":{"token":null,"errors":[{"message":"No such account."}]}}}`)
		}
		return fmt.Appendf(nil, `{"data":{"login":{"token":%q,"errors":[]}}}`, jsonWebToken(request.Variables["email"]))
	default:
		text := fmt.Sprintf("Hello, %v!", request.Variables["name"])
		answer, err := json.Marshal(map[string]any{"data": map[string]any{
			"greeting": map[string]any{"text": text, "authorization": authorization},
		}})
		if err != nil {
			e.t.Error(err)
		}
		return answer
	}
}

// jsonWebToken is unsigned but of the right shape, and good for ten minutes.
func jsonWebToken(email any) string {
	part := func(value map[string]any) string {
		text, err := json.Marshal(value)
		if err != nil {
			panic(err)
		}
		return base64.RawURLEncoding.EncodeToString(text)
	}
	claims := map[string]any{"email": email, "exp": time.Now().Add(10*time.Minute + 30*time.Second).Unix()}
	return part(map[string]any{"alg": "none"}) + "." + part(claims) + "."
}

func count(n int, authorization string) map[string]any {
	return map[string]any{"data": map[string]any{"count": n}, "extensions": map[string]any{"authorization": authorization}}
}

// endless tells whether a subscription goes on after its first results, until the client ends it.
func (r graphQLRequest) endless() bool { return strings.Contains(r.Query, "Endless") }

// serveSocket speaks as much graphql-transport-ws as one subscription needs.
func (e *endpoint) serveSocket(w http.ResponseWriter, r *http.Request) {
	socket, err := websocket.Accept(w, r, &websocket.AcceptOptions{Subprotocols: []string{"graphql-transport-ws"}})
	if err != nil {
		return
	}
	defer func() { _ = socket.CloseNow() }()
	ctx, cancel := context.WithTimeout(r.Context(), 20*time.Second)
	defer cancel()
	var message struct {
		ID      string
		Type    string
		Payload struct {
			graphQLRequest
			Authorization string
		}
	}
	authorization := ""
	for wsjson.Read(ctx, socket, &message) == nil {
		switch message.Type {
		case "connection_init":
			authorization = message.Payload.Authorization
			e.write(ctx, socket, map[string]any{"type": "connection_ack"})
		case "subscribe":
			for n := 1; n <= 3; n++ {
				e.write(ctx, socket, map[string]any{"id": message.ID, "type": "next", "payload": count(n, authorization)})
			}
			if !message.Payload.endless() {
				e.write(ctx, socket, map[string]any{"id": message.ID, "type": "complete"})
			}
		case "complete":
			e.left <- struct{}{}
		}
	}
}

func (e *endpoint) write(ctx context.Context, socket *websocket.Conn, message any) {
	if err := wsjson.Write(ctx, socket, message); err != nil {
		e.t.Errorf("write %v: %v", message, err)
	}
}

// serveEvents speaks GraphQL over SSE in distinct connections mode, with an event split over two
// writes and a comment between.
func (e *endpoint) serveEvents(w http.ResponseWriter, r *http.Request, request graphQLRequest) {
	w.Header().Set("Content-Type", "text/event-stream")
	flusher := http.NewResponseController(w)
	for n := 1; n <= 3; n++ {
		payload, err := json.Marshal(count(n, r.Header.Get("Authorization")))
		if err != nil {
			e.t.Error(err)
		}
		fmt.Fprintf(w, "event: next\ndata: %s", payload[:10])
		_ = flusher.Flush()
		time.Sleep(10 * time.Millisecond)
		fmt.Fprintf(w, "%s\n\n: still here\n\n", payload[10:])
		_ = flusher.Flush()
	}
	if request.endless() {
		<-r.Context().Done()
		e.left <- struct{}{}
		return
	}
	fmt.Fprint(w, "event: complete\ndata: \n\n")
}
