package serve

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"sync"
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
	encryption, err := h.encryption()
	if err != nil {
		return err
	}
	listener, err := h.listen(ctx)
	if err != nil {
		return err
	}
	if h.cfg.OnListen != nil {
		h.cfg.OnListen(listener.Addr())
	}
	return h.serve(ctx, listener, encryption)
}

// Serve is Run on a listener that is already open. It closes the listener.
func (h *Handler) Serve(ctx context.Context, listener net.Listener) error {
	encryption, err := h.encryption()
	if err != nil {
		return errors.Join(err, listener.Close())
	}
	return h.serve(ctx, listener, encryption)
}

// encryption is nil for plain HTTP.
func (h *Handler) encryption() (*tls.Config, error) {
	if !h.cfg.TLS.enabled() {
		return nil, nil //nolint:nilnil // nil is net/http's default
	}
	files, err := newCertificates(h.cfg.TLS, h.cfg.Logger)
	if err != nil {
		return nil, err
	}
	return &tls.Config{MinVersion: tls.VersionTLS12, GetConfigForClient: files.config}, nil
}

func (h *Handler) serve(ctx context.Context, listener net.Listener, encryption *tls.Config) error {
	server := h.server(ctx)
	server.TLSConfig = encryption
	if unix, ok := listener.(*net.UnixListener); ok {
		listener = unixListener{unix}
	}
	listener = patientListener{listener}
	served := make(chan error, 1)
	var running sync.WaitGroup
	defer running.Wait()
	running.Go(func() {
		if encryption != nil {
			served <- server.ServeTLS(listener, "", "")
		} else {
			served <- server.Serve(listener)
		}
	})
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

// unreadHeaders is how many times more than it may take a header has to be for the server to give up on it. It has a line of
// text for that, and nothing of ours to ask.
const unreadHeaders = 4

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
		MaxHeaderBytes: unreadHeaders * bounds.MaxHeaderBytes,
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
