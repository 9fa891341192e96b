package plan

import (
	"strconv"
	"strings"

	"github.com/agora-supergraph/agora/router/operation"
	"github.com/agora-supergraph/agora/router/supergraph"
)

// Arguments from contexts (@context, @fromContext): a subgraph gets the value of an argument from an object further
// up in the response, the nearest one of a type that sets the context.
//
// Such a field is asked in an _entities request of its own, where the value is a variable. What is needed of the
// objects above is wanted there like anything else, so that it comes from wherever is cheapest, and the request
// waits for it. Objects whose values differ can't share a request: the executor repeats it, once for each
// combination of values, which are few where contexts are used as they are meant.

// supply adds to what is wanted of the objects at a position what arguments from contexts need of them further
// down. It comes first, so that it is placed before what waits for it.
func (w *wanted) supply(out *wants, fields []*operation.Field, on *supergraph.Type) {
	var used []*supergraph.ContextArgument
	for _, f := range fields {
		for _, below := range f.Selections {
			used = w.contexts(used, below)
		}
	}
	var list []want
	seen := map[*supergraph.FieldSet]bool{}
	for _, c := range used {
		for _, sel := range c.Selections {
			types := sel.Type.Possible.Intersect(on.Possible)
			if types.Empty() || seen[sel.Fields] {
				continue
			}
			seen[sel.Fields] = true
			needs := w.ofSelections(sel.Fields.Fields)
			out.typed = out.typed || needs.typed || !on.Possible.SubsetOf(types)
			for _, need := range needs.list {
				if need.types = need.types.Intersect(on.Possible); !need.types.Empty() {
					list = append(list, need)
				}
			}
		}
	}
	out.list = append(list, out.list...)
}

// contexts collects the arguments from contexts that a field takes, or those below it.
func (w *wanted) contexts(into []*supergraph.ContextArgument, f *operation.Field) []*supergraph.ContextArgument {
	if f.Name == "__typename" || f.Denied || introspective(f) {
		return into
	}
	for id := range f.Types.All() {
		for _, src := range w.sg.ObjectType(id).Field(f.Name).In {
			if src != nil {
				for i := range src.Context {
					into = append(into, &src.Context[i])
				}
			}
		}
	}
	for _, below := range f.Selections {
		into = w.contexts(into, below)
	}
	return into
}

// supply notes who brings a value that a context may need.
func (p *position) supply(sel *supergraph.FieldSelection, groups []*group) {
	if p.supplied == nil {
		p.supplied = map[*supergraph.FieldSelection][]*group{}
	}
	p.supplied[sel] = union(p.supplied[sel], groups)
}

// suppliers are the groups that bring the contexts of a source, for objects at a position.
func (p *position) suppliers(src *supergraph.Source) []*group {
	var out []*group
	for n := p.parent; n != nil; n = n.at.parent {
		for i := range src.Context {
			for _, sel := range src.Context[i].Selections {
				for _, f := range sel.Fields.Fields {
					if groups := n.at.supplied[f]; groups != nil {
						out = union(union(out, groups), n.at.tellers)
					}
				}
			}
		}
	}
	return out
}

// fromContext names the variable of an argument from a context.
func (t *text) fromContext(c *supergraph.ContextArgument) string {
	for i, known := range t.contexts {
		if known == c {
			return t.contextName(i)
		}
	}
	t.contexts = append(t.contexts, c)
	return t.contextName(len(t.contexts) - 1)
}

func (t *text) contextName(i int) string { return free(t.variables, "c"+strconv.Itoa(i)) }

// context says where the value of an argument stands, for the objects of an entry.
func (v *visit) context(c *supergraph.ContextArgument, name string) Context {
	out := Context{Name: name, NonNull: strings.HasSuffix(c.Type, "!")}
	for n := v.at.parent; n != nil; n = n.at.parent {
		depth := len(n.at.path())
		for _, sel := range c.Selections {
			types := sel.Type.Possible.Intersect(n.at.on.Possible)
			for _, path := range n.at.leads(sel.Fields.Fields, types) {
				out.Sources = append(out.Sources, ContextSource{Depth: depth, Path: path})
			}
		}
	}
	return out
}

// leads are the ways from objects of some types to the leaves of a selection.
func (p *position) leads(fields []*supergraph.FieldSelection, types supergraph.TypeSet) [][]Step {
	var out [][]Step
	for _, f := range fields {
		for _, h := range byNode(p.selections[f]) {
			step := Step{Slot: h.node.slot, Types: h.types.Intersect(types)}
			if step.Types.Empty() {
				continue
			}
			if f.Base == nil {
				out = append(out, []Step{step})
				continue
			}
			for _, rest := range h.node.below.leads(f.Fields, f.Base.Possible) {
				out = append(out, append([]Step{step}, rest...))
			}
		}
	}
	return out
}
