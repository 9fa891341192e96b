// Command profiled is the router's serve command with profiles: bench builds it in place of the router for
// --cpuprofile, so that the router's own command stays without. It writes the processor profile of its whole life to
// the file that AGORA_BENCH_PROFILE names, and what was allocated to the same with .allocs added.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"runtime/pprof"
	"syscall"

	"github.com/agora-supergraph/agora/router"
	"github.com/agora-supergraph/agora/router/config"
	"github.com/agora-supergraph/agora/router/log"
	"github.com/agora-supergraph/agora/router/telemetry"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Args[1:], os.Getenv("AGORA_BENCH_PROFILE")); err != nil {
		fmt.Fprintln(os.Stderr, "profiled:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string, profile string) error {
	var file, supergraph, listen string
	flags := flag.NewFlagSet("serve", flag.ContinueOnError)
	flags.StringVar(&file, "config", "", "the router's configuration `file`")
	flags.StringVar(&supergraph, "supergraph", "", "`file` of the supergraph's SDL")
	flags.StringVar(&listen, "listen", "", "`address` to listen on")
	if len(args) == 0 || args[0] != "serve" || profile == "" {
		return errors.New("usage: AGORA_BENCH_PROFILE=FILE profiled serve FLAGS")
	}
	if err := flags.Parse(args[1:]); err != nil {
		return err
	}
	cfg, err := config.Load(file)
	if err != nil {
		return err
	}
	sdl, err := os.ReadFile(supergraph)
	if err != nil {
		return err
	}
	cfg.Serve.Listen = listen
	lines := log.NewLines(os.Stderr)
	defer lines.Flush()
	logger := cfg.Log.Logger(lines)
	made, err := cfg.Router(string(sdl), logger)
	if err != nil {
		return err
	}
	seen, err := telemetry.New(cfg.Telemetry, logger)
	if err != nil {
		return err
	}
	seen.Watch(&made)
	engine, err := router.New(made)
	if err != nil {
		return err
	}
	return profiled(profile, func() error { return engine.Front().Run(ctx) })
}

// profiled runs do and writes its profiles.
func profiled(name string, do func() error) error {
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		return err
	}
	cpu, err := os.Create(name)
	if err != nil {
		return err
	}
	defer cpu.Close()
	if err := pprof.StartCPUProfile(cpu); err != nil {
		return err
	}
	err = do()
	pprof.StopCPUProfile()
	allocs, failed := os.Create(name + ".allocs")
	if failed != nil {
		return errors.Join(err, failed)
	}
	defer allocs.Close()
	return errors.Join(err, pprof.Lookup("allocs").WriteTo(allocs, 0))
}
