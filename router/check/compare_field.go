package check

import (
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
		case narrower(c.new.API, f.Type, g.Type):
			c.add(FieldChangedKindSafe, coordinate, "The type of %s changed from %s to %s.", coordinate, f.Type, g.Type)
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

// narrower tells whether each value of type new could be one of type old: clients read it as before.
func narrower(api *ast.Schema, old, new *ast.Type) bool {
	switch {
	case old.NonNull && !new.NonNull:
		return false
	case old.Elem != nil || new.Elem != nil:
		return old.Elem != nil && new.Elem != nil && narrower(api, old.Elem, new.Elem)
	case old.NamedType == new.NamedType:
		return true
	}
	was, is := api.Types[old.NamedType], api.Types[new.NamedType]
	if was == nil || is == nil || !was.IsAbstractType() {
		return false
	}
	for _, t := range api.GetPossibleTypes(was) {
		if t == is {
			return true
		}
	}
	for _, name := range is.Interfaces {
		if name == was.Name {
			return true
		}
	}
	return false
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
