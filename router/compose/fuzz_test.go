package compose_test

import (
	"strings"
	"testing"

	"github.com/agora-supergraph/agora/router/compose"
)

// FuzzCompose feeds any bytes as the SDL of one subgraph, alone and beside a good one: a result or an error, never a panic.
func FuzzCompose(f *testing.F) {
	f.Add("type Query { a: Int }")
	f.Add(`extend schema @link(url: "https://specs.apollo.dev/federation/v2.9", import: ["@key", "@requires", "@external"])
type Query { t: T } type T @key(fields: "id u { id }") { id: ID! u: T x: Int @external y: Int @requires(fields: "x ... on T { id }") }`)
	f.Add(`extend type T @key(fields: ["id", "x { y"]) { id: ID! @external } interface I implements I { a: Int } union U = U input In { a: In! = {a: 1} }`)
	f.Add("type Query { é: Int \"\"\"\n\u2028 \"\"\" b: [[[[Int!]!]!]!] @key(fields: \"\\\"\") }")
	f.Add(strings.Repeat("{", 200))
	f.Fuzz(func(t *testing.T, sdl string) {
		if len(sdl) > 4000 {
			t.Skip()
		}
		other := compose.Subgraph{Name: "other", SDL: `extend schema @link(url: "https://specs.apollo.dev/federation/v2.9", import: ["@key", "@shareable"])
type Query { b: T @shareable t: T @shareable } type T @key(fields: "id") { id: ID! x: Int @shareable }`}
		fuzzed := compose.Subgraph{Name: "fuzzed", SDL: sdl}
		for _, subgraphs := range [][]compose.Subgraph{{fuzzed}, {fuzzed, other}} {
			r, errs := compose.Compose(subgraphs, compose.Config{MaxSatisfiabilityStates: 10_000})
			if (r == nil) == (len(errs) == 0) {
				t.Errorf("Compose(%q) gives result %v and errors %v, want one of them", sdl, r, errs)
			}
		}
	})
}
