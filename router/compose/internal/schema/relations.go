package schema

import "github.com/vektah/gqlparser/v2/ast"

// PossibleTypes are the object types that a value of t can have, in order of appearance.
func (s *Schema) PossibleTypes(t *Type) []*Type {
	switch t.Kind {
	case ast.Object:
		return []*Type{t}
	case ast.Union:
		var all []*Type
		for _, m := range t.Members {
			if o := s.Type(m.Name); o != nil && o.Kind == ast.Object {
				all = append(all, o)
			}
		}
		return all
	case ast.Interface:
		return s.implementers(t.Name)
	}
	return nil
}

// implementers are computed once a schema no longer changes; Freeze makes the index.
func (s *Schema) implementers(name string) []*Type {
	if s.frozen != nil {
		return s.frozen[name]
	}
	var all []*Type
	for _, o := range s.Types {
		if o.Kind == ast.Object && o.Implements(name) {
			all = append(all, o)
		}
	}
	return all
}

// Freeze indexes the implementations of interfaces. Types may not be added or removed any more, nor interfaces of a type
// changed, until Thaw.
func (s *Schema) Freeze() {
	s.frozen = map[string][]*Type{}
	for _, o := range s.Types {
		if o.Kind == ast.Object {
			for _, i := range o.Interfaces {
				s.frozen[i.Name] = append(s.frozen[i.Name], o)
			}
		}
	}
}

// Overlap tells whether some object type is possible for both.
func (s *Schema) Overlap(a, b *Type) bool {
	if a == b {
		return true
	}
	possible := map[string]bool{}
	for _, t := range s.PossibleTypes(a) {
		possible[t.Name] = true
	}
	for _, t := range s.PossibleTypes(b) {
		if possible[t.Name] {
			return true
		}
	}
	return false
}

// IsSubtype tells whether a value of the named type sub can stand where super is expected.
func (s *Schema) IsSubtype(super, sub string) bool {
	if super == sub {
		return true
	}
	a, b := s.Type(super), s.Type(sub)
	if a == nil || b == nil {
		return false
	}
	switch a.Kind {
	case ast.Interface:
		return b.Implements(super)
	case ast.Union:
		return a.HasMember(sub)
	}
	return false
}

// IsTypeSubtype extends IsSubtype to references with lists and non-null marks.
func (s *Schema) IsTypeSubtype(super, sub *ast.Type) bool {
	switch {
	case super.NonNull:
		return sub.NonNull && s.IsTypeSubtype(Nullable(super), Nullable(sub))
	case sub.NonNull:
		return s.IsTypeSubtype(super, Nullable(sub))
	case super.Elem != nil:
		return sub.Elem != nil && s.IsTypeSubtype(super.Elem, sub.Elem)
	case sub.Elem != nil:
		return false
	}
	return s.IsSubtype(super.NamedType, sub.NamedType)
}
