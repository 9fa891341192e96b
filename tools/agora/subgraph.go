package main

import (
	"cmp"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"slices"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/agora-supergraph/agora/internal/telemetry"
	"github.com/agora-supergraph/agora/router/heap"
)

// webhookPath is where payments takes its provider's webhooks.
const webhookPath = "/webhooks/provider"

// trimGraphQL is the part of a subgraph's endpoint that its other pages begin with, too.
func trimGraphQL(endpoint string) string { return strings.TrimSuffix(endpoint, "/graphql") }

// runSubgraphs runs some services in this process until it is interrupted: agora subgraph NAME… --config FILE.
func runSubgraphs(ctx context.Context, args []string, out, diagnostics io.Writer) error {
	names, rest := leading(args)
	var file, listen string
	flags := flag.NewFlagSet("subgraph", flag.ContinueOnError)
	flags.SetOutput(diagnostics)
	flags.StringVar(&file, "config", "", "the services' configuration `file`")
	flags.StringVar(&listen, "listen", "", "`address` to listen on, instead of the file's")
	if err := parse(flags, rest); err != nil {
		return err
	}
	heap.Floor(serviceHeap)
	if err := known(names); err != nil {
		return err
	}
	cfg, err := readSettings(file)
	if err == nil {
		err = cfg.checkDoor()
	}
	if err != nil {
		return err
	}
	log := slog.New(telemetry.Log(cfg.Log.Logger(diagnostics).Handler())).With("services", strings.Join(names, ","))
	watch, err := newWatch(strings.Join(names, ","), log)
	if err != nil {
		return err
	}
	defer watch.close()
	listener, err := net.Listen("tcp", cmp.Or(listen, cfg.Listen, "127.0.0.1:4001"))
	if err != nil {
		return err
	}
	defer listener.Close()
	s, err := openShop(ctx, cfg, names, log)
	if err != nil {
		return err
	}
	for _, name := range names {
		fmt.Fprintf(out, "agora: %s at http://%s/%s/graphql\n", name, listener.Addr(), name)
	}
	s.watch = watch
	err = s.serveHTTP(ctx, listener)
	return errors.Join(err, s.close())
}

// leading splits the names in front of the flags off.
func leading(args []string) (names, rest []string) {
	for i, a := range args {
		if strings.HasPrefix(a, "-") {
			return args[:i], args[i:]
		}
	}
	return args, nil
}

// known returns an error unless names are those of services, each once.
func known(names []string) error {
	if len(names) == 0 {
		return fmt.Errorf("which services? Name some of %s", strings.Join(everything, ", "))
	}
	for i, name := range names {
		if !slices.Contains(everything, name) {
			return fmt.Errorf("there is no service %q, but %s", name, strings.Join(everything, ", "))
		}
		if slices.Contains(names[:i], name) {
			return fmt.Errorf("the service %s is named twice", name)
		}
	}
	return nil
}

// serveHTTP runs the services and answers requests until ctx ends. Then it says that it is not ready any more, waits for
// the requests in flight, and only then ends the services, which these may need.
func (s *shop) serveHTTP(ctx context.Context, listener net.Listener) error {
	running, stop := context.WithCancel(context.WithoutCancel(ctx))
	defer stop()
	health, err := s.health()
	if err != nil {
		return err
	}
	defer health.close()
	streams, endStreams := context.WithCancel(context.Background())
	defer endStreams()
	server := &http.Server{
		Handler: s.pages(health, streams), ReadHeaderTimeout: 10 * time.Second,
		ErrorLog: slog.NewLogLogger(s.log.Handler(), slog.LevelWarn),
	}
	g, failed := errgroup.WithContext(running)
	g.Go(func() error { return s.run(running) })
	g.Go(func() error { return s.watch.run(running) })
	g.Go(func() error {
		if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
			return err
		}
		return nil
	})
	s.log.InfoContext(ctx, "ready", "address", listener.Addr().String())
	select {
	case <-ctx.Done():
	case <-failed.Done(): // g.Wait says why
	}
	s.log.InfoContext(ctx, "stopping")
	health.draining.Store(true)
	endStreams()
	limited, cancel := context.WithTimeout(running, cmp.Or(s.cfg.ShutdownTimeout, 15*time.Second))
	defer cancel()
	if err := server.Shutdown(limited); err != nil {
		s.log.WarnContext(ctx, "requests are cut off", "error", err)
		server.Close()
	}
	stop()
	return g.Wait()
}

// pages are what the process answers over HTTP. Streams end with the context of that name: a shutdown does not wait for
// what has no end.
func (s *shop) pages(health *health, streams context.Context) http.Handler {
	mux := http.NewServeMux()
	for name, server := range s.servers {
		mux.Handle("/"+name+"/graphql", endingWith(streams, server))
	}
	if s.users != nil {
		mux.Handle("/.well-known/jwks.json", s.users.JWKSHandler())
	}
	if s.payments != nil {
		mux.Handle("/payments"+webhookPath, s.payments.Notifications())
	}
	if s.provider != nil {
		mux.Handle("/provider/", http.StripPrefix("/provider", s.provider.Handler()))
	}
	mux.HandleFunc("GET /health/live", func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "live\n") })
	mux.Handle("GET /health/ready", health)
	return mux
}

// endingWith ends event streams when a context does.
func endingWith(streams context.Context, handler http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.Contains(r.Header.Get("Accept"), "text/event-stream") {
			ctx, cancel := context.WithCancel(r.Context())
			defer cancel()
			defer context.AfterFunc(streams, cancel)()
			r = r.WithContext(ctx)
		}
		handler.ServeHTTP(w, r)
	})
}
