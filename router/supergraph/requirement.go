package supergraph

import (
	"fmt"
	"slices"
	"sort"
	"strings"

	"github.com/vektah/gqlparser/v2/ast"
)

// Requirement is what a caller must prove to see a field: what @authenticated, @requiresScopes and @policy
// demand of the field itself, of the type that declares it and of its return type, joined by and. The declaring
// type counts since its objects are also reached through interfaces and unions that demand nothing.
type Requirement struct {
	// Authenticated demands any valid identity.
	Authenticated bool
	// Scopes is a disjunction of conjunctions: the caller needs all scopes of one of the lists. Nil for none.
	Scopes [][]string
	// Policies is the same for policies.
	Policies [][]string
}

// and returns the requirement that demands both.
func (r Requirement) and(o Requirement) Requirement {
	return Requirement{
		Authenticated: r.Authenticated || o.Authenticated,
		Scopes:        conjunction(r.Scopes, o.Scopes),
		Policies:      conjunction(r.Policies, o.Policies),
	}
}

func (r Requirement) empty() bool { return !r.Authenticated && r.Scopes == nil && r.Policies == nil }

// conjunction multiplies two disjunctions of conjunctions out, without terms that others imply.
func conjunction(a, b [][]string) [][]string {
	if a == nil {
		return b
	}
	if b == nil {
		return a
	}
	var terms [][]string
	for _, x := range a {
		for _, y := range b {
			term := append(slices.Clone(x), y...)
			sort.Strings(term)
			terms = append(terms, slices.Compact(term))
		}
	}
	sort.SliceStable(terms, func(i, j int) bool { return len(terms[i]) < len(terms[j]) })
	out := [][]string{}
	for _, t := range terms {
		implied := slices.ContainsFunc(out, func(o []string) bool {
			return !slices.ContainsFunc(o, func(name string) bool { return !slices.Contains(t, name) })
		})
		if !implied {
			out = append(out, t)
		}
	}
	return out
}

// requirementsOf reads the access control directives of an element.
func (l *loader) requirementsOf(directives ast.DirectiveList) Requirement {
	var r Requirement
	for _, d := range directives {
		switch l.specName(d.Name) {
		case "authenticated":
			r.Authenticated = true
		case "requiresScopes":
			r.Scopes = conjunction(r.Scopes, stringLists(d.Arguments.ForName("scopes")))
		case "policy":
			r.Policies = conjunction(r.Policies, stringLists(d.Arguments.ForName("policies")))
		}
	}
	return r
}

// stringLists reads [["a","b"],["c"]]; GraphQL lets single values stand for lists of one.
func stringLists(arg *ast.Argument) [][]string {
	if arg == nil {
		return nil
	}
	out := [][]string{}
	for _, inner := range listItems(arg.Value) {
		term := []string{}
		for _, item := range listItems(inner) {
			term = append(term, item.Raw)
		}
		out = append(out, term)
	}
	return out
}

func listItems(v *ast.Value) []*ast.Value {
	if v.Kind != ast.ListValue {
		return []*ast.Value{v}
	}
	items := make([]*ast.Value, len(v.Children))
	for i, c := range v.Children {
		items[i] = c.Value
	}
	return items
}

// loadRequirements fills Supergraph.requirements for every field of an object or interface type.
func (l *loader) loadRequirements() {
	l.sg.requirements = map[[2]string]*Requirement{}
	shared := map[string]*Requirement{}
	for _, def := range l.doc.Definitions {
		if def.Kind != ast.Object && def.Kind != ast.Interface {
			continue
		}
		for _, f := range def.Fields {
			r := l.requirementsOf(f.Directives).and(l.requirementsOf(def.Directives))
			if t := l.defs[f.Type.Name()]; t != nil {
				r = r.and(l.requirementsOf(t.Directives))
			}
			if r.empty() {
				continue
			}
			text := fmt.Sprintf("%t|%s|%s", r.Authenticated, termText(r.Scopes), termText(r.Policies))
			if shared[text] == nil {
				shared[text] = &r
			}
			l.sg.requirements[[2]string{def.Name, f.Name}] = shared[text]
		}
	}
}

func termText(terms [][]string) string {
	if terms == nil {
		return "-"
	}
	parts := make([]string, len(terms))
	for i, t := range terms {
		parts[i] = strings.Join(t, "\x00")
	}
	return strings.Join(parts, "\x01")
}
