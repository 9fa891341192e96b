package transport

import (
	"sync/atomic"
	"syscall"
	"time"
)

// waiter lets a call wait for its answer without looking for it first: right behind the request nothing is there yet, and to
// find that out is a system call more, and one of the most expensive things that a call does.
//
// The system tells once of what has come. What it told of before is forgotten when the wait begins, so the request is written
// within the wait: no byte of an answer can have come before. An end of the connection can. Mostly the request makes the other
// side say so again; where it doesn't, sweep ends the wait after a tick or two, and the call looks for itself.
type waiter struct {
	// raw is the connection; nil where this can't be done, such as with TLS, whose bytes are not yet the answer's.
	raw syscall.RawConn
	// step is (*h1conn).step: one value for all calls.
	step func(fd uintptr) bool
	// written says that the request has been; failed is why it could not be.
	written bool
	failed  error
	// since is the number of the sweep after which the wait has begun; zero without a wait, woken if sweep has ended it.
	since atomic.Int64
}

const woken = -1

func (conn *h1conn) makeWaiter() {
	if conn.Conn != conn.below {
		return
	}
	conn.wait.raw = rawOf(conn.below)
	conn.wait.step = conn.step
}

// writeAndWait writes a request, and waits until something is there to be read, if that can be done.
func (c *h1) writeAndWait(conn *h1conn, req *Request) error {
	if conn.wait.raw == nil || conn.timed || len(req.Body) > smallBody {
		return c.write(conn, req)
	}
	if err := c.compose(conn, req); err != nil {
		return err
	}
	return c.waitFor(conn)
}

// waitFor writes conn.out within a wait for what comes then.
func (c *connections) waitFor(conn *h1conn) error {
	w := &conn.wait
	w.written, w.failed = false, nil
	began := c.sweeps.Load() + 1
	w.since.Store(began)
	err := w.raw.Read(w.step)
	if !w.since.CompareAndSwap(began, 0) {
		err = c.look(conn, err)
	}
	if w.failed != nil {
		return w.failed
	}
	return err
}

// step is called within the wait: once before, and once when there is something.
func (conn *h1conn) step(uintptr) bool {
	if conn.wait.written {
		return true
	}
	conn.wait.written = true
	_, conn.wait.failed = conn.Write(conn.out)
	return conn.wait.failed != nil
}

// wake ends the wait of a call that has begun before the last sweep. It is called with the lock held.
func (conn *h1conn) wake(sweep int64) {
	if since := conn.wait.since.Load(); since > 0 && since < sweep && conn.wait.since.CompareAndSwap(since, woken) {
		_ = conn.SetReadDeadline(past)
	}
}

// look lets a call whose wait sweep has ended go on with reading, unless it was to end. err is that of the wait.
func (c *connections) look(conn *h1conn, err error) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	conn.wait.since.Store(0)
	if conn.aborted {
		return err
	}
	return conn.SetReadDeadline(time.Time{})
}
