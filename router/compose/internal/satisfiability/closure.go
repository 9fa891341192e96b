package satisfiability

import (
	"slices"

	"github.com/vektah/gqlparser/v2/ast"

	"github.com/agora-supergraph/agora/router/compose/internal/schema"
)

// closing is a closure under construction.
type closing struct{ members []*place }

// closure is everything that can be reached from a place of an object type by key jumps, the place first.
func (c *checker) closure(p *place) []*place {
	if done, ok := c.closures[c.world][p]; ok {
		return done
	}
	if partial, ok := c.open[p]; ok {
		c.tainted = true
		return slices.Clone(partial.members)
	}
	outer := c.tainted
	c.tainted = false
	current := &closing{members: []*place{p}}
	c.open[p] = current
	for c.grow(current) {
	}
	delete(c.open, p)
	// What was computed from an unfinished closure holds only here.
	if !c.tainted || len(c.open) == 0 && len(c.trying) == 0 {
		c.closures[c.world][p] = current.members
	}
	c.tainted = c.tainted || outer
	return current.members
}

// grow adds the targets of key jumps whose keys can be resolved, and tells whether there were any.
func (c *checker) grow(current *closing) bool {
	object := current.members[0].object()
	if c.RootOf(object) == ast.Query {
		return c.growRoots(current)
	}
	grown := false
	for _, target := range c.targets(object) {
		if slices.Contains(current.members, target) || sameSubgraphType(current.members, target) {
			continue
		}
		for _, key := range c.usableKeys(current.members, target) {
			if key.Flag("resolvable", true) && c.satisfies(current.members, object, c.fieldSet(key.Text("fields"))) {
				current.members = append(current.members, target)
				grown = true
				break
			}
		}
	}
	return grown
}

// usableKeys are the keys by which members can jump to a target. From interface objects alone the object type is not known:
// what leads to it there is the key of the interface.
func (c *checker) usableKeys(members []*place, target *place) []*schema.Directive {
	start := members[0]
	if start.cast == "" || target.cast != "" || slices.ContainsFunc(members, func(p *place) bool { return p.cast == "" }) {
		return target.typ.All("key")
	}
	i := c.subgraph(target).Type(start.typ.Name)
	if i == nil || i.Kind != ast.Interface || !target.typ.Implements(i.Name) {
		return nil
	}
	return i.All("key")
}

// sameSubgraphType tells whether a member is the target but for provided fields: a jump there adds nothing, since what the
// target resolves the member resolves.
func sameSubgraphType(members []*place, target *place) bool {
	for _, p := range members {
		if p.graph == target.graph && p.typ == target.typ && p.cast == target.cast {
			return true
		}
	}
	return false
}

// growRoots: any subgraph answers a query from the root.
func (c *checker) growRoots(current *closing) bool {
	grown := false
	for i, s := range c.Subgraphs {
		if t := s.Type("Query"); t != nil {
			if target := c.place(i, t, "", nil); !sameSubgraphType(current.members, target) {
				current.members = append(current.members, target)
				grown = true
			}
		}
	}
	return grown
}

// targets are the places that an object type's keys can lead to, in order of subgraphs. In a subgraph that knows one of
// its interfaces as an object, that object stands for the type.
func (c *checker) targets(object string) []*place {
	if known, ok := c.jumpTargets[object]; ok {
		return known
	}
	var all []*place
	t := c.Type(object)
	for _, i := range c.knowing(object, t) {
		s := c.Subgraphs[i]
		if own := s.Type(object); own != nil && own.Has("key") {
			cast := ""
			if own.Kind == ast.Object && !isInterfaceObject(own) || isInterfaceObject(own) && t != nil && t.Kind == ast.Interface {
				all = append(all, c.place(i, own, cast, nil))
			}
			continue
		}
		if t == nil {
			continue
		}
		for _, ref := range t.Interfaces {
			if own := s.Type(ref.Name); own != nil && isInterfaceObject(own) {
				all = append(all, c.place(i, own, object, nil))
			}
		}
	}
	c.jumpTargets[object] = all
	return all
}

// knowing are the subgraphs that have the type or one of its interfaces, in order.
func (c *checker) knowing(object string, t *schema.Type) []int {
	all := slices.Clone(c.having[object])
	if t != nil {
		for _, ref := range t.Interfaces {
			all = append(all, c.having[ref.Name]...)
		}
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// closureOf unites the closures of several places.
func (c *checker) closureOf(places []*place) []*place {
	var all []*place
	seen := map[*place]bool{}
	for _, p := range places {
		for _, q := range c.closure(p) {
			if !seen[q] {
				seen[q] = true
				all = append(all, q)
			}
		}
	}
	return all
}

// downcast is where a value of the API type can have a given object type.
func (c *checker) downcast(places []*place, object *schema.Type) (to []*place, possible bool) {
	for _, p := range places {
		sg := c.subgraph(p)
		switch {
		case isInterfaceObject(p.typ):
			if p.typ.Name == object.Name || !object.Implements(p.typ.Name) {
				continue
			}
			possible = true
			// The type of the value is known only where the interface's implementations are.
			found := c.implementation(p, object.Name)
			if len(found) > 0 {
				to = append(to, c.place(p.graph, p.typ, object.Name, p.provided))
				to = append(to, found...)
			}
		case p.typ.Kind == ast.Object:
			if p.typ.Name == object.Name {
				to, possible = append(to, p), true
			}
		default:
			own := sg.Type(object.Name)
			if own != nil && slices.Contains(sg.PossibleTypes(p.typ), own) {
				to, possible = append(to, c.place(p.graph, own, "", p.provided)), true
			}
		}
	}
	return to, possible
}

// implementation finds, from an interface object, subgraphs that have the interface with a usable key and the object type.
func (c *checker) implementation(p *place, object string) []*place {
	var all []*place
	for i, s := range c.Subgraphs {
		t, own := s.Type(p.typ.Name), s.Type(object)
		if t == nil || own == nil || t.Kind != ast.Interface || !own.Implements(t.Name) {
			continue
		}
		for _, key := range t.All("key") {
			if key.Flag("resolvable", true) && c.satisfies(c.closure(p), p.typ.Name, c.fieldSet(key.Text("fields"))) {
				all = append(all, c.place(i, own, "", nil))
				break
			}
		}
	}
	return all
}
