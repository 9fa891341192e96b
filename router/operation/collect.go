package operation

import (
	"github.com/vektah/gqlparser/v2/ast"

	"github.com/agora-supergraph/agora/router/supergraph"
)

// entry is one field of the text, for the runtime types that it reaches.
type entry struct {
	field *ast.Field
	types supergraph.TypeSet
}

// collector is the specification's CollectFields (https://spec.graphql.org/draft/#CollectFields()), run for all
// runtime types at once: where that holds one object type, this holds a set, and a fragment that was visited
// for some types is visited again only for others.
type collector struct {
	n       *normaliser
	visited map[*ast.FragmentDefinition]supergraph.TypeSet
	entries []entry
}

func (c *collector) collect(set ast.SelectionSet, types supergraph.TypeSet) {
	for _, selection := range set {
		switch s := selection.(type) {
		case *ast.Field:
			if c.n.included(s.Directives) {
				c.entries = append(c.entries, entry{s, types})
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
				c.collect(s.SelectionSet, inner)
			}
		case *ast.FragmentSpread:
			if c.n.included(s.Directives) {
				c.spread(s.Definition, types)
			}
		}
	}
}

func (c *collector) spread(def *ast.FragmentDefinition, types supergraph.TypeSet) {
	types = c.n.narrow(types, def.TypeCondition).Minus(c.visited[def])
	if types.Empty() {
		return
	}
	if c.visited == nil {
		c.visited = map[*ast.FragmentDefinition]supergraph.TypeSet{}
	}
	c.visited[def] = c.visited[def].Union(types)
	c.collect(def.SelectionSet, types)
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
