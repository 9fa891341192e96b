package subgraph

import (
	"fmt"
	"strconv"

	"github.com/vektah/gqlparser/v2/ast"

	"github.com/agora-supergraph/agora/router/compose/internal/schema"
)

// defaultValues checks the defaults of arguments and input fields.
func defaultValues(s *Subgraph) {
	for _, t := range s.Types {
		for _, f := range t.Fields {
			if t.Kind == ast.InputObject && f.Default != nil && s.valueProblem(f.Default, f.Type) != "" {
				s.invalid(f.Coordinate(), f.Position, "Invalid default value (got: %s) provided for input field %s of type %s.",
					shown(f.Default), f.Coordinate(), f.Type)
			}
			for _, a := range f.Arguments {
				s.defaultOf(a, a.Coordinate())
			}
		}
	}
	for _, d := range s.Directives {
		for _, a := range d.Arguments {
			s.defaultOf(a, "@"+d.Name+"("+a.Name+":)")
		}
	}
}

func (s *Subgraph) defaultOf(a *schema.Argument, coordinate string) {
	if a.Default != nil && s.valueProblem(a.Default, a.Type) != "" {
		s.invalid(coordinate, a.Position, "Invalid default value (got: %s) provided for argument %s of type %s.", shown(a.Default), coordinate, a.Type)
	}
}

// shown writes an enum value in quotes, as the reference's messages do.
func shown(v *ast.Value) string {
	if v.Kind == ast.EnumValue {
		return schema.Quote(v.Raw)
	}
	return schema.FormatValue(v)
}

// valueProblem says why a constant does not fit a type; empty if it does.
func (s *Subgraph) valueProblem(v *ast.Value, t *ast.Type) string {
	switch {
	case v.Kind == ast.Variable:
		return fmt.Sprintf("variable $%s is not allowed here", v.Raw)
	case v.Kind == ast.NullValue:
		if t.NonNull {
			return fmt.Sprintf("Expected value of type %q, found null.", t)
		}
		return ""
	case t.Elem != nil:
		return s.listProblem(v, t.Elem)
	}
	if def := s.Type(t.NamedType); def != nil {
		switch def.Kind {
		case ast.Enum:
			if v.Kind != ast.EnumValue || def.Value(v.Raw) == nil {
				return fmt.Sprintf("Value %s does not exist in %q enum.%s", schema.FormatValue(v), def.Name, schema.DidYouMean(v.Raw, def.ValueNames()))
			}
			return ""
		case ast.InputObject:
			return s.objectProblem(v, def)
		}
	}
	return scalarProblem(v, t.NamedType)
}

func (s *Subgraph) listProblem(v *ast.Value, elem *ast.Type) string {
	if v.Kind != ast.ListValue {
		return s.valueProblem(v, elem)
	}
	for _, c := range v.Children {
		if why := s.valueProblem(c.Value, elem); why != "" {
			return why
		}
	}
	return ""
}

func (s *Subgraph) objectProblem(v *ast.Value, def *schema.Type) string {
	if v.Kind != ast.ObjectValue {
		return fmt.Sprintf("Expected value of type %q, found %s.", def.Name, schema.FormatValue(v))
	}
	for _, c := range v.Children {
		f := def.Field(c.Name)
		if f == nil {
			return fmt.Sprintf("Field %q is not defined by type %q.%s", c.Name, def.Name, schema.DidYouMean(c.Name, def.FieldNames()))
		}
		if why := s.valueProblem(c.Value, f.Type); why != "" {
			return why
		}
	}
	for _, f := range def.Fields {
		if f.Type.NonNull && f.Default == nil && v.Children.ForName(f.Name) == nil {
			return fmt.Sprintf("Field %q of required type %q was not provided.", f.Coordinate(), f.Type)
		}
	}
	return ""
}

func scalarProblem(v *ast.Value, name string) string {
	found := schema.FormatValue(v)
	switch name {
	case "Int":
		if _, err := strconv.ParseInt(v.Raw, 10, 32); v.Kind != ast.IntValue || err != nil {
			return "Int cannot represent non-integer value " + found + "."
		}
	case "Float":
		if v.Kind != ast.IntValue && v.Kind != ast.FloatValue {
			return "Float cannot represent non numeric value " + found + "."
		}
	case "Boolean":
		if v.Kind != ast.BooleanValue {
			return "Boolean cannot represent a non boolean value " + found + "."
		}
	case "String":
		if v.Kind != ast.StringValue && v.Kind != ast.BlockValue {
			return "String cannot represent a non string value " + found + "."
		}
	case "ID":
		if v.Kind != ast.StringValue && v.Kind != ast.BlockValue && v.Kind != ast.IntValue {
			return "ID cannot represent a non-string and non-integer value " + found + "."
		}
	}
	return ""
}
