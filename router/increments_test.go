package router_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/coder/websocket"
	"github.com/google/go-cmp/cmp"

	"github.com/agora-supergraph/agora/router"
)

// later is a question whose answer may come in parts.
const later = `query ($on: Boolean = true) { me { name ... @defer(if: $on, label: "stars") { stars } } }`

const (
	firstPart  = `{"data":{"me":{"name":"Ada"}},"pending":[{"id":"0","path":["me"],"label":"stars"}],"hasNext":true}`
	secondPart = `{"incremental":[{"id":"0","data":{"stars":5}}],"completed":[{"id":"0"}],"hasNext":false}`
	firstPath  = `{"data":{"me":{"name":"Ada"}},"hasNext":true}`
	secondPath = `{"incremental":[{"data":{"stars":5},"path":["me"],"label":"stars"}],"hasNext":false}`
)

// multipart is how parts stand in a body.
func multipart(parts ...string) string {
	const head = "\r\n--graphql\r\ncontent-type: application/json\r\n\r\n"
	return head + strings.Join(parts, head) + "\r\n--graphql--\r\n"
}

func TestAnAnswerComesInPartsToWhoTakesThem(t *testing.T) {
	const json = "application/graphql-response+json; charset=utf-8"
	r := newRouter(t, router.Config{})
	for name, test := range map[string]struct{ accept, contentType, body string }{
		"nobody asks for parts": {"application/json;q=0.9, application/graphql-response+json", json, adasStars},
		"Apollo Client 4 with its handler for ids": {
			"multipart/mixed;incrementalSpec=v0.2,application/graphql-response+json,application/json;q=0.9",
			`multipart/mixed;boundary="graphql";incrementalSpec=v0.2`, multipart(firstPart, secondPart),
		},
		"Apollo Client with paths": {
			"multipart/mixed;deferSpec=20220824,application/graphql-response+json,application/json;q=0.9",
			`multipart/mixed;boundary="graphql";deferSpec=20220824`, multipart(firstPath, secondPath),
		},
		"urql": {
			"application/graphql-response+json, application/graphql+json, application/json, text/event-stream, multipart/mixed",
			`multipart/mixed;boundary="graphql"`, multipart(firstPart, secondPart),
		},
		"an event stream": {
			"text/event-stream", "text/event-stream; charset=utf-8",
			":\n\nevent: next\ndata: " + firstPart + "\n\nevent: next\ndata: " + secondPart + "\n\nevent: complete\ndata: \n\n",
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := post(r, later, "Accept", test.accept)
			if got := w.Header().Get("Content-Type"); got != test.contentType || w.Code != 200 {
				t.Errorf("status %d, Content-Type %q, want %q", w.Code, got, test.contentType)
			}
			if diff := cmp.Diff(test.body, w.Body.String()); diff != "" {
				t.Errorf("body (-want +got):\n%s", diff)
			}
		})
	}
}

func TestAClientThatTakesNothingButPartsGetsOne(t *testing.T) {
	r := newRouter(t, router.Config{})
	for accept, want := range map[string]string{
		"multipart/mixed":                    multipart(adasStars),
		"multipart/mixed;deferSpec=20220824": multipart(adasStars),
		"multipart/mixed;incrementalSpec=v1": "",
	} {
		w := post(r, question, "Accept", accept)
		if got := w.Body.String(); got != want && (want != "" || w.Code != 406) {
			t.Errorf("%s: status %d, %q, want %q", accept, w.Code, got, want)
		}
	}
}

func TestAnAnswerComesInPartsOverAWebSocket(t *testing.T) {
	server := httptest.NewServer(newRouter(t, router.Config{}))
	defer server.Close()
	for name, test := range map[string]struct {
		handshake http.Header
		init      string
		parts     []string
	}{
		"whoever says nothing":                   {nil, "", []string{firstPath, secondPath}},
		"whoever takes anything":                 {http.Header{"Accept": {"*/*"}}, "", []string{firstPath, secondPath}},
		"connection_init asks for ids":           {nil, `,"payload":{"accept":"multipart/mixed;incrementalSpec=v0.2"}`, []string{firstPart, secondPart}},
		"connection_init asks for paths":         {nil, `,"payload":{"Accept":"multipart/mixed;deferSpec=20220824"}`, []string{firstPath, secondPath}},
		"connection_init asks for whole answers": {nil, `,"payload":{"accept":"application/json"}`, []string{adasStars}},
		"the handshake asks for ids":             {http.Header{"Accept": {"multipart/mixed;incrementalSpec=v0.2"}}, "", []string{firstPart, secondPart}},
	} {
		t.Run(name, func(t *testing.T) {
			conn, _, err := websocket.Dial(t.Context(), server.URL+"/graphql", &websocket.DialOptions{Subprotocols: []string{"graphql-transport-ws"}, HTTPHeader: test.handshake})
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = conn.CloseNow() }()
			for _, message := range []string{`{"type":"connection_init"` + test.init + `}`, fmt.Sprintf(`{"id":"1","type":"subscribe","payload":{"query":%q}}`, later)} {
				if err := conn.Write(t.Context(), websocket.MessageText, []byte(message)); err != nil {
					t.Fatal(err)
				}
			}
			want := []string{`{"type":"connection_ack"}`}
			for _, part := range test.parts {
				want = append(want, `{"id":"1","type":"next","payload":`+part+`}`)
			}
			for _, want := range append(want, `{"id":"1","type":"complete"}`) {
				if _, got, err := conn.Read(t.Context()); err != nil || string(got) != want {
					t.Fatalf("got %s, %v, want %s", got, err, want)
				}
			}
		})
	}
}
