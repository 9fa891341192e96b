package satisfiability

import (
	"fmt"
	"strings"

	"github.com/vektah/gqlparser/v2/ast"

	"github.com/agora-supergraph/agora/router/compose/internal/schema"
	"github.com/agora-supergraph/agora/router/compose/report"
)

// checkMutations: a mutation field is called once, so where several subgraphs share it, one of them alone must lead to
// everything below.
func (c *checker) checkMutations() {
	t := c.Type(c.Roots[ast.Mutation])
	if t == nil || len(c.errors) > 0 {
		return
	}
	for _, f := range t.Fields {
		if hidden(&f.Element) {
			continue
		}
		var callers []*place
		for i, s := range c.Subgraphs {
			own := s.Type(t.Name)
			if own == nil || own.Field(f.Name) == nil {
				continue
			}
			p := c.place(i, own, "", nil)
			c.enter(nil, nil)
			if _, why := c.resolve(p, f.Name); why == resolves {
				callers = append(callers, p)
			}
		}
		if len(callers) > 1 {
			c.checkMutation(f, callers)
		}
	}
}

func (c *checker) checkMutation(f *schema.Field, callers []*place) {
	of := c.Type(f.Type.Name())
	if of == nil || !of.IsComposite() {
		return
	}
	var parts []string
	for _, p := range callers {
		alone := *c
		alone.errors, alone.hints, alone.visited = nil, nil, map[string][][]*place{}
		to, _ := alone.resolve(p, f.Name)
		if to == nil {
			return
		}
		path := &step{above: &step{operation: ast.Mutation}, field: f}
		alone.walk(alone.behind(state{}, of, []*place{to}, path))
		c.states = alone.states
		if len(alone.errors) == 0 {
			return
		}
		lines := make([]string, len(alone.errors))
		for i, e := range alone.errors {
			lines[i] = "  " + strings.ReplaceAll(e.Message, "\n", "\n  ")
		}
		parts = append(parts, fmt.Sprintf("- When calling %q at top-level from subgraph %q:\n%s", f.Coordinate(), c.subgraph(p).Name, strings.Join(lines, "\n")))
	}
	c.errors = append(c.errors, &report.Error{
		Code: report.SatisfiabilityError, Coordinate: f.Coordinate(), Nodes: c.nodes(f.Coordinate()),
		Message: fmt.Sprintf("Supergraph API queries using the mutation field %q at top-level must be satisfiable without needing to call that field from multiple subgraphs, "+
			"but every subgraph with that field encounters satisfiability errors. Please fix these satisfiability errors for (at least) one of the following subgraphs with the mutation field:\n%s",
			f.Coordinate(), strings.Join(parts, "\n")),
	})
}
