package check

import (
	"strings"

	"github.com/vektah/gqlparser/v2/ast"
)

// declared is what an argument and an input field have in common.
type declared struct {
	typ   *ast.Type
	value *ast.Value
}

// required tells whether clients must give it.
func (d declared) required() bool { return d.typ.NonNull && d.value == nil }

// inputCodes are the codes for changes of an input position.
type inputCodes struct{ kind, safe, value, valueAdded, required Code }

var (
	argumentCodes   = inputCodes{ArgChangedKind, ArgChangedKindSafe, ArgDefaultValueChange, ArgDefaultValueAdded, ArgBecameRequired}
	inputFieldCodes = inputCodes{FieldChangedKind, FieldChangedKindSafe, InputFieldDefaultChange, InputFieldDefaultAdded, InputFieldBecameRequired}
)

// input compares the types and default values of one argument or input field.
func (c *comparison) input(coordinate string, old, new declared, codes inputCodes) {
	switch {
	case old.typ.String() == new.typ.String():
	case wider(old.typ, new.typ):
		c.add(codes.safe, coordinate, "The type of %s changed from %s to %s.", coordinate, old.typ, new.typ)
	case wider(nullable(old.typ), nullable(new.typ)) && !new.required():
		// Non-null with a default value: those who leave it out go on, those who write null or a nullable variable do not.
		c.add(codes.kind, coordinate, "The type of %s changed from %s to %s: null is no longer taken.", coordinate, old.typ, new.typ)
	default:
		c.add(codes.kind, coordinate, "The type of %s changed from %s to %s.", coordinate, old.typ, new.typ)
	}
	switch before, after := literal(old.value), literal(new.value); {
	case before == after:
	case before == "":
		c.add(codes.valueAdded, coordinate, "%s got the default value %s.", coordinate, after)
	case after == "" && new.typ.NonNull:
		c.add(codes.required, coordinate, "%s lost its default value %s, and must be given now.", coordinate, before)
	case after == "":
		c.add(codes.value, coordinate, "%s lost its default value %s.", coordinate, before)
	default:
		c.add(codes.value, coordinate, "The default value of %s changed from %s to %s.", coordinate, before, after)
	}
}

func nullable(t *ast.Type) *ast.Type {
	copied := *t
	copied.NonNull = false
	return &copied
}

// literal writes a default value so that equal values are equal texts; empty for none.
func literal(v *ast.Value) string {
	if v == nil {
		return ""
	}
	if v.Kind != ast.ObjectValue && v.Kind != ast.ListValue {
		return v.String()
	}
	fields := map[string]string{}
	var parts []string
	for _, child := range v.Children {
		fields[child.Name] = literal(child.Value)
		parts = append(parts, literal(child.Value))
	}
	if v.Kind == ast.ListValue {
		return "[" + strings.Join(parts, ", ") + "]"
	}
	parts = nil
	for _, name := range names(fields, nil) {
		parts = append(parts, name+": "+fields[name])
	}
	return "{" + strings.Join(parts, ", ") + "}"
}

// inputFields compares the fields of an input object.
func (c *comparison) inputFields(old, new *ast.Definition) {
	switch was, is := old.Directives.ForName("oneOf") != nil, new.Directives.ForName("oneOf") != nil; {
	case !was && is:
		c.add(BecameOneOf, old.Name, "%s is @oneOf now: exactly one of its fields must be given.", old.Name)
	case was && !is:
		c.add(NoLongerOneOf, old.Name, "%s is no longer @oneOf.", old.Name)
	}
	for _, f := range old.Fields {
		coordinate := old.Name + "." + f.Name
		g := new.Fields.ForName(f.Name)
		if g == nil {
			c.removed(FieldRemoved, coordinate, f.Directives)
			continue
		}
		c.described(coordinate, f.Description, g.Description)
		c.deprecated(coordinate, f.Directives, g.Directives)
		c.input(coordinate, declared{f.Type, f.DefaultValue}, declared{g.Type, g.DefaultValue}, inputFieldCodes)
	}
	for _, g := range new.Fields {
		if old.Fields.ForName(g.Name) != nil {
			continue
		}
		coordinate := new.Name + "." + g.Name
		if (declared{g.Type, g.DefaultValue}).required() {
			c.add(RequiredInputFieldAdded, coordinate, "Required input field %s was added.", coordinate)
		} else {
			c.add(OptionalInputFieldAdded, coordinate, "Optional input field %s was added.", coordinate)
		}
	}
}
