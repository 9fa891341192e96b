// Package supergraph reads supergraph SDL (the join spec, https://specs.apollo.dev/join) into the model
// that planning needs.
//
// In comes the SDL that a composition wrote, ours or another's; out comes an immutable Supergraph: the API
// schema that clients see (without join__* machinery and without what is @inaccessible), and for every
// type and field who resolves it, under which key, requires, provides, override label or interface object.
// Types, fields and subgraphs are numbered densely, so that planning walks slices and bitsets instead of
// maps of strings. It is built once per schema and shared by all requests.
package supergraph
