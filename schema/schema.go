// Package schema embeds the contract: the SDL of each subgraph, and the supergraph that they compose to.
package schema

import "embed"

// Files are the SDL files, supergraph.yaml and supergraph.graphql, by name.
//
//go:embed *.graphql supergraph.yaml
var Files embed.FS

// Events are the JSON Schemas (2020-12) of the data of events: events/TYPE.json for each type. Consumers may rely on them:
// a version of a type only ever gets members that are not required.
//
//go:embed events/*.json
var Events embed.FS
