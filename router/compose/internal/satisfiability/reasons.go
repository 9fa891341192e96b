package satisfiability

import (
	"fmt"
	"slices"
	"strings"

	"github.com/agora-supergraph/agora/router/compose/internal/schema"
	"github.com/agora-supergraph/agora/router/compose/internal/subgraph"
	"github.com/agora-supergraph/agora/router/compose/report"
)

// fail records a field that no place of a state resolves.
func (c *checker) fail(s state, closure []*place, f *schema.Field, path *step) {
	var parts []string
	for _, p := range closure {
		reasons := append(c.refusals(p, f), c.jumps(s, closure, p, f)...)
		head := fmt.Sprintf("- from subgraph %q:", c.subgraph(p).Name)
		if len(reasons) == 1 {
			parts = append(parts, head+" "+reasons[0])
			continue
		}
		parts = append(parts, head+"\n  - "+strings.Join(reasons, "\n  - "))
	}
	c.unsatisfied(f.Coordinate(), path, slices.Compact(parts))
}

// failCast records an interface object whose implementations no subgraph can tell.
func (c *checker) failCast(from []*place, t *schema.Type, path *step) {
	var parts []string
	for _, p := range from {
		if isInterfaceObject(p.typ) {
			parts = append(parts, fmt.Sprintf("- from subgraph %q: no subgraph can be reached to resolve the implementation type of @interfaceObject type %q.",
				c.subgraph(p).Name, t.Name))
		}
	}
	c.unsatisfied(t.Name, path, parts)
}

func (c *checker) unsatisfied(coordinate string, path *step, reasons []string) {
	c.errors = append(c.errors, &report.Error{
		Code: report.SatisfiabilityError, Coordinate: coordinate, Nodes: c.nodes(coordinate),
		Message: "The following supergraph API query:\n" + c.witness(path) + "\ncannot be satisfied by the subgraphs because:\n" + strings.Join(reasons, "\n"),
	})
}

// nodes are the places where subgraphs declare the field or type.
func (c *checker) nodes(coordinate string) []report.Node {
	typ, field, isField := strings.Cut(coordinate, ".")
	var all []report.Node
	for _, s := range c.Subgraphs {
		t := s.Type(typ)
		switch {
		case t == nil:
		case !isField:
			all = append(all, s.Node(t.Position))
		case t.Field(field) != nil:
			all = append(all, s.Node(t.Field(field).Position))
		}
	}
	return all
}

// refusals say why the place itself does not resolve the field.
func (c *checker) refusals(p *place, f *schema.Field) []string {
	_, why := c.resolve(p, f.Name)
	coordinate := p.typ.Name + "." + f.Name
	switch why {
	case noField:
		return []string{fmt.Sprintf("cannot find field %q.", f.Coordinate())}
	case isExternal:
		return []string{fmt.Sprintf("field %q is not resolvable because marked @external.", coordinate)}
	case isOverridden:
		return []string{fmt.Sprintf("field %q is not resolvable because it is overridden by another subgraph.", coordinate)}
	case labelled:
		return []string{fmt.Sprintf("field %q is not resolvable because of the state of its override label.", coordinate)}
	case requiresUnmet:
		return []string{fmt.Sprintf("cannot satisfy @require conditions on field %q%s.", coordinate, externalKeys(c.subgraph(p), p.typ))}
	case noKeyToResume:
		return []string{fmt.Sprintf("@require condition on field %q can be satisfied but missing usable key on %q in subgraph %q to resume query.",
			coordinate, p.typ.Name, c.subgraph(p).Name)}
	case contextMissing:
		return []string{fmt.Sprintf("could not find a match for required context for field %q.", coordinate)}
	}
	return nil
}

// externalKeys points to key fields that are marked @external, a common cause.
func externalKeys(s *subgraph.Subgraph, t *schema.Type) string {
	for _, key := range t.All("key") {
		external := false
		s.EachSelected(t, key.Text("fields"), func(f *schema.Field, _ *schema.Selection) {
			external = external || s.IsExternal(f)
		})
		if external {
			return " (please ensure that this is not due to key field(s) being accidentally marked @external)"
		}
	}
	return ""
}

// jumps say why other subgraphs cannot be reached from the place.
func (c *checker) jumps(s state, closure []*place, p *place, f *schema.Field) []string {
	var all []string
	for i, other := range c.Subgraphs {
		t := other.Type(s.typ.Name)
		if i == p.graph || t == nil {
			continue
		}
		if slices.ContainsFunc(closure, func(q *place) bool { return q.graph == i }) {
			continue
		}
		own := t.Field(f.Name)
		has := own != nil && !other.IsExternal(own)
		keys := t.All("key")
		usable := slices.DeleteFunc(slices.Clone(keys), func(k *schema.Directive) bool { return !k.Flag("resolvable", true) })
		switch {
		case has && len(keys) == 0:
			all = append(all, fmt.Sprintf("cannot move to subgraph %q, which has field %q, because type %q has no @key defined in subgraph %q.",
				other.Name, f.Coordinate(), t.Name, other.Name))
		case has && len(usable) == 0:
			all = append(all, fmt.Sprintf(`cannot move to subgraph %q, which has field %q, because none of the @key defined on type %q in subgraph %q are resolvable (they are all declared with their "resolvable" argument set to false).`,
				other.Name, f.Coordinate(), t.Name, other.Name))
		}
		for _, key := range usable {
			all = append(all, fmt.Sprintf("cannot move to subgraph %q using @key(fields: %s) of %q, the key field(s) cannot be resolved from subgraph %q%s.",
				other.Name, schema.FormatValue(key.Argument("fields")), t.Name, c.subgraph(p).Name, externalKeys(c.subgraph(p), p.typ)))
		}
	}
	return all
}
