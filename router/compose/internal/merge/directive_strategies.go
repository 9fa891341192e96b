package merge

import (
	"cmp"
	"slices"
	"strconv"
	"strings"

	"github.com/vektah/gqlparser/v2/ast"

	"github.com/agora-supergraph/agora/router/compose/internal/schema"
)

// strategy merges the values that subgraphs give an argument of a directive. Values may be nil: not given.
type strategy struct {
	argument, name string
	merge          func([]*ast.Value) *ast.Value
}

// strategiesOf are the strategies of the directives that have some.
var strategiesOf = map[string][]strategy{
	"cost": {{"weight", "MAX", maximum}},
	"listSize": {
		{"assumedSize", "NULLABLE_MAX", maximum},
		{"slicingArguments", "NULLABLE_UNION", union},
		{"sizedFields", "NULLABLE_UNION", union},
		{"requireOneSlicingArgument", "NULLABLE_AND", and},
	},
	"requiresScopes": {{"scopes", "DNF_CONJUNCTION", conjunction}},
	"policy":         {{"policies", "DNF_CONJUNCTION", conjunction}},
}

func describe(all []strategy) string {
	parts := make([]string, len(all))
	for i, s := range all {
		parts[i] = `"` + s.argument + `": ` + s.name
	}
	return "{ " + strings.Join(parts, ", ") + " }"
}

func valuesOf(all []source[application], argument string) []*ast.Value {
	values := make([]*ast.Value, len(all))
	for i, a := range all {
		if v := a.el.Argument(argument); v != nil && v.Kind != ast.NullValue {
			values[i] = v
		}
	}
	return values
}

func maximum(values []*ast.Value) *ast.Value {
	var best *ast.Value
	for _, v := range values {
		if v != nil && (best == nil || number(v) > number(best)) {
			best = v
		}
	}
	return best
}

func number(v *ast.Value) int {
	n, _ := strconv.Atoi(v.Raw)
	return n
}

// union keeps nil where no subgraph gives the argument.
func union(values []*ast.Value) *ast.Value {
	var all *ast.Value
	for _, v := range values {
		if v == nil {
			continue
		}
		if all == nil {
			all = schema.List()
		}
		for _, c := range listed(v) {
			if !slices.ContainsFunc(all.Children, func(o *ast.ChildValue) bool { return schema.EqualValues(o.Value, c) }) {
				all.Children = append(all.Children, &ast.ChildValue{Value: c})
			}
		}
	}
	return all
}

func listed(v *ast.Value) []*ast.Value {
	if v.Kind != ast.ListValue {
		return []*ast.Value{v}
	}
	all := make([]*ast.Value, len(v.Children))
	for i, c := range v.Children {
		all[i] = c.Value
	}
	return all
}

// and treats a missing value as true, the default.
func and(values []*ast.Value) *ast.Value {
	var result *ast.Value
	for _, v := range values {
		if v != nil && (result == nil || v.Raw == "false") {
			result = v
		}
	}
	return result
}

// conjunction merges requirements in disjunctive normal form: what is wanted by all sources together, without terms that
// a weaker term makes superfluous.
func conjunction(values []*ast.Value) *ast.Value {
	var result []Term
	for i, v := range values {
		if v == nil {
			continue
		}
		if terms := Terms(v); i == 0 || result == nil {
			result = simplify(terms)
		} else {
			result = Conjoin(result, terms)
		}
	}
	return termsValue(result)
}

// Term is a set of scopes or policies that are wanted together, sorted.
type Term []string

// Terms reads [[String!]!]!.
func Terms(v *ast.Value) []Term {
	var terms []Term
	for _, c := range listed(v) {
		var t Term
		for _, s := range listed(c) {
			t = append(t, s.Raw)
		}
		slices.Sort(t)
		terms = append(terms, slices.Compact(t))
	}
	return terms
}

// Conjoin wants a term of each. The terms stand as the reference writes them: made of sorted terms, the shorter ones first.
func Conjoin(a, b []Term) []Term {
	var all []Term
	for _, x := range slices.SortedFunc(slices.Values(a), slices.Compare[Term]) {
		for _, y := range slices.SortedFunc(slices.Values(b), slices.Compare[Term]) {
			t := append(slices.Clone(x), y...)
			slices.Sort(t)
			all = append(all, slices.Compact(t))
		}
	}
	all = simplify(all)
	slices.SortStableFunc(all, func(x, y Term) int { return cmp.Compare(len(x), len(y)) })
	return all
}

// simplify drops terms that contain another one.
func simplify(terms []Term) []Term {
	var kept []Term
	for i, t := range terms {
		redundant := slices.ContainsFunc(kept, func(k Term) bool { return slices.Equal(k, t) })
		for j, other := range terms {
			if i != j && len(other) < len(t) && subset(other, t) {
				redundant = true
			}
		}
		if !redundant {
			kept = append(kept, t)
		}
	}
	return kept
}

func subset(a, b Term) bool {
	for _, s := range a {
		if !slices.Contains(b, s) {
			return false
		}
	}
	return true
}

// Implies tells whether whoever meets a meets b.
func Implies(a, b []Term) bool {
	for _, x := range a {
		if !slices.ContainsFunc(b, func(y Term) bool { return subset(y, x) }) {
			return false
		}
	}
	return true
}

func termsValue(terms []Term) *ast.Value {
	list := schema.List()
	for _, t := range terms {
		inner := schema.List()
		for _, s := range t {
			inner.Children = append(inner.Children, &ast.ChildValue{Value: schema.String(s)})
		}
		list.Children = append(list.Children, &ast.ChildValue{Value: inner})
	}
	return list
}
