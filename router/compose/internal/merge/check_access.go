package merge

import (
	"github.com/vektah/gqlparser/v2/ast"

	"github.com/agora-supergraph/agora/router/compose/internal/schema"
	"github.com/agora-supergraph/agora/router/compose/internal/subgraph"
	"github.com/agora-supergraph/agora/router/compose/report"
)

// requirements are what somebody must have to see an element.
type requirements struct {
	authenticated    bool
	scopes, policies []Term
}

func requirementsOf(elements ...*element) requirements {
	var r requirements
	for _, e := range elements {
		if e == nil {
			continue
		}
		r.authenticated = r.authenticated || e.Has("authenticated")
		r.scopes = conjoinDirective(r.scopes, e.One("requiresScopes"), "scopes")
		r.policies = conjoinDirective(r.policies, e.One("policy"), "policies")
	}
	return r
}

func conjoinDirective(have []Term, d *schema.Directive, argument string) []Term {
	if d == nil || d.Argument(argument) == nil {
		return have
	}
	terms := Terms(d.Argument(argument))
	if have == nil {
		return terms
	}
	return Conjoin(have, terms)
}

// imply tells whether whoever meets r meets other.
func (r requirements) imply(other requirements) bool {
	if other.authenticated && !r.authenticated {
		return false
	}
	meets := func(have, want []Term) bool { return want == nil || have != nil && Implies(have, want) }
	return meets(r.scopes, other.scopes) && meets(r.policies, other.policies)
}

// transitiveAccessControl: a field must not show, through @requires or a context, data that is better protected than itself.
func transitiveAccessControl(s *Supergraph) report.Errors {
	var errs report.Errors
	fail := func(index int, f *schema.Field, pos *ast.Position, what string) {
		sg := s.Subgraphs[index]
		errs = append(errs, &report.Error{
			Code: report.MissingTransitiveAuthRequirements, Coordinate: f.Coordinate(), Nodes: []report.Node{sg.Node(pos)},
			Message: "[" + sg.Name + `] Field "` + f.Coordinate() + `" does not specify necessary @authenticated, @requiresScopes and/or @policy auth requirements to access the transitive ` + what + " selection set.",
		})
	}
	eachRequires(s, func(index int, f *schema.Field, d *schema.Directive, set schema.FieldSet) {
		have, ok := s.fieldRequirements(f)
		if !ok {
			return
		}
		if bad := s.unprotected(s.Type(f.Parent.Name), set, have); bad != "" {
			fail(index, f, d.Position, `field "`+bad+`" data from @requires`)
		}
	})
	s.eachContext(func(index int, f *schema.Field, d *schema.Directive, context, text string) {
		have, ok := s.fieldRequirements(f)
		set, err := schema.ParseFieldSet(text)
		if !ok || err != nil {
			return
		}
		sg := s.Subgraphs[index]
		for _, t := range sg.ContextTypes(context) {
			merged := s.Type(t.Name)
			if !have.imply(requirementsOf(&merged.Element)) || s.unprotected(merged, set, have) != "" {
				fail(index, f, d.Position, "data in context "+sg.Name+"__"+context+" from @fromContext")
				return
			}
		}
	})
	return errs
}

// fieldRequirements are those of the merged field together with its type's.
func (s *Supergraph) fieldRequirements(f *schema.Field) (requirements, bool) {
	t := s.Type(f.Parent.Name)
	if t == nil || t.Field(f.Name) == nil {
		return requirements{}, false
	}
	return requirementsOf(&t.Element, &t.Field(f.Name).Element, s.elementOf(t.Field(f.Name).Type)), true
}

func (s *Supergraph) elementOf(t *ast.Type) *element {
	if of := s.Type(t.Name()); of != nil {
		return &of.Element
	}
	return nil
}

// unprotected is the first field of a selection that wants more than have; empty if there is none.
func (s *Supergraph) unprotected(t *schema.Type, set schema.FieldSet, have requirements) string {
	if t == nil {
		return ""
	}
	for _, sel := range set {
		if sel.Fragment {
			on := t
			if sel.On != "" {
				on = s.Type(sel.On)
			}
			if on != nil && !have.imply(requirementsOf(&on.Element)) {
				return on.Name
			}
			if bad := s.unprotected(on, sel.Sub, have); bad != "" {
				return bad
			}
			continue
		}
		f := t.Field(sel.Field)
		if f == nil {
			continue
		}
		if !have.imply(requirementsOf(&f.Element, s.elementOf(f.Type))) {
			return f.Coordinate()
		}
		if bad := s.unprotected(s.Type(f.Type.Name()), sel.Sub, have); bad != "" {
			return bad
		}
	}
	return ""
}

// eachContext calls visit with every @fromContext of every subgraph.
func (s *Supergraph) eachContext(visit func(index int, f *schema.Field, d *schema.Directive, context, selection string)) {
	for i, sg := range s.Subgraphs {
		for _, t := range sg.Types {
			for _, f := range t.Fields {
				for _, a := range f.Arguments {
					d := a.One("fromContext")
					if d == nil {
						continue
					}
					if context, selection, ok := subgraph.ParseContext(d.Text("field")); ok {
						visit(i, f, d, context, selection)
					}
				}
			}
		}
	}
}
