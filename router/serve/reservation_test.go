package serve_test

import (
	"bufio"
	"context"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/agora-supergraph/agora/router/serve"
)

const tokenHeader = "X-GraphQL-Event-Stream-Token"

// reserveStream makes a reservation and opens it.
func reserveStream(ctx context.Context, t *testing.T, server *httptest.Server) (token string, events *bufio.Scanner) {
	t.Helper()
	got := do(t, "PUT", server.URL+"/graphql", "")
	if got.status != http.StatusCreated || len(got.body) < 20 {
		t.Fatalf("PUT: got %d %q", got.status, got.body)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, server.URL+"/graphql?token="+got.body, nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Accept", "text/event-stream")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = resp.Body.Close() })
	if resp.StatusCode != 200 {
		t.Fatalf("GET: got %d", resp.StatusCode)
	}
	return got.body, bufio.NewScanner(resp.Body)
}

// dataOf reads n data lines.
func dataOf(t *testing.T, events *bufio.Scanner, n int) []string {
	t.Helper()
	var lines []string
	for len(lines) < n && events.Scan() {
		if data, ok := strings.CutPrefix(events.Text(), "data: "); ok {
			lines = append(lines, data)
		}
	}
	if len(lines) < n {
		t.Fatalf("the stream ended after %q: %v", lines, events.Err())
	}
	return lines
}

func TestOneStreamCarriesManyOperations(t *testing.T) {
	server, engine := start(t, serve.Config{Streams: serve.Streams{SingleConnection: true}})
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	token, events := reserveStream(ctx, t, server)
	send := func(id, query string, header ...string) answer {
		return post(t, server, `{"query":"`+query+`","extensions":{"operationId":"`+id+`"}}`, append(header, tokenHeader, token)...)
	}
	for id, query := range map[string]string{"a": "{whoami}", "b": "subscription{count(to:1)}", "c": "{", "d": "{boom}"} {
		if got := send(id, query, "Authorization", "Bearer good"); got.status != 202 || got.body != "" {
			t.Errorf("%s: got %d %s", query, got.status, got.body)
		}
	}
	got := dataOf(t, events, 8)
	for _, want := range []string{
		`{"id":"a","payload":{"data":{"whoami":"usr_1"}}}`, `{"id":"b","payload":{"data":{"count":1}}}`, `{"id":"a"}`, `{"id":"b"}`, `{"id":"c"}`, `{"id":"d"}`,
		`{"id":"d","payload":{"errors":[{"message":"internal server error","extensions":{"code":"INTERNAL_SERVER_ERROR"}}]}}`,
	} {
		if !slices.Contains(got, want) {
			t.Errorf("got %q, without %s", got, want)
		}
	}
	send("e", "subscription{forever}")
	if got := send("e", "{hello}"); got.status != 409 {
		t.Errorf("an id that is taken: got %d %s", got.status, got.body)
	}
	<-engine.subscribed
	if got := do(t, "DELETE", server.URL+"/graphql", "", tokenHeader, token); got.status != 400 || !strings.Contains(got.body, "operationId is missing") {
		t.Errorf("DELETE of nothing: got %d %s", got.status, got.body)
	}
	if got := do(t, "DELETE", server.URL+"/graphql?operationId=e", "", tokenHeader, token); got.status != 200 {
		t.Errorf("DELETE: got %d %s", got.status, got.body)
	}
	eventually(t, "the subscription is closed", func() bool { return engine.open.Load() == 0 })
	send("f", "subscription{forever}")
	cancel()
	eventually(t, "the stream's end ends its operations and its token", func() bool {
		return engine.open.Load() == 0 && send("g", "{hello}").status == 404
	})
}

func TestStreamsOfManyOperationsAreGuarded(t *testing.T) {
	server, _ := start(t, serve.Config{Streams: serve.Streams{SingleConnection: true, MaxOperations: 1, InitTimeout: 50 * time.Millisecond}})
	token, _ := reserveStream(t.Context(), t, server)
	with := []string{tokenHeader, token}
	if got := post(t, server, `{"query":"{hello}"}`, with...); got.status != 400 || !strings.Contains(got.body, "operationId") {
		t.Errorf("no operationId: got %d %s", got.status, got.body)
	}
	if got := post(t, server, `{"query":"{hello}"}`, tokenHeader, "guessed"); got.status != 404 {
		t.Errorf("a token that was never given: got %d %s", got.status, got.body)
	}
	if got := do(t, "GET", server.URL+"/graphql", "", append(with, "Accept", "text/event-stream")...); got.status != 409 {
		t.Errorf("opened twice: got %d %s", got.status, got.body)
	}
	const forever = `{"query":"subscription{forever}","extensions":{"operationId":"1"}}`
	if got := post(t, server, forever, append(with, "Authorization", "Bearer forged")...); got.status != 401 {
		t.Errorf("a forged token: got %d %s", got.status, got.body)
	}
	post(t, server, forever, with...)
	if got := post(t, server, strings.Replace(forever, `"1"`, `"2"`, 1), with...); got.status != 429 {
		t.Errorf("too many: got %d %s", got.status, got.body)
	}
	unopened := do(t, "PUT", server.URL+"/graphql", "").body
	eventually(t, "a reservation that nobody opens is forgotten", func() bool {
		return post(t, server, forever, tokenHeader, unopened).status == 404
	})
	off, _ := start(t, serve.Config{})
	if got := do(t, "PUT", off.URL+"/graphql", ""); got.status != 405 {
		t.Errorf("off: got %d %s", got.status, got.body)
	}
}
