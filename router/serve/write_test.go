package serve_test

import (
	"context"
	"fmt"
	"io"
	"net"
	"testing"
	"time"

	"github.com/agora-supergraph/agora/router/serve"
)

// pipeListener accepts connections that hold no bytes: what is written waits for its reader.
type pipeListener struct {
	conns  chan net.Conn
	closed chan struct{}
}

func (l pipeListener) Accept() (net.Conn, error) {
	select {
	case conn := <-l.conns:
		return conn, nil
	case <-l.closed:
		return nil, net.ErrClosed
	}
}

func (l pipeListener) Close() error {
	close(l.closed)
	return nil
}

func (l pipeListener) Addr() net.Addr { return &net.UnixAddr{Name: "pipe"} }

func TestALargeAnswerArrivesAsLongAsItsClientReads(t *testing.T) {
	const size, writeTimeout = 4 << 20, time.Second
	h, err := serve.New(serve.Config{Engine: newFakeEngine(), HTTP: serve.HTTP{WriteTimeout: writeTimeout}})
	if err != nil {
		t.Fatal(err)
	}
	listener := pipeListener{make(chan net.Conn, 1), make(chan struct{})}
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- h.Serve(ctx, listener) }()
	conn, remote := net.Pipe()
	listener.conns <- remote
	if _, err := fmt.Fprintf(conn, "GET /graphql?query={big(bytes:%d)} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", size); err != nil {
		t.Fatal(err)
	}
	piece := make([]byte, 256<<10)
	total := 0
	for err == nil {
		time.Sleep(writeTimeout / 8) // the whole takes two such timeouts, each piece a part of one
		var n int
		n, err = io.ReadFull(conn, piece)
		total += n
	}
	if total < size {
		t.Errorf("got %d bytes of %d: %v", total, size, err)
	}
	stop()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}
