//go:build unix

package transport

import "syscall"

// alive looks whether the other side has closed the connection, without waiting.
func (conn *h1conn) alive() bool {
	sys, ok := conn.below.(syscall.Conn)
	if !ok {
		return false
	}
	raw, err := sys.SyscallConn()
	if err != nil {
		return false
	}
	var b [1]byte
	quiet := false
	err = raw.Read(func(fd uintptr) bool {
		_, err := syscall.Read(int(fd), b[:])
		quiet = err == syscall.EAGAIN
		return true
	})
	return err == nil && quiet
}
