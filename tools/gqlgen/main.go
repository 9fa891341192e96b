// Command gqlgen generates the GraphQL servers of all subgraphs from schema/ and the one gqlgen.yml.
//
// It expands ${SUBGRAPH} in gqlgen.yml for each SDL file in turn and runs gqlgen's own generator on the
// result, so that five subgraphs share one configuration. It runs in the root of the repository:
//
//	go run ./tools/gqlgen [SUBGRAPH...]
package main

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/99designs/gqlgen/api"
	"github.com/99designs/gqlgen/codegen/config"
)

func main() {
	names, err := subgraphs(os.Args[1:])
	if err != nil {
		fail(err)
	}
	for _, name := range names {
		if err := generate(name); err != nil {
			fail(fmt.Errorf("generate %s: %w", name, err))
		}
	}
}

// subgraphs are the given names, or those of all SDL files but the composed one.
func subgraphs(given []string) ([]string, error) {
	if len(given) > 0 {
		return given, nil
	}
	files, err := filepath.Glob("schema/*.graphql")
	if err != nil {
		return nil, err
	}
	var names []string
	for _, f := range files {
		name := strings.TrimSuffix(filepath.Base(f), ".graphql")
		if name != "supergraph" && name != "api" {
			names = append(names, name)
		}
	}
	if len(names) == 0 {
		return nil, fmt.Errorf("no SDL in schema/: run this in the root of the repository")
	}
	slices.Sort(names)
	return names, nil
}

func generate(subgraph string) error {
	yml, err := os.ReadFile("gqlgen.yml")
	if err != nil {
		return err
	}
	expanded := os.Expand(string(yml), func(key string) string {
		if key == "SUBGRAPH" {
			return subgraph
		}
		return "${" + key + "}"
	})
	cfg, err := config.ReadConfig(strings.NewReader(expanded))
	if err != nil {
		return err
	}
	return api.Generate(cfg, api.PrependPlugin(costDirectives{}))
}

func fail(err error) {
	fmt.Fprintln(os.Stderr, err)
	os.Exit(1)
}
