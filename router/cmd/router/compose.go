package main

import (
	"context"
	"errors"
	"flag"
	"fmt"

	"github.com/agora-supergraph/agora/router/compose/command"
)

func composeCommand(ctx context.Context, args []string, std streams) int {
	o := command.Options{Stdin: std.in, Stdout: std.out, Stderr: std.err}
	flags := flag.NewFlagSet("compose", flag.ContinueOnError)
	flags.StringVar(&o.Config, "config", "", "supergraph.yaml in rover's format; - reads standard input")
	flags.StringVar(&o.Output, "output", "", "write to this `file` instead of standard output")
	flags.StringVar(&o.Format, "format", "plain", "plain or json, as rover prints it")
	flags.StringVar(&o.FederationVersion, "federation-version", "", "the `version` that subgraphs may link to at most, such as =2.9")
	flags.StringVar(&o.FailOnHints, "fail-on-hints", "", "fail on hints of this `level` (DEBUG, INFO or WARN) and above")
	flags.BoolVar(&o.SkipSatisfiability, "skip-satisfiability", false, "leave out the check that every field can be resolved")
	watch := flags.Bool("watch", false, "compose again whenever a file that was read changes, until interrupted")
	flags.DurationVar(&o.Timeout, "timeout", 0, "how long a running subgraph may take to show its SDL (default 10s)")
	if _, err := parse(flags, std, args); err != nil {
		return usageStatus(err)
	}
	if o.Config == "" {
		fmt.Fprintln(std.err, "router compose: --config is missing: the path of a supergraph.yaml")
		return misuse
	}
	if *watch {
		return command.Watch(ctx, o)
	}
	return command.Compose(ctx, o)
}

func lintCommand(args []string, std streams) int {
	if len(args) == 0 || args[0] != "lint" {
		fmt.Fprintln(std.err, "router subgraph: the one command is: router subgraph lint FILE")
		return misuse
	}
	o := command.LintOptions{Stdin: std.in, Stdout: std.out, Stderr: std.err}
	flags := flag.NewFlagSet("subgraph lint", flag.ContinueOnError)
	flags.StringVar(&o.Name, "name", "", "the subgraph's `name`; the file's if absent")
	flags.StringVar(&o.Format, "format", "plain", "plain or json")
	files, err := parse(flags, std, args[1:], "FILE")
	if err != nil {
		return usageStatus(err)
	}
	o.File = files[0]
	return command.Lint(o)
}

// usageStatus is the exit status of a command line that was not carried out.
func usageStatus(err error) int {
	if errors.Is(err, flag.ErrHelp) {
		return 0
	}
	return misuse
}
