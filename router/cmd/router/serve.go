package main

import (
	"context"
	"flag"
	"fmt"
	"log/slog"
	"net"
	"sync"
	"time"

	"github.com/agora-supergraph/agora/router"
	"github.com/agora-supergraph/agora/router/config"
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
	log := cfg.Log.Logger(std.err)
	engine, beside, err := newRouter(cfg, read.sdl, log, std)
	if err != nil {
		return err
	}
	if err := beside.load(ctx, engine); err != nil {
		return err
	}
	ctx, stop := context.WithCancel(ctx)
	var watching sync.WaitGroup
	defer watching.Wait()
	defer stop()
	watching.Go(func() { beside.run(ctx) })
	if poll >= 0 {
		watching.Go(func() { (&reload{cfg.Supergraph, poll, engine, beside, log}).run(ctx, read) })
	}
	return engine.Front().Run(ctx)
}

// newRouter is the router that the configuration describes, with what runs beside it.
func newRouter(cfg config.Config, sdl string, log *slog.Logger, std streams) (*router.Router, *documents, error) {
	made, err := cfg.Router(sdl, log)
	if err != nil {
		return nil, nil, err
	}
	made.Serve.OnListen = func(address net.Addr) {
		fmt.Fprintf(std.out, "router: GraphQL at http://%s%s\n", address, made.Serve.Endpoint())
	}
	beside, err := addDocuments(cfg, &made, log)
	if err != nil {
		return nil, nil, err
	}
	engine, err := router.New(made)
	if err != nil {
		return nil, nil, fmt.Errorf("%s: %w", cfg.Supergraph, err)
	}
	return engine, beside, nil
}
