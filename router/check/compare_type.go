package check

import (
	"slices"

	"github.com/vektah/gqlparser/v2/ast"
)

// kinds are the kinds of types in words.
var kinds = map[ast.DefinitionKind]string{
	ast.Scalar: "a scalar", ast.Object: "an object", ast.Interface: "an interface",
	ast.Union: "a union", ast.Enum: "an enum", ast.InputObject: "an input object",
}

// typ compares two types of one name, of which one may be missing.
func (c *comparison) typ(old, new *ast.Definition) {
	switch {
	case old == nil:
		if !new.BuiltIn {
			c.add(TypeAdded, new.Name, "%s was added.", new.Name)
		}
		return
	case new == nil:
		// Specified scalars and the introspection types come and go with their use.
		if !old.BuiltIn {
			c.add(TypeRemoved, old.Name, "%s was removed.", old.Name)
		}
		return
	case old.BuiltIn:
		return
	case old.Kind != new.Kind:
		c.add(TypeChangedKind, old.Name, "%s changed from %s to %s.", old.Name, kinds[old.Kind], kinds[new.Kind])
		return
	}
	c.described(old.Name, old.Description, new.Description)
	switch old.Kind {
	case ast.Object, ast.Interface:
		c.interfaces(old, new)
		c.fields(old, new)
	case ast.Union:
		c.members(old, new)
	case ast.Enum:
		c.values(old, new)
	case ast.InputObject:
		c.inputFields(old, new)
	case ast.Scalar:
		c.specified(old, new)
	}
}

func (c *comparison) interfaces(old, new *ast.Definition) {
	for _, name := range old.Interfaces {
		if !slices.Contains(new.Interfaces, name) {
			c.add(ImplementedInterfaceGone, old.Name, "%s no longer implements interface %s.", old.Name, name)
		}
	}
	for _, name := range new.Interfaces {
		if slices.Contains(old.Interfaces, name) {
			continue
		}
		severity := rulings[ImplementedInterfaceAdded].severity
		if c.old.API.Types[name] == nil || new.Kind == ast.Interface {
			// No operation can mention an interface that is new; and an interface that implements another one adds no
			// runtime types to it: its objects implement both, and are reported themselves.
			severity = Safe
		}
		c.rule(severity, ImplementedInterfaceAdded, new.Name, "%s implements interface %s now.", new.Name, name)
	}
}

func (c *comparison) members(old, new *ast.Definition) {
	for _, name := range old.Types {
		if !slices.Contains(new.Types, name) {
			c.add(TypeRemovedFromUnion, old.Name, "%s was removed from union %s.", name, old.Name)
		}
	}
	for _, name := range new.Types {
		if !slices.Contains(old.Types, name) {
			c.add(TypeAddedToUnion, old.Name, "%s was added to union %s.", name, old.Name)
		}
	}
}

func (c *comparison) values(old, new *ast.Definition) {
	for _, v := range old.EnumValues {
		coordinate := old.Name + "." + v.Name
		w := new.EnumValues.ForName(v.Name)
		if w == nil {
			c.removed(ValueRemovedFromEnum, coordinate, v.Directives)
			continue
		}
		c.described(coordinate, v.Description, w.Description)
		c.deprecated(coordinate, v.Directives, w.Directives)
	}
	for _, w := range new.EnumValues {
		if old.EnumValues.ForName(w.Name) != nil {
			continue
		}
		severity := rulings[ValueAddedToEnum].severity
		if !c.returned[old.Name] {
			severity = Safe
		}
		c.rule(severity, ValueAddedToEnum, old.Name+"."+w.Name, "%s.%s was added.", old.Name, w.Name)
	}
}

func (c *comparison) specified(old, new *ast.Definition) {
	before, after := specification(old), specification(new)
	if before != after {
		c.add(SpecifiedByChanged, old.Name, "The specification of %s changed from %q to %q.", old.Name, before, after)
	}
}

func specification(scalar *ast.Definition) string {
	if d := scalar.Directives.ForName("specifiedBy"); d != nil {
		if a := d.Arguments.ForName("url"); a != nil {
			return a.Value.Raw
		}
	}
	return ""
}
