package validate

import (
	"fmt"
	"slices"
	"strings"

	"github.com/vektah/gqlparser/v2/ast"
)

// https://spec.graphql.org/draft/#sec-Fragment-spread-target-defined
func knownFragmentNames(d *document) {
	for _, def := range d.definitions {
		for _, s := range def.spreads {
			if s.Definition == nil {
				d.report(at(s.Position), `Unknown fragment "%s".`, s.Name)
			}
		}
	}
}

// https://spec.graphql.org/draft/#sec-Fragments-Must-Be-Used
func noUnusedFragments(d *document) {
	used := map[string]bool{}
	for _, op := range d.operations {
		d.reach(op, used)
	}
	for _, f := range d.ast.Fragments {
		if !used[f.Name] {
			d.report(at(f.Position), `Fragment "%s" is never used.`, f.Name)
		}
	}
}

// reach adds to names the fragments that a definition spreads, directly or through others, and returns those it
// added.
func (d *document) reach(def *definition, names map[string]bool) []*definition {
	var added []*definition
	pending := []*definition{def}
	for len(pending) > 0 {
		next := pending[len(pending)-1]
		pending = pending[:len(pending)-1]
		for _, s := range next.spreads {
			if f := d.fragments[s.Name]; f != nil && !names[s.Name] {
				names[s.Name] = true
				added = append(added, f)
				pending = append(pending, f)
			}
		}
	}
	return added
}

// https://spec.graphql.org/draft/#sec-Fragment-Spread-Is-Possible
func possibleFragmentSpreads(d *document) {
	known := map[[2]string]bool{}
	overlap := func(a, b *ast.Definition) bool {
		key := [2]string{a.Name, b.Name}
		result, ok := known[key]
		if !ok {
			result = d.overlap(a, b)
			known[key] = result
		}
		return result
	}
	for _, def := range d.definitions {
		for _, inline := range def.inlines {
			parent, typ := inline.ObjectDefinition, d.api.Types[inline.TypeCondition]
			if composite(parent) && composite(typ) && !overlap(parent, typ) {
				d.report(at(inline.Position),
					`Fragment cannot be spread here as objects of type "%s" can never be of type "%s".`,
					parent.Name, typ.Name)
			}
		}
		for _, s := range def.spreads {
			if s.Definition == nil {
				continue
			}
			parent, typ := s.ObjectDefinition, s.Definition.Definition
			if typ == nil {
				typ = d.api.Types[s.Definition.TypeCondition]
			}
			if composite(parent) && composite(typ) && !overlap(parent, typ) {
				d.report(at(s.Position),
					`Fragment "%s" cannot be spread here as objects of type "%s" can never be of type "%s".`,
					s.Name, parent.Name, typ.Name)
			}
		}
	}
}

func composite(t *ast.Definition) bool { return t != nil && t.IsCompositeType() }

func (d *document) overlap(a, b *ast.Definition) bool {
	if a == b {
		return true
	}
	members := map[string]bool{}
	for _, t := range d.possible(a) {
		members[t.Name] = true
	}
	for _, t := range d.possible(b) {
		if members[t.Name] {
			return true
		}
	}
	return false
}

func (d *document) possible(t *ast.Definition) []*ast.Definition {
	if t.Kind == ast.Object {
		return []*ast.Definition{t}
	}
	// gqlparser counts interfaces that implement an interface, too.
	return slices.DeleteFunc(slices.Clone(d.api.PossibleTypes[t.Name]), (*ast.Definition).IsAbstractType)
}

// https://spec.graphql.org/draft/#sec-Fragment-Spreads-Must-Not-Form-Cycles
func noFragmentCycles(d *document) {
	c := cycles{document: d, visited: map[string]bool{}, onPath: map[string]int{}}
	for _, f := range d.ast.Fragments {
		c.visit(d.fragments[f.Name])
	}
}

type cycles struct {
	document *document
	visited  map[string]bool
	// path are the spreads from the first fragment to here; onPath is the length it had at each fragment.
	path   []*ast.FragmentSpread
	onPath map[string]int
}

func (c *cycles) visit(def *definition) {
	name := def.name()
	if c.visited[name] {
		return
	}
	c.visited[name] = true
	c.onPath[name] = len(c.path)
	for _, s := range def.spreads {
		next := c.document.fragments[s.Name]
		if next == nil {
			continue
		}
		c.path = append(c.path, s)
		if start, ok := c.onPath[s.Name]; ok {
			c.report(c.path[start:])
		} else {
			c.visit(next)
		}
		c.path = c.path[:len(c.path)-1]
	}
	delete(c.onPath, name)
}

func (c *cycles) report(cycle []*ast.FragmentSpread) {
	last := cycle[len(cycle)-1]
	var via []string
	var positions []*ast.Position
	for _, s := range cycle {
		positions = append(positions, s.Position)
		via = append(via, fmt.Sprintf(`"%s"`, s.Name))
	}
	through := ""
	if len(via) > 1 {
		through = " via " + strings.Join(via[:len(via)-1], ", ")
	}
	c.document.report(positions, `Cannot spread fragment "%s" within itself%s.`, last.Name, through)
}
