package main

import (
	"fmt"
	"path"

	"github.com/agora-supergraph/agora/router/compose"
	"github.com/agora-supergraph/agora/schema"
)

// composed is the supergraph SDL of the subgraphs' SDLs that this program was built with.
func composed() (string, error) {
	var subgraphs []compose.Subgraph
	for _, name := range names(ports) {
		file := name + ".graphql"
		sdl, err := schema.Files.ReadFile(file)
		if err != nil {
			return "", err
		}
		subgraphs = append(subgraphs, compose.Subgraph{
			Name: name, URL: fmt.Sprintf("http://127.0.0.1:%d/graphql", ports[name]), SDL: string(sdl), File: path.Join("schema", file),
		})
	}
	result, errs := compose.Compose(subgraphs, compose.Config{})
	if len(errs) > 0 {
		return "", fmt.Errorf("compose the subgraphs: %w", errs)
	}
	return result.SDL, nil
}
