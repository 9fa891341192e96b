//go:build !unix

package transport

// alive can't be told here: mutations get a new connection each.
func (conn *h1conn) alive() bool { return false }
