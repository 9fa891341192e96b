package transport

import (
	"context"
	"errors"
	"time"
)

// grace is how long an answer may still be read that should have come while another one was waited for: it lies in the
// system's buffers, or it doesn't come.
const grace = 20 * time.Millisecond

// start sends a request without waiting: a small one, on a kept connection. It returns nil if that can't be done; nothing
// has happened then.
func (c *h1) start(ctx context.Context, req *Request) Pending {
	if req.Mutation || len(req.Body) > smallBody || ctx.Err() != nil {
		return nil
	}
	conn := c.take(ctx, false)
	if conn == nil {
		return nil
	}
	if err := c.write(conn, req); err != nil {
		// Stale, most likely. Send says what is wrong if it is something else.
		c.drop(conn)
		return nil
	}
	// What has come while nobody receives is not late.
	conn.due.Store(0)
	conn.client, conn.req = c, req
	return conn
}

// Receive reads the answer to a request that start has sent.
func (conn *h1conn) Receive(ctx context.Context) (*Response, error) {
	c, req := conn.client, conn.req
	conn.client, conn.req = nil, nil
	resp, err := c.receive(ctx, conn)
	if err != nil && conn.stale(ctx, err) {
		resp, err = c.send(ctx, req)
	}
	if err != nil {
		return nil, c.cfg.failure(ctx, err)
	}
	return resp, nil
}

func (c *h1) receive(ctx context.Context, conn *h1conn) (*Response, error) {
	if errors.Is(ctx.Err(), context.Canceled) {
		c.drop(conn)
		return nil, ctx.Err()
	}
	if !conn.deadline.IsZero() && time.Until(conn.deadline) < grace {
		// The time has gone by with waiting for others.
		_ = conn.SetReadDeadline(time.Now().Add(grace))
		conn.timed = true
	} else {
		conn.watched()
	}
	resp, err := conn.readAnswer(c.cfg, &c.expected)
	return c.finish(ctx, conn, resp, err)
}

// stale reports whether a call has failed because the subgraph had closed the kept connection.
func (conn *h1conn) stale(ctx context.Context, err error) bool {
	return conn.reused && !conn.begun && ctx.Err() == nil && !isTimeout(err) && !errors.Is(err, errHeader)
}
