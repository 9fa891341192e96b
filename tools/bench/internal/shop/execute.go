package shop

import (
	"encoding/json"
	"fmt"
	"strconv"

	"github.com/vektah/gqlparser/v2/ast"
)

// execution is the execution of one operation. Its values are those of the world; a list is a []any.
type execution struct {
	service   *Service
	variables map[string]any
}

// object appends an object with what all of the selection sets together ask of it.
func (x *execution) object(out []byte, v any, sets []ast.SelectionSet) ([]byte, error) {
	var keys []string
	fields := map[string][]*ast.Field{}
	for _, set := range sets {
		x.collect(typename(v), set, func(f *ast.Field) {
			if fields[f.Alias] == nil {
				keys = append(keys, f.Alias)
			}
			fields[f.Alias] = append(fields[f.Alias], f)
		})
	}
	out = append(out, '{')
	for i, key := range keys {
		if i > 0 {
			out = append(out, ',')
		}
		out = append(append(strconv.AppendQuote(out, key), ':'), "null"...)
		value, err := x.resolve(v, fields[key][0])
		if err != nil {
			return nil, fmt.Errorf("%s: %w", key, err)
		}
		if value == nil {
			continue
		}
		var below []ast.SelectionSet
		for _, f := range fields[key] {
			below = append(below, f.SelectionSet)
		}
		if out, err = x.value(out[:len(out)-len("null")], value, below); err != nil {
			return nil, err
		}
	}
	return append(out, '}'), nil
}

// value appends a value.
func (x *execution) value(out []byte, v any, sets []ast.SelectionSet) ([]byte, error) {
	switch v := v.(type) {
	case nil:
		return append(out, "null"...), nil
	case string:
		text, err := json.Marshal(v)
		return append(out, text...), err
	case int:
		return strconv.AppendInt(out, int64(v), 10), nil
	case bool:
		return strconv.AppendBool(out, v), nil
	case []any:
		out = append(out, '[')
		for i, element := range v {
			if i > 0 {
				out = append(out, ',')
			}
			var err error
			if out, err = x.value(out, element, sets); err != nil {
				return nil, err
			}
		}
		return append(out, ']'), nil
	}
	return x.object(out, v, sets)
}

// collect calls add for each field that a set asks of an object of the type.
func (x *execution) collect(typ string, set ast.SelectionSet, add func(*ast.Field)) {
	for _, s := range set {
		switch s := s.(type) {
		case *ast.Field:
			if x.included(s.Directives) {
				add(s)
			}
		case *ast.InlineFragment:
			if x.included(s.Directives) && x.applies(s.TypeCondition, typ) {
				x.collect(typ, s.SelectionSet, add)
			}
		case *ast.FragmentSpread:
			if x.included(s.Directives) && x.applies(s.Definition.TypeCondition, typ) {
				x.collect(typ, s.Definition.SelectionSet, add)
			}
		}
	}
}

// applies tells whether a type condition holds; there are no abstract types but the union of all entities.
func (x *execution) applies(condition, typ string) bool {
	return condition == "" || condition == typ || condition == "_Entity"
}

func (x *execution) included(list ast.DirectiveList) bool {
	for _, d := range list {
		switch d.Name {
		case "skip":
			if d.ArgumentMap(x.variables)["if"] == true {
				return false
			}
		case "include":
			if d.ArgumentMap(x.variables)["if"] == false {
				return false
			}
		}
	}
	return true
}
