package transport

import (
	"bufio"
	"compress/gzip"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

func dial(t *testing.T, cfg HTTPConfig) *HTTP {
	t.Helper()
	h, err := NewHTTP(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(h.Close)
	return h
}

// dialer makes a transport in one of three ways.
type dialer func(t *testing.T, cfg HTTPConfig) Transport

func dialOwn(t *testing.T, cfg HTTPConfig) Transport { return dial(t, cfg) }

func dialNetHTTP(t *testing.T, cfg HTTPConfig) Transport {
	h := dial(t, cfg)
	h.own = nil
	return h
}

func dialAhead(t *testing.T, cfg HTTPConfig) Transport { return ahead{dial(t, cfg)} }

// dialTLS makes a transport to something in front of the subgraph that speaks TLS.
func dialTLS(t *testing.T, cfg HTTPConfig) Transport {
	server := httptest.NewUnstartedServer(nil)
	server.StartTLS() // for its certificate
	defer server.Close()
	roots := x509.NewCertPool()
	roots.AddCert(server.Certificate())
	u, err := url.Parse(cfg.URL)
	if err != nil {
		t.Fatal(err)
	}
	subgraph := u.Host
	l, err := tls.Listen("tcp", "127.0.0.1:0", &tls.Config{Certificates: server.TLS.Certificates, NextProtos: []string{"http/1.1"}})
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	t.Cleanup(func() { l.Close(); wg.Wait() })
	wg.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			wg.Go(func() { relay(conn, subgraph) })
		}
	})
	u.Scheme, u.Host = "https", l.Addr().String()
	cfg.URL, cfg.TLS = u.String(), &tls.Config{RootCAs: roots}
	h := dial(t, cfg)
	t.Cleanup(func() {
		if h.http2.Load() {
			t.Error("not through our own client")
		}
	})
	return h
}

// relay carries bytes between a connection and an address, until one of them ends.
func relay(conn net.Conn, address string) {
	defer conn.Close()
	to, err := net.Dial("tcp", address)
	if err != nil {
		return
	}
	defer to.Close()
	var back sync.WaitGroup
	back.Go(func() {
		_, _ = io.Copy(conn, to)
		_ = conn.Close()
	})
	_, _ = io.Copy(to, conn)
	_ = to.Close()
	back.Wait()
}

// ahead sends requests without waiting wherever a connection is kept.
type ahead struct{ *HTTP }

// Send sends the request, then receives the answer.
func (a ahead) Send(ctx context.Context, req *Request) (*Response, error) {
	if pending := a.Start(ctx, req); pending != nil {
		return pending.Receive(ctx)
	}
	return a.HTTP.Send(ctx, req)
}

// TestHTTPConformance holds our client, in both of its ways, and net/http's to the same.
func TestHTTPConformance(t *testing.T) {
	dialers := map[string]dialer{"own": dialOwn, "own, ahead": dialAhead, "own, with TLS": dialTLS, "net/http": dialNetHTTP}
	for client, dial := range dialers {
		for name, test := range map[string]func(*testing.T, dialer){
			"a request arrives with its body and headers":    testARequestArrivesWithItsBodyAndHeaders,
			"the subgraph learns how much time is left":      testTheSubgraphLearnsHowMuchTimeIsLeft,
			"answers of every form":                          testAnswersOfEveryForm,
			"redirects are not followed":                     testRedirectsAreNotFollowed,
			"timeouts and cancellation end the call":         testTimeoutsAndCancellationEndTheCall,
			"a stale connection is retried for queries only": testAStaleConnectionIsRetriedForQueriesOnly,
			"broken answers are errors":                      testBrokenAnswersAreErrors,
		} {
			t.Run(client+"/"+name, func(t *testing.T) { test(t, dial) })
		}
	}
}

func serve(t *testing.T, handle http.HandlerFunc) *httptest.Server {
	t.Helper()
	server := httptest.NewServer(handle)
	t.Cleanup(server.Close)
	return server
}

func query(body string) *Request { return &Request{Body: []byte(body)} }

// code is the code of an error that clients may know.
func code(err error) string {
	var known *Error
	if errors.As(err, &known) {
		return known.Code
	}
	return fmt.Sprint(err)
}

func testARequestArrivesWithItsBodyAndHeaders(t *testing.T, dial dialer) {
	server := serve(t, func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		w.Header().Set("X-Answer", "yes")
		w.WriteHeader(http.StatusTeapot)
		fmt.Fprintf(w, "%s %s %s|%s|%s|%s|%s|%s", r.Method, r.URL, body, r.Header.Get("Content-Type"),
			r.Header.Get("Accept"), r.Header.Get("Authorization"), r.Header.Get("X-Fixed"), r.Header.Get("Idempotency-Key"))
	})
	h := dial(t, HTTPConfig{URL: server.URL + "/graphql?x=1", AnswerHeaders: []string{"X-Answer"}, Header: http.Header{"X-Fixed": {"fixed"}, "Authorization": {"fixed"}}})
	req := query(`{"query":"{a}"}`)
	req.Header = http.Header{"Authorization": {"Bearer t"}, "Content-Type": {"text/plain"}, "Connection": {"close"}}
	for range 2 {
		resp, err := h.Send(t.Context(), req)
		if err != nil {
			t.Fatal(err)
		}
		want := `POST /graphql?x=1 {"query":"{a}"}|application/json|application/graphql-response+json, application/json;q=0.9|Bearer t|fixed|`
		if got := string(resp.Body); got != want || resp.Status != http.StatusTeapot || resp.Header.Get("X-Answer") != "yes" {
			t.Errorf("answer %d %v %q, want %q", resp.Status, resp.Header, got, want)
		}
		resp.Release()
	}
}

func testAnswersOfEveryForm(t *testing.T, dial dialer) {
	big := strings.Repeat("0123456789abcdef", 1<<14)
	handlers := map[string]http.HandlerFunc{
		"length": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", fmt.Sprint(len(big)))
			_, _ = io.WriteString(w, big)
		},
		"chunked": func(w http.ResponseWriter, _ *http.Request) {
			for i := 0; i < len(big); i += 1 << 14 {
				_, _ = io.WriteString(w, big[i:i+1<<14])
				w.(http.Flusher).Flush()
			}
		},
		"gzip": func(w http.ResponseWriter, r *http.Request) {
			if r.Header.Get("Accept-Encoding") != "gzip" {
				t.Errorf("Accept-Encoding %q", r.Header.Get("Accept-Encoding"))
			}
			w.Header().Set("Content-Encoding", "gzip")
			z := gzip.NewWriter(w)
			_, _ = io.WriteString(z, big)
			_ = z.Close()
		},
		"closing": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Connection", "close")
			_, _ = io.WriteString(w, big)
		},
	}
	for name, handle := range handlers {
		t.Run(name, func(t *testing.T) {
			server := serve(t, handle)
			h := dial(t, HTTPConfig{URL: server.URL, Gzip: name == "gzip", Timeout: time.Minute})
			var wg sync.WaitGroup
			for range 4 {
				wg.Go(func() {
					for range 3 {
						resp, err := h.Send(t.Context(), query("{}"))
						if err != nil {
							t.Error(err)
							return
						}
						if string(resp.Body) != big {
							t.Errorf("%d bytes, want %d", len(resp.Body), len(big))
						}
						resp.Release()
					}
				})
			}
			wg.Wait()
			small := dial(t, HTTPConfig{URL: server.URL, Gzip: name == "gzip", MaxResponseBytes: len(big) - 1, Timeout: time.Minute})
			if _, err := small.Send(t.Context(), query("{}")); code(err) != CodeTooLarge {
				t.Errorf("above the limit: %v", err)
			}
		})
	}
}

func testRedirectsAreNotFollowed(t *testing.T, dial dialer) {
	var elsewhere atomic.Int32
	target := serve(t, func(http.ResponseWriter, *http.Request) { elsewhere.Add(1) })
	server := serve(t, func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, target.URL, http.StatusTemporaryRedirect)
	})
	resp, err := dial(t, HTTPConfig{URL: server.URL}).Send(t.Context(), query("{}"))
	if err != nil || resp.Status != http.StatusTemporaryRedirect || elsewhere.Load() != 0 {
		t.Errorf("answer %+v, %v, %d requests elsewhere", resp, err, elsewhere.Load())
	}
}

func testTimeoutsAndCancellationEndTheCall(t *testing.T, dial dialer) {
	// Long enough for a handshake on a busy machine: a call that has not begun is not ended.
	const limit = 400 * time.Millisecond
	gone := make(chan struct{}, 4)
	server := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if body, _ := io.ReadAll(r.Body); string(body) == "connect" {
			return
		}
		if r.URL.Path == "/body" {
			_, _ = io.WriteString(w, "{")
			w.(http.Flusher).Flush()
		}
		<-r.Context().Done()
		gone <- struct{}{}
	})
	connected := func(cfg HTTPConfig) Transport {
		h := dial(t, cfg)
		// The time is for the call: a handshake takes some of it.
		_, _ = h.Send(t.Context(), query("connect"))
		return h
	}
	for _, path := range []string{"/headers", "/body"} {
		h := connected(HTTPConfig{URL: server.URL + path, Timeout: limit})
		if _, err := h.Send(t.Context(), query("{}")); code(err) != CodeTimeout {
			t.Errorf("%s: timeout: %v", path, err)
		}
		<-gone
		h = connected(HTTPConfig{URL: server.URL + path, Timeout: -1})
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(limit, cancel)
		if _, err := h.Send(ctx, query("{}")); code(err) != CodeCanceled {
			t.Errorf("%s: canceled: %v", path, err)
		}
		<-gone
		_, _ = h.Send(t.Context(), query("connect"))
		ctx, cancel = context.WithTimeout(t.Context(), limit)
		if _, err := h.Send(ctx, query("{}")); code(err) != CodeTimeout {
			t.Errorf("%s: the caller's deadline: %v", path, err)
		}
		cancel()
		<-gone
	}
}

// listen runs a server that speaks raw bytes: talk gets each connection, numbered from 1.
func listen(t *testing.T, talk func(n int, conn net.Conn, in *bufio.Reader)) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	t.Cleanup(func() { l.Close(); wg.Wait() })
	wg.Go(func() {
		for n := 1; ; n++ {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			wg.Go(func() {
				defer conn.Close()
				talk(n, conn, bufio.NewReader(conn))
			})
		}
	})
	return "http://" + l.Addr().String()
}

// readRequest reads a request to its end.
func readRequest(in *bufio.Reader) error {
	r, err := http.ReadRequest(in)
	if err == nil {
		_, err = io.Copy(io.Discard, r.Body)
	}
	return err
}

func testAStaleConnectionIsRetriedForQueriesOnly(t *testing.T, dial dialer) {
	for _, mutation := range []bool{false, true} {
		var conns atomic.Int32
		url := listen(t, func(n int, conn net.Conn, in *bufio.Reader) {
			conns.Store(int32(n))
			if readRequest(in) == nil {
				fmt.Fprintf(conn, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n%d!", n)
			}
			// The next request on this connection is read and dropped: nobody knows whether it was carried out.
			_ = readRequest(in)
		})
		h := dial(t, HTTPConfig{URL: url})
		first, err := h.Send(t.Context(), query("{}"))
		if err != nil || string(first.Body) != "1!" {
			t.Fatalf("first answer %+v, %v", first, err)
		}
		req := query("{}")
		req.Mutation = mutation
		second, err := h.Send(t.Context(), req)
		switch {
		case mutation && (err == nil || conns.Load() != 1):
			t.Errorf("the mutation was sent again on connection %d: %+v", conns.Load(), second)
		case !mutation && (err != nil || string(second.Body) != "2!"):
			t.Errorf("the query was not sent again: %+v, %v", second, err)
		}
	}
}

func testBrokenAnswersAreErrors(t *testing.T, dial dialer) {
	for answer, want := range map[string]string{
		"":                              CodeHTTP,
		"SSH-2.0-OpenSSH\r\n\r\n":       CodeHTTP,
		"HTTP/1.1 200 OK\r\nContent-Le": CodeHTTP,
		"HTTP/1.1 abc OK\r\n\r\n":       CodeHTTP,
		"HTTP/1.1 200 OK\r\nA: " + strings.Repeat("x", 300<<10) + "\r\n\r\n":       CodeHTTP,
		"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{}":                           CodeMalformed,
		"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nabc":            CodeMalformed,
		"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nabc":           CodeHTTP,
		"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Encoding: gzip\r\n\r\n{}": CodeMalformed,
		"HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999\r\n\r\n{}":        CodeHTTP,
		"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\n{}}":     CodeHTTP,
	} {
		url := listen(t, func(_ int, conn net.Conn, in *bufio.Reader) {
			if readRequest(in) == nil {
				_, _ = io.WriteString(conn, answer)
			}
		})
		resp, err := dial(t, HTTPConfig{URL: url}).Send(t.Context(), query("{}"))
		if code(err) != want {
			t.Errorf("%.60q: %+v, %v, want %s", answer, resp, err, want)
		}
	}
	if _, err := dial(t, HTTPConfig{URL: "http://127.0.0.1:1"}).Send(t.Context(), query("{}")); code(err) != CodeHTTP {
		t.Errorf("nobody listens: %v", err)
	}
}

func TestTLSWithHTTP1AndHTTP2(t *testing.T) {
	for _, h2 := range []bool{false, true} {
		server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			fmt.Fprint(w, r.ProtoMajor)
		}))
		server.EnableHTTP2 = h2
		server.StartTLS()
		defer server.Close()
		if _, err := dial(t, HTTPConfig{URL: server.URL}).Send(t.Context(), query("{}")); code(err) != CodeHTTP {
			t.Errorf("an unknown certificate: %v", err)
		}
		roots := x509.NewCertPool()
		roots.AddCert(server.Certificate())
		h := dial(t, HTTPConfig{URL: server.URL, TLS: &tls.Config{RootCAs: roots}})
		for range 2 {
			resp, err := h.Send(t.Context(), query("{}"))
			if want := map[bool]string{false: "1", true: "2"}[h2]; err != nil || string(resp.Body) != want || h.http2.Load() != h2 {
				t.Errorf("answer %+v, %v, want HTTP/%s; through net/http %v", resp, err, want, h.http2.Load())
			}
		}
	}
}

func TestURLsThatCannotWorkAreRefused(t *testing.T) {
	for _, url := range []string{"", "users", "ftp://x/", "http://", "http://[::1", "unix://", "unix://host/x"} {
		if _, err := NewHTTP(HTTPConfig{URL: url}); err == nil {
			t.Errorf("%q is accepted", url)
		}
	}
}

func TestASubgraphBehindAUnixSocketAnswersAsAnyOther(t *testing.T) {
	file := filepath.Join(t.TempDir(), "s")
	listener, err := net.Listen("unix", file)
	if err != nil {
		t.Fatal(err)
	}
	server := &httptest.Server{Listener: listener, Config: &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprint(w, r.URL.Path)
	})}}
	server.Start()
	defer server.Close()
	for url, want := range map[string]string{"unix://" + file: "/graphql", "unix://" + file + "?path=/query": "/query"} {
		for client, h := range map[string]Transport{"own": dialOwn(t, HTTPConfig{URL: url}), "net/http": dialNetHTTP(t, HTTPConfig{URL: url})} {
			resp, err := h.Send(t.Context(), query("{}"))
			if err != nil || string(resp.Body) != want {
				t.Errorf("%s, %s: answer %+v, %v, want %s", client, url, resp, err, want)
			}
		}
	}
}

func testTheSubgraphLearnsHowMuchTimeIsLeft(t *testing.T, dial dialer) {
	server := serve(t, func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, r.Header.Get("X-Time-Left")) })
	h := dial(t, HTTPConfig{URL: server.URL, Timeout: time.Minute, DeadlineHeader: "X-Time-Left"})
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	for _, test := range []struct {
		ctx  context.Context
		most int
	}{{t.Context(), 60_000}, {ctx, 30_000}, {ctx, 30_000}} {
		resp, err := h.Send(test.ctx, query("{}"))
		if err != nil {
			t.Fatal(err)
		}
		if left, err := strconv.Atoi(string(resp.Body)); err != nil || left > test.most || left < test.most/2 {
			t.Errorf("%s ms left, want %d and a little less", resp.Body, test.most)
		}
		resp.Release()
	}
}
