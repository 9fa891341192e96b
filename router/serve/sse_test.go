package serve_test

import (
	"bufio"
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/agora-supergraph/agora/router/serve"
)

// plain ends subscriptions with their connections.
var plain = serve.Streams{Resume: serve.Resume{Disabled: true}}

// subscribe opens an event stream. Its body is closed with the context.
func subscribe(ctx context.Context, t *testing.T, server *httptest.Server, query string) *http.Response {
	t.Helper()
	return subscribeTo(ctx, t, server, "?query="+url.QueryEscape(query))
}

// subscribeTo is subscribe with other parameters, and headers.
func subscribeTo(ctx context.Context, t *testing.T, server *httptest.Server, parameters string, header ...string) *http.Response {
	t.Helper()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, server.URL+"/graphql"+parameters, nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Accept", "text/event-stream")
	for i := 0; i < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = resp.Body.Close() })
	return resp
}

func readAll(t *testing.T, r io.Reader) string {
	t.Helper()
	b, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func TestEventStreamsCarryOperations(t *testing.T) {
	server, _ := start(t, serve.Config{Streams: plain})
	tests := []struct{ name, query, want string }{
		{
			"a subscription", "subscription { count(to: 2) }",
			":\n\nevent: next\ndata: {\"data\":{\"count\":1}}\n\nevent: next\ndata: {\"data\":{\"count\":2}}\n\nevent: complete\ndata: \n\n",
		},
		{"a query", "{ hello }", ":\n\nevent: next\ndata: {\"data\":{\"hello\":\"hello nobody\"}}\n\nevent: complete\ndata: \n\n"},
		{
			"a mutation, which GET must not run", "mutation { bump }",
			":\n\nevent: next\ndata: {\"errors\":[{\"message\":\"mutations need POST\",\"extensions\":{\"code\":\"METHOD_NOT_ALLOWED\"}}]}\n\nevent: complete\ndata: \n\n",
		},
		{
			"a source that fails", "subscription { broken }",
			":\n\nevent: next\ndata: {\"data\":{\"broken\":1}}\n\nevent: next\ndata: {\"errors\":[{\"message\":\"the subscription has failed\",\"extensions\":{\"code\":\"INTERNAL_SERVER_ERROR\"}}]}\n\nevent: complete\ndata: \n\n",
		},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			resp := subscribe(t.Context(), t, server, test.query)
			if got := resp.Header.Get("Content-Type"); got != "text/event-stream; charset=utf-8" {
				t.Errorf("Content-Type %q", got)
			}
			if got := readAll(t, resp.Body); got != test.want {
				t.Errorf("got  %q\nwant %q", got, test.want)
			}
		})
	}
}

func TestEventStreamsArePostedToo(t *testing.T) {
	server, _ := start(t, serve.Config{})
	got := post(t, server, `{"query":"subscription($n:Int!){count(to:$n)}","variables":{"n":1}}`, "Accept", "text/event-stream")
	if want := "data: {\"data\":{\"count\":1}}\n\nevent: complete"; !strings.Contains(got.body, want) {
		t.Errorf("got %q, want %q", got.body, want)
	}
}

func TestMultipartCarriesSubscriptions(t *testing.T) {
	server, _ := start(t, serve.Config{})
	const (
		apollo   = `multipart/mixed;boundary="graphql";subscriptionSpec=1.0,application/graphql-response+json,application/json;q=0.9`
		part     = "\r\ncontent-type: application/json\r\n\r\n"
		boundary = "\r\n--graphql"
	)
	got := post(t, server, `{"query":"subscription{count(to:2)}"}`, "Accept", apollo)
	want := boundary + part + `{"payload":{"data":{"count":1}}}` + boundary + part + `{"payload":{"data":{"count":2}}}` + boundary + "--\r\n"
	if got.body != want {
		t.Errorf("got  %q\nwant %q", got.body, want)
	}
	if got := got.header.Get("Content-Type"); got != `multipart/mixed;boundary="graphql";subscriptionSpec=1.0` {
		t.Errorf("Content-Type %q", got)
	}
	got = post(t, server, `{"query":"subscription{broken}"}`, "Accept", apollo)
	want = boundary + part + `{"payload":{"data":{"broken":1}}}` + boundary + part +
		`{"payload":null,"errors":[{"message":"the subscription has failed","extensions":{"code":"INTERNAL_SERVER_ERROR"}}]}` + boundary + "--\r\n"
	if got.body != want {
		t.Errorf("got  %q\nwant %q", got.body, want)
	}
	if got := post(t, server, `{"query":"{hello}"}`, "Accept", apollo); got.header.Get("Content-Type") != "application/graphql-response+json; charset=utf-8" {
		t.Errorf("a query: got %v %s", got.header, got.body)
	}
}

func TestQueriesOfClientsThatAlsoAcceptStreamsAreAnsweredInJSON(t *testing.T) {
	server, _ := start(t, serve.Config{})
	const urql = "application/graphql-response+json, application/graphql+json, application/json, text/event-stream, multipart/mixed"
	got := post(t, server, `{"query":"{hello}"}`, "Accept", urql)
	if got.header.Get("Content-Type") != "application/graphql-response+json; charset=utf-8" || got.body != `{"data":{"hello":"hello nobody"}}` {
		t.Errorf("got %v %s", got.header, got.body)
	}
	got = post(t, server, `{"query":"{"}`, "Accept", urql)
	if got.status != 400 {
		t.Errorf("a syntax error: got %d %s", got.status, got.body)
	}
}

func TestASubscriptionWithoutAStreamIsNotAcceptable(t *testing.T) {
	server, _ := start(t, serve.Config{})
	got := post(t, server, `{"query":"subscription{forever}"}`)
	if got.status != 406 || got.code != "SUBSCRIPTION_NEEDS_STREAM" {
		t.Errorf("got %d %s", got.status, got.body)
	}
}

func TestAMalformedRequestForAStreamIsAnsweredInJSON(t *testing.T) {
	server, _ := start(t, serve.Config{})
	got := post(t, server, `{`, "Accept", "text/event-stream")
	if got.status != 400 || got.code != serve.CodeBadRequest {
		t.Errorf("got %d %s", got.status, got.body)
	}
}

func TestQuietMultipartStreamsSendHeartbeats(t *testing.T) {
	server, _ := start(t, serve.Config{Streams: serve.Streams{Heartbeat: 5 * time.Millisecond}})
	stream := []string{"Accept", "multipart/mixed;subscriptionSpec=1.0", "Authorization", "Bearer brief"}
	got := post(t, server, `{"query":"subscription{forever}"}`, stream...)
	const beat = "\r\ncontent-type: application/json\r\n\r\n{}\r\n--graphql"
	if rest := strings.ReplaceAll(got.body, beat, ""); rest != "\r\n--graphql" || strings.Count(got.body, beat) < 2 {
		t.Errorf("got %q", got.body)
	}
}

func TestQuietStreamsSendHeartbeats(t *testing.T) {
	server, engine := start(t, serve.Config{Streams: serve.Streams{Heartbeat: 5 * time.Millisecond, Resume: plain.Resume}})
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	resp := subscribe(ctx, t, server, "subscription { forever }")
	lines := bufio.NewScanner(resp.Body)
	for range 6 {
		if !lines.Scan() {
			t.Fatal(lines.Err())
		}
		if line := lines.Text(); line != ":" && line != "" {
			t.Errorf("got %q, want a comment", line)
		}
	}
	cancel()
	eventually(t, "the subscription is closed after its client has gone", func() bool { return engine.open.Load() == 0 })
}

func TestAnEventStreamEndsWithItsToken(t *testing.T) {
	server, _ := start(t, serve.Config{})
	stream := []string{"Accept", "text/event-stream", "Authorization", "Bearer brief"}
	if got := post(t, server, `{"query":"subscription{forever}"}`, stream...); got.body != ":\n\n" {
		t.Errorf("got %q, want no event: its client is to connect again", got.body)
	}
}

func TestAStreamOutlivesTheTimeForItsRequest(t *testing.T) {
	const brief = 100 * time.Millisecond
	server, _ := start(t, serve.Config{
		HTTP:    serve.HTTP{ReadBodyTimeout: brief, Timeout: brief, WriteTimeout: brief},
		Streams: serve.Streams{Heartbeat: 20 * time.Millisecond},
	})
	begin := time.Now()
	post(t, server, `{"query":"subscription{forever}"}`, "Accept", "text/event-stream", "Authorization", "Bearer brief")
	if lasted := time.Since(begin); lasted < 400*time.Millisecond {
		t.Errorf("the stream ended after %s, want its token's 500 ms", lasted)
	}
}

func TestAStreamWhoseClientDoesNotReadIsClosed(t *testing.T) {
	server, engine := start(t, serve.Config{HTTP: serve.HTTP{WriteTimeout: 50 * time.Millisecond}, Streams: plain})
	subscribe(t.Context(), t, server, "subscription { flood }")
	<-engine.subscribed
	eventually(t, "the subscription is closed", func() bool { return engine.open.Load() == 0 })
}

// eventually waits for what happens in another goroutine.
func eventually(t *testing.T, what string, done func() bool) {
	t.Helper()
	deadline := time.Now().Add(10 * time.Second)
	for !done() {
		if time.Now().After(deadline) {
			t.Fatalf("not within 10 s: %s", what)
		}
		time.Sleep(time.Millisecond)
	}
}
