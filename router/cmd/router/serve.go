package main

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	"log/slog"
	"net"
	"sync"
	"time"

	"github.com/agora-supergraph/agora/router"
	"github.com/agora-supergraph/agora/router/config"
	"github.com/agora-supergraph/agora/router/heap"
	"github.com/agora-supergraph/agora/router/log"
	"github.com/agora-supergraph/agora/router/telemetry"
)

// server is what the flags of serve say.
type server struct {
	// file is the configuration's; may be empty.
	file               string
	supergraph, listen string
	poll               time.Duration
	std                streams
	// log takes the lines of the log.
	log *log.Lines
	// seen watches the routers of all configurations: it is that of the first one.
	seen *telemetry.Telemetry
}

// heapFloor is what the heap may grow to before it is collected: what a router keeps is small, and a request's garbage is some
// kilobytes of headers, for which the collector would look through the little over and over.
const heapFloor = 24 << 20

// serveCommand answers requests until it is interrupted.
func serveCommand(ctx context.Context, args []string, std streams) error {
	// The last thing that is done: what ends says so in the log, too.
	lines := log.NewLines(std.err)
	defer func() { _ = lines.Flush() }()
	s := server{std: std, log: lines}
	flags := flag.NewFlagSet("serve", flag.ContinueOnError)
	flags.StringVar(&s.file, "config", "", "the router's configuration `file` (YAML)")
	flags.StringVar(&s.supergraph, "supergraph", "", "`file` of the supergraph: SDL, or rover's supergraph.yaml to compose from")
	flags.StringVar(&s.listen, "listen", "", "`address` to listen on (default 127.0.0.1:4000)")
	flags.DurationVar(&s.poll, "poll", time.Second, "how `often` to look for changes of the configuration and of the supergraph's files; negative for never")
	if _, err := parse(flags, std, args); err != nil {
		return err
	}
	cfg, from, err := s.configuration()
	if err != nil {
		return err
	}
	read, err := readSupergraph(ctx, cfg.Supergraph)
	if err != nil {
		return err
	}
	if s.seen, err = telemetry.New(cfg.Telemetry, cfg.Log.Logger(s.log)); err != nil {
		return err
	}
	heap.Floor(heapFloor)
	ctx, stop := context.WithCancel(ctx)
	var running sync.WaitGroup
	defer running.Wait()
	defer stop()
	running.Go(func() { _ = s.seen.Run(ctx) }) // it has logged why metrics can't be read
	first, err := s.start(ctx, cfg, read, &running)
	if err != nil {
		return err
	}
	first.source = from
	if s.poll >= 0 {
		running.Go(func() { (&reload{server: s, current: first, front: first.engine.Front(), running: &running}).run(ctx) })
	}
	return first.engine.Front().Run(ctx)
}

// source is a configuration as it was read: its text with those of the files that it refers to, and what to watch.
type source struct {
	text  []byte
	files []file
}

// readSource reads a configuration file and what it refers to. A file that is missing is for the parser to tell, and watched.
func readSource(path string) (text []byte, from source, err error) {
	text, read, err := readWatched(path)
	from = source{bytes.Clone(text), []file{read}}
	for _, name := range config.References(path, text) {
		content, read, _ := readWatched(name)
		from.text, from.files = append(from.text, content...), append(from.files, read)
	}
	return text, from, err
}

// configuration reads the file, and what flags say instead.
func (s server) configuration() (cfg config.Config, from source, err error) {
	if s.file != "" {
		var text []byte
		if text, from, err = readSource(s.file); err != nil {
			return cfg, from, err
		}
		if cfg, err = config.Parse(s.file, text); err != nil {
			return cfg, from, err
		}
	}
	if s.supergraph != "" {
		cfg.Supergraph = s.supergraph
	}
	if cfg.Supergraph == "" {
		return cfg, from, fmt.Errorf("serve: no supergraph: name one by --supergraph, or in the configuration file")
	}
	if s.listen != "" {
		cfg.Serve.Listen = s.listen
	}
	return cfg, from, nil
}

// serving is a router that answers, with what it was made of.
type serving struct {
	cfg    config.Config
	source source
	read   reading
	engine *router.Router
	beside *documents
	log    *slog.Logger
	// stop ends what runs beside the router.
	stop context.CancelFunc
}

// start makes the router of a configuration, and starts what runs beside it.
func (s server) start(ctx context.Context, cfg config.Config, read reading, running *sync.WaitGroup) (*serving, error) {
	logger := cfg.Log.Logger(s.log)
	engine, beside, err := newRouter(cfg, read.sdl, logger, s)
	if err != nil {
		return nil, err
	}
	if err := beside.load(ctx, engine); err != nil {
		return nil, err
	}
	ctx, stop := context.WithCancel(ctx)
	running.Go(func() { beside.run(ctx) })
	made := &serving{cfg: cfg, read: read, engine: engine, beside: beside, log: logger, stop: stop}
	made.warn()
	return made, nil
}

// warn tells of settings for subgraphs that are none of the supergraph's.
func (s *serving) warn() {
	var names []string
	for _, each := range s.engine.Supergraph().Subgraphs {
		names = append(names, each.Name)
	}
	for _, stranger := range s.cfg.Strangers(names) {
		s.log.Warn("a setting does nothing", "setting", stranger)
	}
}

// newRouter is the router that the configuration describes, with what runs beside it.
func newRouter(cfg config.Config, sdl string, log *slog.Logger, s server) (*router.Router, *documents, error) {
	made, err := cfg.Router(sdl, log)
	if err != nil {
		return nil, nil, err
	}
	made.Serve.OnListen = func(address net.Addr) {
		fmt.Fprintf(s.std.out, "router: GraphQL at %s\n", made.Serve.URL(address))
	}
	s.seen.Watch(&made)
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
