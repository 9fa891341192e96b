// Package schema embeds the contract: the SDL of each subgraph, and the supergraph that they compose to.
package schema

import "embed"

// Files are the SDL files, supergraph.yaml and supergraph.graphql, by name.
//
//go:embed *.graphql supergraph.yaml
var Files embed.FS
