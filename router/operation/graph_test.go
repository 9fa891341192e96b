package operation

import (
	"regexp"
	"testing"

	"github.com/agora-supergraph/agora/router/supergraph"
)

// load makes a supergraph of one subgraph from an ordinary schema.
func load(t testing.TB, sdl string) *supergraph.Supergraph {
	t.Helper()
	roots := ""
	for _, root := range [][2]string{{"query", "Query"}, {"mutation", "Mutation"}, {"subscription", "Subscription"}} {
		if regexp.MustCompile(`(?m)^type ` + root[1] + `\b`).MatchString(sdl) {
			roots += root[0] + ": " + root[1] + " "
		}
	}
	sg, err := supergraph.Load(`
schema
  @link(url: "https://specs.apollo.dev/link/v1.0")
  @link(url: "https://specs.apollo.dev/join/v0.1", for: EXECUTION)
  @link(url: "https://specs.apollo.dev/authenticated/v0.1", for: SECURITY)
{ ` + roots + `}
enum join__Graph { TEST @join__graph(name: "test", url: "") }
` + sdl)
	if err != nil {
		t.Fatal(err)
	}
	return sg
}
