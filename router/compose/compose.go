// Package compose makes a supergraph of subgraphs by the rules of Apollo Federation: in come the SDL documents of the
// subgraphs, out comes the SDL of the supergraph, annotated with join directives (https://specs.apollo.dev/join) for a
// query planner, and the SDL of the API schema; or errors, all of them at once, each with a code and source positions.
//
// The phases are packages below internal, each importing only those before it:
//
//	schema          the model of a schema, parsed and printed
//	federation      the specifications: versions, links, directives
//	subgraph        one subgraph: links read, names resolved, validated by one rule a file
//	upgrade         a federation 1 subgraph becomes a federation 2 one
//	merge           subgraphs become one schema; postmerge checks what only the whole shows
//	apischema       what clients see: without machinery and @inaccessible elements
//	satisfiability  every field that clients see can be resolved
//
// Composition is pure: no input or output, no clock, no randomness; the order of subgraphs does not matter. Package config
// reads rover's supergraph.yaml, package report shows errors and hints, package command is the command's logic.
//
// testdata holds a golden case for every rule, testdata/CODES.md which cases fail with which code and testdata/HINTS.md
// which show which hint; tools/composediff compares the outcome with that of the npm package @apollo/composition, on those
// cases and on the ones that package composetest generates; and a test holds the same cases against the query planner.
package compose

import (
	"cmp"
	"slices"

	"github.com/agora-supergraph/agora/router/compose/internal/apischema"
	"github.com/agora-supergraph/agora/router/compose/internal/federation"
	"github.com/agora-supergraph/agora/router/compose/internal/merge"
	"github.com/agora-supergraph/agora/router/compose/internal/satisfiability"
	"github.com/agora-supergraph/agora/router/compose/internal/schema"
	"github.com/agora-supergraph/agora/router/compose/internal/subgraph"
	"github.com/agora-supergraph/agora/router/compose/internal/upgrade"
	"github.com/agora-supergraph/agora/router/compose/report"
	"github.com/agora-supergraph/agora/router/supergraph"
)

// Subgraph is the input of composition: one service's schema.
type Subgraph struct {
	// Name is unique among the subgraphs composed; "_" is reserved.
	Name string
	// URL is where a router reaches the subgraph; it may be empty.
	URL string
	// SDL is the schema, of federation 1 or 2.
	SDL string
	// File is shown in positions of errors; it may be empty.
	File string
}

// Config says how to compose. The zero value composes with everything that is known.
type Config struct {
	// FederationVersion caps what subgraphs may link to: "2.9", "=2.9.3" or "v2.9"; a subgraph that links to a later
	// version is an error. Empty and "2" mean the newest.
	FederationVersion string
	// SkipSatisfiability leaves out the check that every field can be resolved, the most expensive one.
	SkipSatisfiability bool
	// MaxSatisfiabilityStates bounds the work of that check. Zero means 1,000,000; beyond it composition fails with
	// MAX_VALIDATION_SUBGRAPH_PATHS_EXCEEDED.
	MaxSatisfiabilityStates int
}

// Result is a successful composition.
type Result struct {
	// SDL is the supergraph schema. It ends in one newline.
	SDL string
	// APISchema is the SDL of what clients see.
	APISchema string
	// FederationVersion is the version that the subgraphs need, for instance "2.9".
	FederationVersion string
	// Hints are remarks in the order in which composition made them.
	Hints []Hint
}

// Supergraph loads the result into the model that planning needs. It reads SDL: composition's own model holds what only
// composition asks for, and what was written can be read by whoever gets it. The cost is that of supergraph.Load.
func (r *Result) Supergraph() (*supergraph.Supergraph, error) { return supergraph.Load(r.SDL) }

// Error is one reason why subgraphs do not compose.
type Error = report.Error

// Errors are all of them.
type Errors = report.Errors

// Hint is a remark about subgraphs that do compose.
type Hint = report.Hint

// Compose merges subgraphs into a supergraph. The order of subgraphs does not matter: they are sorted by name. On failure
// the result is nil and every error found is returned; later phases run only where earlier ones found none. It does no
// input or output and may be called from several goroutines at once.
func Compose(subgraphs []Subgraph, cfg Config) (*Result, Errors) {
	newest, errs := cfg.newest()
	if len(errs) > 0 {
		return nil, errs
	}
	loaded, errs := load(subgraphs, newest)
	if len(errs) > 0 {
		return nil, errs
	}
	if errs := upgrade.Upgrade(loaded); len(errs) > 0 {
		return nil, errs
	}
	merged, errs := merge.Merge(loaded)
	if len(errs) > 0 {
		return nil, errs
	}
	if errs := merge.Check(merged); len(errs) > 0 {
		return nil, errs
	}
	api, errs := apischema.Of(merged)
	if len(errs) > 0 {
		return nil, errs
	}
	if !cfg.SkipSatisfiability {
		hints, errs := satisfiability.Check(merged, satisfiability.Config{MaxStates: cfg.MaxSatisfiabilityStates})
		if len(errs) > 0 {
			return nil, errs
		}
		merged.Hints = append(merged.Hints, hints...)
	}
	return &Result{
		SDL:               schema.Print(merged.Schema, schema.ByName),
		APISchema:         schema.Print(api, schema.AsAdded),
		FederationVersion: merged.Version.String()[1:],
		Hints:             merged.Hints,
	}, nil
}

// Lint validates one subgraph by itself, with the rules that composition applies to each subgraph before merging.
func Lint(s Subgraph, cfg Config) Errors {
	newest, errs := cfg.newest()
	if len(errs) > 0 {
		return errs
	}
	_, errs = load([]Subgraph{s}, newest)
	return errs
}

// load reads all subgraphs and reports the errors of all.
func load(subgraphs []Subgraph, newest federation.Version) ([]*subgraph.Subgraph, Errors) {
	sorted := slices.SortedStableFunc(slices.Values(subgraphs), func(a, b Subgraph) int { return cmp.Compare(a.Name, b.Name) })
	var loaded []*subgraph.Subgraph
	var errs Errors
	for i, s := range sorted {
		if i > 0 && sorted[i-1].Name == s.Name {
			errs = append(errs, &Error{
				Code:    report.InvalidSubgraphName,
				Message: "A subgraph named " + s.Name + " already exists: names of subgraphs must be unique",
				Nodes:   []report.Node{{Subgraph: s.Name, File: s.File, Source: s.SDL, Start: report.Point{Line: 1, Column: 1}, End: report.Point{Line: 1, Column: 1}}},
			})
			continue
		}
		one, problems := subgraph.Load(subgraph.Input{Name: s.Name, URL: s.URL, File: s.File, SDL: s.SDL, Newest: newest})
		errs = append(errs, problems...)
		loaded = append(loaded, one)
	}
	return loaded, errs
}
