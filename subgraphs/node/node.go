// Package node is the subgraph behind Query.node and Query.nodes (https://relay.dev/graphql/objectidentification.htm).
//
// An id says by its prefix what it names, so nothing is looked up here: the answer is a reference of the right
// type, and whatever else the query selects is resolved by the subgraph that owns the type. It has no store.
package node

import (
	"context"

	"github.com/99designs/gqlgen/graphql"

	"github.com/agora-supergraph/agora/internal/id"
	"github.com/agora-supergraph/agora/internal/page"
	"github.com/agora-supergraph/agora/internal/subgraph"
	"github.com/agora-supergraph/agora/subgraphs/node/gen"
)

// Schema is the subgraph's schema with its resolvers.
func Schema() graphql.ExecutableSchema {
	return gen.NewExecutableSchema(gen.Config{Resolvers: resolver{}})
}

type resolver struct{}

// Query returns the resolver of the root fields.
func (r resolver) Query() gen.QueryResolver { return r }

// Node resolves Query.node.
func (resolver) Node(_ context.Context, nodeID string) (gen.Node, error) {
	return reference(nodeID), nil
}

// Nodes resolves Query.nodes: as many as one page at the most.
func (resolver) Nodes(_ context.Context, ids []string) ([]gen.Node, error) {
	if len(ids) > page.Max {
		return nil, subgraph.Errorf(subgraph.BadInput, "ids has %d elements: %d are the most", len(ids), page.Max)
	}
	nodes := make([]gen.Node, len(ids))
	for i, nodeID := range ids {
		nodes[i] = reference(nodeID)
	}
	return nodes, nil
}

// reference is the object that an id names, or nil if it names none.
func reference(nodeID string) gen.Node {
	switch id.Prefix(nodeID) {
	case id.User:
		return gen.User{ID: nodeID}
	case id.Product:
		return gen.Product{ID: nodeID}
	case id.Variant:
		return gen.ProductVariant{ID: nodeID}
	case id.Category:
		return gen.Category{ID: nodeID}
	case id.Cart:
		return gen.Cart{ID: nodeID}
	case id.Order:
		return gen.Order{ID: nodeID}
	case id.Payment:
		return gen.Payment{ID: nodeID}
	}
	return nil
}
