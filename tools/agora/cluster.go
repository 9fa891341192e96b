package main

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/lib/pq"
	"golang.org/x/sync/errgroup"

	"github.com/agora-supergraph/agora/internal/event/jetstream"
)

// clusterConfig is what the flags of cluster say.
type clusterConfig struct {
	listen, data, postgres, nats, redis, prefix, router string
	replicas                                            int
	fresh                                               bool
}

// cluster runs the distributed mode on one machine, without containers: each service in processes of its own, on
// databases in one Postgres, streams in one NATS and caches in one Redis, and routers in front. A process that dies is
// started again.
func cluster(ctx context.Context, args []string, out, diagnostics io.Writer) error {
	var cfg clusterConfig
	flags := flag.NewFlagSet("cluster", flag.ContinueOnError)
	flags.SetOutput(diagnostics)
	flags.StringVar(&cfg.listen, "listen", "127.0.0.1:4000", "`address` that the router listens on; with port 0 all processes have ports that are free")
	flags.StringVar(&cfg.data, "data", "data/cluster", "`folder` of the configuration that is written, of secrets and logs")
	flags.StringVar(&cfg.postgres, "postgres", "postgres://postgres@127.0.0.1:5432/postgres?sslmode=disable", "`URL` of a Postgres where databases may be created")
	flags.StringVar(&cfg.nats, "nats", "nats://127.0.0.1:4222", "`URL` of a NATS server with JetStream")
	flags.StringVar(&cfg.redis, "redis", "redis://127.0.0.1:6379/0", "`URL` of a Redis for caches and rate limits; empty for none")
	flags.StringVar(&cfg.prefix, "prefix", "agora", "`name` that databases, streams and keys begin with, and that the installation has")
	flags.StringVar(&cfg.router, "router", "", "the router's `program`; by default the one beside this one, or one that is built")
	flags.IntVar(&cfg.replicas, "replicas", 1, "`number` of processes of each service, and of routers")
	flags.BoolVar(&cfg.fresh, "fresh", false, "begin with empty databases: those of this name are deleted")
	if err := parse(flags, args); err != nil {
		return err
	}
	if cfg.replicas < 1 || cfg.replicas > 9 {
		return fmt.Errorf("--replicas %d: want a number from 1 to 9", cfg.replicas)
	}
	unlock, err := lockFolder(cfg.data)
	if err != nil {
		return err
	}
	defer unlock()
	plan, err := cfg.plan()
	if err != nil {
		return err
	}
	if err := cfg.prepare(ctx, plan, out); err != nil {
		return err
	}
	return plan.run(ctx, out)
}

// distributed are the services that have processes of their own, in the order of their start.
var distributed = []string{"provider", "users", "products", "inventory", "payments", "orders", "node"}

// prepare makes databases, and fills them if they are new.
func (cfg clusterConfig) prepare(ctx context.Context, plan *clusterPlan, out io.Writer) error {
	settings, err := readSettings(plan.settings)
	if err != nil {
		return err
	}
	if cfg.fresh {
		if err := dropStreams(ctx, settings); err != nil {
			return err
		}
	}
	if err := cfg.createDatabases(ctx); err != nil {
		return err
	}
	return settings.seed(ctx, out)
}

func dropStreams(ctx context.Context, cfg settings) error {
	bus, err := jetstream.Connect(cfg.Events.jetstream(cfg.Installation))
	if err != nil {
		return err
	}
	defer bus.Close()
	for _, name := range names(sources) {
		if err := bus.Drop(ctx, sources[name]); err != nil {
			return err
		}
	}
	return nil
}

// databaseName is the name of a service's database.
func (cfg clusterConfig) databaseName(service string) string { return cfg.prefix + "_" + service }

func (cfg clusterConfig) createDatabases(ctx context.Context) error {
	server, err := sql.Open("postgres", cfg.postgres)
	if err != nil {
		return fmt.Errorf("--postgres: %w", err)
	}
	defer server.Close()
	for _, service := range distributed {
		if service == "node" {
			continue
		}
		name := pq.QuoteIdentifier(cfg.databaseName(service))
		if cfg.fresh {
			if _, err := server.ExecContext(ctx, "DROP DATABASE IF EXISTS "+name+" WITH (FORCE)"); err != nil {
				return fmt.Errorf("drop database %s: %w", name, err)
			}
		}
		_, err := server.ExecContext(ctx, "CREATE DATABASE "+name)
		var exists *pq.Error
		if err != nil && !(errors.As(err, &exists) && exists.Code == "42P04") {
			return fmt.Errorf("create database %s: %w", name, err)
		}
	}
	return nil
}

// run runs all processes until ctx ends: routers are the last ones that start and the first ones that end.
func (p *clusterPlan) run(ctx context.Context, out io.Writer) error {
	log := slog.New(slog.NewTextHandler(out, nil))
	services, stop := context.WithCancel(context.WithoutCancel(ctx))
	defer stop()
	g, failed := errgroup.WithContext(services)
	for _, b := range p.balancers {
		g.Go(func() error { return b.run(failed) })
	}
	for _, c := range p.children {
		g.Go(func() error { return c.supervise(failed, log) })
	}
	err := func() error {
		if err := allReady(ctx, p.children); err != nil {
			return err
		}
		front, end := context.WithCancel(failed)
		defer end()
		var routing errgroup.Group
		for _, c := range p.routers {
			routing.Go(func() error { return c.supervise(front, log) })
		}
		err := allReady(ctx, p.routers)
		if err == nil {
			p.announce(out)
			select {
			case <-ctx.Done():
			case <-failed.Done():
			}
		}
		end()
		return errors.Join(err, routing.Wait())
	}()
	stop()
	err = errors.Join(err, g.Wait())
	if ctx.Err() != nil { // it was to end, at whatever point it was
		err = nil
	}
	fmt.Fprintln(out, "stopped; the data is kept in Postgres")
	return err
}

func (p *clusterPlan) announce(out io.Writer) {
	front := "http://" + p.front
	fmt.Fprintf(out, "\nAgora is ready, in %d processes.\n\n  Playground   %s/playground\n  GraphQL      %s/graphql\n  Health       %s/health/ready\n  Settings     %s\n  Logs         %s\n\n",
		len(p.children)+len(p.routers), front, front, front, p.settings, filepath.Join(filepath.Dir(p.settings), "logs"))
	for _, c := range slices.Concat(p.children, p.routers) {
		fmt.Fprintf(out, "  %-12s http://%s  process %d\n", c.name, c.address, c.pid())
	}
	for _, a := range accounts {
		fmt.Fprintf(out, "  %-12s %s, password %s\n", strings.Fields(a.name)[1], a.email, a.password)
	}
	fmt.Fprint(out, "\nCtrl-C stops it.\n")
}

// freeAddress is an address on which nobody listens now.
func freeAddress() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	defer l.Close()
	return l.Addr().String(), nil
}

// routerProgram is the router's program: the one that is asked for, the one beside this one, or one that is built.
func (cfg clusterConfig) routerProgram(self string) (string, error) {
	beside := filepath.Join(filepath.Dir(self), "router")
	if _, err := os.Stat(beside); err == nil || cfg.router != "" {
		return cmp.Or(cfg.router, beside), nil
	}
	return buildRouter(cfg.data)
}
