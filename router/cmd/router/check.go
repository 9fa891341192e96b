package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"slices"
	"strings"

	"github.com/agora-supergraph/agora/router/check"
	"github.com/agora-supergraph/agora/router/compose"
	"github.com/agora-supergraph/agora/router/compose/report"
	"github.com/agora-supergraph/agora/router/supergraph"
)

// checkCommand compares two supergraphs as clients see them. The exit status is 0 if nothing breaks, 1 if something does,
// and 2 if the check could not be made.
func checkCommand(ctx context.Context, args []string, std streams) int {
	var now, against, format string
	var documents []string
	var onlyDocuments bool
	flags := flag.NewFlagSet("check", flag.ContinueOnError)
	flags.StringVar(&now, "config", "", "`file` of the new supergraph: rover's supergraph.yaml, or SDL")
	flags.StringVar(&against, "against", "", "`file` of the old supergraph, which clients use now: the same")
	flags.Func("documents", "a `folder` of .graphql files and manifests, a manifest, or redis://HOST:6379, of operations in use; may stand again", func(path string) error {
		documents = append(documents, path)
		return nil
	})
	flags.BoolVar(&onlyDocuments, "only-documents", false, "fail only if an operation of --documents breaks: for routers that take no others")
	flags.StringVar(&format, "format", "plain", "plain or json")
	if _, err := parse(flags, std, args); err != nil {
		return usageStatus(err)
	}
	if now == "" || against == "" || (format != "plain" && format != "json") || (onlyDocuments && documents == nil) {
		fmt.Fprintln(std.err, "router check: --config and --against name files, --format is plain or json, --only-documents needs --documents")
		return misuse
	}
	result, errs := checkFiles(ctx, now, against, documents)
	if len(errs) > 0 {
		return notChecked(errs, format, std)
	}
	write := result.WriteText
	if format == "json" {
		write = result.WriteJSON
	}
	if err := write(std.out); err != nil {
		fmt.Fprintln(std.err, "router check:", err)
		return misuse
	}
	if onlyDocuments && len(result.Broken) > 0 || !onlyDocuments && result.Breaks() {
		return failed
	}
	return 0
}

// checkFiles reads all that a check needs; what is wrong with each file is reported.
func checkFiles(ctx context.Context, now, against string, documents []string) (*check.Result, []error) {
	next, err := loadSupergraph(ctx, now)
	errs := []error{err}
	old, err := loadSupergraph(ctx, against)
	errs = append(errs, err)
	var operations []check.Document
	for _, path := range documents {
		read, err := readDocuments(ctx, path)
		operations, errs = append(operations, read...), append(errs, err)
	}
	if errs = slices.DeleteFunc(errs, func(err error) bool { return err == nil }); len(errs) > 0 {
		return nil, errs
	}
	return check.Check(old, next, operations), nil
}

func loadSupergraph(ctx context.Context, file string) (*supergraph.Supergraph, error) {
	read, err := readSupergraph(ctx, file)
	if err != nil {
		return nil, err
	}
	sg, err := supergraph.Load(read.sdl)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	return sg, nil
}

// notChecked says why a check could not be made: errors of composition with their places.
func notChecked(errs []error, format string, std streams) int {
	if format == "json" {
		_ = report.WriteFailureJSON(std.out, errors.Join(errs...).Error())
		return misuse
	}
	for _, err := range errs {
		var composition compose.Errors
		if !errors.As(err, &composition) {
			fmt.Fprintln(std.err, "router check:", err)
			continue
		}
		what, _, _ := strings.Cut(err.Error(), ":")
		fmt.Fprintf(std.err, "router check: %s: %d errors\n", what, len(composition))
		_ = report.WriteErrors(std.err, composition)
	}
	return misuse
}
