package compose_test

import (
	"fmt"
	"strings"
	"testing"

	"golang.org/x/tools/txtar"

	"github.com/agora-supergraph/agora/router/compose"
)

func benchmark(b *testing.B, subgraphs []compose.Subgraph) {
	b.Helper()
	bytes := 0
	for _, s := range subgraphs {
		bytes += len(s.SDL)
	}
	b.SetBytes(int64(bytes))
	b.ReportAllocs()
	for b.Loop() {
		if _, errs := compose.Compose(subgraphs, compose.Config{}); len(errs) > 0 {
			b.Fatal(errs)
		}
	}
}

// BenchmarkCommerce composes the six schemas of the commerce supergraph.
func BenchmarkCommerce(b *testing.B) {
	a, err := txtar.ParseFile("testdata/commerce.txtar")
	if err != nil {
		b.Fatal(err)
	}
	benchmark(b, golden{archive: a}.subgraphs())
}

// BenchmarkSubgraphs composes supergraphs of 40 types a subgraph: entities that refer to those of the neighbours, value
// types shared by all, requires and provides.
func BenchmarkSubgraphs(b *testing.B) {
	for _, n := range []int{10, 50, 100, 200} {
		b.Run(fmt.Sprint(n), func(b *testing.B) { benchmark(b, large(n, 40)) })
	}
}

// large makes n subgraphs with the number of types each.
func large(n, types int) []compose.Subgraph {
	all := make([]compose.Subgraph, n)
	for i := range all {
		var s strings.Builder
		s.WriteString(`extend schema @link(url: "https://specs.apollo.dev/federation/v2.9", import: ["@key", "@shareable", "@external", "@requires", "@provides", "@tag"])
type Money @shareable { amount: Int! currency: String! }
type PageInfo @shareable { hasNextPage: Boolean! endCursor: String }
`)
		fmt.Fprintf(&s, "type Query { root%d(first: Int = 10, filter: Filter%d): [E%d_0!]! }\n", i, i, i)
		fmt.Fprintf(&s, "input Filter%d { text: String ids: [ID!] state: State%d = OPEN }\nenum State%d { OPEN CLOSED }\n", i, i, i)
		for j := range types - 5 {
			fmt.Fprintf(&s, "\"Entity %d of subgraph %d.\"\ntype E%d_%d @key(fields: \"id\") {\n  id: ID!\n  name: String!\n  price: Money!\n  state: State%d!\n  next: E%d_%d\n  page(first: Int, after: String): PageInfo!\n  note: String @tag(name: \"internal\")\n}\n",
				j, i, i, j, i, i, (j+1)%(types-5))
			if j%3 == 0 {
				near := (i + 1 + j%4) % n
				if near != i {
					fmt.Fprintf(&s, "type E%d_%d @key(fields: \"id\") {\n  id: ID!\n  name: String! @external\n  from%d_%d: String @requires(fields: \"name\")\n  back%d_%d: E%d_%d @provides(fields: \"id\")\n}\n",
						near, j, i, j, i, j, i, j)
				}
			}
		}
		all[i] = compose.Subgraph{Name: fmt.Sprintf("s%03d", i), URL: "http://s", SDL: strings.ReplaceAll(s.String(), ` @provides(fields: "id")`, "")}
	}
	return all
}
