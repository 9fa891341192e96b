package serve

import (
	"errors"
	"net"
	"os"
	"sync"
	"time"
)

// patientListener makes the deadlines of its connections cheap. net/http and we set about six a request, nearly all of
// which are over before they matter: the system is told of one only if it is earlier than the one that it knows of.
type patientListener struct{ net.Listener }

// Accept waits for the next connection.
func (l patientListener) Accept() (net.Conn, error) {
	conn, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return patient(conn), nil
}

// patientConn is a connection whose deadlines are exact, though the system may know of earlier ones: it looks whether what
// has ended had to.
type patientConn struct {
	net.Conn
	read, write alarm
}

func patient(conn net.Conn) *patientConn {
	return &patientConn{Conn: conn, read: alarm{set: conn.SetReadDeadline}, write: alarm{set: conn.SetWriteDeadline}}
}

// Read reads, until the deadline.
func (c *patientConn) Read(b []byte) (int, error) {
	for {
		n, err := c.Conn.Read(b)
		if err == nil || n > 0 || !c.read.early(err) {
			return n, err
		}
	}
}

// Write writes all of b, until the deadline.
func (c *patientConn) Write(b []byte) (int, error) {
	written := 0
	for {
		n, err := c.Conn.Write(b[written:])
		if written += n; err == nil || !c.write.early(err) {
			return written, err
		}
	}
}

// SetDeadline sets both deadlines.
func (c *patientConn) SetDeadline(t time.Time) error {
	return errors.Join(c.read.at(t), c.write.at(t))
}

// SetReadDeadline sets the deadline of reads.
func (c *patientConn) SetReadDeadline(t time.Time) error { return c.read.at(t) }

// SetWriteDeadline sets the deadline of writes.
func (c *patientConn) SetWriteDeadline(t time.Time) error { return c.write.at(t) }

// CloseWrite ends what is sent. net/http does that before it closes a connection whose client may still be sending, so
// that the answer arrives.
func (c *patientConn) CloseWrite() error {
	if half, ok := c.Conn.(interface{ CloseWrite() error }); ok {
		return half.CloseWrite()
	}
	return errors.ErrUnsupported
}

// alarm is a deadline: the one that is wanted, and the one that the system knows of, which is never later.
type alarm struct {
	set func(time.Time) error

	mu            sync.Mutex
	wanted, known time.Time
}

// at sets the deadline; zero is none.
func (a *alarm) at(t time.Time) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.wanted = t
	if t.IsZero() || !a.known.IsZero() && !t.Before(a.known) {
		return nil
	}
	a.known = t
	return a.set(t)
}

// early says whether err is a deadline of the system that is not wanted, and sets the one that is.
func (a *alarm) early(err error) bool {
	if !errors.Is(err, os.ErrDeadlineExceeded) {
		return false
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if !a.wanted.IsZero() && !a.wanted.After(time.Now()) {
		return false
	}
	a.known = a.wanted
	return a.set(a.wanted) == nil
}
