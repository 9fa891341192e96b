package compose_test

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/tools/txtar"

	"github.com/agora-supergraph/agora/router/compose"
	"github.com/agora-supergraph/agora/router/compose/report"
)

var update = flag.Bool("update", false, "rewrite the expected parts of the golden cases")

// golden is a case: subgraphs as NAME.graphql, and what composition makes of them as errors or supergraph, api and hints.
type golden struct {
	path    string
	archive *txtar.Archive
}

func goldens(t *testing.T) []golden {
	t.Helper()
	paths, err := filepath.Glob("testdata/*.txtar")
	if err != nil || len(paths) == 0 {
		t.Fatalf("no golden cases: %v", err)
	}
	var all []golden
	for _, p := range paths {
		a, err := txtar.ParseFile(p)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, golden{p, a})
	}
	return all
}

func (g golden) subgraphs() []compose.Subgraph {
	var all []compose.Subgraph
	for _, f := range g.archive.Files {
		if name, ok := strings.CutSuffix(f.Name, ".graphql"); ok {
			all = append(all, compose.Subgraph{Name: name, URL: "http://" + name, SDL: string(f.Data)})
		}
	}
	return all
}

// outcome writes what composition made of a case. The definitions that every supergraph has are left out.
func outcome(r *compose.Result, errs compose.Errors) []txtar.File {
	var b strings.Builder
	if len(errs) > 0 {
		for _, e := range errs {
			fmt.Fprintf(&b, "%s %s\n%s\n", e.Code, places(e.Nodes), strings.TrimSpace(e.Message))
		}
		return []txtar.File{{Name: "errors", Data: []byte(b.String())}}
	}
	files := []txtar.File{{Name: "supergraph", Data: []byte(withoutMachinery(r.SDL))}, {Name: "api", Data: []byte(r.APISchema)}}
	for _, h := range r.Hints {
		fmt.Fprintf(&b, "%s %s %s %s\n%s\n", h.Code, h.Level(), h.Coordinate, places(h.Nodes), h.Message)
	}
	if b.Len() > 0 {
		files = append(files, txtar.File{Name: "hints", Data: []byte(b.String())})
	}
	return files
}

func places(nodes []report.Node) string {
	var all []string
	for _, n := range nodes {
		all = append(all, n.Place())
	}
	return strings.Join(all, " ")
}

// withoutMachinery drops the definitions of the link and join specifications: blocks between blank lines at no indentation.
func withoutMachinery(sdl string) string {
	var kept []string
	skipping := false
	for line := range strings.Lines(sdl) {
		if line[0] != ' ' && line[0] != '}' && line[0] != '\n' {
			skipping = slices.ContainsFunc(machinery, func(start string) bool { return strings.HasPrefix(line, start) })
		}
		if !skipping {
			kept = append(kept, line)
		}
	}
	return strings.Join(kept, "")
}

var machinery = []string{"directive @join__", "directive @link", "scalar join__", "scalar link__", "enum join__", "enum link__", "input join__"}

func TestGoldenCases(t *testing.T) {
	for _, g := range goldens(t) {
		t.Run(strings.TrimSuffix(filepath.Base(g.path), ".txtar"), func(t *testing.T) {
			got := outcome(compose.Compose(g.subgraphs(), compose.Config{}))
			inputs := slices.DeleteFunc(slices.Clone(g.archive.Files), func(f txtar.File) bool { return !strings.HasSuffix(f.Name, ".graphql") })
			want := string(txtar.Format(g.archive))
			have := string(txtar.Format(&txtar.Archive{Comment: g.archive.Comment, Files: append(inputs, got...)}))
			if *update {
				if err := os.WriteFile(g.path, []byte(have), 0o600); err != nil {
					t.Fatal(err)
				}
				return
			}
			if d := cmp.Diff(want, have); d != "" {
				t.Errorf("Compose(%s) differs from the golden (-want +got):\n%s", g.path, d)
			}
		})
	}
}

func TestTheOrderOfSubgraphsNeverShows(t *testing.T) {
	for _, g := range goldens(t) {
		subgraphs := g.subgraphs()
		first := outcome(compose.Compose(subgraphs, compose.Config{}))
		slices.Reverse(subgraphs)
		for range 2 {
			if d := cmp.Diff(first, outcome(compose.Compose(subgraphs, compose.Config{}))); d != "" {
				t.Errorf("%s: the reverse order gives something else:\n%s", g.path, d)
			}
		}
	}
}

// never are the codes that composition does not give, with the reason.
var never = map[report.Code]string{
	report.UnsupportedLinkedFeature:           "given by readers of supergraphs",
	report.InvalidFederationSupergraph:        "given by readers of supergraphs",
	report.DownstreamServiceError:             "given by gateways at run time",
	report.UnsupportedFeature:                 "nothing is left that federation does not support",
	report.MaxValidationSubgraphPathsExceeded: "tested with a bound of its own",
}

func TestEveryErrorCodeHasACaseThatFails(t *testing.T) {
	seen := map[string][]string{}
	for _, g := range goldens(t) {
		_, errs := compose.Compose(g.subgraphs(), compose.Config{})
		for _, e := range errs {
			g.shows(seen, string(e.Code))
		}
	}
	var codes []string
	exempt := map[string]string{}
	for _, code := range report.Codes {
		codes = append(codes, string(code))
		exempt[string(code)] = never[code]
	}
	table(t, "CODES.md", "# Error codes and the cases that fail with them", codes, seen, exempt)
}

// neverHints are the hints that composition does not give, with the reason.
var neverHints = map[report.HintCode]string{
	report.HintInconsistentTypeSystemDirectiveRepeatable: "the reference defines it and never gives it, since definitions of type system directives are not merged",
	report.HintInconsistentTypeSystemDirectiveLocations:  "as above",
}

func TestEveryHintHasACaseThatShowsIt(t *testing.T) {
	seen := map[string][]string{}
	for _, g := range goldens(t) {
		result, _ := compose.Compose(g.subgraphs(), compose.Config{})
		if result == nil {
			continue
		}
		for _, h := range result.Hints {
			g.shows(seen, string(h.Code))
		}
	}
	var codes []string
	exempt := map[string]string{}
	for _, code := range report.HintCodes {
		codes = append(codes, string(code))
		exempt[string(code)] = neverHints[code]
	}
	table(t, "HINTS.md", "# Hints and the cases that show them", codes, seen, exempt)
}

// shows notes that the case shows a code.
func (g golden) shows(seen map[string][]string, code string) {
	if name := filepath.Base(g.path); !slices.Contains(seen[code], name) {
		seen[code] = append(seen[code], name)
	}
}

// table compares a file in testdata with the table from codes to cases. Each code has a case or a reason to have none.
func table(t *testing.T, file, title string, codes []string, seen map[string][]string, exempt map[string]string) {
	t.Helper()
	var b strings.Builder
	b.WriteString(title + "\n\nWritten by `go test ./router/compose -update`.\n\n| code | cases |\n| --- | --- |\n")
	for _, code := range codes {
		switch {
		case len(seen[code]) > 0:
			fmt.Fprintf(&b, "| `%s` | %s |\n", code, strings.Join(seen[code], ", "))
		case exempt[code] != "":
			fmt.Fprintf(&b, "| `%s` | none: %s |\n", code, exempt[code])
		default:
			t.Errorf("no golden case shows %s", code)
		}
	}
	path := filepath.Join("testdata", file)
	if *update {
		if err := os.WriteFile(path, []byte(b.String()), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, _ := os.ReadFile(path)
	if d := cmp.Diff(string(want), b.String()); d != "" {
		t.Errorf("%s is stale (-file +cases):\n%s", path, d)
	}
}

func TestTheCheckOfSatisfiabilityIsBounded(t *testing.T) {
	_, errs := compose.Compose([]compose.Subgraph{{Name: "a", SDL: "type Query { a: A } type A { b: B } type B { c: Int }"}}, compose.Config{MaxSatisfiabilityStates: 2})
	if len(errs) != 1 || errs[0].Code != report.MaxValidationSubgraphPathsExceeded {
		t.Errorf("Compose with a bound of 2 states = %v, want %s", errs, report.MaxValidationSubgraphPathsExceeded)
	}
}

func TestTheFederationVersionCapsWhatSubgraphsMayLinkTo(t *testing.T) {
	subgraphs := []compose.Subgraph{{Name: "a", SDL: `extend schema @link(url: "https://specs.apollo.dev/federation/v2.9") type Query { a: Int }`}}
	for version, want := range map[string]report.Code{
		"": "", "2": "", "=2.9.3": "", "v2.12": "", "=2.8.0": report.UnknownFederationLinkVersion, "1": report.UnknownFederationLinkVersion,
		"=0.36.0": report.UnknownFederationLinkVersion, "3": report.UnknownFederationLinkVersion, "x": report.UnknownFederationLinkVersion,
	} {
		_, errs := compose.Compose(subgraphs, compose.Config{FederationVersion: version})
		var got report.Code
		if len(errs) > 0 {
			got = errs[0].Code
		}
		if got != want {
			t.Errorf("version %q gives code %q, want %q", version, got, want)
		}
	}
}
