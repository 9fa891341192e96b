package operation

import (
	"github.com/vektah/gqlparser/v2/ast"

	"github.com/agora-supergraph/agora/router/operation/internal/rawjson"
	"github.com/agora-supergraph/agora/router/operation/internal/suggest"
)

// object coerces an input object (https://spec.graphql.org/draft/#sec-Input-Objects.Input-Coercion). Of a key
// that is given twice, the last counts, as for JSON parsers.
func (c *coercion) object(raw []byte, def *ast.Definition) {
	if raw[0] != '{' {
		c.invalid(raw, `Expected type "%s" to be an object.`, def.Name)
		return
	}
	var buffer [16][]byte
	given := buffer[:]
	if len(def.Fields) > len(given) {
		given = make([][]byte, len(def.Fields))
	}
	count := 0
	for key, value := range rawjson.Members(raw) {
		i := fieldIndex(def, rawjson.Text(key))
		if i < 0 {
			c.unknown(raw, def, string(rawjson.Text(key)))
			continue
		}
		if given[i] == nil {
			count++
		}
		given[i] = value
	}
	c.members(raw, def, given)
	if def.Directives.ForName("oneOf") != nil {
		c.oneOf(raw, def, given, count)
	}
}

// members writes the fields in the order of the schema.
func (c *coercion) members(raw []byte, def *ast.Definition, given [][]byte) {
	c.out = append(c.out, '{')
	first := true
	for i, f := range def.Fields {
		if given[i] == nil {
			if f.Type.NonNull && f.DefaultValue == nil {
				c.invalid(raw, `Field "%s" of required type "%s" was not provided.`, f.Name, f.Type)
			}
			continue
		}
		if !first {
			c.out = append(c.out, ',')
		}
		first = false
		c.out = append(append(append(c.out, '"'), f.Name...), '"', ':')
		c.path = append(c.path, step{field: f.Name})
		c.value(given[i], f.Type)
		c.path = c.path[:len(c.path)-1]
	}
	c.out = append(c.out, '}')
}

func (c *coercion) oneOf(raw []byte, def *ast.Definition, given [][]byte, count int) {
	if count != 1 {
		c.invalid(raw, `Exactly one key must be specified for OneOf type "%s".`, def.Name)
		return
	}
	for i, f := range def.Fields {
		if given[i] != nil && given[i][0] == 'n' {
			c.path = append(c.path, step{field: f.Name})
			c.invalid(given[i], `Field "%s" must be non-null.`, f.Name)
			c.path = c.path[:len(c.path)-1]
		}
	}
}

func (c *coercion) unknown(raw []byte, def *ast.Definition, key string) {
	if len(c.errors) > maxInputErrors {
		return
	}
	hint := ""
	if !c.selected.hideSuggestions {
		candidates := make([]string, len(def.Fields))
		for i, f := range def.Fields {
			candidates[i] = f.Name
		}
		hint = suggest.DidYouMean("", key, candidates)
	}
	c.invalid(raw, `Field "%s" is not defined by type "%s".%s`, key, def.Name, hint)
}

func fieldIndex(def *ast.Definition, name []byte) int {
	for i, f := range def.Fields {
		if f.Name == string(name) {
			return i
		}
	}
	return -1
}
