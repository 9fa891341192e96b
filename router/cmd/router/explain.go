package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"os"

	"github.com/agora-supergraph/agora/router/operation"
	"github.com/agora-supergraph/agora/router/plan"
	"github.com/agora-supergraph/agora/router/supergraph"
)

// explainCommand prints the plan of an operation. All that the operation demands of its caller counts as met.
func explainCommand(ctx context.Context, args []string, std streams) error {
	var file, variables, name, format string
	flags := flag.NewFlagSet("explain", flag.ContinueOnError)
	flags.StringVar(&file, "supergraph", "", "`file` of the supergraph: SDL, or rover's supergraph.yaml")
	flags.StringVar(&variables, "variables", "", "JSON `file` of variables: needed if @skip or @include use some")
	flags.StringVar(&name, "operation", "", "`name` of the operation, if the document has several")
	flags.StringVar(&format, "format", "plain", "plain or json")
	files, err := parse(flags, std, args, "QUERYFILE")
	if err != nil {
		return err
	}
	if file == "" || (format != "plain" && format != "json") {
		fmt.Fprintln(std.err, "router explain: --supergraph names a file, --format is plain or json")
		return errUsage
	}
	read, err := readSupergraph(ctx, file)
	if err != nil {
		return err
	}
	sg, err := supergraph.Load(read.sdl)
	if err != nil {
		return fmt.Errorf("%s: %w", file, err)
	}
	p, err := explain(ctx, sg, files[0], name, variables, std)
	if err != nil {
		return err
	}
	if format == "plain" {
		_, err = fmt.Fprintln(std.out, p.String())
		return err
	}
	out := json.NewEncoder(std.out)
	out.SetIndent("", "  ")
	out.SetEscapeHTML(false)
	return out.Encode(p.Explain())
}

func explain(ctx context.Context, sg *supergraph.Supergraph, file, name, variables string, std streams) (*plan.Plan, error) {
	text, err := readFile(file, std)
	if err != nil {
		return nil, err
	}
	document, errs := operation.Parse(sg, string(text), operation.Limits{})
	if errs != nil {
		return nil, fmt.Errorf("%s: %w", file, errs)
	}
	selected, err := document.Operation(name)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	var values [][]byte
	if variables != "" {
		raw, err := readFile(variables, std)
		if err != nil {
			return nil, err
		}
		if values, err = selected.Coerce(raw); err != nil {
			return nil, fmt.Errorf("%s: %w", variables, err)
		}
	}
	op, err := selected.Normalise(selected.Variant(values, func(*supergraph.Requirement) bool { return true }))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	return plan.Build(ctx, sg, op, plan.Config{})
}

func readFile(name string, std streams) ([]byte, error) {
	if name == "-" {
		return io.ReadAll(std.in)
	}
	return os.ReadFile(name)
}
