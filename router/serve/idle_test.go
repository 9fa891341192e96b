package serve_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"runtime"
	"strings"
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

// idleClients is the environment variable that makes the test the clients of the router at that address.
const idleClients = "AGORA_IDLE_CLIENTS_OF"

// openElsewhere opens sockets from a process of its own, so that only the router's ends are counted here.
func openElsewhere(t *testing.T, address string) {
	t.Helper()
	clients := exec.CommandContext(context.WithoutCancel(t.Context()), os.Args[0], "-test.run=^"+t.Name()+"$")
	clients.Env = append(os.Environ(), idleClients+"="+address)
	leave, err := clients.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	said, err := clients.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := clients.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = leave.Close()
		if err := clients.Wait(); err != nil {
			t.Errorf("the clients: %v", err)
		}
	})
	if line, err := bufio.NewReader(said).ReadString('\n'); line != "open\n" {
		t.Fatalf("the clients: %q, %v", line, err)
	}
}

func TestTenThousandIdleSocketsLeaveRoomForQueries(t *testing.T) {
	const sockets = 10_000
	if address := os.Getenv(idleClients); address != "" {
		for range sockets {
			conn := idleSocket(t, address)
			defer func() { _ = conn.Close() }()
		}
		fmt.Println("open")
		_, _ = io.Copy(io.Discard, os.Stdin) // until the test ends
		return
	}
	if os.Getenv("AGORA_CAMPAIGN") == "" {
		t.Skip("set AGORA_CAMPAIGN=1 to run it: it takes 10,000 open files")
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
	openElsewhere(t, strings.TrimPrefix(p.URL, "http://"))
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
