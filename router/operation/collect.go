package operation

import (
	"github.com/vektah/gqlparser/v2/ast"

	"github.com/agora-supergraph/agora/router/supergraph"
)

// entry is one field of the text, for the runtime types that it reaches.
type entry struct {
	use
	types supergraph.TypeSet
}

// collector is the specification's CollectFields (https://spec.graphql.org/draft/#CollectFields()), run for all
// runtime types at once: where that holds one object type, this holds a set, and a fragment that was visited
// for some types is visited again only for others.
type collector struct {
	n       *normaliser
	visited map[visit]supergraph.TypeSet
	entries []entry
	// defers are the uses of @defer in this selection set.
	defers map[deferKey]*Defer
}

// visit is a fragment, and what it is deferred by.
type visit struct {
	fragment *ast.FragmentDefinition
	in       DeferredBy
}

func (c *collector) collect(set ast.SelectionSet, types supergraph.TypeSet, in DeferredBy) {
	for _, selection := range set {
		switch s := selection.(type) {
		case *ast.Field:
			if c.n.included(s.Directives) {
				c.entries = append(c.entries, entry{use{s, in}, types})
			}
		case *ast.InlineFragment:
			if !c.n.included(s.Directives) {
				continue
			}
			inner := types
			if s.TypeCondition != "" {
				inner = c.n.narrow(types, s.TypeCondition)
			}
			if !inner.Empty() {
				c.collect(s.SelectionSet, inner, c.deferred(s.Directives, in))
			}
		case *ast.FragmentSpread:
			if c.n.included(s.Directives) {
				c.spread(s.Definition, types, c.deferred(s.Directives, in))
			}
		}
	}
}

func (c *collector) spread(def *ast.FragmentDefinition, types supergraph.TypeSet, in DeferredBy) {
	at := visit{def, in}
	types = c.n.narrow(types, def.TypeCondition).Minus(c.visited[at])
	if types.Empty() {
		return
	}
	if c.visited == nil {
		c.visited = map[visit]supergraph.TypeSet{}
	}
	c.visited[at] = c.visited[at].Union(types)
	c.collect(def.SelectionSet, types, in)
}

// included decides @skip and @include.
func (n *normaliser) included(directives ast.DirectiveList) bool {
	for _, d := range directives {
		switch d.Name {
		case "skip":
			if n.holds(d) {
				return false
			}
		case "include":
			if !n.holds(d) {
				return false
			}
		}
	}
	return true
}

func (n *normaliser) holds(d *ast.Directive) bool {
	v := d.Arguments.ForName("if").Value
	if v.Kind == ast.Variable {
		return n.variant.Conditions.Has(n.selected.conditions[v.Raw])
	}
	return v.Raw == "true"
}
