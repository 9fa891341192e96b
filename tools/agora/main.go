// Command agora runs and looks after the commerce supergraph. It is the one program that knows the router and
// all subgraphs.
//
//	agora dev [--listen ADDRESS] [--data DIR] [--fresh]    everything in one process, on embedded stores
//	agora subgraph NAME… --config FILE                     some services in one process
//	agora cluster [--listen ADDRESS] [--replicas N]        each service in processes of its own, on this machine
//	agora migrate [NAME…] --config FILE                    brings databases up to date
//	agora events replay|dead …                             looks after events
//	agora keys rotate [--data DIR]                         has the next key sign access tokens from now on
//	agora extract SERVICE --to URL|--back [--data DIR]     moves a service's data to Postgres, or back, while the shop runs
//	agora health URL                                       asks a process whether it is ready
//	agora audit [--data DIR | --config FILE]               compares the books of all services
//	agora catalogue import|export FILE [--data DIR]        reads or writes the catalogue as CSV or JSON lines
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/redis/go-redis/v9/logging"
)

func main() {
	// The client for Redis writes lines of its own to standard error; what they say comes back as errors, too.
	logging.Disable()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	os.Exit(run(ctx, os.Args[1:], os.Stdout, os.Stderr))
}

// commands are the sub-commands by name.
var commands = map[string]func(ctx context.Context, args []string, out, diagnostics io.Writer) error{
	"audit":     audit,
	"catalogue": catalogue,
	"cluster":   cluster,
	"dev":       dev,
	"events":    events,
	"extract":   extract,
	"health":    healthCommand,
	"keys":      keys,
	"migrate":   migrate,
	"seed":      seedCommand,
	"subgraph":  runSubgraphs,
}

const usage = `usage: agora COMMAND

  dev    run everything in one process on embedded stores, seeded on first start
         [--listen 127.0.0.1:4000] [--data DIR] [--fresh] [--config FILE] [--http NAME,…] [--log LEVEL]

  subgraph NAME…
         run some services in one process, by a configuration file
         --config FILE [--listen ADDRESS]

  cluster
         run each service in processes of its own, with the router in front, on this machine's Postgres and NATS
         [--listen 127.0.0.1:4000] [--replicas N] [--postgres URL] [--nats URL] [--prefix NAME] [--data DIR] [--fresh]
         [--router PROGRAM]

  migrate [NAME…], seed
         bring the databases of services up to date; fill them as those of developers
         --config FILE

  events dead list, events dead retry, events replay SERVICE
         what could not be applied; have it tried again; publish a service's events again
         [--config FILE] [--data DIR] [--service NAME] [--consumer NAME] [--event ID] [--since TIME]

  keys rotate
         have access tokens signed by the next key, as soon as everybody can know it
         [--config FILE] [--data DIR]

  catalogue import FILE
         store the products of a CSV or JSON lines file, as often as it takes; what is wrong is told by line
         [--data DIR] [--database URL] [--format csv|jsonl] [--batch N] [--dry-run]

  catalogue export FILE
         write the catalogue into a file that import reads
         [--data DIR] [--database URL] [--format csv|jsonl]

  extract SERVICE
         move a service's data to an empty Postgres database, or back, while the shop runs; again after it was interrupted
         --to postgres://… | --back | --abandon [--data DIR] [--fresh]

  health URL
         ask a process whether it is ready, by its /health/ready; exit status 1 if it isn't
         [--timeout 2s]

  audit  compare the books of all services, running or not, and say what is broken
         [--data DIR] [--database NAME=URL …]

agora COMMAND --help lists the flags of a command. Of dev and subgraph, the environment says what is watched:

  AGORA_METRICS                the host:port of metrics for Prometheus: the router's at /metrics, the services' at /services/metrics
  OTEL_EXPORTER_OTLP_ENDPOINT  the collector of traces, such as http://localhost:4318, by OTLP over HTTP
  OTEL_SERVICE_NAME            the process's name in traces
`

// run carries out a command line and returns the exit status: 1 with one line that says what went wrong, 2 for
// a command line that can't be understood.
func run(ctx context.Context, args []string, out, diagnostics io.Writer) int {
	if len(args) == 0 || args[0] == "help" || args[0] == "--help" || args[0] == "-h" {
		fmt.Fprint(out, usage)
		return 0
	}
	command, ok := commands[args[0]]
	if !ok {
		fmt.Fprintf(diagnostics, "agora: there is no command %q\n%s", args[0], usage)
		return 2
	}
	err := command(ctx, args[1:], out, diagnostics)
	switch {
	case err == nil, errors.Is(err, flag.ErrHelp):
		return 0
	case errors.As(err, new(usageError)):
		return 2 // flag has printed what is wrong
	}
	fmt.Fprintln(diagnostics, "agora:", err)
	return 1
}

// usageError is a command line that can't be understood.
type usageError struct{ error }

// parse reads the flags of a command, which takes no other arguments.
func parse(flags *flag.FlagSet, args []string) error {
	if err := flags.Parse(args); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			return err
		}
		return usageError{err}
	}
	if flags.NArg() > 0 {
		fmt.Fprintf(flags.Output(), "agora %s: unexpected argument %q\n", flags.Name(), flags.Arg(0))
		return usageError{errors.New("unexpected argument")}
	}
	return nil
}
