package check

import (
	"slices"

	"github.com/vektah/gqlparser/v2/ast"
)

// directive compares two directive definitions of one name, of which one may be missing. Only those that operations may
// apply matter: composition lets no others into the API schema but the specification's.
func (c *comparison) directive(old, new *ast.DirectiveDefinition) {
	switch {
	case old == nil:
		c.add(DirectiveAdded, "@"+new.Name, "@%s was added.", new.Name)
		return
	case new == nil:
		c.add(DirectiveRemoved, "@"+old.Name, "@%s was removed.", old.Name)
		return
	}
	coordinate := "@" + old.Name
	c.described(coordinate, old.Description, new.Description)
	switch {
	case old.IsRepeatable && !new.IsRepeatable:
		c.add(DirectiveRepeatableRemoved, coordinate, "%s is no longer repeatable.", coordinate)
	case !old.IsRepeatable && new.IsRepeatable:
		c.add(DirectiveRepeatableAdded, coordinate, "%s is repeatable now.", coordinate)
	}
	for _, l := range old.Locations {
		if !slices.Contains(new.Locations, l) {
			c.add(DirectiveLocationRemoved, coordinate, "%s can no longer stand on %s.", coordinate, l)
		}
	}
	for _, l := range new.Locations {
		if !slices.Contains(old.Locations, l) {
			c.add(DirectiveLocationAdded, coordinate, "%s can stand on %s.", coordinate, l)
		}
	}
	c.directiveArguments(coordinate, old.Arguments, new.Arguments)
}

func (c *comparison) directiveArguments(of string, old, new ast.ArgumentDefinitionList) {
	for _, a := range old {
		coordinate := of + "(" + a.Name + ":)"
		b := new.ForName(a.Name)
		if b == nil {
			c.add(DirectiveArgRemoved, coordinate, "%s was removed.", coordinate)
			continue
		}
		c.described(coordinate, a.Description, b.Description)
		c.input(coordinate, declared{a.Type, a.DefaultValue}, declared{b.Type, b.DefaultValue}, argumentCodes)
	}
	for _, b := range new {
		if old.ForName(b.Name) != nil {
			continue
		}
		coordinate := of + "(" + b.Name + ":)"
		if (declared{b.Type, b.DefaultValue}).required() {
			c.add(RequiredDirectiveArgAdded, coordinate, "Required argument %s was added.", coordinate)
		} else {
			c.add(OptionalDirectiveArgAdded, coordinate, "Optional argument %s was added.", coordinate)
		}
	}
}
