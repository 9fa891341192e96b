package main

import (
	"context"
	"flag"
	"fmt"
	"net"
	"sync"
	"time"

	"github.com/agora-supergraph/agora/router"
	"github.com/agora-supergraph/agora/router/auth"
	"github.com/agora-supergraph/agora/router/config"
	"github.com/agora-supergraph/agora/router/execute"
	"github.com/agora-supergraph/agora/router/playground"
	"github.com/agora-supergraph/agora/router/serve"
)

// serveCommand answers requests until it is interrupted.
func serveCommand(ctx context.Context, args []string, std streams) error {
	var file, supergraph, listen string
	var poll time.Duration
	flags := flag.NewFlagSet("serve", flag.ContinueOnError)
	flags.StringVar(&file, "config", "", "the router's configuration `file` (YAML)")
	flags.StringVar(&supergraph, "supergraph", "", "`file` of the supergraph: SDL, or rover's supergraph.yaml to compose from")
	flags.StringVar(&listen, "listen", "", "`address` to listen on (default 127.0.0.1:4000)")
	flags.DurationVar(&poll, "poll", time.Second, "how `often` to look for changes of the supergraph's files; negative for never")
	if _, err := parse(flags, std, args); err != nil {
		return err
	}
	var cfg config.Config
	if file != "" {
		var err error
		if cfg, err = config.Load(file); err != nil {
			return err
		}
	}
	if supergraph != "" {
		cfg.Supergraph = supergraph
	}
	if cfg.Supergraph == "" {
		return fmt.Errorf("serve: no supergraph: name one by --supergraph, or in the configuration file")
	}
	if listen != "" {
		cfg.Serve.Listen = listen
	}
	read, err := readSupergraph(ctx, cfg.Supergraph)
	if err != nil {
		return err
	}
	engine, err := engine(cfg, read.sdl)
	if err != nil {
		return err
	}
	front, err := front(cfg, engine, std)
	if err != nil {
		return err
	}
	front.OnListen = func(address net.Addr) {
		fmt.Fprintf(std.out, "router: GraphQL at http://%s%s\n", address, path(front))
	}
	ctx, stop := context.WithCancel(ctx)
	var watching sync.WaitGroup
	defer watching.Wait()
	defer stop()
	if poll >= 0 {
		watching.Go(func() { (&reload{cfg.Supergraph, poll, engine, front.Logger}).run(ctx, read) })
	}
	return serve.Run(ctx, front)
}

func path(cfg serve.Config) string {
	if cfg.Path == "" {
		return "/graphql"
	}
	return cfg.Path
}

// engine is the router that the configuration describes.
func engine(cfg config.Config, sdl string) (*router.Router, error) {
	engine, err := router.New(router.Config{
		Supergraph: sdl, HTTP: cfg.Transports(), Headers: cfg.Headers, Share: cfg.ShareQueries, Limits: cfg.Limits, HideSchema: !cfg.Introspection,
		Execute: execute.Config{SubgraphErrors: execute.ErrorPolicy{Redact: cfg.SubgraphErrors.Redact, OmitServiceName: cfg.SubgraphErrors.OmitServiceName}},
	})
	if err != nil {
		return nil, fmt.Errorf("%s: %w", cfg.Supergraph, err)
	}
	return engine, nil
}

// front is the front door that the configuration describes, with the router behind it.
func front(cfg config.Config, engine *router.Router, std streams) (serve.Config, error) {
	var err error
	front := cfg.Serve
	front.Engine = engine
	front.Logger = cfg.Log.Logger(std.err)
	if len(cfg.JWT.Issuers) > 0 {
		if front.Verifier, err = auth.NewVerifier(cfg.JWT.Auth()); err != nil {
			return serve.Config{}, err
		}
	}
	if cfg.Playground {
		front.Playground = playground.Handler(playground.Config{Endpoint: path(front)})
	}
	return front, nil
}
