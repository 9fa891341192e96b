package serve

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"sync"
	"syscall"
)

// Run listens and serves until ctx ends, then shuts down: it stops listening, ends the streams, lets running
// requests finish for at most HTTP.DrainTimeout, and returns nil. An error means that it could not listen,
// stopped listening by itself, or had to cut requests off.
func Run(ctx context.Context, cfg Config) error {
	h, err := New(cfg)
	if err != nil {
		return err
	}
	return h.Run(ctx)
}

// Run is the same with a handler that there is.
func (h *Handler) Run(ctx context.Context) error {
	listener, err := h.listen(ctx)
	if err != nil {
		return err
	}
	if h.cfg.OnListen != nil {
		h.cfg.OnListen(listener.Addr())
	}
	return h.Serve(ctx, listener)
}

// listen opens the listener. The error is one line for people.
func (h *Handler) listen(ctx context.Context) (net.Listener, error) {
	var lc net.ListenConfig
	listener, err := lc.Listen(ctx, "tcp", h.cfg.Listen)
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

// Serve is Run on a listener that is already open. It closes the listener.
func (h *Handler) Serve(ctx context.Context, listener net.Listener) error {
	server := h.server(ctx)
	served := make(chan error, 1)
	var running sync.WaitGroup
	defer running.Wait()
	running.Go(func() { served <- server.Serve(listener) })
	select {
	case err := <-served:
		return fmt.Errorf("serve %s: %w", listener.Addr(), errors.Join(err, server.Close()))
	case <-ctx.Done():
	}
	drain, cancel := context.WithTimeoutCause(
		context.WithoutCancel(ctx), h.cfg.HTTP.DrainTimeout,
		fmt.Errorf("requests still running after %s", h.cfg.HTTP.DrainTimeout),
	)
	defer cancel()
	var streams error
	running.Go(func() { streams = h.Drain(drain) })
	err := server.Shutdown(drain)
	if err != nil {
		err = errors.Join(context.Cause(drain), server.Close())
	}
	running.Wait()
	if err = errors.Join(err, streams); err != nil {
		return fmt.Errorf("shut down: %w", err)
	}
	return nil
}

// server configures net/http. Reading of bodies is bounded per request, by the exchange, and not here:
// http.Server.ReadTimeout would end streams.
func (h *Handler) server(ctx context.Context) *http.Server {
	bounds := h.cfg.HTTP
	protocols := new(http.Protocols)
	protocols.SetHTTP1(true)
	protocols.SetHTTP2(true)
	protocols.SetUnencryptedHTTP2(h.cfg.H2C)
	server := &http.Server{
		Handler:           h,
		ReadHeaderTimeout: bounds.ReadHeaderTimeout,
		// The last resort for what writes before the handler answers; each answer sets its own deadline.
		WriteTimeout:   bounds.ReadBodyTimeout + bounds.Timeout + bounds.WriteTimeout,
		IdleTimeout:    bounds.IdleTimeout,
		MaxHeaderBytes: bounds.MaxHeaderBytes,
		Protocols:      protocols,
		// Requests outlive ctx: they drain.
		BaseContext: func(net.Listener) context.Context { return context.WithoutCancel(ctx) },
		ErrorLog:    slog.NewLogLogger(h.cfg.Logger.Handler(), slog.LevelWarn),
	}
	if h.cfg.Observer != nil {
		server.ConnState = h.connected
	}
	return server
}
