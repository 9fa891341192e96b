package subgraph

import (
	"strings"

	"github.com/vektah/gqlparser/v2/ast"

	"github.com/agora-supergraph/agora/router/compose/internal/schema"
)

func isInput(k schema.Kind) bool {
	return k == ast.Scalar || k == ast.Enum || k == ast.InputObject
}

// inputOutputTypes keeps input types out of outputs and output types out of inputs.
func inputOutputTypes(s *Subgraph) {
	for _, t := range s.Types {
		for _, f := range t.Fields {
			kind := s.kindOf(f.Type.Name())
			switch {
			case t.Kind == ast.InputObject && !isInput(kind):
				s.invalid(f.Coordinate(), f.Position, `The type of "%s" must be Input Type but got "%s", a %s.`, f.Coordinate(), f.Type, className(kind))
			case t.Kind != ast.InputObject && kind == ast.InputObject:
				s.invalid(f.Coordinate(), f.Position, `The type of "%s" must be Output Type but got "%s", a %s.`, f.Coordinate(), f.Type, className(kind))
			}
			for _, a := range f.Arguments {
				if kind := s.kindOf(a.Type.Name()); !isInput(kind) {
					s.invalid(a.Coordinate(), a.Position, `The type of "%s" must be Input Type but got "%s", a %s.`, a.Coordinate(), a.Type, className(kind))
				}
			}
		}
	}
}

// unionMembers wants members to be objects.
func unionMembers(s *Subgraph) {
	for _, t := range s.Types {
		for _, m := range t.Members {
			if kind := s.kindOf(m.Name); kind != ast.Object {
				s.invalid(t.Name, m.Position, "Cannot add non-object type %s (of type %s) as member of union type %s", m.Name, className(kind), t.Name)
			}
		}
	}
}

// inputCycles refuses input objects that could never be written: they contain themselves through non-null fields.
func inputCycles(s *Subgraph) {
	const open, done = 1, 2
	state := map[*schema.Type]int{}
	var path []string
	var visit func(t *schema.Type)
	visit = func(t *schema.Type) {
		state[t] = open
		for _, f := range t.Fields {
			of := s.Type(f.Type.Name())
			if of == nil || of.Kind != ast.InputObject || !f.Type.NonNull || f.Type.Elem != nil {
				continue
			}
			path = append(path, f.Name)
			switch state[of] {
			case open:
				s.invalid(f.Coordinate(), f.Position, `Cannot reference Input Object "%s" within itself through a series of non-null fields: "%s".`,
					of.Name, strings.Join(path, "."))
			case 0:
				visit(of)
			}
			path = path[:len(path)-1]
		}
		state[t] = done
	}
	for _, t := range s.Types {
		if t.Kind == ast.InputObject && state[t] == 0 {
			visit(t)
		}
	}
}

// deprecations refuses to deprecate what must be given.
func deprecations(s *Subgraph) {
	for _, t := range s.Types {
		for _, f := range t.Fields {
			if t.Kind == ast.InputObject && f.Named("deprecated") != nil && f.Type.NonNull && f.Default == nil {
				s.invalid(f.Coordinate(), f.Position, "Required input field %s cannot be deprecated.", f.Coordinate())
			}
			for _, a := range f.Arguments {
				if a.Named("deprecated") != nil && a.Type.NonNull && a.Default == nil {
					s.invalid(a.Coordinate(), a.Position, "Required argument %s cannot be deprecated.", a.Coordinate())
				}
			}
		}
	}
}

// interfaces checks that what implements an interface has all that the interface promises.
func interfaces(s *Subgraph) {
	for _, t := range s.Types {
		for _, ref := range t.Interfaces {
			i := s.Type(ref.Name)
			if i == nil || i.Kind != ast.Interface {
				continue
			}
			s.implementsAncestors(t, i, ref)
			for _, f := range i.Fields {
				s.implementsField(t, f)
			}
		}
	}
}

func (s *Subgraph) implementsAncestors(t, i *schema.Type, ref schema.Reference) {
	if i == t {
		s.invalid(t.Name, ref.Position, "Type %s cannot implement itself because it would create a circular reference.", t.Name)
		return
	}
	for _, above := range i.Interfaces {
		switch {
		case above.Name == t.Name:
			s.invalid(t.Name, ref.Position, "Type %s cannot implement %s because it would create a circular reference.", t.Name, i.Name)
		case !t.Implements(above.Name):
			s.invalid(t.Name, t.Position, "Type %s must implement %s because it is implemented by %s.", t.Name, above.Name, i.Name)
		}
	}
}

func (s *Subgraph) implementsField(t *schema.Type, f *schema.Field) {
	own := t.Field(f.Name)
	if own == nil {
		s.invalid(t.Name, f.Position, "Interface field %s expected but %s does not provide it.", f.Coordinate(), t.Name)
		return
	}
	if !s.IsTypeSubtype(f.Type, own.Type) {
		s.invalid(own.Coordinate(), own.Position, "Interface field %s expects type %s but %s of type %s is not a proper subtype.",
			f.Coordinate(), f.Type, own.Coordinate(), own.Type)
	}
	for _, a := range f.Arguments {
		switch mine := own.Argument(a.Name); {
		case mine == nil:
			s.invalid(own.Coordinate(), own.Position, "Interface field argument %s expected but %s does not provide it.", a.Coordinate(), own.Coordinate())
		case !schema.EqualTypes(a.Type, mine.Type):
			s.invalid(mine.Coordinate(), mine.Position, "Interface field argument %s expects type %s but %s is type %s.",
				a.Coordinate(), a.Type, mine.Coordinate(), mine.Type)
		}
	}
	for _, mine := range own.Arguments {
		if f.Argument(mine.Name) == nil && mine.Type.NonNull && mine.Default == nil && !mine.Has("fromContext") {
			s.invalid(mine.Coordinate(), mine.Position, "Field %s includes required argument %s that is missing from the Interface field %s.",
				own.Coordinate(), mine.Name, f.Coordinate())
		}
	}
}
