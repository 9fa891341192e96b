package serve_test

import (
	"bufio"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/agora-supergraph/agora/router/serve"
)

const postHeaders = "POST /graphql HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 19\r\n"

// drip sends a byte at a time, never silent for long, until the router hangs up. It returns what came back.
func drip(t *testing.T, conn net.Conn, begin string) string {
	t.Helper()
	if _, err := io.WriteString(conn, begin); err != nil {
		t.Fatal(err)
	}
	stop := make(chan struct{})
	stopped := make(chan struct{})
	go func() {
		defer close(stopped)
		for {
			select {
			case <-stop:
				return
			case <-time.After(5 * time.Millisecond):
				if _, err := io.WriteString(conn, "x"); err != nil {
					return
				}
			}
		}
	}()
	got, err := io.ReadAll(conn)
	close(stop)
	<-stopped
	var timeout net.Error
	if errors.As(err, &timeout) && timeout.Timeout() {
		t.Error("the connection is still open")
	}
	return string(got)
}

func TestAClientThatDripsIsCutOff(t *testing.T) {
	p := run(t, serve.Config{HTTP: serve.HTTP{ReadHeaderTimeout: 60 * time.Millisecond, ReadBodyTimeout: 60 * time.Millisecond}})
	tests := []struct{ name, begin, want string }{
		{"the request's line", "GET /", ""},
		{"headers", postHeaders + "X: ", ""},
		{"a body", strings.Replace(postHeaders, "19", "1000000", 1) + "\r\n{", "HTTP/1.1 408 "},
		{"chunks", strings.Replace(postHeaders, "Content-Length: 19", "Transfer-Encoding: chunked", 1) + "\r\nfffff\r\n{", "HTTP/1.1 408 "},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if got := drip(t, p.connect(t), test.begin); !strings.HasPrefix(got, test.want) {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
	if got := post(t, p.Server, `{"query":"{hello}"}`); got.status != 200 {
		t.Errorf("afterwards: got %d %s", got.status, got.body)
	}
}

func TestABodyThatNeverComesOverHTTP2IsNotWaitedFor(t *testing.T) {
	p := run(t, serve.Config{H2C: true, HTTP: serve.HTTP{ReadBodyTimeout: 60 * time.Millisecond}})
	protocols := new(http.Protocols)
	protocols.SetUnencryptedHTTP2(true)
	client := &http.Client{Transport: &http.Transport{Protocols: protocols}}
	defer client.CloseIdleConnections()
	body, never := io.Pipe()
	defer func() { _ = never.Close() }()
	resp, err := client.Post(p.URL+"/graphql", "application/json", body)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	if got := readAll(t, resp.Body); resp.StatusCode != 408 || !strings.Contains(got, "REQUEST_TIMEOUT") {
		t.Errorf("got %d %s", resp.StatusCode, got)
	}
}

func TestAHandshakeThatNeverEndsIsCutOff(t *testing.T) {
	own := newCertificate(t, "router")
	folder := t.TempDir()
	files := serve.TLS{CertFile: folder + "/cert", KeyFile: folder + "/key"}
	write(t, files.CertFile, own.cert)
	write(t, files.KeyFile, own.key)
	p := run(t, serve.Config{TLS: files, HTTP: serve.HTTP{ReadHeaderTimeout: 60 * time.Millisecond}})
	drip(t, p.connect(t), "\x16\x03\x01\x02\x00\x01")
}

func TestAClientThatDoesNotReadIsCutOff(t *testing.T) {
	p := run(t, serve.Config{HTTP: serve.HTTP{WriteTimeout: 60 * time.Millisecond}, Compression: serve.Compression{Disabled: true}})
	conn := p.connect(t)
	const query = `{"query":"{big(bytes:33554432)}"}`
	if _, err := io.WriteString(conn, strings.Replace(postHeaders, "19", "33", 1)+"\r\n"+query); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the request has ended", func() bool { return strings.Contains(p.log.String(), "kind=query") })
	if got, _ := io.Copy(io.Discard, conn); got >= 33554432 { // it ends in an error: the connection was reset
		t.Errorf("took %d bytes", got)
	}
	if n := p.engine.fresh.Load(); n != 0 {
		t.Errorf("%d answers are kept for who does not read", n)
	}
}

func TestAClientThatHalfClosesGetsItsAnswerAndHoldsNoStream(t *testing.T) {
	p := run(t, serve.Config{Streams: plain})
	halfClosed := func(request string) *bufio.Reader {
		conn := p.connect(t)
		if _, err := io.WriteString(conn, request); err != nil {
			t.Fatal(err)
		}
		if err := conn.(*net.TCPConn).CloseWrite(); err != nil {
			t.Fatal(err)
		}
		return bufio.NewReader(conn)
	}
	resp, err := http.ReadResponse(halfClosed(postHeaders+"\r\n"+`{"query":"{hello}"}`), nil)
	if err != nil {
		t.Fatal(err)
	}
	if got := readAll(t, resp.Body); got != `{"data":{"hello":"hello nobody"}}` {
		t.Errorf("got %s", got)
	}
	_ = resp.Body.Close()

	stream := halfClosed("GET /graphql?query=subscription{forever} HTTP/1.1\r\nHost: a\r\nAccept: text/event-stream\r\n\r\n")
	<-p.engine.subscribed
	if _, err := io.Copy(io.Discard, stream); err != nil {
		t.Errorf("the stream: %v", err)
	}
	eventually(t, "the subscription is closed", func() bool { return p.engine.open.Load() == 0 })
}
