package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"path/filepath"
	"syscall"
	"time"

	_ "github.com/lib/pq" // the driver postgres
)

// distributed are the campaigns against two replicas of each service.
var distributed = []campaign{
	{"kill", func(ctx context.Context, cfg *config) (string, error) { return cfg.trouble(ctx, "kill", killing) }},
	{"postgres", func(ctx context.Context, cfg *config) (string, error) {
		return cfg.trouble(ctx, "postgres", terminating)
	}},
	{"network", func(ctx context.Context, cfg *config) (string, error) {
		return cfg.trouble(ctx, "network", (*cluster).spoilDatabase)
	}},
	{"nats", func(ctx context.Context, cfg *config) (string, error) {
		return cfg.trouble(ctx, "nats", (*cluster).stopBus)
	}},
	{"rolling", func(ctx context.Context, cfg *config) (string, error) { return cfg.trouble(ctx, "rolling", rolling) }},
}

// services are those that have processes and databases.
var services = []string{"provider", "users", "products", "inventory", "payments", "orders"}

// cluster is a shop in many processes, with a network to Postgres and to NATS that can be spoilt.
type cluster struct {
	*program
	*config
	prefix         string
	postgres, nats *line
	server         *sql.DB
}

// startCluster starts two replicas of each service on databases and streams of their own.
func (cfg *config) startCluster(ctx context.Context, name string) (*cluster, error) {
	c := &cluster{config: cfg, prefix: fmt.Sprintf("chaos%d%s", time.Now().UnixNano()%1_000_000, name)}
	var err error
	if c.server, err = sql.Open("postgres", "postgres://postgres@"+cfg.postgres+"/postgres?sslmode=disable"); err != nil {
		return nil, err
	}
	if c.postgres, err = openLine(name+"-postgres", cfg.postgres); err != nil {
		return nil, errors.Join(err, c.close(ctx))
	}
	if c.nats, err = openLine(name+"-nats", cfg.nats); err != nil {
		return nil, errors.Join(err, c.close(ctx))
	}
	c.program, err = launch(nil, cfg.agora, "cluster", "--listen", "127.0.0.1:0", "--replicas", "2", "--prefix", c.prefix, "--router", cfg.router,
		"--data", filepath.Join(cfg.folder, c.prefix), "--nats", "nats://"+c.nats.address(),
		"--postgres", "postgres://postgres@"+c.postgres.address()+"/postgres?sslmode=disable")
	if err != nil {
		return nil, errors.Join(err, c.close(ctx))
	}
	return c, nil
}

// close ends the processes, and drops the databases.
func (c *cluster) close(ctx context.Context) error {
	if c.program != nil {
		c.interrupt()
	}
	c.postgres.close()
	c.nats.close()
	var errs []error
	for _, name := range services {
		_, err := c.server.ExecContext(context.WithoutCancel(ctx), `DROP DATABASE IF EXISTS "`+c.database(name)+`" WITH (FORCE)`)
		errs = append(errs, err)
	}
	return errors.Join(append(errs, c.server.Close())...)
}

func (c *cluster) database(service string) string { return c.prefix + "_" + service }

// books are the arguments by which an audit finds the databases, on a line that nobody spoils.
func (c *cluster) books() []string {
	var args []string
	for _, name := range services {
		args = append(args, "--database", name+"=postgres://postgres@"+c.config.postgres+"/"+c.database(name)+"?sslmode=disable")
	}
	return args
}

// trouble has buyers order while something is broken again and again, and checks everything once it is whole.
func (cfg *config) trouble(ctx context.Context, name string, breaks func(c *cluster, ctx context.Context) (what string, err error)) (figures string, err error) {
	c, err := cfg.startCluster(ctx, name)
	if err != nil {
		return "", err
	}
	defer func() { err = errors.Join(err, c.close(ctx)) }()
	m, err := openMarket(ctx, c.url, 100_000, 4)
	if err != nil {
		return "", err
	}
	trading, stop := context.WithTimeout(ctx, cfg.length)
	defer stop()
	traded := make(chan struct{})
	go func() {
		defer close(traded)
		m.trade(trading)
	}()
	what, err := breaks(c, trading)
	<-traded
	if err != nil {
		return what, err
	}
	o, err := m.check(ctx)
	if err != nil {
		return what + "; " + o.String(), err
	}
	took, err := cfg.audit(ctx, c.books()...)
	return fmt.Sprintf("%s; %v, audit clean after %.1fs", what, o, took.Seconds()), err
}

// wait waits, unless ctx ends before.
func wait(ctx context.Context, d time.Duration) bool {
	select {
	case <-ctx.Done():
		return false
	case <-time.After(d):
		return true
	}
}

// found are the processes that run a service of the cluster now: a supervisor has started them again since.
func (c *cluster) found() []int {
	return childrenOf(c.command.Process.Pid)
}

// killing kills processes at random, one at a time.
func killing(c *cluster, ctx context.Context) (string, error) {
	killed := 0
	for wait(ctx, time.Second+time.Duration(c.random.Int64N(int64(2*time.Second)))) {
		if pids := c.found(); len(pids) > 0 && syscall.Kill(pids[c.random.IntN(len(pids))], syscall.SIGKILL) == nil {
			killed++
		}
	}
	return fmt.Sprintf("kill -9 of a process, %d times", killed), nil
}

// rolling has one process after the other end as an update would.
func rolling(c *cluster, ctx context.Context) (string, error) {
	restarted := 0
	for ctx.Err() == nil {
		for _, pid := range c.found() {
			if !wait(ctx, 2*time.Second) {
				break
			}
			if syscall.Kill(pid, syscall.SIGTERM) == nil {
				restarted++
			}
		}
	}
	return fmt.Sprintf("rolling restart, %d processes", restarted), nil
}

// terminating has Postgres end all connections of the services, again and again.
func terminating(c *cluster, ctx context.Context) (string, error) {
	times, connections := 0, 0
	for wait(ctx, 3*time.Second) {
		result, err := c.server.ExecContext(context.WithoutCancel(ctx), `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname LIKE $1`, c.prefix+`\_%`)
		if err != nil {
			return "", err
		}
		n, _ := result.RowsAffected()
		times, connections = times+1, connections+int(n)
	}
	return fmt.Sprintf("Postgres ended its %d connections in %d sweeps", connections, times), nil
}

// spoilDatabase makes the network to Postgres slow, chopped, cut and dead, in turn.
func (c *cluster) spoilDatabase(ctx context.Context) (string, error) {
	phases := 0
	for i := 0; wait(ctx, 2*time.Second); i++ {
		mend, err := c.postgres.spoil(toxics[i%len(toxics)])
		if err != nil {
			return "", err
		}
		phases++
		wait(ctx, 2*time.Second)
		mend()
	}
	return fmt.Sprintf("network to Postgres spoilt %d times in %d ways", phases, min(phases, len(toxics))), nil
}

// stopBus takes the bus away for most of the time.
func (c *cluster) stopBus(ctx context.Context) (string, error) {
	wait(ctx, c.length/6)
	c.nats.close()
	begun := time.Now()
	wait(ctx, c.length/2)
	away := time.Since(begun)
	if err := c.nats.open(); err != nil {
		return "", err
	}
	<-ctx.Done()
	return fmt.Sprintf("NATS away for %.0fs", away.Seconds()), nil
}
