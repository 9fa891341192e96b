package satisfiability

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/vektah/gqlparser/v2/ast"

	"github.com/agora-supergraph/agora/router/compose/internal/schema"
	"github.com/agora-supergraph/agora/router/compose/report"
)

// state is an object type of the API with the places that can have been reached there.
type state struct {
	typ      *schema.Type
	places   []*place
	path     *step
	labels   map[string]bool
	contexts map[string]bool
}

// roots are the states of the root types.
func (c *checker) roots() []state {
	var all []state
	for _, op := range schema.Operations {
		t := c.Type(c.Roots[op])
		if t == nil {
			continue
		}
		var places []*place
		for i, s := range c.Subgraphs {
			if own := s.Type(t.Name); own != nil {
				places = append(places, c.place(i, own, "", nil))
			}
		}
		all = append(all, state{typ: t, places: places, path: &step{operation: op}})
	}
	return all
}

// walk visits everything that can be reached from the states.
func (c *checker) walk(queue []state) {
	for len(queue) > 0 {
		s := queue[0]
		queue = queue[1:]
		c.enter(s.labels, s.contexts)
		closure := c.closureOf(s.places)
		if c.seen(s, closure) {
			c.compareRuntimes(s, closure)
			continue
		}
		if c.states++; c.states > c.cfg.MaxStates {
			c.errors = append(c.errors, &report.Error{
				Code:    report.MaxValidationSubgraphPathsExceeded,
				Message: fmt.Sprintf("Maximum number of validation subgraph paths exceeded: %d", c.cfg.MaxStates),
			})
			return
		}
		s.contexts = c.enterContexts(s)
		c.enter(s.labels, s.contexts)
		for _, f := range s.typ.Fields {
			if !hidden(&f.Element) {
				queue = append(queue, c.advance(s, closure, f)...)
			}
		}
	}
}

// hidden tells whether an element is no part of the API.
func hidden(e *schema.Element) bool { return e.Has("inaccessible") }

// seen tells whether a state with no more places than this one has been visited; if not, it is remembered.
func (c *checker) seen(s state, closure []*place) bool {
	key := s.typ.Name + " " + world(s.labels) + " " + world(s.contexts)
	have := map[*place]bool{}
	for _, p := range closure {
		have[p] = true
	}
	for _, earlier := range c.visited[key] {
		if !slices.ContainsFunc(earlier, func(p *place) bool { return !have[p] }) {
			return true
		}
	}
	c.visited[key] = append(c.visited[key], closure)
	return false
}

func world(m map[string]bool) string {
	var b strings.Builder
	for _, k := range slices.Sorted(maps.Keys(m)) {
		fmt.Fprintf(&b, "%s=%t;", k, m[k])
	}
	return b.String()
}

// advance takes a field: it returns the states behind it, or records that no place resolves it.
func (c *checker) advance(s state, closure []*place, f *schema.Field) []state {
	if label := c.undecided(s, f); label != "" {
		var both []state
		for _, on := range []bool{true, false} {
			world := s
			world.labels = maps.Clone(s.labels)
			if world.labels == nil {
				world.labels = map[string]bool{}
			}
			world.labels[label] = on
			c.enter(world.labels, s.contexts)
			both = append(both, c.advance(world, c.closureOf(s.places), f)...)
		}
		c.enter(s.labels, s.contexts)
		return both
	}
	var to []*place
	resolved := false
	for _, p := range closure {
		next, why := c.resolve(p, f.Name)
		if why != resolves {
			continue
		}
		resolved = true
		if next != nil && !slices.Contains(to, next) {
			to = append(to, next)
		}
	}
	path := &step{above: s.path, field: f}
	if !resolved {
		c.fail(s, closure, f, path)
		return nil
	}
	of := c.Type(f.Type.Name())
	if of == nil || !of.IsComposite() {
		return nil
	}
	c.runtimeTypes(f, of, to, path)
	return c.behind(s, of, to, path)
}

// undecided is a label that decides who resolves the field and that is still open in this state.
func (c *checker) undecided(s state, f *schema.Field) string {
	origins := c.Fields[f]
	if origins == nil {
		return ""
	}
	for _, graph := range slices.Sorted(maps.Keys(origins.Overriding)) {
		if _, decided := s.labels[origins.Overriding[graph]]; !decided {
			return origins.Overriding[graph]
		}
	}
	return ""
}

// behind are the states of the object types that a field of type t can lead to.
func (c *checker) behind(s state, t *schema.Type, to []*place, path *step) []state {
	next := state{typ: t, places: to, path: path, labels: s.labels, contexts: s.contexts}
	if t.Kind == ast.Object {
		var cast []*place
		for _, p := range to {
			if p.typ.Kind == ast.Object {
				cast = append(cast, p)
			}
		}
		next.places = cast
		return []state{next}
	}
	var all []state
	for _, o := range c.PossibleTypes(t) {
		if hidden(&o.Element) || !c.common(to, o.Name) {
			continue
		}
		below := &step{above: path, on: o}
		places, possible := c.downcast(to, o)
		switch {
		case len(places) > 0:
			all = append(all, state{typ: o, places: places, path: below, labels: s.labels, contexts: s.contexts})
		case possible:
			c.failCast(to, t, below)
		}
	}
	return all
}
