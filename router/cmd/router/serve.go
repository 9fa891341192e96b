package main

import (
	"context"
	"flag"
	"fmt"
	"net"
	"os"
	"strings"

	"github.com/agora-supergraph/agora/router"
	"github.com/agora-supergraph/agora/router/auth"
	"github.com/agora-supergraph/agora/router/compose"
	composeconfig "github.com/agora-supergraph/agora/router/compose/config"
	"github.com/agora-supergraph/agora/router/config"
	"github.com/agora-supergraph/agora/router/execute"
	"github.com/agora-supergraph/agora/router/playground"
	"github.com/agora-supergraph/agora/router/serve"
)

// serveCommand answers requests until it is interrupted.
func serveCommand(ctx context.Context, args []string, std streams) error {
	var file, supergraph, listen string
	flags := flag.NewFlagSet("serve", flag.ContinueOnError)
	flags.StringVar(&file, "config", "", "the router's configuration `file` (YAML)")
	flags.StringVar(&supergraph, "supergraph", "", "`file` of the supergraph: SDL, or rover's supergraph.yaml to compose from")
	flags.StringVar(&listen, "listen", "", "`address` to listen on (default 127.0.0.1:4000)")
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
	front, err := front(ctx, cfg, std)
	if err != nil {
		return err
	}
	front.OnListen = func(address net.Addr) {
		fmt.Fprintf(std.out, "router: GraphQL at http://%s%s\n", address, path(front))
	}
	return serve.Run(ctx, front)
}

func path(cfg serve.Config) string {
	if cfg.Path == "" {
		return "/graphql"
	}
	return cfg.Path
}

// front is the front door that the configuration describes, with the router behind it.
func front(ctx context.Context, cfg config.Config, std streams) (serve.Config, error) {
	sdl, err := readSupergraph(ctx, cfg.Supergraph)
	if err != nil {
		return serve.Config{}, err
	}
	engine, err := router.New(router.Config{
		Supergraph: sdl, HTTP: cfg.Transports(), PassOn: cfg.PassOn, Limits: cfg.Limits, HideSchema: !cfg.Introspection,
		Execute: execute.Config{SubgraphErrors: execute.ErrorPolicy{Redact: cfg.SubgraphErrors.Redact, OmitServiceName: cfg.SubgraphErrors.OmitServiceName}},
	})
	if err != nil {
		return serve.Config{}, fmt.Errorf("%s: %w", cfg.Supergraph, err)
	}
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

// readSupergraph is the SDL in a file, or that which the subgraphs of rover's YAML compose to.
func readSupergraph(ctx context.Context, file string) (string, error) {
	if !strings.HasSuffix(file, ".yaml") && !strings.HasSuffix(file, ".yml") && !strings.HasSuffix(file, ".json") {
		sdl, err := os.ReadFile(file)
		return string(sdl), err
	}
	read, problems := composeconfig.Read(ctx, composeconfig.Options{Path: file})
	if len(problems) > 0 {
		return "", problems
	}
	result, errs := compose.Compose(read.Subgraphs, compose.Config{FederationVersion: read.FederationVersion})
	if len(errs) > 0 {
		return "", fmt.Errorf("compose %s: %w", file, errs)
	}
	return result.SDL, nil
}
