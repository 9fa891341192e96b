// Package shop is the world that the benchmark asks about: users who review products, served by four subgraphs whose
// schema the demonstrations of federation share.
//
// In comes a GraphQL request to one subgraph, or to the whole; out comes its JSON response. The data is fixed: the same
// request has the same answer, always. A request's answer is computed by a small executor over gqlparser's tree
// (https://spec.graphql.org/October2021/#sec-Execution) and kept by the request's bytes, so that a router that sends
// what it sent before costs the subgraphs next to nothing. The executor over the whole schema is the oracle that
// routers' answers are compared with.
package shop
