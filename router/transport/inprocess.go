package transport

import (
	"context"
	"fmt"
	"runtime/debug"
	"time"
)

// Server is a subgraph in this process.
type Server interface {
	// Serve answers a query or mutation. It must return soon after ctx has ended; the request's bytes are not
	// its own.
	Serve(ctx context.Context, req *Request) (*Response, error)
	// Subscribe starts a subscription.
	Subscribe(ctx context.Context, req *Request) (Stream, error)
}

// InProcess reaches a subgraph in this process, without a socket and without an HTTP envelope.
type InProcess struct {
	// Server is the subgraph.
	Server Server
	// Timeout bounds one request. Zero means that only the context's own deadline holds.
	Timeout time.Duration
}

var _ Transport = (*InProcess)(nil)

// Send calls the subgraph. A panic in it is an error of this request alone.
func (t *InProcess) Send(ctx context.Context, req *Request) (resp *Response, err error) {
	if t.Timeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, t.Timeout)
		defer cancel()
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	defer recovered(&err)
	return t.Server.Serve(ctx, req)
}

// Subscribe starts a subscription at the subgraph.
func (t *InProcess) Subscribe(ctx context.Context, req *Request) (stream Stream, err error) {
	defer recovered(&err)
	stream, err = t.Server.Subscribe(ctx, req)
	if err != nil {
		return nil, err
	}
	return &guarded{stream}, nil
}

// guarded is a stream whose panics are errors.
type guarded struct{ Stream }

// Next waits for the next event.
func (g *guarded) Next(ctx context.Context) (event []byte, err error) {
	defer recovered(&err)
	return g.Stream.Next(ctx)
}

// recovered turns a panic into an error with its stack, for the log.
func recovered(err *error) {
	if r := recover(); r != nil {
		reason := fmt.Errorf("panic: %v\n%s", r, debug.Stack())
		*err = &Error{Code: CodeHTTP, Message: "could not answer", Err: reason}
	}
}
