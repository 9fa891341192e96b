package operation

import (
	"math"
	"strconv"

	"github.com/vektah/gqlparser/v2/ast"

	"github.com/agora-supergraph/agora/router/operation/internal/rawjson"
	"github.com/agora-supergraph/agora/router/operation/internal/suggest"
)

// scalar coerces a built-in scalar; any JSON is right for others, and left as it is.
func (c *coercion) scalar(raw []byte, def *ast.Definition) {
	kind := rawjson.Kind(raw)
	switch def.Name {
	case "Int":
		c.int(raw, kind)
	case "Float":
		if kind == '0' {
			if _, err := strconv.ParseFloat(string(raw), 64); err == nil {
				break
			}
		}
		c.invalid(raw, "Float cannot represent non numeric value: %s", rawjson.Inspect(raw))
	case "String":
		if kind != '"' {
			c.invalid(raw, "String cannot represent a non string value: %s", rawjson.Inspect(raw))
		}
	case "Boolean":
		if kind != 't' && kind != 'f' {
			c.invalid(raw, "Boolean cannot represent a non boolean value: %s", rawjson.Inspect(raw))
		}
	case "ID":
		c.id(raw, kind)
	}
	if def.Name != "Int" && def.Name != "ID" {
		c.out = append(c.out, raw...)
	}
}

func (c *coercion) int(raw []byte, kind byte) {
	if kind != '0' {
		c.invalid(raw, "Int cannot represent non-integer value: %s", rawjson.Inspect(raw))
		return
	}
	if _, err := strconv.ParseInt(string(raw), 10, 32); err == nil {
		c.out = append(c.out, raw...)
		return
	}
	// 1.0 and 1e3 are integers, too, in another notation.
	f, err := strconv.ParseFloat(string(raw), 64)
	switch {
	case err == nil && f != math.Trunc(f):
		c.invalid(raw, "Int cannot represent non-integer value: %s", rawjson.Inspect(raw))
	case err != nil || f < math.MinInt32 || f > math.MaxInt32:
		c.invalid(raw, "Int cannot represent non 32-bit signed integer value: %s", rawjson.Inspect(raw))
	default:
		c.out = strconv.AppendInt(c.out, int64(f), 10)
	}
}

// id takes integers of any length, digit by digit, and those in another notation as far as they are exact.
func (c *coercion) id(raw []byte, kind byte) {
	switch {
	case kind == '"':
		c.out = append(c.out, raw...)
		return
	case kind == '0' && integer(raw):
		c.out = append(append(append(c.out, '"'), raw...), '"')
		return
	case kind == '0':
		f, err := strconv.ParseFloat(string(raw), 64)
		if err == nil && f == math.Trunc(f) && math.Abs(f) < 1<<53 {
			c.out = append(c.out, '"')
			c.out = strconv.AppendInt(c.out, int64(f), 10)
			c.out = append(c.out, '"')
			return
		}
	}
	c.invalid(raw, "ID cannot represent value: %s", rawjson.Inspect(raw))
}

func integer(raw []byte) bool {
	for _, b := range raw {
		if b == '.' || b == 'e' || b == 'E' {
			return false
		}
	}
	return true
}

func (c *coercion) enum(raw []byte, def *ast.Definition) {
	if raw[0] != '"' {
		c.invalid(raw, `Enum "%s" cannot represent non-string value: %s.%s`,
			def.Name, rawjson.Inspect(raw), c.didYouMeanValue(string(raw), def))
		return
	}
	name := rawjson.Text(raw[1 : len(raw)-1])
	for _, v := range def.EnumValues {
		if v.Name == string(name) {
			c.out = append(append(append(c.out, '"'), v.Name...), '"')
			return
		}
	}
	c.invalid(raw, `Value "%s" does not exist in "%s" enum.%s`,
		rawjson.Short(name), def.Name, c.didYouMeanValue(string(name), def))
}

func (c *coercion) didYouMeanValue(typed string, def *ast.Definition) string {
	if c.selected.hideSuggestions || len(c.errors) >= maxInputErrors {
		return ""
	}
	candidates := make([]string, len(def.EnumValues))
	for i, v := range def.EnumValues {
		candidates[i] = v.Name
	}
	return suggest.DidYouMean("the enum value", typed, candidates)
}
