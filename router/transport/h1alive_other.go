//go:build !unix

package transport

import (
	"net"
	"syscall"
)

// rawOf is nil: how to wait on a connection depends on the system.
func rawOf(net.Conn) syscall.RawConn { return nil }

// alive can't be told here: mutations get a new connection each.
func (conn *h1conn) alive() bool { return false }
