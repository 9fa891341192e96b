package main

import (
	"context"
	"fmt"
	"strings"

	"github.com/agora-supergraph/agora/router/compose"
	"github.com/agora-supergraph/agora/router/compose/config"
)

// reading is a supergraph as it was read from a file.
type reading struct {
	sdl string
	// from says what to watch, and what was composed; it is there even if reading failed.
	from *config.Config
}

// file is one that was read, as what to watch.
type file = config.File

// readWatched reads a file that is to be watched; the error names it.
func readWatched(name string) ([]byte, file, error) { return config.ReadFile(name) }

// readSupergraph reads the SDL in a file, or composes that of the subgraphs of rover's YAML.
func readSupergraph(ctx context.Context, file string) (reading, error) {
	if !strings.HasSuffix(file, ".yaml") && !strings.HasSuffix(file, ".yml") && !strings.HasSuffix(file, ".json") {
		sdl, read, err := config.ReadFile(file)
		return reading{string(sdl), &config.Config{Files: []config.File{read}}}, err
	}
	from, problems := config.Read(ctx, config.Options{Path: file})
	if len(problems) > 0 {
		return reading{from: from}, problems
	}
	result, errs := compose.Compose(from.Subgraphs, compose.Config{FederationVersion: from.FederationVersion})
	if len(errs) > 0 {
		return reading{from: from}, fmt.Errorf("compose %s: %w", file, errs)
	}
	return reading{result.SDL, from}, nil
}
