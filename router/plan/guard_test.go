package plan_test

import (
	"encoding/json"
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

// heard are the errors that clients are sure to be told: one server goes on beside a value that makes its object null, a router
// doesn't look there for fields that it denies.
func heard(want *answer, errs []string) []string {
	if !slices.ContainsFunc(want.errors, func(e string) bool { return strings.Contains(e, denial) }) {
		return errs
	}
	var data any
	if json.Unmarshal(want.b, &data) != nil {
		return errs
	}
	return slices.DeleteFunc(slices.Clone(errs), func(e string) bool {
		var at struct{ Path []any }
		return json.Unmarshal([]byte(e), &at) == nil && withinNull(data, at.Path)
	})
}

// withinNull reports whether something that a path leads through is null.
func withinNull(data any, path []any) bool {
	for _, step := range path {
		switch in := data.(type) {
		case nil:
			return true
		case map[string]any:
			data = in[step.(string)]
		case []any:
			data = in[int(step.(float64))]
		}
	}
	return false
}

const denial = "it is denied"

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
