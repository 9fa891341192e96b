package serve

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"strings"
	"syscall"
	"time"
)

// unixPrefix begins a Listen that is a socket's path.
const unixPrefix = "unix:"

// unixPeer stands for the address of who connects over a unix socket: a process on this machine, which can have any name
// for its end.
const unixPeer = "unix"

// listen opens the listener. The error is one line for people.
func (h *Handler) listen(ctx context.Context) (net.Listener, error) {
	network, address := "tcp", h.cfg.Listen
	if path, ok := strings.CutPrefix(address, unixPrefix); ok {
		network, address = "unix", path
		removeStale(ctx, path)
	}
	var lc net.ListenConfig
	listener, err := lc.Listen(ctx, network, address)
	if err == nil {
		return listener, nil
	}
	// The innermost error says it all: the outer ones repeat the address and the system call.
	var no syscall.Errno
	var syscallErr *os.SyscallError
	if errors.As(err, &syscallErr) && errors.As(err, &no) {
		err = no
	}
	var op *net.OpError
	if errors.As(err, &op) {
		err = op.Err
	}
	return nil, fmt.Errorf("listen %s: %w", h.cfg.Listen, err)
}

// removeStale removes a socket that nobody listens on any more: a process that was killed leaves its own behind. Anything
// else at the path stays, and makes listening fail.
func removeStale(ctx context.Context, path string) {
	info, err := os.Lstat(path)
	if err != nil || info.Mode().Type() != os.ModeSocket {
		return
	}
	dialer := net.Dialer{Timeout: time.Second}
	conn, err := dialer.DialContext(ctx, "unix", path)
	if err == nil {
		_ = conn.Close()
	} else if errors.Is(err, syscall.ECONNREFUSED) {
		_ = os.Remove(path) // listening says what is wrong if this fails
	}
}

// unixListener gives all its connections one address.
type unixListener struct{ *net.UnixListener }

// Accept waits for the next connection.
func (l unixListener) Accept() (net.Conn, error) {
	conn, err := l.AcceptUnix()
	if err != nil {
		return nil, err
	}
	return unixConn{conn}, nil
}

type unixConn struct{ *net.UnixConn }

// RemoteAddr is unixPeer.
func (unixConn) RemoteAddr() net.Addr { return &net.UnixAddr{Name: unixPeer, Net: "unix"} }
