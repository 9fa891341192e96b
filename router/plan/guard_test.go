package plan_test

import (
	"slices"
	"strings"

	"github.com/vektah/gqlparser/v2/ast"

	"github.com/agora-supergraph/agora/router/operation"
	"github.com/agora-supergraph/agora/router/supergraph"
)

// guard protects some fields and types, in one of the subgraphs that have them: it holds for all.
func (d *draft) guard() {
	if d.chance(65) {
		return
	}
	for _, name := range append(append([]string{"Query", "Mutation", "I0"}, d.entities...), d.values...) {
		t := d.types[name]
		if t == nil {
			continue
		}
		if g := d.IntN(d.count); d.chance(4) && t.in[g] != nil && !slices.Contains([]string{"Query", "Mutation", "I0"}, name) {
			t.in[g].directives += " " + d.demand()
		}
		for _, f := range t.fields {
			for g := range d.count {
				if in := f.in[g]; d.chance(3) && in != nil && !strings.Contains(in.directives, "external") {
					in.directives += " " + d.demand()
				}
			}
		}
	}
}

func (d *draft) demand() string {
	return oneOf(d, "@authenticated", `@requiresScopes(scopes: [["s0"]])`, `@requiresScopes(scopes: [["s0"], ["s1", "s2"]])`,
		`@policy(policies: [["p0"]])`, `@policy(policies: [["p0"], ["p1"]])`)
}

// caller is who sends a request, as far as access is concerned: bits say what he has.
type caller uint64

// meets reports whether a caller may see what demands a requirement. One of eight is nobody, who has neither scopes nor policies.
func (c caller) meets(r *supergraph.Requirement) bool {
	has := func(name string) bool { return c&7 != 0 && c>>(3+hashOf(name)%60)&1 == 1 }
	one := func(terms [][]string) bool {
		return terms == nil || slices.ContainsFunc(terms, func(term []string) bool {
			return !slices.ContainsFunc(term, func(name string) bool { return !has(name) })
		})
	}
	return (!r.Authenticated || c&7 != 0) && one(r.Scopes) && one(r.Policies)
}

// denied reports whether the caller may not see a field, by the object's own type and by the types that it was selected on.
func (a *answer) denied(o object, fields []*ast.Field) bool {
	no := func(typ string) bool {
		r := a.world.sg.Requirement(typ, fields[0].Name)
		return r != nil && !a.world.caller.meets(r)
	}
	return a.graph == everything && (no(o.typ) || slices.ContainsFunc(fields, func(f *ast.Field) bool { return no(f.ObjectDefinition.Name) }))
}

// turnedAway reports whether the only root field of a subscription is denied: there are no events then.
func turnedAway(op *operation.Operation) bool {
	return op.Kind == operation.Subscription && slices.ContainsFunc(op.Selections, func(f *operation.Field) bool { return f.Denied })
}
