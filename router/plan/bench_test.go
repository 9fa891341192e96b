package plan_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/agora-supergraph/agora/router/operation"
	"github.com/agora-supergraph/agora/router/plan"
	"github.com/agora-supergraph/agora/router/supergraph"
)

// join is the head of a hand-written supergraph.
const joinHead = `schema @link(url: "https://specs.apollo.dev/link/v1.0") @link(url: "https://specs.apollo.dev/join/v0.3", for: EXECUTION) { query: Query }
directive @join__graph(name: String!, url: String!) on ENUM_VALUE
`

// graphs writes the enum of n subgraphs s0, s1, ….
func graphs(n int) string {
	var b strings.Builder
	b.WriteString("enum join__Graph {")
	for i := range n {
		fmt.Fprintf(&b, " S%d @join__graph(name: \"s%d\", url: \"\")", i, i)
	}
	b.WriteString(" }\n")
	return b.String()
}

func everywhere(n int, directive string) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, directive, i)
	}
	return b.String()
}

// sharing is a supergraph of n subgraphs that all share every field, but for one each.
func sharing(n int) string {
	var own strings.Builder
	for i := range n {
		fmt.Fprintf(&own, " own%d: Int @join__field(graph: S%d) deep%d: T @join__field(graph: S%d)", i, i, i, i)
	}
	key := everywhere(n, ` @join__type(graph: S%d, key: "id")`)
	return joinHead + graphs(n) + `type Query` + everywhere(n, ` @join__type(graph: S%d)`) + ` { t: T ts: [T!]! }
type T` + key + ` { id: ID! a: Int b: Int c: Int t: T u: U ` + own.String() + ` }
type U` + key + ` { id: ID! a: Int t: T ts: [T] }`
}

// wide is a supergraph with a union of n members whose fields live elsewhere.
func wide(n int) string {
	var members, types []string
	for i := range n {
		members = append(members, fmt.Sprintf("M%d", i))
		types = append(types, fmt.Sprintf(`type M%d @join__type(graph: S0, key: "id") @join__type(graph: S%d, key: "id") { id: ID! name: String @join__field(graph: S%d) }`, i, 1+i%5, 1+i%5))
	}
	return joinHead + graphs(6) + `type Query @join__type(graph: S0) { all: [Any!]! }
union Any @join__type(graph: S0)` + " = " + strings.Join(members, " | ") + "\n" + strings.Join(types, "\n")
}

// partly is a supergraph with an interface of which two types have their field in one subgraph, and one in another.
const partly = `enum join__Graph { S0 @join__graph(name: "s0", url: "") S1 @join__graph(name: "s1", url: "") }
type Query @join__type(graph: S0) @join__type(graph: S1) { note: Note @join__field(graph: S0) }
interface Node @join__type(graph: S0) @join__type(graph: S1) { id: ID! @join__field(graph: S0) next: Node @join__field(graph: S1) }
type Note implements Node @join__implements(graph: S0, interface: "Node") @join__implements(graph: S1, interface: "Node")
	@join__type(graph: S0) @join__type(graph: S1) { id: ID! next: Node }
type Page implements Node @join__implements(graph: S0, interface: "Node") @join__implements(graph: S1, interface: "Node")
	@join__type(graph: S0, key: "id") @join__type(graph: S1, key: "id") { id: ID! next: Node }
type Post implements Node @join__implements(graph: S0, interface: "Node") @join__implements(graph: S1, interface: "Node")
	@join__type(graph: S0, key: "id") @join__type(graph: S1, key: "id") { id: ID! next: Node @join__field(graph: S1) }`

// divided is a supergraph with an interface whose types have their field in a subgraph each: a place n steps down is reached on
// 3^n paths, by the types on the way.
func divided() string {
	all := func(format string) (s string) {
		for i := range 4 {
			s += " " + fmt.Sprintf(format, i)
		}
		return s
	}
	sdl := joinHead + "enum join__Graph {" + all(`S%[1]d @join__graph(name: "s%[1]d", url: "")`) + ` }
type Query @join__type(graph: S0) { node: Node }
interface Node` + all("@join__type(graph: S%d)") + " { id: ID! next: Node" + all("@join__field(graph: S%d)")[len(" @join__field(graph: S0)"):] + " }\n"
	for i, name := range []string{"A", "B", "C"} {
		sdl += "type " + name + " implements Node" + all(`@join__implements(graph: S%d, interface: "Node")`) + all(`@join__type(graph: S%d, key: "id")`) +
			fmt.Sprintf(" { id: ID! next: Node @join__field(graph: S%d) }\n", i+1)
	}
	return sdl
}

func fragments(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "... on M%d { name } ", i)
	}
	return "{ all { " + b.String() + "} }"
}

func manyAliases(n int, field string) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "a%d: %s ", i, field)
	}
	return "{ " + b.String() + "}"
}

// manyFragments are n fragments of which each spreads the next one.
func manyFragments(n int) string {
	var b strings.Builder
	b.WriteString("{ me { ...F0 } }")
	for i := range n {
		fmt.Fprintf(&b, " fragment F%d on User { name reviews { body } ...F%d }", i, i+1)
	}
	fmt.Fprintf(&b, " fragment F%d on User { id }", n)
	return b.String()
}

type scenario struct {
	name, supergraph, query string
	// bound is how long planning may take at most, with plenty of room for a busy machine.
	bound time.Duration
}

func scenarios(t testing.TB) []scenario {
	commerce, siblings := golden1(t, "commerce"), golden1(t, "siblings")
	owns := "t { a b c"
	for i := range 20 {
		owns += fmt.Sprintf(" own%d", i)
	}
	return []scenario{
		{"small", commerce, `{ me { id displayName } }`, 20 * time.Second},
		{"page", commerce, `query($country: String!) { product(slug: "lamp") { name variants { sku price { amount } availability { status } shippingEstimate(countryCode: $country) { days } } inStock } }`, 20 * time.Second},
		{"typical", siblings, `{ me { name reviews { body product { name inStock reviews { author { name } } } } } top { name inStock ship reviews { body author { name reviews { product { name } } } } } }`, 20 * time.Second},
		{"sharing20/shared", sharing(20), `{ t { a b c t { a u { a t { b } } } } ts { c u { ts { a } } } }`, 20 * time.Second},
		{"sharing20/owns", sharing(20), `{ ` + owns + ` } }`, 20 * time.Second},
		{"sharing20/deep", sharing(20), `{ t { deep3 { deep7 { deep1 { t { a own5 } } } } } }`, 20 * time.Second},
		{"sharing20/cycle", sharing(20), "{ t { " + strings.Repeat("u { t { ", 30) + "a own1" + strings.Repeat(" }", 62), 20 * time.Second},
		{"interface/deep", joinHead + partly, "{ note { " + strings.Repeat("next { ", 24) + "... on Page { id }" + strings.Repeat(" }", 26), 20 * time.Second},
		{"interface/divided", divided(), "{ node { " + strings.Repeat("next { ", 24) + "id" + strings.Repeat(" }", 26), 20 * time.Second},
		{"interface/divided/defer", divided(), "{ node { " + strings.Repeat("next { ", 24) + "... @defer { id }" + strings.Repeat(" }", 26), 20 * time.Second},
		{"interface/divided/defer/all", divided(), "{ node { " + strings.Repeat("... @defer { next { id ", 24) + strings.Repeat(" }", 50), 20 * time.Second},
		{"union200", wide(200), fragments(200), 20 * time.Second},
		{"fragments500", siblings, manyFragments(500), 20 * time.Second},
		{"aliases2000", siblings, manyAliases(2000, "me { name }"), 20 * time.Second},
		{"aliases1000/hops", siblings, manyAliases(1000, "me { reviews { body } }"), 20 * time.Second},
	}
}

func golden1(t testing.TB, name string) string {
	if name == "commerce" {
		return read(t, "../supergraph/testdata/commerce.graphql")
	}
	_, sdl, _ := strings.Cut(read(t, "testdata/"+name+".txtar"), "-- supergraph.graphql --\n")
	sdl, _, _ = strings.Cut(sdl, "\n-- ")
	return sdl
}

func TestPlanningTimeIsBounded(t *testing.T) {
	for _, s := range scenarios(t) {
		t.Run(s.name, func(t *testing.T) {
			sg, op := prepare(t, s)
			ctx, cancel := context.WithTimeout(context.Background(), s.bound)
			defer cancel()
			start := time.Now()
			p, err := plan.Build(ctx, sg, op, plan.Config{})
			if err != nil {
				t.Fatalf("%v after %v", err, time.Since(start))
			}
			t.Logf("%d requests in %v", len(p.Fetches), time.Since(start))
		})
	}
}

func BenchmarkBuild(b *testing.B) {
	for _, s := range scenarios(b) {
		b.Run(s.name, func(b *testing.B) {
			sg, op := prepare(b, s)
			b.ReportAllocs()
			for b.Loop() {
				if _, err := plan.Build(context.Background(), sg, op, plan.Config{}); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func prepare(t testing.TB, s scenario) (*supergraph.Supergraph, *operation.Operation) {
	sg, err := supergraph.Load(s.supergraph)
	if err != nil {
		t.Fatal(err)
	}
	return sg, normalise(t, sg, s.query)
}
