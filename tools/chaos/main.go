// Command chaos breaks the shop on purpose, under load, and reports in figures what became of it: orders that were
// acknowledged and are lost, units oversold, double charges, things that the audit finds broken.
//
//	chaos [--full] [--for 1m] [--seed N] [--only NAME,…]    everything in one process, on SQLite and on Postgres
//	chaos cluster [--for 1m] [--seed N] [--only NAME,…]     two routers and two replicas of each service
//	chaos pace [--for 10s] [--products N] [--only NAME,…]   checkouts a second beside what writes as much to the same stores
//	                                                        alone, and what a large catalogue takes to answer, and in memory
//
// By default a campaign that could go on for long ends after --for. With --full those in one process go on until they have
// tried as often as is promised, which takes an hour or two: 20 rounds of 1,000 buyers, 10 seeds for each fault point, 100
// stops. The stores of a cluster, Postgres, Redis and NATS, are started by the campaign, which stops them, too: it needs
// initdb and redis-server.
//
// A campaign starts the programs as people do, has buyers order, breaks something, and then asks for every order again by
// its key: an order that was acknowledged is there and comes to an end, and `agora audit` finds all books in agreement.
// It ends with status 1 if one of them does not.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"time"
)

// config is what the command line says.
type config struct {
	// length is how long a campaign that has no end by itself goes on.
	length time.Duration
	// full is for campaigns that go on until they have tried as often as is promised.
	full bool
	seed uint64
	// only is the campaigns that run and how long each goes on, all of them for length if there are none.
	only map[string]time.Duration
	// slower is by how much what is broken may slow down what doesn't touch it; zero for not to be judged.
	slower float64
	// engines are the databases that a shop in one process is tried on, with commas between them, workers how many shops
	// are broken side by side, and postgres the address of the server.
	engines  string
	workers  int
	postgres string
	// products is how large a catalogue is that is asked.
	products int
	// agora and router are the programs.
	agora, router string
	// shared is the cluster, once it is started.
	shared *cluster

	out    io.Writer
	random *rand.Rand
	// folder is for data; it is removed at the end.
	folder string
}

// campaign breaks something and says in figures what became of it; an error says what is lost or broken.
type campaign struct {
	name string
	run  func(ctx context.Context, cfg *config) (figures string, err error)
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Args[1:], os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "chaos:", err)
		os.Exit(1)
	}
}

// run carries out a command line.
func run(ctx context.Context, args []string, out io.Writer) error {
	campaigns := alone
	if len(args) > 0 && args[0] == "cluster" {
		campaigns, args = distributed, args[1:]
	} else if len(args) > 0 && args[0] == "pace" {
		campaigns, args = paces, args[1:]
	}
	cfg := &config{out: out}
	flags := flag.NewFlagSet("chaos", flag.ContinueOnError)
	flags.DurationVar(&cfg.length, "for", time.Minute, "how `long` a campaign that has no end by itself goes on")
	flags.BoolVar(&cfg.full, "full", false, "try as often as is promised, however long that takes")
	flags.StringVar(&cfg.engines, "engines", "sqlite,postgres", "the `databases` that a shop in one process is tried on")
	flags.IntVar(&cfg.workers, "workers", 2, "how `many` shops are killed side by side")
	flags.StringVar(&cfg.postgres, "postgres", "127.0.0.1:5432", "`address` of a Postgres where a shop in one process may have databases")
	flags.Uint64Var(&cfg.seed, "seed", uint64(time.Now().UnixNano()), "`number` that says what breaks when")
	only := flags.String("only", "", "run only the campaigns with these `names`, with commas between them; NAME=5m says how long")
	flags.Float64Var(&cfg.slower, "slower", 1.2, "`times` by which what is broken may slow down what does not touch it; 0 for any")
	flags.IntVar(&cfg.products, "products", 100_000, "`size` of the catalogue that pace asks")
	flags.StringVar(&cfg.agora, "agora", "", "the `program` agora; by default it is built")
	flags.StringVar(&cfg.router, "router", "", "the `program` router; by default it is built")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if err := cfg.choose(*only); err != nil {
		return err
	}
	cfg.random = rand.New(rand.NewPCG(cfg.seed, cfg.seed))
	var err error
	if cfg.folder, err = os.MkdirTemp("", "chaos"); err != nil {
		return err
	}
	defer os.RemoveAll(cfg.folder)
	if err := cfg.build(ctx); err != nil {
		return err
	}
	fmt.Fprintf(out, "seed %d, %d processors, begun %s\n", cfg.seed, runtime.NumCPU(), time.Now().Format(time.DateTime))
	err = cfg.report(ctx, campaigns)
	if cfg.shared != nil {
		err = errors.Join(err, cfg.shared.close())
	}
	return err
}

// choose reads which campaigns run.
func (cfg *config) choose(only string) error {
	if only == "" {
		return nil
	}
	cfg.only = map[string]time.Duration{}
	for each := range strings.SplitSeq(only, ",") {
		name, length, own := strings.Cut(each, "=")
		cfg.only[name] = cfg.length
		if own {
			var err error
			if cfg.only[name], err = time.ParseDuration(length); err != nil {
				return fmt.Errorf("--only %s: %w", each, err)
			}
		}
	}
	return nil
}

// report runs campaigns one after the other.
func (cfg *config) report(ctx context.Context, campaigns []campaign) error {
	var failed []error
	for _, c := range campaigns {
		if length, ok := cfg.only[c.name]; ok {
			cfg.length = length
		} else if cfg.only != nil {
			continue
		}
		begun := time.Now()
		figures, err := c.run(ctx, cfg)
		verdict := "held"
		if err != nil {
			verdict = "BROKEN"
			failed = append(failed, fmt.Errorf("%s: %w", c.name, err))
		}
		fmt.Fprintf(cfg.out, "%-12s %-6s %6.0fs  %s%s\n", c.name, verdict, time.Since(begun).Seconds(), strings.ReplaceAll(figures, "\n", "\n"+strings.Repeat(" ", 29)), busy())
		if ctx.Err() != nil {
			return ctx.Err()
		}
	}
	return errors.Join(failed...)
}

// busy says how busy the machine is, where that can be known.
func busy() string {
	load, err := os.ReadFile("/proc/loadavg")
	if err != nil {
		return ""
	}
	return fmt.Sprintf(" (load average %s)", strings.Fields(string(load))[0])
}

// goesOn reports whether a campaign that began at some time and has done n of many rounds goes on.
func (cfg *config) goesOn(begun time.Time, n, many int) bool {
	return n < many && (cfg.full || n == 0 || time.Since(begun) < cfg.length)
}

// shuffled are the numbers from 0 to n-1 in an order that a seed says.
func shuffled(seed uint64, n int) []int { return rand.New(rand.NewPCG(seed, seed)).Perm(n) }

// build builds the programs that are not named.
func (cfg *config) build(ctx context.Context) error {
	for _, p := range []struct {
		path *string
		name string
	}{{&cfg.agora, "tools/agora"}, {&cfg.router, "router/cmd/router"}} {
		if *p.path != "" {
			continue
		}
		*p.path = filepath.Join(cfg.folder, filepath.Base(p.name))
		build := exec.CommandContext(ctx, "go", "build", "-o", *p.path, "github.com/agora-supergraph/agora/"+p.name)
		if out, err := build.CombinedOutput(); err != nil {
			return fmt.Errorf("build %s: %w\n%s", p.name, err, out)
		}
	}
	return nil
}
