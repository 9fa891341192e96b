package config

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Strangers are the subgraphs with settings of their own that a supergraph with these names has not, sorted, as messages that say
// what it has. The settings do nothing: mostly a name is misspelt, or the subgraph has gone.
func (c Config) Strangers(subgraphs []string) []string {
	known := make([]field, len(subgraphs))
	for i, name := range subgraphs {
		known[i].name = name
	}
	var list []string
	for _, name := range slices.Sorted(maps.Keys(c.Subgraphs)) {
		if !slices.Contains(subgraphs, name) {
			list = append(list, fmt.Sprintf("subgraphs.%s: the supergraph has no such subgraph%s: it has %s", name, suggestion(name, known), strings.Join(subgraphs, ", ")))
		}
	}
	return list
}
