package merge

import (
	"github.com/vektah/gqlparser/v2/ast"

	"github.com/agora-supergraph/agora/router/compose/internal/schema"
	"github.com/agora-supergraph/agora/router/compose/report"
)

// requiresAfterMerge holds every @requires against the merged schema: arguments that the selection gives must have survived.
func requiresAfterMerge(s *Supergraph) report.Errors {
	var errs report.Errors
	eachRequires(s, func(index int, f *schema.Field, d *schema.Directive, set schema.FieldSet) {
		t := s.Type(f.Parent.Name)
		if t == nil {
			return
		}
		if why := requiresProblem(s, t, set); why != "" {
			sg := s.Subgraphs[index]
			errs = append(errs, &report.Error{
				Code: report.RequiresInvalidFields, Coordinate: f.Coordinate(), Nodes: []report.Node{sg.Node(d.Position)},
				Message: "[" + sg.Name + "] On field \"" + f.Coordinate() + "\", for " + d.String() + ": " + why,
			})
		}
	})
	return errs
}

// eachRequires calls visit with every @requires of every subgraph.
func eachRequires(s *Supergraph, visit func(index int, f *schema.Field, d *schema.Directive, set schema.FieldSet)) {
	for i, sg := range s.Subgraphs {
		for _, t := range sg.Types {
			if t.Kind != ast.Object && t.Kind != ast.Interface {
				continue
			}
			for _, f := range t.Fields {
				d := f.One("requires")
				if d == nil {
					continue
				}
				if set, err := schema.ParseFieldSet(d.Text("fields")); err == nil {
					visit(i, f, d, set)
				}
			}
		}
	}
}

func requiresProblem(s *Supergraph, t *schema.Type, set schema.FieldSet) string {
	for _, sel := range set {
		if sel.Fragment {
			on := t
			if sel.On != "" {
				on = s.Type(sel.On)
			}
			if on != nil {
				if why := requiresProblem(s, on, sel.Sub); why != "" {
					return why
				}
			}
			continue
		}
		f := t.Field(sel.Field)
		if f == nil {
			continue
		}
		for _, a := range sel.Arguments {
			if f.Argument(a.Name) == nil {
				return `cannot provide a value for argument "` + a.Name + `" of field "` + f.Coordinate() + `" as argument "` + a.Name + `" is not defined in the supergraph`
			}
		}
		for _, a := range f.Arguments {
			if a.Type.NonNull && a.Default == nil && sel.Arguments.ForName(a.Name) == nil {
				return `no value provided for argument "` + a.Name + `" of field "` + f.Coordinate() + `" but a value is mandatory as "` + a.Name + `" is required in the supergraph`
			}
		}
		if of := s.Type(f.Type.Name()); of != nil {
			if why := requiresProblem(s, of, sel.Sub); why != "" {
				return why
			}
		}
	}
	return ""
}
