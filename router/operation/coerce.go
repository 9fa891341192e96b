package operation

import (
	"fmt"
	"strconv"

	"github.com/vektah/gqlparser/v2/ast"

	"github.com/agora-supergraph/agora/router/operation/internal/rawjson"
)

// maxInputErrors bounds the errors that one request's variables can have.
const maxInputErrors = 50

// Coerce coerces a request's variables, a JSON object or nothing, by the rules of CoerceVariableValues
// (https://spec.graphql.org/draft/#CoerceVariableValues()). It returns the JSON of each declared variable, in
// order; nil for one that was not given and has no default. Errors, with CodeInput, are worded as graphql-js
// words them.
//
// Values come out as subgraphs take them best: lists where a single value stood for one, identifiers as
// strings, integers without a fraction; the digits of all other numbers as they were. Defaults of variables are
// filled in; those of input fields are left to the subgraphs, who declare them.
func (s *Selected) Coerce(variables []byte) ([][]byte, error) {
	variables = rawjson.Trim(variables)
	if len(variables) == 0 || string(variables) == "null" {
		variables = []byte("{}")
	}
	if !rawjson.Valid(variables) || variables[0] != '{' {
		return nil, Errors{{Message: "Variables must be provided as a JSON object.", Code: CodeInput}}
	}
	if len(s.Variables) == 0 {
		return nil, nil
	}
	given := make([][]byte, len(s.Variables))
	for key, value := range rawjson.Members(variables) {
		if i, ok := s.variables[string(rawjson.Text(key))]; ok {
			given[i] = value
		}
	}
	c := coercion{selected: s, out: make([]byte, 0, len(variables)+16)}
	ends := make([]int, len(given))
	for i, value := range given {
		c.variable(i, value)
		ends[i] = len(c.out)
	}
	if len(c.errors) > 0 {
		return nil, c.errors
	}
	start := 0
	for i, end := range ends {
		switch {
		case given[i] == nil:
			given[i] = s.defaults[i]
		default:
			given[i] = c.out[start:end:end]
		}
		start = end
	}
	return given, nil
}

// coercion is one run of Coerce.
type coercion struct {
	selected *Selected
	// out takes the coerced values, one behind the other.
	out    []byte
	errors Errors
	// index and path say where the current value stands.
	index int
	path  []step
}

// step is a field of an input object, or the index of a list's item.
type step struct {
	field string
	index int
}

func (c *coercion) variable(index int, raw []byte) {
	c.index = index
	v := c.selected.Variables[index]
	typ := c.selected.types[index]
	switch {
	case raw == nil && typ.NonNull && c.selected.defaults[index] == nil:
		c.report(`Variable "$%s" of required type "%s" was not provided.`, v.Name, v.Type)
	case raw == nil:
	case typ.NonNull && raw[0] == 'n':
		c.report(`Variable "$%s" of non-null type "%s" must not be null.`, v.Name, v.Type)
	default:
		c.value(raw, typ)
	}
}

func (c *coercion) report(format string, args ...any) {
	if len(c.errors) == maxInputErrors {
		c.errors = append(c.errors, &Error{
			Message: "Too many errors processing variables, error limit reached. Execution aborted.", Code: CodeInput,
		})
	}
	if len(c.errors) > maxInputErrors {
		return
	}
	p := c.selected.definition.VariableDefinitions[c.index].Position
	c.errors = append(c.errors, &Error{
		Message: fmt.Sprintf(format, args...), Locations: []Location{{p.Line, p.Column}}, Code: CodeInput,
	})
}

// invalid reports a value within the current variable.
func (c *coercion) invalid(raw []byte, format string, args ...any) {
	if len(c.errors) > maxInputErrors {
		return
	}
	name := c.selected.Variables[c.index].Name
	where := ""
	if len(c.path) > 0 {
		where = name
		for _, s := range c.path {
			if s.field != "" {
				where += "." + s.field
			} else {
				where += "[" + strconv.Itoa(s.index) + "]"
			}
		}
		where = ` at "` + where + `"`
	}
	c.report(`Variable "$%s" got invalid value %s%s; %s`, name, rawjson.Inspect(raw), where, fmt.Sprintf(format, args...))
}

func (c *coercion) value(raw []byte, typ *ast.Type) {
	if raw[0] == 'n' {
		if typ.NonNull {
			c.invalid(raw, `Expected non-nullable type "%s" not to be null.`, typ)
		}
		c.out = append(c.out, "null"...)
		return
	}
	if typ.Elem != nil {
		c.list(raw, typ)
		return
	}
	def := c.selected.supergraph.API.Types[typ.NamedType]
	switch def.Kind {
	case ast.InputObject:
		c.object(raw, def)
	case ast.Enum:
		c.enum(raw, def)
	default:
		c.scalar(raw, def)
	}
}

func (c *coercion) list(raw []byte, typ *ast.Type) {
	c.out = append(c.out, '[')
	if raw[0] != '[' {
		c.value(raw, typ.Elem)
		c.out = append(c.out, ']')
		return
	}
	depth := len(c.path)
	c.path = append(c.path, step{})
	i := 0
	for item := range rawjson.Elements(raw) {
		if i > 0 {
			c.out = append(c.out, ',')
		}
		c.path = append(c.path[:depth], step{index: i})
		c.value(item, typ.Elem)
		i++
	}
	c.path = c.path[:depth]
	c.out = append(c.out, ']')
}
