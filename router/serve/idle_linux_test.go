package serve_test

import (
	"bufio"
	"io"
	"net"
	"os"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/agora-supergraph/agora/router/serve"
)

// idleSocket opens a WebSocket, is acknowledged and says no more. It holds nothing but a connection: what memory grows by is
// the router's.
func idleSocket(t *testing.T, address string) net.Conn {
	t.Helper()
	conn, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	const upgrade = "GET /graphql HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n" +
		"Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Protocol: graphql-transport-ws\r\n\r\n"
	const init = `{"type":"connection_init"}`
	// A text frame, masked by zeros.
	if _, err := io.WriteString(conn, upgrade+"\x81"+string([]byte{0x80 | byte(len(init)), 0, 0, 0, 0})+init); err != nil {
		t.Fatal(err)
	}
	r := bufio.NewReaderSize(conn, 512)
	for {
		line, err := r.ReadString('}')
		if err != nil {
			t.Fatalf("%q: %v", line, err)
		}
		if strings.HasSuffix(line, `{"type":"connection_ack"}`) {
			return conn
		}
	}
}

func TestTenThousandIdleSocketsLeaveRoomForQueries(t *testing.T) {
	if os.Getenv("AGORA_CAMPAIGN") == "" {
		t.Skip("set AGORA_CAMPAIGN=1 to run it: it takes 20,000 open files")
	}
	const sockets = 10_000
	const files = 2*sockets + 1000 // both ends are this process's
	if err := syscall.Setrlimit(syscall.RLIMIT_NOFILE, &syscall.Rlimit{Cur: files, Max: files}); err != nil {
		t.Skipf("%d open files: %v", files, err)
	}
	p := run(t, serve.Config{Streams: serve.Streams{Heartbeat: 10 * time.Minute}})
	memory := func() uint64 {
		runtime.GC()
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return m.HeapAlloc + m.StackInuse
	}
	before := memory()
	address := strings.TrimPrefix(p.URL, "http://")
	for range sockets {
		conn := idleSocket(t, address)
		t.Cleanup(func() { _ = conn.Close() })
	}
	each := (memory() - before) / sockets
	start := time.Now()
	if got := post(t, p.Server, `{"query":"{hello}"}`); got.status != 200 {
		t.Errorf("a query meanwhile: got %d %s", got.status, got.body)
	}
	t.Logf("%d bytes for each of %d sockets; a query meanwhile took %s", each, sockets, time.Since(start))
	if each > 64<<10 {
		t.Errorf("each socket takes %d bytes", each)
	}
	if err := p.finish(t); err != nil {
		t.Error(err)
	}
}
