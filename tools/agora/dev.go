package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sync/errgroup"

	"github.com/agora-supergraph/agora/internal/identity"
	"github.com/agora-supergraph/agora/internal/telemetry"
	"github.com/agora-supergraph/agora/router"
	"github.com/agora-supergraph/agora/router/auth"
	"github.com/agora-supergraph/agora/router/headers"
	"github.com/agora-supergraph/agora/router/heap"
	"github.com/agora-supergraph/agora/router/playground"
	"github.com/agora-supergraph/agora/router/serve"
	"github.com/agora-supergraph/agora/router/transport"
)

// devConfig is what the flags of dev say.
type devConfig struct {
	listen string
	data   string
	fresh  bool
	// config is the services' configuration file; empty for databases in the data folder.
	config string
	// http are the subgraphs that the router reaches over HTTP.
	http  string
	level slog.Level
}

// To what size the heaps of a whole shop, and of a process of some services, may grow before they are collected.
const (
	shopHeap    = 128 << 20
	serviceHeap = 64 << 20
)

// dev runs everything in one process until it is interrupted.
func dev(ctx context.Context, args []string, out, diagnostics io.Writer) error {
	var cfg devConfig
	flags := flag.NewFlagSet("dev", flag.ContinueOnError)
	flags.SetOutput(diagnostics)
	flags.StringVar(&cfg.listen, "listen", "127.0.0.1:4000", "`address` that the router listens on")
	flags.StringVar(&cfg.data, "data", "data", "`folder` of the databases, created if needed")
	flags.BoolVar(&cfg.fresh, "fresh", false, "begin with empty databases: what the folder holds is deleted")
	flags.StringVar(&cfg.config, "config", "", "the services' configuration `file`: the databases and the bus that it names, and not a data folder")
	flags.StringVar(&cfg.http, "http", "", "subgraphs, `NAME,…` or all, that are served over HTTP too, on the ports of schema/supergraph.yaml, and that the router reaches that way")
	flags.TextVar(&cfg.level, "log", slog.LevelWarn, "`level` of the log: debug, info, warn or error")
	if err := parse(flags, args); err != nil {
		return err
	}
	heap.Floor(shopHeap)
	listener, err := net.Listen("tcp", cfg.listen)
	if err != nil {
		return err // it names the address
	}
	defer listener.Close()
	log := slog.New(telemetry.Log(slog.NewTextHandler(diagnostics, &slog.HandlerOptions{Level: cfg.level})))
	watch, err := newWatch("agora", log)
	if err != nil {
		return err
	}
	defer watch.close()
	own, unlock, err := devSettings(cfg)
	if err != nil {
		return err
	}
	defer unlock()
	r := &reopenable{watch: watch, openShop: func(ctx context.Context) (*shop, error) { return openShop(ctx, own, everything, log) }}
	if cfg.config == "" {
		own.linkInto(listener.Addr().String())
		r.openShop = func(ctx context.Context) (*shop, error) {
			located, err := own.relocated(cfg.data)
			if err != nil {
				return nil, err
			}
			return openShop(ctx, located, everything, log)
		}
		r.moving = func(ctx context.Context) (context.Context, func()) { return whileUnmoved(ctx, cfg.data) }
	}
	if err := r.open(ctx); err != nil {
		return err
	}
	err = r.serve(ctx, cfg, listener, out)
	return errors.Join(err, r.close())
}

// where is where the data is, for people.
func (cfg devConfig) where() string {
	if cfg.config != "" {
		return "the databases of " + cfg.config
	}
	return cfg.data
}

// devSettings are those of the configuration file, or of the data folder, which is locked then.
func devSettings(cfg devConfig) (settings, func(), error) {
	if cfg.config != "" {
		read, err := readSettings(cfg.config)
		read.RouterKeys = "" // its router is in the process, and passes users' tokens on
		return read, func() {}, err
	}
	unlock, err := lockFolder(cfg.data)
	if err != nil {
		return settings{}, nil, err
	}
	if cfg.fresh {
		err = removeDatabases(cfg.data)
	}
	secret, readErr := readSecret(cfg.data)
	if err = errors.Join(err, readErr); err != nil {
		unlock()
		return settings{}, nil, err
	}
	return localSettings(cfg.data, secret), unlock, nil
}

// serve seeds the shop and runs it behind the router.
func (r *reopenable) serve(ctx context.Context, cfg devConfig, listener net.Listener, out io.Writer) error {
	if err := r.seed(ctx, out); err != nil {
		return err
	}
	remote, err := r.listenHTTP(cfg.http, cfg.listen)
	if err != nil {
		return err
	}
	engine, err := r.router(remote)
	if err != nil {
		return err
	}
	front, err := r.front(engine, r.tabs(ctx))
	if err != nil {
		return err
	}
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error { return r.run(ctx, out) })
	g.Go(func() error { return r.watch.run(ctx) })
	for _, each := range remote {
		g.Go(func() error { return each.serve(ctx) })
	}
	g.Go(func() error { return front.Serve(ctx, listener) })
	r.announce(out, listener.Addr().String(), cfg, remote)
	err = g.Wait()
	fmt.Fprintln(out, "stopped; the data is kept in", cfg.where())
	return err
}

// router is the router over the composed SDLs, with the subgraphs that are not remote in this process.
func (r *reopenable) router(remote map[string]*remote) (*router.Router, error) {
	sdl, err := composed()
	if err != nil {
		return nil, err
	}
	cfg := router.Config{
		Supergraph: sdl,
		Transports: map[string]transport.Transport{},
		HTTP:       map[string]transport.HTTPConfig{},
		Explain:    true,
		Headers:    toSubgraphs,
	}
	for name := range r.servers {
		if over, ok := remote[name]; ok {
			cfg.HTTP[name] = transport.HTTPConfig{URL: over.url, Subscriptions: transport.SubscriptionConfig{Protocol: transport.SSE}}
			continue
		}
		cfg.Transports[name] = &transport.InProcess{Server: inProcess{r, name}}
	}
	r.watch.router.Watch(&cfg)
	return router.New(cfg)
}

// toSubgraphs are the rules for what the services are told of clients: who is asking, from where, by what.
var toSubgraphs = headers.Config{All: headers.Rules{Request: []headers.RequestRule{
	{Propagate: "Authorization"},
	{Propagate: "User-Agent"},
	{Insert: "X-Client-Address", From: "client.address"},
	{Insert: "X-Request-Id", From: "request.id"},
}}}

// front is the HTTP side of the router, with the Playground and the users service's keys.
func (r *reopenable) front(engine *router.Router, tabs []playground.Tab) (*serve.Handler, error) {
	verifier, err := auth.NewVerifier(auth.Config{Issuers: []auth.Issuer{{
		Name: identity.UsersIssuer, Audience: identity.Audience, Keys: r.keys,
	}}})
	if err != nil {
		return nil, err
	}
	pages := letterPages()
	pages["/.well-known/jwks.json"] = r.page(func(s *shop) http.Handler { return s.users.JWKSHandler() })
	pages[webhookPath] = r.page(func(s *shop) http.Handler { return s.payments.Notifications() })
	return serve.New(serve.Config{
		Engine: engine, Verifier: verifier, Logger: r.log, Observer: r.watch.router.Observer(),
		Playground: playground.Handler(playgroundConfig(tabs)),
		Pages:      pages,
	})
}

func (s *shop) announce(out io.Writer, address string, cfg devConfig, remote map[string]*remote) {
	fmt.Fprintf(out, "\nAgora is ready.\n\n  Playground   http://%s/playground\n  GraphQL      http://%s/graphql\n  Health       http://%s/health/ready\n  Data         %s\n\n", address, address, address, cfg.where())
	if folder, ok := strings.CutPrefix(s.cfg.Mail, "file:"); ok {
		fmt.Fprintf(out, "  %-12s %s\n", "Mail", folder)
	}
	for _, name := range names(remote) {
		fmt.Fprintf(out, "  %-12s %s\n", name, remote[name].url)
	}
	for _, a := range accounts {
		fmt.Fprintf(out, "  %-12s %s, password %s\n", strings.Fields(a.name)[1], a.email, a.password)
	}
	fmt.Fprint(out, "\nCtrl-C stops it.\n")
}

// removeDatabases empties a data folder of what a shop has put there, and of nothing else.
func removeDatabases(folder string) error {
	for _, pattern := range []string{"*.db", "*.db-wal", "*.db-shm", "services.yaml", "secret", "mail/*.eml", "mail/.half-*"} {
		files, err := filepath.Glob(filepath.Join(folder, pattern))
		if err != nil {
			return err
		}
		for _, f := range files {
			if err := os.Remove(f); err != nil {
				return err
			}
		}
	}
	return nil
}
