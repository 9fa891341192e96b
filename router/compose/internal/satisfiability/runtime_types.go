package satisfiability

import (
	"fmt"
	"slices"
	"strings"

	"github.com/agora-supergraph/agora/router/compose/internal/schema"
	"github.com/agora-supergraph/agora/router/compose/report"
)

// runtimes are the object types that one subgraph can give for a field.
type runtimes struct {
	subgraph string
	types    []string
}

// runtimeTypes compares what subgraphs that share a field of an abstract type can give for it: a shared field resolves
// alike everywhere, so only types common to all of them can ever come out.
func (c *checker) runtimeTypes(f *schema.Field, t *schema.Type, to []*place, path *step) {
	if !t.IsAbstract() || len(to) < 2 || c.hinted[f.Coordinate()] {
		return
	}
	var all []runtimes
	for _, p := range to {
		if isInterfaceObject(p.typ) || slices.ContainsFunc(all, func(r runtimes) bool { return r.subgraph == c.subgraph(p).Name }) {
			continue
		}
		var names []string
		for _, o := range c.subgraph(p).PossibleTypes(p.typ) {
			names = append(names, o.Name)
		}
		slices.Sort(names)
		all = append(all, runtimes{c.subgraph(p).Name, names})
	}
	if len(all) < 2 {
		return
	}
	common := slices.Clone(all[0].types)
	equal := true
	for _, r := range all[1:] {
		equal = equal && slices.Equal(r.types, all[0].types)
		common = slices.DeleteFunc(common, func(n string) bool { return !slices.Contains(r.types, n) })
	}
	if equal {
		return
	}
	c.hinted[f.Coordinate()] = true
	head := fmt.Sprintf("For the following supergraph API query:\n%s\nShared field %q return type %q has ", c.witness(path), f.Coordinate(), f.Type)
	if len(common) == 0 {
		c.errors = append(c.errors, &report.Error{
			Code: report.ShareableHasMismatchedRuntimeTypes, Coordinate: f.Coordinate(), Nodes: c.nodes(f.Coordinate()),
			Message: head + "a non-intersecting set of possible runtime types across subgraphs. Runtime types in subgraphs are:\n" + listRuntimes(all) +
				".\nThis is not allowed as shared fields must resolve the same way in all subgraphs, and that implies at least some common runtime types between the subgraphs.",
		})
		return
	}
	c.hints = append(c.hints, report.Hint{
		Code: report.HintInconsistentRuntimeTypesForShareableReturn, Coordinate: f.Coordinate(), Nodes: c.nodes(f.Coordinate()),
		Message: head + "different sets of possible runtime types across subgraphs.\n" + advice(f, all, common) + "\nOtherwise the @shareable contract will be broken.",
	})
}

// compareRuntimes compares the runtime types of a state that is not visited: with more places than an earlier one, more
// subgraphs share its fields.
func (c *checker) compareRuntimes(s state, closure []*place) {
	for _, f := range s.typ.Fields {
		of := c.Type(f.Type.Name())
		if of == nil || !of.IsAbstract() || hidden(&f.Element) || c.hinted[f.Coordinate()] || c.undecided(s, f) != "" {
			continue
		}
		var to []*place
		for _, p := range closure {
			if next, why := c.resolve(p, f.Name); why == resolves && !slices.Contains(to, next) {
				to = append(to, next)
			}
		}
		c.runtimeTypes(f, of, to, &step{above: s.path, field: f})
	}
}

// common tells whether an object type can come out at all of the places, which share a field: what only some of them know
// none may give. Interface objects do not know.
func (c *checker) common(to []*place, object string) bool {
	for _, p := range to {
		if isInterfaceObject(p.typ) {
			continue
		}
		if !slices.ContainsFunc(c.subgraph(p).PossibleTypes(p.typ), func(o *schema.Type) bool { return o.Name == object }) {
			return false
		}
	}
	return true
}

func listRuntimes(all []runtimes) string {
	lines := make([]string, len(all))
	for i, r := range all {
		lines[i] = fmt.Sprintf(" - in subgraph %q, %s", r.subgraph, typeList(r.types))
	}
	return strings.Join(lines, ";\n")
}

func typeList(names []string) string {
	switch len(names) {
	case 0:
		return "no runtime type is defined"
	case 1:
		return "type " + quoteAll(names)
	}
	return "types " + quoteAll(names)
}

func quoteAll(names []string) string {
	quoted := make([]string, len(names))
	for i, n := range names {
		quoted[i] = `"` + n + `"`
	}
	if len(quoted) < 2 {
		return strings.Join(quoted, "")
	}
	return strings.Join(quoted[:len(quoted)-1], ", ") + " and " + quoted[len(quoted)-1]
}

func advice(f *schema.Field, all []runtimes, common []string) string {
	var names, lines []string
	for _, r := range all {
		names = append(names, r.subgraph)
		extra := slices.DeleteFunc(slices.Clone(r.types), func(n string) bool { return slices.Contains(common, n) })
		if len(extra) > 0 {
			lines = append(lines, fmt.Sprintf(" - subgraph %q should never resolve %q to an object of %s", r.subgraph, f.Coordinate(), typeList(extra)))
		}
	}
	return fmt.Sprintf("Since a shared field must be resolved the same way in all subgraphs, make sure that subgraphs %s only resolve %q to objects of %s. In particular:\n%s.",
		quoteAll(names), f.Coordinate(), typeList(common), strings.Join(lines, ";\n"))
}
