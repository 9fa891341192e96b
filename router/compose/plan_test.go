package compose_test

import (
	"errors"
	"flag"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/vektah/gqlparser/v2/ast"

	"github.com/agora-supergraph/agora/router/compose"
	"github.com/agora-supergraph/agora/router/compose/composetest"
	"github.com/agora-supergraph/agora/router/compose/report"
	"github.com/agora-supergraph/agora/router/operation"
	"github.com/agora-supergraph/agora/router/plan"
	"github.com/agora-supergraph/agora/router/supergraph"
)

var (
	sets      = flag.Int("sets", 150, "how many random sets of subgraphs are held against the planner")
	firstSeed = flag.Uint64("seed", 1, "seed of the first of them")
)

// What composes can be planned, all of it; what is refused as unsatisfiable can't, by the witness that the error shows.
func TestSatisfiabilityAgreesWithThePlanner(t *testing.T) {
	composed, refused, paths := 0, 0, 0
	for seed := *firstSeed; seed < *firstSeed+uint64(*sets); seed++ {
		subgraphs := composetest.Subgraphs(seed)
		result, errs := compose.Compose(subgraphs, compose.Config{})
		if result != nil {
			composed++
			paths += everythingPlans(t, fmt.Sprint("seed ", seed), result)
			continue
		}
		if slices.ContainsFunc(errs, func(e *compose.Error) bool { return e.Code != report.SatisfiabilityError }) {
			continue
		}
		refused++
		result, errs = compose.Compose(subgraphs, compose.Config{SkipSatisfiability: true})
		if len(errs) > 0 {
			t.Fatalf("seed %d: without the check of satisfiability: %v", seed, errs)
		}
		_, errs = compose.Compose(subgraphs, compose.Config{})
		for _, e := range errs {
			witnessDoesNotPlan(t, fmt.Sprint("seed ", seed), result, e.Message)
		}
	}
	t.Logf("%d sets compose, with %d paths planned; %d are refused", composed, paths, refused)
	if *sets >= 100 && (composed < *sets/10 || refused < *sets/50) {
		t.Errorf("of %d sets %d compose and %d are unsatisfiable: too few to show anything", *sets, composed, refused)
	}
}

func TestGoldenCasesAgreeWithThePlanner(t *testing.T) {
	for _, g := range goldens(t) {
		result, errs := compose.Compose(g.subgraphs(), compose.Config{})
		if result != nil {
			everythingPlans(t, g.path, result)
			continue
		}
		for _, e := range errs {
			if e.Code != report.SatisfiabilityError {
				continue
			}
			unchecked, errs := compose.Compose(g.subgraphs(), compose.Config{SkipSatisfiability: true})
			if len(errs) > 0 {
				t.Fatalf("%s: without the check of satisfiability: %v", g.path, errs)
			}
			witnessDoesNotPlan(t, g.path, unchecked, e.Message)
		}
	}
}

// everythingPlans plans a query for each path of the API schema up to some depth, under all verdicts on override labels.
func everythingPlans(t *testing.T, name string, result *compose.Result) (paths int) {
	t.Helper()
	sg, err := result.Supergraph()
	if strings.Contains(result.SDL, "https://specs.apollo.dev/connect/") && err != nil {
		return 0 // It is for routers that know connectors.
	}
	if err != nil {
		t.Errorf("%s: load: %v", name, err)
		return 0
	}
	for _, query := range queries(sg.API) {
		paths++
		for _, labels := range worlds(sg.Labels()) {
			if _, err := build(t, sg, query, labels); err != nil {
				t.Errorf("%s: composes, but with labels %v can't be planned: %s\n%v", name, labels, query, err)
				return paths
			}
		}
	}
	return paths
}

// stricter are the reasons for which composition refuses what the planner can do all the same. It keeps to the reference
// there, so that a supergraph that composes can be planned by others' routers, too.
var stricter = []string{
	// The planner sends along what it has read before it came to the subgraph; the reference's planner asks for it from that
	// subgraph on, and so can't where no key leads back, or not under every override label.
	"cannot satisfy @require conditions",
	// An object of an interface object that no implementation can be told of: the planner takes its name for none.
	"no subgraph can be reached to resolve the implementation type",
	// The planner gives an argument null where nothing above sets its context.
	"could not find a match for required context",
}

// witnessDoesNotPlan plans the query that an error shows, which must fail under some verdict on override labels.
func witnessDoesNotPlan(t *testing.T, name string, unchecked *compose.Result, message string) {
	t.Helper()
	sg, err := unchecked.Supergraph()
	if err != nil {
		t.Errorf("%s: load: %v", name, err)
		return
	}
	query := witness(message)
	if query == "" {
		t.Errorf("%s: no witness in %s", name, message)
		return
	}
	var p *plan.Plan
	for _, labels := range worlds(sg.Labels()) {
		if p, err = build(t, sg, query, labels); err != nil {
			return
		}
	}
	if !slices.ContainsFunc(stricter, func(reason string) bool { return strings.Contains(message, reason) }) {
		t.Errorf("%s: is refused, but the witness can be planned:\n%s\n%s", name, message, p)
	}
}

// witness is the query that an error shows. Where a mutation field can't be asked in either of two subgraphs, it is what
// both lack.
func witness(message string) string {
	var queries []string
	for _, part := range strings.Split(message, "supergraph API query:\n")[1:] {
		query, _, _ := strings.Cut(part, "cannot be satisfied")
		queries = append(queries, strings.TrimSpace(strings.ReplaceAll(query, "...\n", "__typename\n")))
	}
	if len(queries) < 2 {
		return strings.Join(queries, "")
	}
	both := ""
	for _, q := range queries {
		both += strings.TrimSuffix(strings.TrimPrefix(q, "mutation {"), "}")
	}
	return "mutation {" + both + "}"
}

// build plans a query. A query that isn't valid ends the test: only planning may fail.
func build(t *testing.T, sg *supergraph.Supergraph, query string, labels map[string]bool) (*plan.Plan, error) {
	t.Helper()
	document, errs := operation.Parse(sg, query, operation.Limits{})
	if len(errs) > 0 {
		t.Fatalf("%s\n%v", query, errs)
	}
	selected, err := document.Operation("")
	if err != nil {
		t.Fatal(err)
	}
	variant := selected.Variant(nil, func(*supergraph.Requirement) bool { return true })
	for i, label := range sg.Labels() {
		if labels[label] {
			variant.Overrides = variant.Overrides.With(i)
		}
	}
	op, err := selected.Normalise(variant)
	if err != nil {
		t.Fatal(err)
	}
	p, err := plan.Build(t.Context(), sg, op, plan.Config{Labels: labels})
	var unreachable *plan.Error
	if err != nil && !errors.As(err, &unreachable) {
		t.Fatalf("%s\n%v", query, err)
	}
	return p, err
}

// worlds are all verdicts on labels.
func worlds(labels []string) []map[string]bool {
	all := make([]map[string]bool, 1<<len(labels))
	for bits := range all {
		all[bits] = map[string]bool{}
		for i, label := range labels {
			all[bits][label] = bits>>i&1 == 1
		}
	}
	return all
}

const (
	maxDepth   = 6
	maxQueries = 250
)

// queries are one for each path of fields and type conditions, the shorter ones first.
func queries(api *ast.Schema) []string {
	type path struct {
		at     *ast.Definition
		opened []string
	}
	var open []path
	for _, root := range []struct {
		operation string
		at        *ast.Definition
	}{{"query", api.Query}, {"mutation", api.Mutation}, {"subscription", api.Subscription}} {
		if root.at != nil {
			open = append(open, path{root.at, []string{root.operation}})
		}
	}
	var all []string
	for len(open) > 0 && len(all) < maxQueries {
		p := open[0]
		open = open[1:]
		query := func(leaf string) string {
			return strings.Join(p.opened, " { ") + " { " + leaf + strings.Repeat(" }", len(p.opened))
		}
		step := func(text string, to *ast.Definition) {
			if len(p.opened) < maxDepth {
				open = append(open, path{to, append(slices.Clone(p.opened), text)})
			}
		}
		for _, f := range p.at.Fields {
			if strings.HasPrefix(f.Name, "__") {
				continue
			}
			text := f.Name + arguments(api, f.Arguments)
			of := api.Types[f.Type.Name()]
			if of.IsLeafType() {
				all = append(all, query(text))
				continue
			}
			all = append(all, query(text+" { __typename }"))
			step(text, of)
		}
		if p.at.IsAbstractType() {
			for _, t := range api.GetPossibleTypes(p.at) {
				step("... on "+t.Name, t)
			}
		}
	}
	return all
}

// arguments gives the required ones.
func arguments(api *ast.Schema, list ast.ArgumentDefinitionList) string {
	var parts []string
	for _, a := range list {
		if a.Type.NonNull && a.DefaultValue == nil {
			parts = append(parts, a.Name+": "+sample(api, a.Type))
		}
	}
	if parts == nil {
		return ""
	}
	return "(" + strings.Join(parts, ", ") + ")"
}

func sample(api *ast.Schema, t *ast.Type) string {
	if t.Elem != nil {
		return "[]"
	}
	switch def := api.Types[t.NamedType]; {
	case def.Kind == ast.Enum:
		return def.EnumValues[0].Name
	case def.Kind == ast.InputObject:
		var parts []string
		for _, f := range def.Fields {
			if f.Type.NonNull && f.DefaultValue == nil {
				parts = append(parts, f.Name+": "+sample(api, f.Type))
			}
		}
		return "{" + strings.Join(parts, ", ") + "}"
	case t.NamedType == "Boolean":
		return "true"
	case t.NamedType == "Int" || t.NamedType == "Float":
		return "1"
	}
	return `"1"`
}
