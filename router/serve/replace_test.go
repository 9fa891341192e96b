package serve_test

import (
	"bufio"
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/agora-supergraph/agora/router/serve"
)

func TestAReplacedHandlersStreamsGoOnAndEndWithTheListener(t *testing.T) {
	old, next := newFakeEngine(), newFakeEngine()
	handler := func(engine serve.Engine, path string) *serve.Handler {
		h, err := serve.New(serve.Config{Engine: engine, Path: path, Streams: serve.Streams{Heartbeat: 10 * time.Millisecond}})
		if err != nil {
			t.Fatal(err)
		}
		return h
	}
	front := handler(old, "")
	server := httptest.NewServer(front)
	defer server.Close()
	stream := subscribe(t.Context(), t, server, "subscription { forever }")
	<-old.subscribed
	replacing := handler(next, "/api")
	front.Replace(replacing)

	if resp, err := http.Get(server.URL + "/api?query={hello}"); err != nil || resp.StatusCode != 200 {
		t.Errorf("the new handler's path: %v, %v", resp, err)
	}
	if resp, err := http.Get(server.URL + "/graphql?query={hello}"); err != nil || resp.StatusCode != 404 {
		t.Errorf("the old handler's path: %v, %v", resp, err)
	}
	lines := bufio.NewScanner(stream.Body)
	for beats := 0; beats < 3; {
		if !lines.Scan() {
			t.Fatalf("the old handler's stream has ended: %v", lines.Err())
		}
		if strings.HasPrefix(lines.Text(), ":") {
			beats++
		}
	}
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	if err := front.Drain(ctx); err != nil {
		t.Fatal(err)
	}
	if old.open.Load() != 0 || next.open.Load() != 0 {
		t.Error("the stream outlives the listener")
	}
	if resp, err := http.Get(server.URL + "/health/ready"); err != nil || resp.StatusCode != 503 {
		t.Errorf("readiness after the drain: %v, %v", resp, err)
	}
}
