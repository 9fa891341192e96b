package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"slices"
)

// migrate brings the databases of services up to date, and says so: agora migrate [NAME…] --config FILE. Services do it
// themselves when they start; a command of its own lets one do it before any of them does, and by a role that may.
func migrate(ctx context.Context, args []string, out, diagnostics io.Writer) error {
	names, rest := leading(args)
	var file string
	flags := flag.NewFlagSet("migrate", flag.ContinueOnError)
	flags.SetOutput(diagnostics)
	flags.StringVar(&file, "config", "", "the services' configuration `file`")
	if err := parse(flags, rest); err != nil {
		return err
	}
	cfg, err := readSettings(file)
	if err != nil {
		return err
	}
	if len(names) == 0 {
		names = cfg.kept()
	}
	if err := known(names); err != nil {
		return err
	}
	for _, name := range names {
		if err := cfg.migrate(ctx, name); err != nil {
			return err
		}
		fmt.Fprintf(out, "%s is up to date\n", name)
	}
	return nil
}

// kept are the services that the file names a database of.
func (cfg settings) kept() []string {
	return slices.DeleteFunc(slices.Clone(everything), func(name string) bool {
		return cfg.Services.byName(name).Database == "" && (name != "provider" || cfg.Provider.Database == "")
	})
}

// migrate opens a service's database, which brings it up to date, and closes it again. Nothing else is connected to.
func (cfg settings) migrate(ctx context.Context, name string) error {
	s := &shop{cfg: cfg, log: slog.New(slog.DiscardHandler)}
	if err := s.openAlone(ctx, name); err != nil {
		return err
	}
	return s.close()
}

// seedCommand fills an empty installation as that of developers: agora seed --config FILE.
func seedCommand(ctx context.Context, args []string, out, diagnostics io.Writer) error {
	var file string
	flags := flag.NewFlagSet("seed", flag.ContinueOnError)
	flags.SetOutput(diagnostics)
	flags.StringVar(&file, "config", "", "the services' configuration `file`")
	if err := parse(flags, args); err != nil {
		return err
	}
	cfg, err := readSettings(file)
	if err != nil {
		return err
	}
	return cfg.seed(ctx, out)
}

// seed fills an empty installation: the services tell each other of it when they run.
func (cfg settings) seed(ctx context.Context, out io.Writer) error {
	s := &shop{cfg: cfg, log: slog.New(slog.DiscardHandler)}
	defer s.close()
	for _, name := range []string{"users", "products", "inventory"} {
		if err := s.openAlone(ctx, name); err != nil {
			return err
		}
	}
	return s.seed(ctx, out)
}
