package introspection

import (
	"encoding/json"
	"fmt"
	"strconv"

	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/parser"

	"github.com/agora-supergraph/agora/router/transport"
)

// selection is one response key, compiled.
type selection struct {
	// key is the response key as it is written: "key":
	key  []byte
	name string
	// typename is the type that the field is selected on.
	typename string
	// deprecated is the argument includeDeprecated.
	deprecated bool
	// typeName is the argument name of __type.
	typeName string
	below    []*selection
}

// maxSelections bounds the fields of an operation, fragments inlined; tools ask for about a hundred.
const maxSelections = 10_000

// compiler turns selection sets into selections, merged by response key, with conditions and arguments decided.
// All types of the introspection schema are object types, so everything is known from the text.
type compiler struct {
	schema    *ast.Schema
	operation *ast.OperationDefinition
	fragments map[string]*ast.FragmentDefinition
	variables map[string]json.RawMessage
	made      int
	// within are the fragments around the current selection: a cycle would never end.
	within map[string]bool
}

func parse(schema *ast.Schema, req *transport.Request) (*compiler, error) {
	doc, err := parser.ParseQuery(&ast.Source{Input: req.Query})
	if err != nil {
		return nil, fmt.Errorf("syntax error: %w", err)
	}
	c := &compiler{schema: schema, fragments: map[string]*ast.FragmentDefinition{}, within: map[string]bool{}}
	if c.operation = doc.Operations.ForName(req.OperationName); c.operation == nil {
		return nil, fmt.Errorf("unknown operation named %q", req.OperationName)
	}
	if c.operation.Operation != ast.Query {
		return nil, fmt.Errorf("introspection answers queries, not a %s", c.operation.Operation)
	}
	for _, f := range doc.Fragments {
		c.fragments[f.Name] = f
	}
	if len(req.Variables) > 0 {
		if err := json.Unmarshal(req.Variables, &c.variables); err != nil {
			return nil, fmt.Errorf("variables: %w", err)
		}
	}
	return c, nil
}

func (c *compiler) root() ([]*selection, error) {
	return c.selections(c.schema.Query, []ast.SelectionSet{c.operation.SelectionSet})
}

// group is a response key with the selection sets below all its fields.
type group struct {
	field *ast.Field
	below []ast.SelectionSet
}

func (c *compiler) selections(typ *ast.Definition, sets []ast.SelectionSet) ([]*selection, error) {
	g := grouping{compiler: c, typ: typ, index: map[string]int{}}
	for _, set := range sets {
		if err := g.collect(set); err != nil {
			return nil, err
		}
	}
	out := make([]*selection, 0, len(g.groups))
	for _, group := range g.groups {
		s, err := c.selection(typ, group)
		if err != nil {
			return nil, err
		}
		out = append(out, s)
	}
	return out, nil
}

// grouping is CollectFields for one type.
type grouping struct {
	compiler *compiler
	typ      *ast.Definition
	index    map[string]int
	groups   []group
}

func (g *grouping) collect(set ast.SelectionSet) error {
	for _, s := range set {
		if err := g.add(s); err != nil {
			return err
		}
	}
	return nil
}

func (g *grouping) add(s ast.Selection) error {
	c := g.compiler
	if c.made++; c.made > maxSelections {
		return fmt.Errorf("the operation selects more than %d fields", maxSelections)
	}
	switch s := s.(type) {
	case *ast.Field:
		if ok, err := c.included(s.Directives); !ok {
			return err
		}
		i, ok := g.index[s.Alias]
		if !ok {
			i = len(g.groups)
			g.index[s.Alias] = i
			g.groups = append(g.groups, group{field: s})
		}
		g.groups[i].below = append(g.groups[i].below, s.SelectionSet)
	case *ast.InlineFragment:
		if ok, err := c.included(s.Directives); !ok {
			return err
		}
		if s.TypeCondition == "" || s.TypeCondition == g.typ.Name {
			return g.collect(s.SelectionSet)
		}
	case *ast.FragmentSpread:
		return g.spread(s)
	}
	return nil
}

func (g *grouping) spread(s *ast.FragmentSpread) error {
	c := g.compiler
	if ok, err := c.included(s.Directives); !ok {
		return err
	}
	f := c.fragments[s.Name]
	switch {
	case f == nil:
		return fmt.Errorf("unknown fragment %q", s.Name)
	case c.within[s.Name]:
		return fmt.Errorf("fragment %q is spread within itself", s.Name)
	case f.TypeCondition != g.typ.Name:
		return nil
	}
	c.within[s.Name] = true
	defer delete(c.within, s.Name)
	return g.collect(f.SelectionSet)
}

func (c *compiler) selection(typ *ast.Definition, g group) (*selection, error) {
	f := g.field
	s := &selection{key: append(appendString(nil, f.Alias), ':'), name: f.Name, typename: typ.Name}
	if f.Name == "__typename" {
		return s, nil
	}
	def := typ.Fields.ForName(f.Name)
	if def == nil || typ == c.schema.Query && f.Name != "__schema" && f.Name != "__type" {
		return nil, fmt.Errorf("introspection can't answer %s.%s", typ.Name, f.Name)
	}
	if err := c.arguments(s, f, def); err != nil {
		return nil, err
	}
	result := c.schema.Types[def.Type.Name()]
	if result.IsLeafType() {
		return s, nil
	}
	var err error
	if s.below, err = c.selections(result, g.below); err == nil && len(f.SelectionSet) == 0 {
		err = fmt.Errorf("%s.%s must have a selection of subfields", typ.Name, f.Name)
	}
	return s, err
}

func (c *compiler) arguments(s *selection, f *ast.Field, def *ast.FieldDefinition) error {
	for _, a := range def.Arguments {
		given := f.Arguments.ForName(a.Name)
		switch a.Name {
		case "includeDeprecated":
			if given == nil {
				continue
			}
			value, err := c.boolean(given.Value)
			if err != nil {
				return err
			}
			s.deprecated = value
		case "name":
			if given == nil {
				return fmt.Errorf("%s needs the argument %s", f.Name, a.Name)
			}
			value, err := c.text(given.Value)
			if err != nil {
				return err
			}
			s.typeName = value
		}
	}
	return nil
}

func (c *compiler) included(directives ast.DirectiveList) (bool, error) {
	for _, d := range directives {
		if d.Name != "skip" && d.Name != "include" {
			continue
		}
		condition := d.Arguments.ForName("if")
		if condition == nil {
			return false, fmt.Errorf("@%s needs the argument if", d.Name)
		}
		value, err := c.boolean(condition.Value)
		if err != nil || value == (d.Name == "skip") {
			return false, err
		}
	}
	return true, nil
}

// boolean evaluates a value; null and nothing are false, as for includeDeprecated.
func (c *compiler) boolean(v *ast.Value) (bool, error) {
	raw, err := c.value(v)
	if err != nil {
		return false, err
	}
	switch raw {
	case "true":
		return true, nil
	case "false", "null", "":
		return false, nil
	}
	return false, fmt.Errorf("%s is no Boolean", raw)
}

func (c *compiler) text(v *ast.Value) (string, error) {
	raw, err := c.value(v)
	if err != nil {
		return "", err
	}
	var text string
	if json.Unmarshal([]byte(raw), &text) != nil || raw == "null" {
		return "", fmt.Errorf("%s is no String", strconv.Quote(raw))
	}
	return text, nil
}

// value returns the JSON of a scalar, empty for a variable that is not given.
func (c *compiler) value(v *ast.Value) (string, error) {
	switch v.Kind {
	case ast.Variable:
		if raw, ok := c.variables[v.Raw]; ok {
			return string(raw), nil
		}
		def := c.operation.VariableDefinitions.ForName(v.Raw)
		switch {
		case def == nil:
			return "", fmt.Errorf("variable $%s is not defined", v.Raw)
		case def.DefaultValue == nil:
			return "", nil
		}
		return c.value(def.DefaultValue)
	case ast.BooleanValue, ast.NullValue:
		return v.Raw, nil
	case ast.StringValue, ast.BlockValue:
		return string(appendString(nil, v.Raw)), nil
	}
	return "", fmt.Errorf("%s is neither Boolean nor String", v)
}
