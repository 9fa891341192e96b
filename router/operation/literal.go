package operation

import (
	"github.com/vektah/gqlparser/v2/ast"

	"github.com/agora-supergraph/agora/router/operation/internal/rawjson"
)

// literal writes a literal of the text as the JSON that a variable of that type could be given, coerced as
// variables are. It reports false if there is no such JSON: the value holds a variable, or is an enum value in
// a custom scalar, which JSON could only give as a string.
func (s *Selected) literal(v *ast.Value, typ *ast.Type) ([]byte, bool) {
	raw, ok := s.appendLiteral(nil, v, typ)
	return raw, ok
}

func (s *Selected) appendLiteral(dst []byte, v *ast.Value, typ *ast.Type) ([]byte, bool) {
	if v.Kind == ast.NullValue {
		return append(dst, "null"...), true
	}
	if typ != nil && typ.Elem != nil {
		return s.appendList(dst, v, typ)
	}
	var def *ast.Definition
	if typ != nil {
		def = s.supergraph.API.Types[typ.NamedType]
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
		if def == nil || def.Kind != ast.Enum {
			return dst, false
		}
		return rawjson.AppendString(dst, v.Raw), true
	case ast.ListValue:
		return s.appendList(dst, v, nil)
	case ast.ObjectValue:
		return s.appendObject(dst, v, def)
	}
	return dst, false
}

// appendList writes a list; a single value given for one becomes its only item. typ is nil within a custom
// scalar.
func (s *Selected) appendList(dst []byte, v *ast.Value, typ *ast.Type) ([]byte, bool) {
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
		if dst, ok = s.appendLiteral(dst, item.Value, elem); !ok {
			return dst, false
		}
	}
	return append(dst, ']'), true
}

func (s *Selected) appendObject(dst []byte, v *ast.Value, def *ast.Definition) ([]byte, bool) {
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
		if dst, ok = s.appendLiteral(dst, field.Value, typ); !ok {
			return dst, false
		}
	}
	return append(dst, '}'), true
}
