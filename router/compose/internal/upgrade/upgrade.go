// Package upgrade turns subgraphs of federation 1 into what they mean in federation 2, so that merging knows one kind:
// @external where it means nothing goes, extensions become definitions, @shareable is added to what was implicitly shared.
// Specified in https://www.apollographql.com/docs/graphos/reference/federation/migrating (the differences of versions).
package upgrade

import (
	"github.com/agora-supergraph/agora/router/compose/internal/subgraph"
	"github.com/agora-supergraph/agora/router/compose/report"
)

// Upgrade changes the federation 1 subgraphs among all, in place.
func Upgrade(all []*subgraph.Subgraph) report.Errors {
	return nil
}
