// Package natstest gives tests a NATS server with JetStream: the one that AGORA_TEST_NATS names, by default the one on
// this machine, or, where none answers, one that is started in the test's process from the server's Go module. Tests
// that stop a server, or put back its folder, always have one of their own.
package natstest

import (
	"context"
	"crypto/rand"
	"net"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// URL is that of a server with JetStream. It may be in use by others: see Prefix.
func URL(t testing.TB) string {
	t.Helper()
	url := os.Getenv("AGORA_TEST_NATS")
	if url == "" {
		url = nats.DefaultURL
	}
	if conn, err := nats.Connect(url, nats.Timeout(2*time.Second)); err == nil {
		defer conn.Close()
		if js, err := jetstream.New(conn); err == nil {
			if _, err := js.AccountInfo(t.Context()); err == nil {
				return url
			}
		}
	}
	return Start(t, t.TempDir(), 0).URL()
}

// Prefix is one for the streams of a test, which are deleted when it ends.
func Prefix(t testing.TB, url string) string {
	t.Helper()
	prefix := "test" + strings.ToLower(rand.Text()[:10])
	t.Cleanup(func() { DeleteStreams(t, url, prefix) })
	return prefix
}

// DeleteStreams deletes all streams whose names begin with a prefix.
func DeleteStreams(t testing.TB, url, prefix string) {
	t.Helper()
	conn, err := nats.Connect(url)
	if err != nil {
		return // the server is gone, and its streams with it
	}
	defer conn.Close()
	js, err := jetstream.New(conn)
	if err != nil {
		t.Error(err)
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(t.Context()), 10*time.Second)
	defer cancel()
	for name := range js.StreamNames(ctx).Name() {
		if strings.HasPrefix(name, prefix+"_") {
			if err := js.DeleteStream(ctx, name); err != nil {
				t.Errorf("delete stream %s: %v", name, err)
			}
		}
	}
}

// Server is a server in the test's process.
type Server struct {
	*server.Server
	// Port is where it listens, and Folder what it keeps.
	Port   int
	Folder string
}

// Start starts a server on a port, 0 for a free one, that keeps its streams in a folder. It ends with the test.
func Start(t testing.TB, folder string, port int) *Server {
	t.Helper()
	if port == 0 {
		port = freePort(t)
	}
	s, err := server.NewServer(&server.Options{Host: "127.0.0.1", Port: port, JetStream: true, StoreDir: folder, NoSigs: true, NoLog: true})
	if err != nil {
		t.Fatalf("start NATS: %v", err)
	}
	s.Start()
	if !s.ReadyForConnections(10 * time.Second) {
		t.Fatal("NATS is not ready after 10 s")
	}
	started := &Server{s, port, folder}
	t.Cleanup(started.Stop)
	return started
}

// URL is the server's.
func (s *Server) URL() string { return s.ClientURL() }

// Stop ends the server, and returns when its files are closed.
func (s *Server) Stop() {
	s.Shutdown()
	s.WaitForShutdown()
}

func freePort(t testing.TB) int {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port
}
