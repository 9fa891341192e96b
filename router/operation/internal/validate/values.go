package validate

import (
	"strconv"

	"github.com/vektah/gqlparser/v2/ast"
)

// https://spec.graphql.org/draft/#sec-Values-of-Correct-Type, with required and unknown fields of input objects.
func valuesOfCorrectType(d *document) {
	for _, def := range d.definitions {
		for _, v := range def.values {
			if v.ExpectedType != nil {
				d.value(v, v.ExpectedType)
			}
		}
	}
}

// value checks a literal against a type. A variable is checked by its declaration.
func (d *document) value(v *ast.Value, typ *ast.Type) {
	switch {
	case v.Kind == ast.Variable:
		return
	case v.Kind == ast.NullValue:
		if typ.NonNull {
			d.report(at(v.Position), `Expected value of type "%s", found null.`, typ)
		}
		return
	case typ.Elem != nil && v.Kind == ast.ListValue:
		for _, c := range v.Children {
			d.value(c.Value, typ.Elem)
		}
		return
	case typ.Elem != nil:
		// A single value stands for a list of one.
		d.value(v, typ.Elem)
		return
	}
	def := d.api.Types[typ.NamedType]
	switch {
	case def == nil:
	case def.Kind == ast.InputObject && v.Kind == ast.ObjectValue:
		d.object(v, def)
	case def.Kind == ast.InputObject:
		d.report(at(v.Position), `Expected value of type "%s", found %s.`, typ, v)
	case def.Kind == ast.Enum:
		d.enum(v, def)
	case def.Kind == ast.Scalar:
		if message := scalarError(v, def.Name); message != "" {
			d.report(at(v.Position), "%s: %s", message, v)
		}
	}
}

func (d *document) object(v *ast.Value, def *ast.Definition) {
	given := make(map[string]bool, len(v.Children))
	for _, c := range v.Children {
		given[c.Name] = true
		field := def.Fields.ForName(c.Name)
		if field == nil {
			var candidates []string
			for _, f := range def.Fields {
				candidates = append(candidates, f.Name)
			}
			d.report(at(c.Position), `Field "%s" is not defined by type "%s".%s`,
				c.Name, def.Name, d.didYouMean("", c.Name, candidates))
			continue
		}
		d.value(c.Value, field.Type)
	}
	for _, f := range def.Fields {
		if f.Type.NonNull && f.DefaultValue == nil && !given[f.Name] {
			d.report(at(v.Position), `Field "%s.%s" of required type "%s" was not provided.`, def.Name, f.Name, f.Type)
		}
	}
	if !isOneOf(def) {
		return
	}
	switch {
	case len(v.Children) != 1:
		d.report(at(v.Position), `OneOf Input Object "%s" must specify exactly one key.`, def.Name)
	case v.Children[0].Value.Kind == ast.NullValue:
		d.report(at(v.Position), `Field "%s.%s" must be non-null.`, def.Name, v.Children[0].Name)
	}
}

func (d *document) enum(v *ast.Value, def *ast.Definition) {
	if v.Kind == ast.EnumValue && def.EnumValues.ForName(v.Raw) != nil {
		return
	}
	var candidates []string
	for _, value := range def.EnumValues {
		candidates = append(candidates, value.Name)
	}
	if v.Kind == ast.EnumValue {
		d.report(at(v.Position), `Value "%s" does not exist in "%s" enum.%s`,
			v.Raw, def.Name, d.didYouMean("the enum value", v.Raw, candidates))
		return
	}
	d.report(at(v.Position), `Enum "%s" cannot represent non-enum value: %s.%s`,
		def.Name, v, d.didYouMean("the enum value", v.Raw, candidates))
}

// scalarError says what is wrong with a literal for a built-in scalar; any literal is right for others.
func scalarError(v *ast.Value, scalar string) string {
	text := v.Kind == ast.StringValue || v.Kind == ast.BlockValue
	switch scalar {
	case "Int":
		if v.Kind != ast.IntValue {
			return "Int cannot represent non-integer value"
		}
		if _, err := strconv.ParseInt(v.Raw, 10, 32); err != nil {
			return "Int cannot represent non 32-bit signed integer value"
		}
	case "Float":
		if v.Kind != ast.IntValue && v.Kind != ast.FloatValue {
			return "Float cannot represent non numeric value"
		}
		if _, err := strconv.ParseFloat(v.Raw, 64); err != nil {
			return "Float cannot represent a value beyond double precision"
		}
	case "String":
		if !text {
			return "String cannot represent a non string value"
		}
	case "Boolean":
		if v.Kind != ast.BooleanValue {
			return "Boolean cannot represent a non boolean value"
		}
	case "ID":
		if !text && v.Kind != ast.IntValue {
			return "ID cannot represent a non-string and non-integer value"
		}
	}
	return ""
}
