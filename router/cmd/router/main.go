// Command router composes subgraphs into a supergraph, explains query plans, and serves a supergraph to clients.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/redis/go-redis/v9/logging"
)

func main() {
	// The client for Redis writes lines of its own to standard error; what they say comes back as errors, too.
	logging.Disable()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	os.Exit(run(ctx, os.Args[1:], streams{os.Stdin, os.Stdout, os.Stderr}))
}

// streams are those of the process.
type streams struct {
	in       io.Reader
	out, err io.Writer
}

const usage = `usage: router COMMAND

  serve    answer GraphQL requests over a supergraph
           [--supergraph FILE] [--config FILE] [--listen ADDRESS] [--poll 1s]
  compose  compose subgraphs into a supergraph, on standard output
           --config supergraph.yaml|- [--output FILE] [--format plain|json]
           [--federation-version =2.x] [--fail-on-hints LEVEL] [--skip-satisfiability] [--watch]
  check    what a new supergraph breaks for the clients of an old one
           --config NEW --against OLD [--documents FOLDER|MANIFEST|redis://HOST]... [--only-documents]
           [--format plain|json]
  subgraph lint FILE
           validate one subgraph by itself  [--name NAME] [--format plain|json]
  explain  show the plan of an operation
           --supergraph FILE [--variables FILE] [--operation NAME] [--format plain|json]
           [--analyze [--config FILE] [--header "NAME: VALUE"]...] QUERYFILE|-
  persist  publish | list | retire
           documents that clients name instead of sending: --store MANIFEST|FOLDER|redis://HOST [--client NAME]
           publish --supergraph FILE MANIFEST|FOLDER;  list [--format plain|json];
           retire --id ID... | --keep MANIFEST [--grace 720h]
  apikey   new | list | revoke
           keys by which partners' programs show who they are: --store FILE|redis://HOST
           new --client NAME [--scopes A,B] [--expires 8760h];  list;  revoke [--after 24h] ID
  config   schema | validate FILE | show FILE
           the configuration file of serve: its JSON schema, its errors, what it sets

router COMMAND --help lists the flags of a command.
`

// Exit statuses besides 0.
const (
	failed = 1
	misuse = 2
)

// run carries out a command line and returns the exit status.
func run(ctx context.Context, args []string, std streams) int {
	if len(args) == 0 || args[0] == "help" || args[0] == "--help" || args[0] == "-h" {
		fmt.Fprint(std.out, usage)
		return 0
	}
	command, rest := args[0], args[1:]
	switch command {
	case "serve":
		return exitStatus(std, serveCommand(ctx, rest, std))
	case "compose":
		return composeCommand(ctx, rest, std)
	case "check":
		return checkCommand(ctx, rest, std)
	case "subgraph":
		return lintCommand(rest, std)
	case "explain":
		return exitStatus(std, explainCommand(ctx, rest, std))
	case "persist":
		return exitStatus(std, persistCommand(ctx, rest, std))
	case "apikey":
		return exitStatus(std, apikeyCommand(ctx, rest, std))
	case "config":
		return exitStatus(std, configCommand(rest, std))
	}
	fmt.Fprintf(std.err, "router: there is no command %q\n%s", command, usage)
	return misuse
}

// errUsage is a command line that can't be understood; what is wrong with it has been printed.
var errUsage = errors.New("usage")

// exitStatus prints the error of a command in one line, and returns the exit status.
func exitStatus(std streams, err error) int {
	switch {
	case err == nil, errors.Is(err, flag.ErrHelp):
		return 0
	case errors.Is(err, errUsage):
		return misuse
	}
	fmt.Fprintln(std.err, "router:", err)
	return failed
}

// parse reads the flags of a command, and returns its other arguments: as many as names has.
func parse(flags *flag.FlagSet, std streams, args []string, names ...string) ([]string, error) {
	flags.SetOutput(std.err)
	if err := flags.Parse(args); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			return nil, err
		}
		return nil, errUsage
	}
	if flags.NArg() != len(names) {
		fmt.Fprintf(std.err, "router %s: takes %d arguments besides flags (%s), got %d\n", flags.Name(), len(names), strings.Join(names, " "), flags.NArg())
		return nil, errUsage
	}
	return flags.Args(), nil
}
