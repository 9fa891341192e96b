package main

import (
	"context"
	_ "embed" // for everything.yaml
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/agora-supergraph/agora/tools/bench/internal/process"
	"github.com/agora-supergraph/agora/tools/bench/internal/shop"
)

// options are the flags of bench router.
type options struct {
	seconds, warmUp float64
	rounds          int
	connections     int
	workloads       string
	peers, variants list
	npm             string
	curve, plot     string
	sharing         bool
	everything      bool
	json, markdown  string
	profile         string
}

// list is a flag that may be given several times.
type list []string

// String shows the list.
func (l *list) String() string { return strings.Join(*l, " ") }

// Set adds to it.
func (l *list) Set(value string) error {
	*l = append(*l, value)
	return nil
}

func parseOptions(args []string, errs io.Writer) (*options, error) {
	o := &options{}
	flags := flag.NewFlagSet("router", flag.ContinueOnError)
	flags.SetOutput(errs)
	flags.Float64Var(&o.seconds, "seconds", 3, "length of one round of one program")
	flags.Float64Var(&o.warmUp, "warmup", 2, "seconds of warming up, in which every answer is compared")
	flags.IntVar(&o.rounds, "rounds", 3, "rounds; figures are medians over them")
	flags.IntVar(&o.connections, "connections", 50, "requests in flight")
	flags.StringVar(&o.workloads, "workloads", "a,b,c,d,e", "which of them")
	flags.Var(&o.peers, "peer", "`NAME=COMMAND@PORT[/PATH]`: another router; {supergraph} and {port} in the command are replaced, SUPERGRAPH and PORT are in its environment (repeatable)")
	flags.Var(&o.variants, "variant", "`NAME=FILE`: the router once more, with a configuration file (repeatable)")
	flags.StringVar(&o.npm, "peers", "", "npm: install Apollo Gateway and Hive Gateway from npm, and measure them")
	flags.StringVar(&o.curve, "curve", "", "entities or connections: how cost grows, instead of workloads")
	flags.StringVar(&o.plot, "plot", "", "`file` for the curve as a drawing in SVG")
	flags.BoolVar(&o.sharing, "sharing", false, "a row for the router with identical queries in flight shared, of clients and to subgraphs")
	flags.BoolVar(&o.everything, "everything", false, "a row for the router with everything switched on that a production router has, at its defaults")
	flags.StringVar(&o.json, "json", "", "`file` for the figures of all rounds")
	flags.StringVar(&o.markdown, "markdown", "", "`file` for the table, besides standard output")
	flags.StringVar(&o.profile, "cpuprofile", "", "`folder` for processor profiles of the router and its variants, one a workload; it then runs in a program of the benchmark's own")
	if err := flags.Parse(args); err != nil {
		return nil, err
	}
	switch {
	case flags.NArg() > 0:
		return nil, fmt.Errorf("router: %q is no flag", flags.Arg(0))
	case o.seconds <= 0 || o.warmUp <= 0 || o.rounds < 1 || o.connections < 1:
		return nil, fmt.Errorf("router: seconds, warmup, rounds and connections must be above zero")
	case o.npm != "" && o.npm != "npm":
		return nil, fmt.Errorf("router: --peers %s: npm is what there is; others by --peer", o.npm)
	}
	return o, nil
}

// bench is a run.
type bench struct {
	options
	// dir is the folder for all files of the run.
	dir        string
	supergraph string
	subgraphs  shop.Remote
	oracle     *shop.Service
	self       string
	log        io.Writer
}

// routerCommand measures the router.
func routerCommand(ctx context.Context, args []string, out, log io.Writer) error {
	o, err := parseOptions(args, log)
	if err != nil {
		return err
	}
	// The folder of npm's packages is kept: installing takes longer than measuring.
	dir, err := os.MkdirTemp("", "agora-bench-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	b := &bench{options: *o, dir: dir, supergraph: filepath.Join(dir, "supergraph.graphql"), log: log}
	stop, err := b.prepare(ctx)
	if err != nil {
		return err
	}
	defer stop()
	programs, err := b.programs(ctx)
	if err != nil {
		return err
	}
	if o.curve != "" {
		return b.drawCurve(ctx, programs, out)
	}
	return b.compare(ctx, programs, out)
}

// prepare starts the subgraphs and writes the supergraph; the function that it returns stops them.
func (b *bench) prepare(ctx context.Context) (stop func(), err error) {
	if b.self, err = os.Executable(); err != nil {
		return nil, err
	}
	if b.oracle, err = shop.Oracle(); err != nil {
		return nil, err
	}
	address, err := process.Address()
	if err != nil {
		return nil, err
	}
	b.subgraphs = shop.Remote{Address: address}
	composed, err := shop.Compose(b.subgraphs.URL)
	if err != nil {
		return nil, err
	}
	if err := os.WriteFile(b.supergraph, []byte(composed.SDL), 0o600); err != nil {
		return nil, err
	}
	p, err := process.Start(b.log, "", childEnv, b.self, "subgraphs", "--listen", address)
	if err != nil {
		return nil, err
	}
	for range 500 {
		if _, err = b.subgraphs.State(ctx); err == nil {
			return p.Stop, nil
		}
		time.Sleep(10 * time.Millisecond)
	}
	p.Stop()
	return nil, fmt.Errorf("subgraphs: %w", err)
}

// childEnv tells a test's binary that it is a process of a run.
var childEnv = []string{"AGORA_BENCH_CHILD=1"}

// programs are what is measured: the floors, the router, its variants, the peers.
func (b *bench) programs(ctx context.Context) ([]target, error) {
	var all []target
	for _, client := range []string{"raw", "net/http"} {
		command := []string{b.self, "floor", "--client", client, "--fixture", "{fixture}", "--listen", "127.0.0.1:{port}"}
		all = append(all, target{name: "floor, " + client + " client", command: command, env: childEnv, path: "/graphql", floor: true})
	}
	binary, err := b.build(ctx)
	if err != nil {
		return nil, err
	}
	command := []string{binary, "serve", "--supergraph", "{supergraph}", "--listen", "127.0.0.1:{port}"}
	all = append(all, target{name: "agora", command: append(slices.Clone(command), "--config", filepath.Join(b.dir, "router.yaml")), path: "/graphql"})
	if b.sharing {
		if err := b.vary("queries in flight shared", routerConfig+"share_queries: true\nshare_requests: true\n"); err != nil {
			return nil, err
		}
	}
	if b.everything {
		if err := b.vary("everything", everything); err != nil {
			return nil, err
		}
	}
	for _, variant := range b.variants {
		name, file, ok := strings.Cut(variant, "=")
		if !ok {
			return nil, fmt.Errorf("--variant %q: want NAME=FILE", variant)
		}
		all = append(all, target{name: "agora, " + name, command: append(slices.Clone(command), "--config", file), path: "/graphql"})
	}
	for _, text := range b.peers {
		peer, err := parsePeer(text)
		if err != nil {
			return nil, err
		}
		all = append(all, peer)
	}
	if b.npm != "" {
		peers, err := b.npmPeers(ctx)
		if err != nil {
			return nil, err
		}
		all = append(all, peers...)
	}
	return all, nil
}

// routerConfig is the configuration under test: the defaults, but that the log, which others don't write, is off.
const routerConfig = "log:\n  level: warn\n"

// everything is the configuration of a router in production: what is off by default is on, and has no other setting than it
// needs. Tracing is not among it, which needs a collector; nor are caches of answers and sharing, which make work less.
//
//go:embed everything.yaml
var everything string

// vary adds a row for the router with a configuration.
func (b *bench) vary(name, configuration string) error {
	file := filepath.Join(b.dir, strings.ReplaceAll(name, " ", "-")+".yaml")
	b.variants = append(b.variants, name+"="+file)
	return os.WriteFile(file, []byte(configuration), 0o600)
}

// build builds the router's command.
func (b *bench) build(ctx context.Context) (string, error) {
	if err := os.WriteFile(filepath.Join(b.dir, "router.yaml"), []byte(routerConfig), 0o600); err != nil {
		return "", err
	}
	pkg := "github.com/agora-supergraph/agora/router/cmd/router"
	if b.profile != "" {
		pkg = "github.com/agora-supergraph/agora/tools/bench/profiled"
	}
	binary := filepath.Join(b.dir, "router")
	build := exec.CommandContext(ctx, "go", "build", "-o", binary, pkg)
	if output, err := build.CombinedOutput(); err != nil {
		return "", fmt.Errorf("build the router: %w: %s", err, output)
	}
	return binary, nil
}
