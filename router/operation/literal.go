package operation

import (
	"github.com/vektah/gqlparser/v2/ast"

	"github.com/agora-supergraph/agora/router/operation/internal/rawjson"
)

// literal writes a literal of the text as the JSON that a variable of that type could be given, coerced as
// variables are. It reports false if there is no such JSON: the value holds a variable, or is an enum value in
// a custom scalar, which JSON could only give as a string.
func (s *Selected) literal(v *ast.Value, typ *ast.Type) ([]byte, bool) {
	return literals{api: s.supergraph.API}.append(nil, v, typ)
}

// constant is literal for a variable's default, which holds no variables and has to become JSON: enum values in
// custom scalars become strings.
func (s *Selected) constant(v *ast.Value, typ *ast.Type) []byte {
	raw, _ := literals{api: s.supergraph.API, enumsAsText: true}.append(nil, v, typ)
	return raw
}

type literals struct {
	api         *ast.Schema
	enumsAsText bool
}

func (l literals) append(dst []byte, v *ast.Value, typ *ast.Type) ([]byte, bool) {
	if v.Kind == ast.NullValue {
		return append(dst, "null"...), true
	}
	if typ != nil && typ.Elem != nil {
		return l.appendList(dst, v, typ)
	}
	var def *ast.Definition
	if typ != nil {
		def = l.api.Types[typ.NamedType]
	}
	switch v.Kind {
	case ast.IntValue:
		if def != nil && def.Name == "ID" {
			return append(append(append(dst, '"'), v.Raw...), '"'), true
		}
		return append(dst, v.Raw...), true
	case ast.FloatValue, ast.BooleanValue:
		return append(dst, v.Raw...), true
	case ast.StringValue, ast.BlockValue:
		return rawjson.AppendString(dst, v.Raw), true
	case ast.EnumValue:
		if (def == nil || def.Kind != ast.Enum) && !l.enumsAsText {
			return dst, false
		}
		return rawjson.AppendString(dst, v.Raw), true
	case ast.ListValue:
		return l.appendList(dst, v, nil)
	case ast.ObjectValue:
		return l.appendObject(dst, v, def)
	}
	return dst, false
}

// appendList writes a list; a single value given for one becomes its only item. typ is nil within a custom
// scalar.
func (l literals) appendList(dst []byte, v *ast.Value, typ *ast.Type) ([]byte, bool) {
	var elem *ast.Type
	if typ != nil {
		elem = typ.Elem
	}
	items := v.Children
	if v.Kind != ast.ListValue {
		items = ast.ChildValueList{{Value: v}}
	}
	dst = append(dst, '[')
	for i, item := range items {
		if i > 0 {
			dst = append(dst, ',')
		}
		var ok bool
		if dst, ok = l.append(dst, item.Value, elem); !ok {
			return dst, false
		}
	}
	return append(dst, ']'), true
}

func (l literals) appendObject(dst []byte, v *ast.Value, def *ast.Definition) ([]byte, bool) {
	dst = append(dst, '{')
	for i, field := range v.Children {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = append(rawjson.AppendString(dst, field.Name), ':')
		var typ *ast.Type
		if def != nil {
			if f := def.Fields.ForName(field.Name); f != nil {
				typ = f.Type
			}
		}
		var ok bool
		if dst, ok = l.append(dst, field.Value, typ); !ok {
			return dst, false
		}
	}
	return append(dst, '}'), true
}
