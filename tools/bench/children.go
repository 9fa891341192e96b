package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"os"

	"github.com/agora-supergraph/agora/tools/bench/internal/floor"
	"github.com/agora-supergraph/agora/tools/bench/internal/shop"
)

// subgraphsCommand serves the subgraphs.
func subgraphsCommand(ctx context.Context, args []string) error {
	flags := flag.NewFlagSet("subgraphs", flag.ContinueOnError)
	address := flags.String("listen", "127.0.0.1:0", "`address` to listen on")
	if err := flags.Parse(args); err != nil {
		return err
	}
	server, err := shop.NewServer()
	if err != nil {
		return err
	}
	return listen(ctx, *address, server)
}

// floorCommand serves a floor.
func floorCommand(ctx context.Context, args []string) error {
	flags := flag.NewFlagSet("floor", flag.ContinueOnError)
	address := flags.String("listen", "127.0.0.1:0", "`address` to listen on")
	client := flags.String("client", "raw", "raw or net/http")
	file := flags.String("fixture", "", "JSON `file` that says what to do")
	if err := flags.Parse(args); err != nil {
		return err
	}
	text, err := os.ReadFile(*file)
	if err != nil {
		return err
	}
	var fixture floor.Fixture
	if err := json.Unmarshal(text, &fixture); err != nil {
		return fmt.Errorf("fixture %s: %w", *file, err)
	}
	handler, err := floor.Handler(fixture, *client)
	if err != nil {
		return err
	}
	return listen(ctx, *address, handler)
}
