//go:build unix

package transport

import (
	"net"
	"syscall"
)

// rawOf is the connection as the system has it, or nil.
func rawOf(conn net.Conn) syscall.RawConn {
	sys, ok := conn.(syscall.Conn)
	if !ok {
		return nil
	}
	raw, err := sys.SyscallConn()
	if err != nil {
		return nil
	}
	return raw
}

// alive looks whether the other side has closed the connection, without waiting.
func (conn *h1conn) alive() bool {
	raw := rawOf(conn.below)
	if raw == nil {
		return false
	}
	var b [1]byte
	quiet := false
	err := raw.Read(func(fd uintptr) bool {
		_, err := syscall.Read(int(fd), b[:])
		quiet = err == syscall.EAGAIN
		return true
	})
	return err == nil && quiet
}
