package cost

import (
	"testing"

	"github.com/agora-supergraph/agora/router/compose"
	"github.com/agora-supergraph/agora/router/operation"
	"github.com/agora-supergraph/agora/router/supergraph"
)

const sdl = `
extend schema @link(url: "https://specs.apollo.dev/federation/v2.9", import: ["@cost", "@listSize"])
type Query {
  one: Book
  all: [Book!]!
  top(first: Int = 5): [Book!]! @listSize(slicingArguments: ["first"])
  page(first: Int, last: Int): Page @listSize(slicingArguments: ["first", "last"], sizedFields: ["edges"], requireOneSlicingArgument: false, assumedSize: 20)
  shelf: [Book!]! @listSize(assumedSize: 3)
  dear: Book @cost(weight: 40)
  find(text: String @cost(weight: 7), filter: Filter): Book
  any: Any
}
type Mutation { login(name: String!): Book @cost(weight: 50) }
type Page { edges: [Edge!]!  total: Int! }
type Edge { node: Book!  cursor: String! }
type Book { title: String!  blurb: Text  author: Author  sequels: [Book!]! @listSize(assumedSize: 2) }
type Author @cost(weight: 4) { name: String! }
type Film { title: String!  cast: [Author!]! @listSize(assumedSize: 10) }
union Any = Book | Film
scalar Text @cost(weight: 2)
input Filter { regexp: String @cost(weight: 9)  not: Filter  plain: String }
`

func load(t testing.TB) *supergraph.Supergraph {
	t.Helper()
	result, errs := compose.Compose([]compose.Subgraph{{Name: "a", URL: "http://a", SDL: sdl}}, compose.Config{})
	if errs != nil {
		t.Fatal(errs)
	}
	sg, err := supergraph.Load(result.SDL)
	if err != nil {
		t.Fatal(err)
	}
	return sg
}

// price compiles a text with its variables.
func price(t testing.TB, sg *supergraph.Supergraph, text, variables string) (*Cost, [][]byte) {
	t.Helper()
	document, errs := operation.Parse(sg, text, operation.Limits{})
	if errs != nil {
		t.Fatal(errs)
	}
	selected, err := document.Operation("")
	if err != nil {
		t.Fatal(err)
	}
	values, err := selected.Coerce([]byte(variables))
	if err != nil {
		t.Fatal(err)
	}
	op, err := selected.Normalise(selected.Variant(values, nil))
	if err != nil {
		t.Fatal(err)
	}
	return New(sg, Config{}).Compile(op), op.Values(values)
}

func TestAnOperationsEstimate(t *testing.T) {
	sg := load(t)
	for _, test := range []struct {
		name, text, variables string
		want                  float64
	}{
		{"an object is 1, a leaf nothing", `{ one { title } }`, "", 1},
		{"what the router answers costs nothing", `{ __typename __schema { queryType { name } } }`, "", 0},
		{"a list of which nothing is known has 10", `{ all { title } }`, "", 10},
		{"lists multiply", `{ all { sequels { sequels { title } } } }`, "", 10 * (1 + 2*(1+2*1))},
		{"a literal argument slices", `{ top(first: 3) { title } }`, "", 3},
		{"its default does", `{ top { title } }`, "", 5},
		{"a variable does", `query($n: Int) { top(first: $n) { title } }`, `{"n":100}`, 100},
		{"an explicit null does not", `query($n: Int) { top(first: $n) { title } }`, `{"n":null}`, 10},
		{"a negative size is none", `{ top(first: -5) { title } }`, "", 0},
		{"sized fields take the size of their parent", `{ page(first: 50) { edges { node { title } cursor } total } }`, "", 1 + 50*(1+1)},
		{"the largest slicing argument counts", `{ page(first: 2, last: 8) { edges { cursor } } }`, "", 1 + 8},
		{"without one the assumed size does", `{ page { edges { cursor } } }`, "", 1 + 20},
		{"an assumed size", `{ shelf { title } }`, "", 3},
		{"a field's weight replaces its type's", `{ dear { title } }`, "", 40},
		{"a type has a weight", `{ one { author { name } } }`, "", 1 + 4},
		{"so has a scalar", `{ one { blurb } }`, "", 1 + 2},
		{"an argument has a weight", `{ find(text: "x") { title } }`, "", 1 + 7},
		{"but not if it is left out", `{ find { title } }`, "", 1},
		{"nor if it is null", `query($t: String) { find(text: $t) { title } }`, `{"t":null}`, 1},
		{"input fields have weights, however deep", `{ find(filter: {regexp: "a", not: {not: {regexp: "b", plain: "c"}}}) { title } }`, "", 1 + 2*9},
		{"also in variables", `query($f: Filter) { find(filter: $f) { title } }`, `{"f":{"regexp":"a","not":{"regexp":"b"}}}`, 1 + 2*9},
		{"aliases add up", `{ a: one { title } b: one { title } }`, "", 2},
		{"equal fields are one", `{ one { title } ... on Query { one { title } } }`, "", 1},
		{"the dearest runtime type counts", `{ any { ... on Book { author { name } } ... on Film { cast { name } } } }`, "", 1 + 10*4},
		{"a mutation is 10 more", `mutation { login(name: "x") { title } }`, "", 10 + 50},
		{"each alias of it pays", `mutation { a: login(name: "x") { title } b: login(name: "y") { title } }`, "", 10 + 2*50},
	} {
		t.Run(test.name, func(t *testing.T) {
			c, values := price(t, sg, test.text, test.variables)
			if got := c.Estimate(values); got != test.want {
				t.Errorf("estimate of %s with %s = %v, want %v", test.text, test.variables, got, test.want)
			}
		})
	}
}

func TestWhatAResponseCameTo(t *testing.T) {
	sg := load(t)
	for _, test := range []struct {
		name, text, body string
		want             float64
	}{
		{
			"as many items as there are", `{ all { title sequels { title } } }`,
			`{"data":{"all":[{"title":"a","sequels":[]},{"title":"b","sequels":[{"title":"c"}]}]}}`, 3,
		},
		{"null costs nothing", `{ one { author { name } } dear { title } }`, `{"data":{"one":null,"dear":null}}`, 0},
		{
			"weights are those of the schema", `{ one { blurb author { name } } dear { title } }`,
			`{"data":{"one":{"blurb":"long \"} text","author":{"name":"x"}},"dear":{"title":"t"}}}`, 1 + 2 + 4 + 40,
		},
		{"errors cost nothing", `{ one { title } }`, `{"errors":[{"message":"\"data\":","extensions":{"data":{"one":{}}}}],"data":{"one":{"title":"[{"}}}`, 1},
		{"an answer without data", `{ one { title } }`, `{"errors":[]}`, 0},
		{
			"what did not come of a union", `{ any { ... on Book { author { name } } ... on Film { cast { name } } } }`,
			`{"data":{"any":{"cast":[{"name":"x"},{"name":"y"}]}}}`, 1 + 2*4,
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			c, values := price(t, sg, test.text, "")
			if got := c.Actual([]byte(test.body), values); got != test.want {
				t.Errorf("cost of %s = %v, want %v", test.body, got, test.want)
			}
		})
	}
}

func TestTheBoundIsTheClients(t *testing.T) {
	cfg := Config{Mode: "enforce", Max: 100, Clients: map[string]int{"partner": 1000, "trusted": 0}}
	for _, test := range []struct {
		client string
		cost   float64
		want   bool
	}{{"", 100, false}, {"", 101, true}, {"partner", 1000, false}, {"partner", 1001, true}, {"trusted", 1e9, false}} {
		if got := cfg.Refuses(test.client, test.cost); got != test.want {
			t.Errorf("client %q with cost %v: refused %v", test.client, test.cost, got)
		}
	}
	cfg.Mode = "measure"
	if cfg.Refuses("", 1e9) {
		t.Error("an operation is refused where costs are only measured")
	}
}

func BenchmarkEstimate(b *testing.B) {
	c, values := price(b, load(b), `query($n: Int) { top(first: $n) { sequels { author { name } sequels { title } } } page(first: 10) { edges { node { title } } } }`, `{"n":9}`)
	b.ReportAllocs()
	for b.Loop() {
		c.Estimate(values)
	}
}
