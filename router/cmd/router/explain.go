package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"os"

	"github.com/agora-supergraph/agora/router/config"
	"github.com/agora-supergraph/agora/router/operation"
	"github.com/agora-supergraph/agora/router/plan"
	"github.com/agora-supergraph/agora/router/supergraph"
)

// explainCommand prints the plan of an operation. All that the operation demands of its caller counts as met, unless it
// is carried out.
func explainCommand(ctx context.Context, args []string, std streams) error {
	var configuration, file, variables, name, format string
	var analyze bool
	var headers []string
	flags := flag.NewFlagSet("explain", flag.ContinueOnError)
	flags.StringVar(&file, "supergraph", "", "`file` of the supergraph: SDL, or rover's supergraph.yaml")
	flags.StringVar(&variables, "variables", "", "JSON `file` of variables: needed if @skip or @include use some")
	flags.StringVar(&name, "operation", "", "`name` of the operation, if the document has several")
	flags.StringVar(&format, "format", "plain", "plain or json")
	flags.BoolVar(&analyze, "analyze", false, "carry the operation out, and show what each fetch takes")
	flags.StringVar(&configuration, "config", "", "the router's configuration `file`, which says how subgraphs are reached; with --analyze")
	flags.Func("header", "`Name: value` of a header of the request; with --analyze, any number of times", func(h string) error {
		headers = append(headers, h)
		return nil
	})
	files, err := parse(flags, std, args, "QUERYFILE")
	if err != nil {
		return err
	}
	var cfg config.Config
	if configuration != "" {
		if cfg, err = config.Load(configuration); err != nil {
			return err
		}
	}
	if file != "" {
		cfg.Supergraph = file
	}
	if cfg.Supergraph == "" || (format != "plain" && format != "json") || !analyze && headers != nil {
		fmt.Fprintln(std.err, "router explain: --supergraph or --config names a supergraph, --format is plain or json, --header goes with --analyze")
		return errUsage
	}
	read, err := readSupergraph(ctx, cfg.Supergraph)
	if err != nil {
		return err
	}
	if analyze {
		a := &analysis{cfg: cfg, sdl: read.sdl, operation: name, headers: headers, std: std}
		if a.query, a.variables, err = readRequest(files[0], variables, std); err != nil {
			return err
		}
		return a.run(ctx, format)
	}
	sg, err := supergraph.Load(read.sdl)
	if err != nil {
		return fmt.Errorf("%s: %w", cfg.Supergraph, err)
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

// readRequest reads the files of an operation and of its variables, if there are any.
func readRequest(file, variables string, std streams) (query string, values json.RawMessage, err error) {
	text, err := readFile(file, std)
	if err != nil {
		return "", nil, err
	}
	if variables != "" {
		if values, err = readFile(variables, std); err != nil {
			return "", nil, err
		}
		if !json.Valid(values) {
			return "", nil, fmt.Errorf("%s: not JSON", variables)
		}
	}
	return string(text), values, nil
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
	op, err := selected.Normalise(selected.Deferring(selected.Variant(values, func(*supergraph.Requirement) bool { return true }), values))
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
