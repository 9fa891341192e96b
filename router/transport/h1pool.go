package transport

import (
	"context"
	"math"
	"net"
	"sync"
	"sync/atomic"
	"time"
)

// connections are those of one client: kept ones, and those that carry a call. A call has no timer and registers nowhere:
// while there are calls, one look over them every tick ends those that are late, or whose context has ended.
type connections struct {
	cfg *HTTPConfig

	mu sync.Mutex
	// idle are the connections that are not in use; the one used last is at the end.
	idle []*h1conn
	// busy is the first of a list of those in use.
	busy *h1conn
	// sweeps counts the calls of sweep.
	sweeps atomic.Int64
	// watch calls sweep in a while, if watching.
	watch    *time.Timer
	watching bool
}

// tick is how late a call may be ended. Time limits that are not far above it are kept by the system.
const tick = 20 * time.Millisecond

// h1conn is a connection. It belongs to one call at a time.
type h1conn struct {
	net.Conn
	// below is the connection without TLS.
	below net.Conn
	out   []byte
	in    inbox
	head  h1head
	since time.Time
	// client and req are those of a pending call, deadline is its.
	client   *h1
	req      *Request
	deadline time.Time
	// timed says that the system knows of a deadline.
	timed bool
	// reused says that the connection has carried a request before.
	reused bool
	// begun says that a byte of the answer has arrived.
	begun bool
	// spent says that the connection can't be used again.
	spent bool

	wait waiter

	// due is the deadline of who reads or writes, as time since epoch; zero if nobody does, or needs no watching.
	due atomic.Int64

	// These are guarded by the lock of connections. aborted says that the call was ended.
	aborted    bool
	ctx        context.Context
	next, prev *h1conn
}

var epoch = time.Now()

// take returns a kept connection for a call, or nil. For a mutation, which is never sent twice, it makes sure that the
// subgraph hasn't closed it meanwhile.
func (c *connections) take(ctx context.Context, mutation bool) *h1conn {
	now := time.Now()
	for {
		c.mu.Lock()
		n := len(c.idle) - 1
		if n < 0 {
			c.mu.Unlock()
			return nil
		}
		conn := c.idle[n]
		c.idle[n] = nil
		c.idle = c.idle[:n]
		c.enter(ctx, conn)
		c.mu.Unlock()
		conn.reused, conn.begun = true, false
		if now.Sub(conn.since) < c.cfg.IdleTimeout && (!mutation || conn.alive()) {
			conn.limit(ctx, now, c.cfg.Timeout)
			return conn
		}
		c.drop(conn)
	}
}

// add takes a connection that is new.
func (c *connections) add(ctx context.Context, conn *h1conn) {
	c.mu.Lock()
	c.enter(ctx, conn)
	c.mu.Unlock()
	conn.limit(ctx, time.Now(), c.cfg.Timeout)
}

// enter puts a connection on the list of those in use. It is called with the lock held.
func (c *connections) enter(ctx context.Context, conn *h1conn) {
	conn.ctx = ctx
	if conn.next = c.busy; c.busy != nil {
		c.busy.prev = conn
	}
	c.busy = conn
	switch {
	case c.watching:
		return
	case c.watch == nil:
		c.watch = time.AfterFunc(tick, c.sweep)
	default:
		c.watch.Reset(tick)
	}
	c.watching = true
}

// leave takes a connection off the list. It is called with the lock held.
func (c *connections) leave(conn *h1conn) {
	if conn.prev != nil {
		conn.prev.next = conn.next
	} else {
		c.busy = conn.next
	}
	if conn.next != nil {
		conn.next.prev = conn.prev
	}
	conn.ctx, conn.next, conn.prev = nil, nil, nil
}

// keep puts a connection back that has carried a call, and closes one that nobody has used for too long.
func (c *connections) keep(conn *h1conn) {
	conn.since = time.Now()
	conn.due.Store(0)
	var old *h1conn
	c.mu.Lock()
	c.leave(conn)
	if len(c.idle) > 0 && conn.since.Sub(c.idle[0].since) > c.cfg.IdleTimeout {
		old = c.idle[0]
		c.idle = append(c.idle[:0], c.idle[1:]...)
	}
	useless := conn.aborted || len(c.idle) >= c.cfg.MaxIdleConns
	if !useless {
		c.idle = append(c.idle, conn)
	}
	c.mu.Unlock()
	if useless {
		_ = conn.below.Close()
	}
	if old != nil {
		_ = old.Close()
	}
}

// drop closes a connection that was in use, without a word of farewell as TLS has it: nobody may take it any more.
func (c *connections) drop(conn *h1conn) {
	c.mu.Lock()
	c.leave(conn)
	c.mu.Unlock()
	_ = conn.below.Close()
}

// close closes the kept connections.
func (c *connections) close() {
	c.mu.Lock()
	idle := c.idle
	c.idle = nil
	c.mu.Unlock()
	for _, conn := range idle {
		_ = conn.Close()
	}
}

// past is a deadline that ends all reads and writes at once.
var past = time.Unix(1, 0)

// sweep ends the calls that are late or not wanted any more.
func (c *connections) sweep() {
	c.mu.Lock()
	defer c.mu.Unlock()
	now, sweep := int64(time.Since(epoch)), c.sweeps.Add(1)
	for conn := c.busy; conn != nil; conn = conn.next {
		switch due := conn.due.Load(); {
		case conn.aborted:
		case due != 0 && (now > due || conn.ctx.Err() != nil):
			conn.aborted = true
			_ = conn.SetDeadline(past)
		default:
			conn.wake(sweep)
		}
	}
	if c.watching = c.busy != nil; c.watching {
		c.watch.Reset(tick)
	}
}

// limit sets the deadline of a call that begins now.
func (conn *h1conn) limit(ctx context.Context, now time.Time, timeout time.Duration) {
	conn.deadline = time.Time{}
	if timeout > 0 {
		conn.deadline = now.Add(timeout)
	}
	if d, ok := ctx.Deadline(); ok && (conn.deadline.IsZero() || d.Before(conn.deadline)) {
		conn.deadline = d
	}
	soon := !conn.deadline.IsZero() && conn.deadline.Sub(now) < 20*tick
	switch {
	case soon:
		_ = conn.SetDeadline(conn.deadline)
	case conn.timed:
		_ = conn.SetDeadline(time.Time{})
	}
	conn.timed = soon
	conn.watched()
}

// watched lets the call be ended when it is late.
func (conn *h1conn) watched() {
	if conn.deadline.IsZero() {
		conn.due.Store(math.MaxInt64)
	} else {
		conn.due.Store(max(1, int64(conn.deadline.Sub(epoch))))
	}
}
