package satisfiability

import (
	"maps"
	"strings"

	"github.com/agora-supergraph/agora/router/compose/internal/schema"
	"github.com/agora-supergraph/agora/router/compose/internal/subgraph"
)

// contextSource is a subgraph that sets a context on a type.
type contextSource struct {
	graph int
	name  string
}

func (s contextSource) key(c *checker) string { return c.Graphs[s.graph] + "__" + s.name }

// findContexts indexes which object types set which contexts.
func (c *checker) findContexts() {
	c.contextual = map[string][]contextSource{}
	for i, s := range c.Subgraphs {
		for _, t := range s.Types {
			for _, d := range t.All("context") {
				for _, o := range s.PossibleTypes(t) {
					c.contextual[o.Name] = append(c.contextual[o.Name], contextSource{i, d.Text("name")})
				}
			}
		}
	}
}

// enterContexts adds the contexts that a state's type sets.
func (c *checker) enterContexts(s state) map[string]bool {
	sources := c.contextual[s.typ.Name]
	if len(sources) == 0 {
		return s.contexts
	}
	set := maps.Clone(s.contexts)
	if set == nil {
		set = map[string]bool{}
	}
	for _, source := range sources {
		set[source.key(c)] = true
	}
	return set
}

// contextsSet tells whether every contextual argument of a field has its context set above.
func (c *checker) contextsSet(p *place, f *schema.Field) bool {
	for _, a := range f.Arguments {
		d := a.One("fromContext")
		if d == nil {
			continue
		}
		name, _, ok := subgraph.ParseContext(strings.TrimSpace(d.Text("field")))
		if !ok || !c.contexts[contextSource{p.graph, name}.key(c)] {
			return false
		}
	}
	return true
}
