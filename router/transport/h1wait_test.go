package transport

import (
	"bufio"
	"io"
	"net"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// TestAnHalfClosedConnectionIsReplaced has a subgraph that says no more on a connection which it leaves open: what the system
// tells of that comes before the next request is written.
func TestAnHalfClosedConnectionIsReplaced(t *testing.T) {
	closed := make(chan struct{}, 2)
	var conns atomic.Int32
	url := listen(t, func(n int, conn net.Conn, in *bufio.Reader) {
		conns.Store(int32(n))
		if readRequest(in) == nil {
			_, _ = io.WriteString(conn, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")
		}
		_ = conn.(*net.TCPConn).CloseWrite()
		closed <- struct{}{}
		_, _ = io.Copy(io.Discard, in)
	})
	h := dial(t, HTTPConfig{URL: url, Timeout: time.Minute})
	for range 2 {
		if resp, err := h.Send(t.Context(), query("{}")); err != nil || string(resp.Body) != "{}" {
			t.Fatalf("answer %+v, %v", resp, err)
		}
		<-closed
	}
	if conns.Load() != 2 {
		t.Errorf("%d connections, want 2", conns.Load())
	}
}

// TestAnswersOfAnyDelayAreRead has answers that come before, while and after calls are woken, in pieces, on kept connections.
func TestAnswersOfAnyDelayAreRead(t *testing.T) {
	const calls = 16
	var conns atomic.Int32
	url := listen(t, func(n int, conn net.Conn, in *bufio.Reader) {
		conns.Add(1)
		for i := n; readRequest(in) == nil; i++ {
			time.Sleep(time.Duration(i%7) * tick / 2)
			_, _ = io.WriteString(conn, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{")
			time.Sleep(time.Duration(i%3) * tick)
			_, _ = io.WriteString(conn, "}")
		}
	})
	h := dial(t, HTTPConfig{URL: url, Timeout: time.Minute})
	var wg sync.WaitGroup
	for range calls {
		wg.Go(func() {
			for range 10 {
				if resp, err := h.Send(t.Context(), query("{}")); err != nil || string(resp.Body) != "{}" {
					t.Errorf("answer %+v, %v", resp, err)
					return
				}
			}
		})
	}
	wg.Wait()
	if conns.Load() > calls {
		t.Errorf("%d connections for %d calls at a time: some were not kept", conns.Load(), calls)
	}
}
