package check

import (
	"slices"

	"github.com/vektah/gqlparser/v2/ast"
)

// fields compares the fields of an object or an interface.
func (c *comparison) fields(old, new *ast.Definition) {
	for _, f := range visible(old) {
		coordinate := old.Name + "." + f.Name
		g := new.Fields.ForName(f.Name)
		if g == nil {
			c.removed(FieldRemoved, coordinate, f.Directives)
			continue
		}
		c.described(coordinate, f.Description, g.Description)
		c.deprecated(coordinate, f.Directives, g.Directives)
		switch {
		case f.Type.String() == g.Type.String():
		case narrower(f.Type, g.Type, same):
			c.add(FieldChangedKindSafe, coordinate, "The type of %s changed from %s to %s.", coordinate, f.Type, g.Type)
		case narrower(f.Type, g.Type, c.subtype):
			c.add(FieldChangedToSubtype, coordinate, "The type of %s changed from %s to %s.", coordinate, f.Type, g.Type)
		default:
			c.add(FieldChangedKind, coordinate, "The type of %s changed from %s to %s.", coordinate, f.Type, g.Type)
		}
		c.arguments(coordinate, f.Arguments, g.Arguments)
		c.requirement(old.Name, f.Name)
	}
	for _, g := range visible(new) {
		if old.Fields.ForName(g.Name) == nil {
			c.add(FieldAdded, new.Name+"."+g.Name, "%s.%s was added.", new.Name, g.Name)
		}
	}
}

// visible are the fields without __typename and those of introspection.
func visible(t *ast.Definition) ast.FieldList {
	var list ast.FieldList
	for _, f := range t.Fields {
		if len(f.Name) < 2 || f.Name[:2] != "__" {
			list = append(list, f)
		}
	}
	return list
}

// narrower tells whether each value of type new could be one of type old: clients read it as before. Named types are
// compared by the function.
func narrower(old, new *ast.Type, named func(old, new string) bool) bool {
	switch {
	case old.NonNull && !new.NonNull:
		return false
	case old.Elem != nil || new.Elem != nil:
		return old.Elem != nil && new.Elem != nil && narrower(old.Elem, new.Elem, named)
	}
	return named(old.NamedType, new.NamedType)
}

func same(old, new string) bool { return old == new }

// subtype tells whether one type is the other or one of its runtime types or implementing interfaces, in the new schema:
// what operations select is still there, but a fragment on another runtime type is not valid any more.
func (c *comparison) subtype(old, new string) bool {
	was, is := c.new.API.Types[old], c.new.API.Types[new]
	if old == new || was == nil || is == nil {
		return old == new
	}
	return slices.Contains(c.new.API.GetPossibleTypes(was), is) || slices.Contains(is.Interfaces, old)
}

// wider tells whether each value of type old may be given where new is asked: clients write it as before.
func wider(old, new *ast.Type) bool {
	switch {
	case new.NonNull && !old.NonNull:
		return false
	case old.Elem == nil && new.Elem != nil:
		// A single value stands for a list of one in a literal, but not where a variable is declared.
		return false
	case old.Elem != nil || new.Elem != nil:
		return old.Elem != nil && new.Elem != nil && wider(old.Elem, new.Elem)
	}
	return old.NamedType == new.NamedType
}

// arguments compares the arguments of a field.
func (c *comparison) arguments(of string, old, new ast.ArgumentDefinitionList) {
	for _, a := range old {
		coordinate := of + "(" + a.Name + ":)"
		b := new.ForName(a.Name)
		if b == nil {
			c.removed(ArgRemoved, coordinate, a.Directives)
			continue
		}
		c.described(coordinate, a.Description, b.Description)
		c.deprecated(coordinate, a.Directives, b.Directives)
		c.input(coordinate, declared{a.Type, a.DefaultValue}, declared{b.Type, b.DefaultValue}, argumentCodes)
	}
	for _, b := range new {
		if old.ForName(b.Name) != nil {
			continue
		}
		coordinate := of + "(" + b.Name + ":)"
		if b.Type.NonNull && b.DefaultValue == nil {
			c.add(RequiredArgAdded, coordinate, "Required argument %s was added.", coordinate)
		} else {
			c.add(OptionalArgAdded, coordinate, "Optional argument %s was added.", coordinate)
		}
	}
}
