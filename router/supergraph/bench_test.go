package supergraph_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/agora-supergraph/agora/router/supergraph"
)

// BenchmarkLoad loads 50 subgraphs with 2,000 types: entities that every tenth subgraph knows, under one interface.
func BenchmarkLoad(b *testing.B) {
	var s strings.Builder
	s.WriteString(`schema @link(url: "https://specs.apollo.dev/join/v0.3", for: EXECUTION) { query: Query }
enum join__Graph {`)
	for g := range 50 {
		fmt.Fprintf(&s, " G%d @join__graph(name: \"g%d\", url: \"\")", g, g)
	}
	s.WriteString(" }\ntype Query @join__type(graph: G0) { node: Node }\ninterface Node")
	for g := range 50 {
		fmt.Fprintf(&s, " @join__type(graph: G%d)", g)
	}
	s.WriteString(" { id: ID! }\n")
	for t := range 2000 {
		fmt.Fprintf(&s, "type T%d implements Node", t)
		for i := range 5 {
			g := (t + i*10) % 50
			fmt.Fprintf(&s, " @join__implements(graph: G%d, interface: \"Node\") @join__type(graph: G%d, key: \"id\")", g, g)
		}
		s.WriteString(" { id: ID!")
		for i := range 5 {
			fmt.Fprintf(&s, " f%d: String @join__field(graph: G%d) o%d: T%d @join__field(graph: G%d)", i, (t+i*10)%50, i, (t*7+i)%2000, (t+i*10)%50)
		}
		s.WriteString(" }\n")
	}
	sdl := s.String()
	b.ReportAllocs()
	for b.Loop() {
		if _, err := supergraph.Load(sdl); err != nil {
			b.Fatal(err)
		}
	}
}
