package transport

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// TestAnswersAreReadAsNetHTTPReadsThem sends answers of random forms and sizes in random pieces, over connections that are
// kept where the answer lets them.
func TestAnswersAreReadAsNetHTTPReadsThem(t *testing.T) {
	const answers = 400
	r := rand.New(rand.NewPCG(1, 2))
	wires, bodies := make([]string, answers), make([]string, answers)
	for i := range wires {
		wires[i] = randomAnswer(r)
		parsed, err := http.ReadResponse(bufio.NewReader(strings.NewReader(wires[i])), nil)
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(parsed.Body)
		if err != nil {
			t.Fatal(err)
		}
		bodies[i] = string(body)
	}
	cuts := rand.New(rand.NewPCG(3, 4))
	var next atomic.Int32
	url := listen(t, func(_ int, conn net.Conn, in *bufio.Reader) {
		for readRequest(in) == nil {
			wire := wires[next.Load()]
			for pieces := cuts.IntN(4); wire != ""; pieces-- {
				n := len(wire)
				if pieces > 0 {
					n = 1 + cuts.IntN(n)
				}
				if _, err := io.WriteString(conn, wire[:n]); err != nil {
					return
				}
				wire = wire[n:]
			}
			if !strings.Contains(wires[next.Load()], "Content-Length") && !strings.Contains(wires[next.Load()], "chunked") {
				return
			}
		}
	})
	h := dial(t, HTTPConfig{URL: url})
	for i, want := range bodies {
		next.Store(int32(i))
		resp, err := h.Send(t.Context(), query("{}"))
		if err != nil {
			t.Fatalf("answer %d: %v", i, err)
		}
		if string(resp.Body) != want {
			t.Fatalf("answer %d: %d bytes that differ from the %d sent: %.200q", i, len(resp.Body), len(want), wires[i])
		}
		resp.Release()
	}
}

// randomAnswer is an answer with a length, in chunks, or one that ends with its connection.
func randomAnswer(r *rand.Rand) string {
	body := make([]byte, 1<<r.IntN(18)-1+r.IntN(3))
	for i := range body {
		body[i] = byte('a' + r.IntN(26))
	}
	var b strings.Builder
	b.WriteString("HTTP/1.1 200 OK\r\n")
	for range r.IntN(4) {
		fmt.Fprintf(&b, "X-%d: %s\r\n", r.IntN(100), strings.Repeat("v", r.IntN(3000)))
	}
	switch r.IntN(5) {
	case 0:
		b.WriteString("Connection: close\r\n\r\n")
		b.Write(body)
	case 1, 2:
		fmt.Fprintf(&b, "Content-Length: %d\r\n\r\n", len(body))
		b.Write(body)
	default:
		b.WriteString("Transfer-Encoding: chunked\r\n\r\n")
		for len(body) > 0 {
			n := 1 + r.IntN(len(body))
			if r.IntN(3) == 0 {
				n = len(body)
			}
			fmt.Fprintf(&b, "%x;x=%d\r\n%s\r\n", n, r.IntN(9), body[:n])
			body = body[n:]
		}
		b.WriteString("0\r\nX-Trailer: 1\r\n\r\n")
	}
	return b.String()
}

func TestACallThatIsCanceledInTheMiddleOfItsAnswerEndsAndItsConnectionIsNotUsedAgain(t *testing.T) {
	var conns atomic.Int32
	begun := make(chan struct{}, 1)
	url := listen(t, func(n int, conn net.Conn, in *bufio.Reader) {
		conns.Store(int32(n))
		for first := n == 1; readRequest(in) == nil; first = false {
			if first {
				_, _ = io.WriteString(conn, "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{\"dat")
				begun <- struct{}{}
				continue // the next request would get the rest
			}
			_, _ = io.WriteString(conn, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")
		}
	})
	h := dial(t, HTTPConfig{URL: url, Timeout: time.Minute})
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		<-begun
		cancel()
	}()
	if _, err := h.Send(ctx, query("{}")); code(err) != CodeCanceled {
		t.Fatalf("canceled: %v", err)
	}
	if resp, err := h.Send(t.Context(), query("{}")); err != nil || string(resp.Body) != "{}" || conns.Load() != 2 {
		t.Errorf("the next call: %+v, %v, on connection %d", resp, err, conns.Load())
	}
}

func TestOneDeadlineHoldsForSeveralCallsOnTheSameConnection(t *testing.T) {
	gone := make(chan struct{})
	server := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if body, _ := io.ReadAll(r.Body); string(body) == "wait" {
			<-r.Context().Done()
			close(gone)
		}
		_, _ = io.WriteString(w, "{}")
	})
	h := dial(t, HTTPConfig{URL: server.URL, Timeout: time.Minute})
	// Longer than what the system keeps: this one is for the look over all calls.
	ctx, cancel := context.WithTimeout(t.Context(), 25*tick)
	defer cancel()
	for range 3 {
		if _, err := h.Send(ctx, query("{}")); err != nil {
			t.Fatal(err)
		}
	}
	began := time.Now()
	if _, err := h.Send(ctx, query("wait")); code(err) != CodeTimeout || time.Since(began) > 30*time.Second {
		t.Errorf("after %s: %v", time.Since(began), err)
	}
	<-gone
	if _, err := h.Send(ctx, query("{}")); code(err) != CodeTimeout {
		t.Errorf("past the deadline: %v", err)
	}
}

// TestADeadlineOfOneCallIsNotThatOfTheNext keeps a connection over calls whose time limits the system keeps, and ones that
// it does not.
func TestADeadlineOfOneCallIsNotThatOfTheNext(t *testing.T) {
	var conns atomic.Int32
	url := listen(t, func(n int, conn net.Conn, in *bufio.Reader) {
		conns.Store(int32(n))
		for readRequest(in) == nil {
			_, _ = io.WriteString(conn, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")
		}
	})
	h := dial(t, HTTPConfig{URL: url, Timeout: time.Minute})
	ctx, cancel := context.WithTimeout(t.Context(), 10*tick)
	defer cancel()
	if _, err := h.Send(ctx, query("{}")); err != nil {
		t.Fatal(err)
	}
	<-ctx.Done()
	for range 2 {
		if resp, err := h.Send(t.Context(), query("{}")); err != nil || string(resp.Body) != "{}" {
			t.Errorf("answer %+v, %v", resp, err)
		}
	}
	if conns.Load() != 1 {
		t.Errorf("%d connections, want 1", conns.Load())
	}
}

func TestAConnectionThatWasClosedWhileItWasIdleIsReplaced(t *testing.T) {
	closed := make(chan struct{}, 2)
	var conns atomic.Int32
	url := listen(t, func(n int, conn net.Conn, in *bufio.Reader) {
		conns.Store(int32(n))
		if readRequest(in) == nil {
			fmt.Fprintf(conn, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n%d!", n)
		}
		_ = conn.Close()
		closed <- struct{}{}
	})
	h := dial(t, HTTPConfig{URL: url})
	for n, mutation := range []bool{false, false, true} {
		req := query("{}")
		req.Mutation = mutation
		resp, err := h.Send(t.Context(), req)
		if want := fmt.Sprintf("%d!", n+1); err != nil || string(resp.Body) != want {
			t.Errorf("call %d: %+v, %v, want %s", n+1, resp, err, want)
		}
		<-closed
	}
}

func TestMutationsUseAKeptConnectionWithTLS(t *testing.T) {
	var conns atomic.Int32
	url := listen(t, func(n int, conn net.Conn, in *bufio.Reader) {
		conns.Store(int32(n))
		for readRequest(in) == nil {
			_, _ = io.WriteString(conn, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")
		}
	})
	h := dialTLS(t, HTTPConfig{URL: url})
	for _, mutation := range []bool{false, true, true} {
		req := query("{}")
		req.Mutation = mutation
		if _, err := h.Send(t.Context(), req); err != nil {
			t.Fatal(err)
		}
	}
	if conns.Load() != 1 {
		t.Errorf("%d connections, want 1", conns.Load())
	}
}
