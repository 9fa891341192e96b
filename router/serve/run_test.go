package serve_test

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/agora-supergraph/agora/router/serve"
)

// logBuffer is a log that may be read while it is written.
type logBuffer struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (l *logBuffer) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.Write(b)
}

func (l *logBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.String()
}

// program is serve.Run in a goroutine.
type program struct {
	*httptest.Server // only its URL is used
	engine           *fakeEngine
	log              *logBuffer
	// stop begins the shutdown; ended gets Run's error.
	stop  context.CancelFunc
	ended chan error
}

func run(t *testing.T, cfg serve.Config) *program {
	t.Helper()
	ctx, stop := context.WithCancel(t.Context())
	p := &program{engine: newFakeEngine(), log: new(logBuffer), stop: stop, ended: make(chan error, 1)}
	address := make(chan net.Addr, 1)
	cfg.Engine, cfg.Listen = p.engine, "127.0.0.1:0"
	cfg.Logger = slog.New(slog.NewTextHandler(p.log, nil))
	cfg.OnListen = func(addr net.Addr) { address <- addr }
	go func() { p.ended <- serve.Run(ctx, cfg) }()
	select {
	case addr := <-address:
		p.Server = &httptest.Server{URL: "http://" + addr.String()}
	case err := <-p.ended:
		t.Fatal(err)
	}
	t.Cleanup(stop)
	return p
}

// finish waits for Run to return.
func (p *program) finish(t *testing.T) error {
	t.Helper()
	p.stop()
	select {
	case err := <-p.ended:
		return err
	case <-time.After(10 * time.Second):
		t.Fatal("Run does not return")
		return nil
	}
}

func (p *program) connect(t *testing.T) net.Conn {
	t.Helper()
	conn, err := net.Dial("tcp", strings.TrimPrefix(p.URL, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	if err := conn.SetDeadline(time.Now().Add(10 * time.Second)); err != nil {
		t.Fatal(err)
	}
	return conn
}

func TestAnAddressThatIsTakenIsOneClearLine(t *testing.T) {
	p := run(t, serve.Config{})
	taken := strings.TrimPrefix(p.URL, "http://")
	tests := map[string]string{
		taken:             "listen " + taken + ": address already in use",
		"127.0.0.1:99999": `listen: found "127.0.0.1:99999", expected an address such as 127.0.0.1:4000`,
		"nonsense":        `listen: found "nonsense", expected an address such as 127.0.0.1:4000`,
	}
	for listen, want := range tests {
		err := serve.Run(t.Context(), serve.Config{Engine: p.engine, Listen: listen})
		if err == nil || err.Error() != want {
			t.Errorf("Run on %s: %v, want %s", listen, err, want)
		}
	}
}

func TestShutdownLetsRequestsFinishAndEndsStreams(t *testing.T) {
	p := run(t, serve.Config{})
	stream := subscribe(t.Context(), t, p.Server, "subscription { forever }")
	socket := connect(t, p.Server)
	socket.subscribe("1", "subscription { forever }")
	<-p.engine.subscribed
	<-p.engine.subscribed
	slow := make(chan answer, 1)
	go func() { slow <- post(t, p.Server, `{"query":"{slow}"}`) }()
	socket.subscribe("2", "{ slow }")
	<-p.engine.entered
	<-p.engine.entered
	p.stop()
	if got := readAll(t, stream.Body); strings.Contains(got, "event:") {
		t.Errorf("the stream ended with %q, want no event: its client is to connect again", got)
	}
	eventually(t, "the port is closed", func() bool {
		conn, err := net.Dial("tcp", strings.TrimPrefix(p.URL, "http://"))
		if err == nil {
			_ = conn.Close()
		}
		return err != nil
	})
	close(p.engine.release)
	if got := <-slow; got.body != `{"data":{"slow":"done"}}` {
		t.Errorf("the running request: got %d %s", got.status, got.body)
	}
	socket.hear(`{"id":"2","type":"next","payload":{"data":{"slow":"done"}}}`, `{"id":"2","type":"complete"}`)
	socket.closed(1001, "shutting down")
	if err := p.finish(t); err != nil {
		t.Error(err)
	}
	if n := p.engine.open.Load(); n != 0 {
		t.Errorf("%d subscriptions were not closed", n)
	}
}

func TestShutdownCutsOffWhatDoesNotFinish(t *testing.T) {
	p := run(t, serve.Config{HTTP: serve.HTTP{DrainTimeout: 20 * time.Millisecond}})
	go func() {
		resp, err := http.Get(p.URL + "/graphql?query={slow}")
		if err == nil {
			_ = resp.Body.Close()
		}
	}()
	<-p.engine.entered
	if err := p.finish(t); err == nil || !strings.Contains(err.Error(), "requests still running after 20ms") {
		t.Errorf("Run: %v", err)
	}
}

func TestASlowClientDoesNotHoldItsConnection(t *testing.T) {
	p := run(t, serve.Config{HTTP: serve.HTTP{ReadHeaderTimeout: 30 * time.Millisecond, ReadBodyTimeout: 30 * time.Millisecond}})
	const headers = "POST /graphql HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 100\r\n"
	tests := []struct{ name, send, want string }{
		{"headers that never end", headers, ""},
		{"a body that never ends", headers + "\r\n{", "HTTP/1.1 408 "},
		{"a refused request whose body never comes", strings.Replace(headers, "application/json", "text/plain", 1) + "\r\n", "HTTP/1.1 415 "},
		{"a page that is not there, whose body never comes", strings.Replace(headers, "/graphql", "/x", 1) + "\r\n", "HTTP/1.1 404 "},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			conn := p.connect(t)
			if _, err := io.WriteString(conn, test.send); err != nil {
				t.Fatal(err)
			}
			got, err := io.ReadAll(conn)
			var timeout net.Error
			if errors.As(err, &timeout) && timeout.Timeout() {
				t.Fatal("the connection is still open")
			}
			if !strings.HasPrefix(string(got), test.want) {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}

func TestHalfAndOversizeRequestsAreRefused(t *testing.T) {
	p := run(t, serve.Config{HTTP: serve.HTTP{MaxBodyBytes: 100, MaxHeaderBytes: 2000}})
	const headers = "POST /graphql HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n"
	tests := []struct{ name, send, want string }{
		{"a body that is cut off", headers + "Content-Length: 50\r\n\r\n{\"query\"", "HTTP/1.1 400 "},
		{"a length over the limit", headers + "Content-Length: 101\r\n\r\n", "HTTP/1.1 413 "},
		{"chunks over the limit", headers + "Transfer-Encoding: chunked\r\n\r\n65\r\n" + strings.Repeat(" ", 0x65) + "\r\n0\r\n\r\n", "HTTP/1.1 413 "},
		{"headers over the limit", "GET / HTTP/1.1\r\nHost: a\r\nX: " + strings.Repeat("x", 2000) + "\r\n\r\n", "HTTP/1.1 431 "},
		{"far over the limit", "GET / HTTP/1.1\r\nHost: a\r\nX: " + strings.Repeat("x", 20000) + "\r\n\r\n", "HTTP/1.1 431 "},
		{"two lengths", headers + "Content-Length: 5\r\nContent-Length: 6\r\n\r\n{}", "HTTP/1.1 400 "},
		{"no HTTP", "nonsense\r\n\r\n", "HTTP/1.1 400 "},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			conn := p.connect(t)
			if _, err := io.WriteString(conn, test.send); err != nil {
				t.Fatal(err)
			}
			if err := conn.(*net.TCPConn).CloseWrite(); err != nil {
				t.Fatal(err)
			}
			line, err := bufio.NewReader(conn).ReadString('\n')
			if err != nil || !strings.HasPrefix(line, test.want) {
				t.Errorf("got %q, %v, want %q", line, err, test.want)
			}
		})
	}
}

func TestHeadersOverTheLimitAreAGraphQLError(t *testing.T) {
	p := run(t, serve.Config{HTTP: serve.HTTP{MaxHeaderBytes: 2000}})
	if got := post(t, p.Server, `{"query":"{hello}"}`, "X", strings.Repeat("x", 1500)); got.status != http.StatusOK {
		t.Errorf("below the limit: %+v", got)
	}
	got := post(t, p.Server, `{"query":"{hello}"}`, "X", strings.Repeat("x", 2000))
	if got.status != http.StatusRequestHeaderFieldsTooLarge || got.code != "HEADERS_TOO_LARGE" || !strings.Contains(got.body, "more than 2000 bytes") {
		t.Errorf("above it: %+v", got)
	}
	target := p.Server.URL + "/graphql?query=" + strings.Repeat("x", 2000)
	if got := do(t, http.MethodGet, target, ""); got.status != http.StatusRequestHeaderFieldsTooLarge || got.code != "HEADERS_TOO_LARGE" {
		t.Errorf("a line above it: %+v", got)
	}
}

func TestAPanicIsA500AndTheProcessGoesOn(t *testing.T) {
	p := run(t, serve.Config{Streams: plain})
	got := post(t, p.Server, `{"query":"{boom}"}`)
	if got.status != 500 || got.code != "INTERNAL_SERVER_ERROR" || strings.Contains(got.body, "boom") {
		t.Errorf("got %d %s", got.status, got.body)
	}
	if log := p.log.String(); !strings.Contains(log, "panic=boom") || !strings.Contains(log, "engine_test.go") {
		t.Errorf("the log has no stack: %s", log)
	}
	if resp := subscribe(t.Context(), t, p.Server, "subscription { boom }"); true {
		if body, err := io.ReadAll(resp.Body); err == nil {
			t.Errorf("a broken stream ended well: %q", body)
		}
	}
	if got := post(t, p.Server, `{"query":"{hello}"}`); got.status != 200 {
		t.Errorf("afterwards: got %d %s", got.status, got.body)
	}
	if n := p.engine.open.Load(); n != 0 {
		t.Errorf("%d subscriptions were not closed", n)
	}
}

func TestAnOperationThatTakesTooLongIsCutShort(t *testing.T) {
	p := run(t, serve.Config{HTTP: serve.HTTP{Timeout: 10 * time.Millisecond}})
	if got := post(t, p.Server, `{"query":"{slow}"}`); got.body != `{"data":{"slow":"cut short"}}` {
		t.Errorf("got %d %s", got.status, got.body)
	}
	if got := post(t, p.Server, `{"query":"{slow}"}`, "Accept", "text/event-stream"); !strings.Contains(got.body, "cut short") {
		t.Errorf("over an event stream: got %d %s", got.status, got.body)
	}
	socket := connect(t, p.Server)
	socket.subscribe("1", "{ slow }")
	socket.hear(`{"id":"1","type":"next","payload":{"data":{"slow":"cut short"}}}`)
}

func TestHTTP2WithoutTLSIsAnOption(t *testing.T) {
	for _, h2c := range []bool{false, true} {
		p := run(t, serve.Config{H2C: h2c})
		protocols := new(http.Protocols)
		protocols.SetUnencryptedHTTP2(true)
		client := &http.Client{Transport: &http.Transport{Protocols: protocols}}
		resp, err := client.Post(p.URL+"/graphql", "application/json", strings.NewReader(`{"query":"{hello}"}`))
		if (err == nil) != h2c {
			t.Fatalf("h2c %v: %v", h2c, err)
		}
		if err == nil {
			if got := fmt.Sprint(resp.Proto, " ", readAll(t, resp.Body)); got != `HTTP/2.0 {"data":{"hello":"hello nobody"}}` {
				t.Errorf("got %s", got)
			}
			_ = resp.Body.Close()
		}
		client.CloseIdleConnections()
	}
}

func TestEachRequestIsOneLineInTheLog(t *testing.T) {
	p := run(t, serve.Config{})
	post(t, p.Server, `{"query":"query Greet{hello}"}`, "X-Request-Id", "abc")
	post(t, p.Server, `{`)
	post(t, p.Server, `{"query":"{"}`)
	do(t, "GET", p.URL+"/health/live", "")
	socket := connect(t, p.Server)
	socket.subscribe("1", "subscription { count(to: 2) }")
	socket.hear(`{"id":"1","type":"next","payload":{"data":{"count":1}}}`, `{"id":"1","type":"next","payload":{"data":{"count":2}}}`, `{"id":"1","type":"complete"}`)
	_ = socket.conn.CloseNow()
	if err := p.finish(t); err != nil {
		t.Error(err)
	}
	lines := strings.Split(strings.TrimSpace(p.log.String()), "\n")
	wants := []string{
		`msg=request id=abc method=POST path=/graphql`, `operation=Greet kind=query status=200 code="" bytes=33`,
		`status=400 code=BAD_REQUEST`, `status=200 code=GRAPHQL_PARSE_FAILED`,
		`msg=operation`, `kind=subscription code="" responses=2`, `kind=websocket status=101`,
	}
	for _, want := range wants {
		if !strings.Contains(p.log.String(), want) {
			t.Errorf("no %s in\n%s", want, p.log)
		}
	}
	if len(lines) != 5 {
		t.Errorf("%d lines, want 5:\n%s", len(lines), p.log)
	}
}
