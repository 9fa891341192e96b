package serve_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/coder/websocket"

	"github.com/agora-supergraph/agora/router/serve"
)

func TestWebSocketsAreBounded(t *testing.T) {
	for name, test := range map[string]struct {
		bounds serve.Streams
		status int
	}{
		"in all":         {serve.Streams{MaxSockets: 1}, http.StatusServiceUnavailable},
		"of one address": {serve.Streams{MaxSocketsPerAddress: 1}, http.StatusTooManyRequests},
	} {
		t.Run(name, func(t *testing.T) {
			server, _ := start(t, serve.Config{Streams: test.bounds})
			open := func() (*websocket.Conn, *http.Response, error) {
				return websocket.Dial(t.Context(), strings.Replace(server.URL, "http", "ws", 1)+"/graphql", &websocket.DialOptions{Subprotocols: []string{"graphql-transport-ws"}})
			}
			first, _, err := open()
			if err != nil {
				t.Fatal(err)
			}
			if _, resp, err := open(); err == nil || resp.StatusCode != test.status {
				t.Errorf("one too many: got %v, %v", resp, err)
			}
			_ = first.CloseNow()
			eventually(t, "there is room after one has gone", func() bool {
				again, _, err := open()
				if err == nil {
					_ = again.CloseNow()
				}
				return err == nil
			})
		})
	}
}
