package supergraph_test

import (
	"strings"
	"testing"

	"github.com/agora-supergraph/agora/router/supergraph"
)

// small is a supergraph of two subgraphs, the smallest on which every contradiction can be shown.
const small = `schema
  @link(url: "https://specs.apollo.dev/link/v1.0")
  @link(url: "https://specs.apollo.dev/join/v0.5", for: EXECUTION)
{ query: Query }
enum join__Graph { A @join__graph(name: "a", url: "http://a") B @join__graph(name: "b", url: "http://b") }
type Query @join__type(graph: A) { t: T }
type T @join__type(graph: A, key: "id") @join__type(graph: B, key: "id") { id: ID! x: Int @join__field(graph: B) }
`

func TestContradictionsAreRefusedByCoordinate(t *testing.T) {
	for _, c := range []struct{ name, old, replacement, want string }{
		{"not GraphQL", "type Query", "typo Query", "supergraph SDL: supergraph:6:1: Unexpected Name \"typo\""},
		{"no join spec", "join/v0.5", "cost/v0.1", "this is no supergraph SDL"},
		{"newer join spec", "join/v0.5", "join/v0.9", "the router knows join v0.1 to v0.5"},
		{"two subgraphs of one name", `name: "b"`, `name: "a"`, `join__Graph.A and join__Graph.B are both the subgraph "a"`},
		{"unknown subgraph", "x: Int @join__field(graph: B)", "x: Int @join__field(graph: C)", "T.x: @join__field names the subgraph C, which join__Graph does not list"},
		{"field of a stranger", "t: T }", "t: T @join__field(graph: B) }", "Query.t: @join__field names the subgraph b, which does not know Query"},
		{"resolved by nobody", "@join__field(graph: B)", "@join__field(graph: B, external: true)", "T.x is resolved by no subgraph"},
		{"key that does not exist", `graph: B, key: "id"`, `graph: B, key: "nope"`, `T: key in subgraph b: field set "nope" on T: field T.nope is not known`},
		{"key that is no selection", `graph: B, key: "id"`, `graph: B, key: "id {"`, `T: key in subgraph b: field set "id {" on T`},
		{"requires that does not exist", "graph: B)", `graph: B, requires: "y")`, `T.x: requires in subgraph b: field set "y" on T: field T.y is not known`},
		{"provides on a leaf", "graph: B)", `graph: B, provides: "y")`, "T.x: provides in subgraph b: the field is a leaf"},
		{"unknown type", "x: Int", "x: Nope", "T.x has the type Nope, which is not defined"},
		{"no query root", "query: Query", "query: Start", "there is no query root type Start"},
		{"interface that is none", "type T ", "type T implements Query ", "T implements Query, which is no interface of the supergraph"},
	} {
		t.Run(c.name, func(t *testing.T) {
			sdl := strings.Replace(small, c.old, c.replacement, 1)
			if sdl == small {
				t.Fatalf("%q is not in the SDL", c.old)
			}
			_, err := supergraph.Load(sdl)
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("Load = %v, want %q", err, c.want)
			}
		})
	}
}

func TestSpecificationsMarkedAsNeededMustBeKnown(t *testing.T) {
	for url, want := range map[string]string{
		`url: "https://example.com/secret/v1.0", for: SECURITY`:            "the router does not know this specification",
		`url: "https://specs.apollo.dev/connect/v0.2", for: EXECUTION`:     "the router does not know this specification",
		`url: "https://example.com/secret/v1.0"`:                           "",
		`url: "https://specs.apollo.dev/inaccessible/v0.2", for: SECURITY`: "",
	} {
		_, err := supergraph.Load(strings.Replace(small, "{ query: Query }", "@link("+url+") { query: Query }", 1))
		if got := ""; err != nil {
			got = err.Error()
			if want == "" || !strings.Contains(got, want) {
				t.Errorf("Load with @link(%s) = %q, want %q", url, got, want)
			}
		} else if want != "" {
			t.Errorf("Load with @link(%s) succeeds, want %q", url, want)
		}
	}
}

func TestImportsMayRenameDirectives(t *testing.T) {
	sdl := strings.NewReplacer(
		"{ query: Query }", `@link(url: "https://specs.apollo.dev/inaccessible/v0.2", as: "hidden", for: SECURITY)
			@link(url: "https://specs.apollo.dev/requiresScopes/v0.1", import: [{name: "@requiresScopes", as: "@scopes"}], for: SECURITY) { query: Query }`,
		"x: Int", "y: Int @hidden @join__field(graph: A) x: Int @scopes(scopes: [[\"a\"]])",
	).Replace(small)
	sg, err := supergraph.Load(sdl)
	if err != nil {
		t.Fatal(err)
	}
	if sg.API.Types["T"].Fields.ForName("y") != nil {
		t.Error("T.y is visible, want inaccessible")
	}
	if r := sg.Requirement("T", "x"); r == nil || len(r.Scopes) != 1 {
		t.Errorf("Requirement(T.x) = %v, want a scope", r)
	}
}

func TestRequirementsOfAFieldAndItsTypeAreJoinedByAnd(t *testing.T) {
	sdl := strings.NewReplacer(
		"{ query: Query }", `@link(url: "https://specs.apollo.dev/requiresScopes/v0.1", for: SECURITY) { query: Query }`,
		"{ t: T }", `{ t: T @requiresScopes(scopes: [["a"], ["b"]]) }`,
		"type T ", `type T @requiresScopes(scopes: [["a"], ["c"]]) `,
	).Replace(small)
	sg, err := supergraph.Load(sdl)
	if err != nil {
		t.Fatal(err)
	}
	want := [][]string{{"a"}, {"b", "c"}}
	if got := sg.Requirement("Query", "t").Scopes; len(got) != 2 || strings.Join(got[0], ",") != "a" || strings.Join(got[1], ",") != "b,c" {
		t.Errorf("Requirement(Query.t).Scopes = %v, want %v", got, want)
	}
}
