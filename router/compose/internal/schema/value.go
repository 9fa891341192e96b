package schema

import (
	"math/big"
	"slices"
	"strconv"
	"strings"

	"github.com/vektah/gqlparser/v2/ast"
)

// FormatValue writes a value as the reference does: one space after commas and colons, strings in quotes, floats in their
// shortest form.
func FormatValue(v *ast.Value) string {
	switch v.Kind {
	case ast.StringValue, ast.BlockValue:
		return Quote(v.Raw)
	case ast.ListValue, ast.ObjectValue:
		parts := make([]string, len(v.Children))
		for i, c := range v.Children {
			parts[i] = FormatValue(c.Value)
			if v.Kind == ast.ObjectValue {
				parts[i] = c.Name + ": " + parts[i]
			}
		}
		if v.Kind == ast.ObjectValue {
			return "{" + strings.Join(parts, ", ") + "}"
		}
		return "[" + strings.Join(parts, ", ") + "]"
	case ast.IntValue, ast.FloatValue:
		return formatNumber(v.Raw)
	case ast.Variable:
		return "$" + v.Raw
	}
	return v.Raw
}

func formatNumber(raw string) string {
	f, err := strconv.ParseFloat(raw, 64)
	if err != nil {
		return raw
	}
	if i, ok := new(big.Int).SetString(raw, 10); ok {
		return i.String()
	}
	s := strconv.FormatFloat(f, 'g', -1, 64)
	if !strings.Contains(s, "e") {
		return s
	}
	if f > -1e21 && f < 1e21 && (f >= 1e-6 || f <= -1e-6) {
		return strconv.FormatFloat(f, 'f', -1, 64)
	}
	return s
}

// Quote writes s as a GraphQL string.
func Quote(s string) string {
	var b strings.Builder
	b.WriteByte('"')
	for _, r := range s {
		switch {
		case r == '"' || r == '\\':
			b.WriteByte('\\')
			b.WriteRune(r)
		case r == '\n':
			b.WriteString(`\n`)
		case r == '\t':
			b.WriteString(`\t`)
		case r == '\r':
			b.WriteString(`\r`)
		case r == '\b':
			b.WriteString(`\b`)
		case r == '\f':
			b.WriteString(`\f`)
		case r < 0x20 || r == 0x7f:
			b.WriteString(`\u00` + strconv.FormatInt(int64(r)>>4, 16) + strconv.FormatInt(int64(r)&15, 16))
		default:
			b.WriteRune(r)
		}
	}
	b.WriteByte('"')
	return b.String()
}

// EqualValues compares two constant values; the order of an input object's fields does not matter.
func EqualValues(a, b *ast.Value) bool {
	switch {
	case a == nil || b == nil:
		return a == b
	case isString(a) && isString(b):
		return a.Raw == b.Raw
	case isNumber(a) && isNumber(b):
		return formatNumber(a.Raw) == formatNumber(b.Raw)
	case a.Kind != b.Kind || len(a.Children) != len(b.Children):
		return false
	case a.Kind == ast.ListValue:
		return slices.EqualFunc(a.Children, b.Children, func(x, y *ast.ChildValue) bool { return EqualValues(x.Value, y.Value) })
	case a.Kind == ast.ObjectValue:
		for _, c := range a.Children {
			if !EqualValues(c.Value, b.Children.ForName(c.Name)) {
				return false
			}
		}
		return true
	}
	return a.Raw == b.Raw
}

func isString(v *ast.Value) bool { return v.Kind == ast.StringValue || v.Kind == ast.BlockValue }
func isNumber(v *ast.Value) bool { return v.Kind == ast.IntValue || v.Kind == ast.FloatValue }

// String makes a string value.
func String(s string) *ast.Value { return &ast.Value{Kind: ast.StringValue, Raw: s} }

// Enum makes an enum value.
func Enum(s string) *ast.Value { return &ast.Value{Kind: ast.EnumValue, Raw: s} }

// Boolean makes a boolean value.
func Boolean(b bool) *ast.Value {
	return &ast.Value{Kind: ast.BooleanValue, Raw: strconv.FormatBool(b)}
}

// List makes a list value.
func List(items ...*ast.Value) *ast.Value {
	v := &ast.Value{Kind: ast.ListValue}
	for _, item := range items {
		v.Children = append(v.Children, &ast.ChildValue{Value: item})
	}
	return v
}

// Object makes an input object value of the arguments.
func Object(fields ...DirectiveArgument) *ast.Value {
	v := &ast.Value{Kind: ast.ObjectValue}
	for _, f := range fields {
		v.Children = append(v.Children, &ast.ChildValue{Name: f.Name, Value: f.Value})
	}
	return v
}

// Arg makes a directive argument.
func Arg(name string, v *ast.Value) DirectiveArgument { return DirectiveArgument{Name: name, Value: v} }

// EqualTypes compares two type references.
func EqualTypes(a, b *ast.Type) bool {
	if a == nil || b == nil {
		return a == b
	}
	return a.NonNull == b.NonNull && a.NamedType == b.NamedType && EqualTypes(a.Elem, b.Elem)
}

// Nullable is t without its outer non-null mark.
func Nullable(t *ast.Type) *ast.Type {
	if !t.NonNull {
		return t
	}
	c := *t
	c.NonNull = false
	return &c
}
