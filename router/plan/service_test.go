package plan_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"sort"
	"strings"

	"github.com/vektah/gqlparser/v2"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/parser"
	"github.com/vektah/gqlparser/v2/validator"
	"github.com/vektah/gqlparser/v2/validator/rules"

	"github.com/agora-supergraph/agora/router/supergraph"
	"github.com/agora-supergraph/agora/router/transport"
)

// service answers GraphQL from the world: as one server of everything, or as one subgraph, which answers only
// what is its own, and complains about anything a subgraph can't be asked.
type service struct {
	world  *world
	graph  int // -1 is the server of everything
	schema *ast.Schema
	// complain is told of requests that a planner must not make.
	complain func(format string, args ...any)
}

// object is a thing on its way through a selection.
type object struct {
	thing
	// typ is its type in the service's schema.
	typ      string
	provided []*supergraph.FieldSelection
	sent     map[string]any
}

func (s *service) Send(_ context.Context, req *transport.Request) (*transport.Response, error) {
	var variables map[string]any
	d := json.NewDecoder(bytes.NewReader(req.Variables))
	d.UseNumber()
	if err := d.Decode(&variables); err != nil {
		s.complain("variables %s: %v", req.Variables, err)
	}
	return &transport.Response{Status: 200, Body: []byte(`{"data":` + s.answer(req.Query, variables) + `}`)}, nil
}

func (s *service) Subscribe(context.Context, *transport.Request) (transport.Stream, error) {
	return nil, fmt.Errorf("no subscriptions here")
}

// answer returns the JSON of data.
func (s *service) answer(query string, variables map[string]any) string {
	doc, err := parser.ParseQuery(&ast.Source{Input: query})
	if err != nil {
		s.complain("%s: %v", query, err)
		return "null"
	}
	if errs := validator.ValidateWithRules(s.schema, doc, rules.NewDefaultRules()); len(errs) > 0 {
		s.complain("%s is asked %s: %v", s.name(), query, errs)
		return "null"
	}
	op := doc.Operations[0]
	for _, v := range op.VariableDefinitions {
		if _, given := variables[v.Variable]; !given && v.DefaultValue != nil {
			if variables[v.Variable], err = v.DefaultValue.Value(nil); err != nil {
				s.complain("%s: %v", query, err)
			}
		}
	}
	root := map[ast.Operation]*ast.Definition{ast.Query: s.schema.Query, ast.Mutation: s.schema.Mutation}[op.Operation].Name
	var b strings.Builder
	s.write(&b, object{thing: thing{root, root}, typ: root}, []ast.SelectionSet{op.SelectionSet}, variables)
	return b.String()
}

func (s *service) name() string {
	if s.graph < 0 {
		return "everything"
	}
	return s.world.sg.Subgraphs[s.graph].Name
}

type collected struct {
	key    string
	fields []*ast.Field
}

func (s *service) collect(into []*collected, typ string, set ast.SelectionSet, variables map[string]any) []*collected {
	for _, sel := range set {
		switch sel := sel.(type) {
		case *ast.Field:
			if skipped(sel.Directives, variables) {
				continue
			}
			key := sel.Alias
			found := false
			for _, c := range into {
				if c.key == key {
					c.fields, found = append(c.fields, sel), true
				}
			}
			if !found {
				into = append(into, &collected{key, []*ast.Field{sel}})
			}
		case *ast.InlineFragment:
			if s.is(typ, sel.TypeCondition) && !skipped(sel.Directives, variables) {
				into = s.collect(into, typ, sel.SelectionSet, variables)
			}
		case *ast.FragmentSpread:
			if s.is(typ, sel.Definition.TypeCondition) && !skipped(sel.Directives, variables) {
				into = s.collect(into, typ, sel.Definition.SelectionSet, variables)
			}
		}
	}
	return into
}

func skipped(directives ast.DirectiveList, variables map[string]any) bool {
	for _, d := range directives {
		if holds, _ := d.ArgumentMap(variables)["if"].(bool); holds == (d.Name == "skip") {
			return true
		}
	}
	return false
}

func (s *service) is(typ, condition string) bool {
	if condition == "" || typ == condition {
		return true
	}
	for _, p := range s.schema.PossibleTypes[condition] {
		if p.Name == typ {
			return true
		}
	}
	return false
}

func (s *service) write(b *strings.Builder, o object, sets []ast.SelectionSet, variables map[string]any) {
	var fields []*collected
	for _, set := range sets {
		fields = s.collect(fields, o.typ, set, variables)
	}
	b.WriteByte('{')
	for i, c := range fields {
		if i > 0 {
			b.WriteByte(',')
		}
		fmt.Fprintf(b, "%q:", c.key)
		s.field(b, o, c.fields, variables)
	}
	b.WriteByte('}')
}

func (s *service) field(b *strings.Builder, o object, fields []*ast.Field, variables map[string]any) {
	f := fields[0]
	var sets []ast.SelectionSet
	for _, g := range fields {
		sets = append(sets, g.SelectionSet)
	}
	switch f.Name {
	case "__typename":
		fmt.Fprintf(b, "%q", o.typ)
		return
	case "_entities":
		s.entities(b, f, sets, variables)
		return
	}
	args := map[string]any{}
	known := s.world.sg.API.Types[o.thing.typ].Fields.ForName(f.Name)
	for name, v := range f.ArgumentMap(variables) {
		if known == nil || known.Arguments.ForName(name) != nil {
			args[name] = v
		}
	}
	required, provided := s.check(o, f.Name)
	s.value(b, s.world.field(o.thing, f.Name, text(args), required), provided, sets, variables, f.Definition.Type.Name())
}

// check complains about what the subgraph can't answer, and returns what the field's value follows from.
func (s *service) check(o object, name string) (required string, provided []*supergraph.FieldSelection) {
	if s.graph < 0 {
		return s.world.requires(o.thing, name), nil
	}
	t := s.world.sg.Type(o.typ)
	src := t.Field(name).In[s.graph]
	for _, p := range o.provided {
		if p.Name == name && p.Types.Has(s.world.sg.Object(o.thing.typ)) {
			provided = append(provided, p.Fields...)
		}
	}
	isProvided := false
	for _, p := range o.provided {
		isProvided = isProvided || p.Name == name
	}
	switch {
	case src == nil:
		s.complain("%s is asked %s.%s, which it does not have", s.name(), o.typ, name)
		return "", nil
	case src.External && !isProvided:
		s.complain("%s is asked %s.%s, which is external there", s.name(), o.typ, name)
	case src.Overridden && !s.world.keys[o.thing.typ+"."+name], src.Label != "" && s.world.labels[src.Label] != src.LabelValue:
		s.complain("%s is asked %s.%s, which is overridden", s.name(), o.typ, name)
	}
	if src.Provides != nil {
		provided = append(provided, src.Provides.Fields...)
	}
	if src.Requires == nil {
		return s.world.requires(o.thing, name), provided
	}
	if o.sent == nil && len(o.provided) > 0 {
		return s.world.requires(o.thing, name), provided
	}
	if o.sent == nil {
		s.complain("%s is asked %s.%s, but not sent %q", s.name(), o.typ, name, src.Requires.Text)
		return "", provided
	}
	return text(restrict(o.sent, src.Requires.Fields)), provided
}

func (s *service) entities(b *strings.Builder, f *ast.Field, sets []ast.SelectionSet, variables map[string]any) {
	list, _ := f.ArgumentMap(variables)["representations"].([]any)
	b.WriteByte('[')
	for i, r := range list {
		if i > 0 {
			b.WriteByte(',')
		}
		sent, _ := r.(map[string]any)
		found, ok := s.world.find(sent)
		if !ok {
			s.complain("%s is sent %s, which is nothing", s.name(), text(r))
			b.WriteString("null")
			continue
		}
		s.object(b, found, sent["__typename"].(string), nil, sent, sets, variables)
	}
	b.WriteByte(']')
}

func (s *service) object(b *strings.Builder, of thing, declared string, provided []*supergraph.FieldSelection, sent map[string]any, sets []ast.SelectionSet, variables map[string]any) {
	typ := of.typ
	if s.graph >= 0 {
		if t := s.world.sg.Type(declared); t.In[s.graph] != nil && t.In[s.graph].InterfaceObject {
			typ = declared
		}
	}
	s.write(b, object{thing: of, typ: typ, provided: provided, sent: sent}, sets, variables)
}

func (s *service) value(b *strings.Builder, v value, provided []*supergraph.FieldSelection, sets []ast.SelectionSet, variables map[string]any, declared string) {
	switch v := v.(type) {
	case thing:
		s.object(b, v, declared, provided, nil, sets, variables)
	case []value:
		b.WriteByte('[')
		for i := range v {
			if i > 0 {
				b.WriteByte(',')
			}
			s.value(b, v[i], provided, sets, variables, declared)
		}
		b.WriteByte(']')
	default:
		b.WriteString(text(v))
	}
}

// subgraphSchema writes the schema of one subgraph from what the supergraph says of it.
func subgraphSchema(sg *supergraph.Supergraph, g int) (*ast.Schema, error) {
	var b strings.Builder
	b.WriteString("scalar _Any\n")
	var entities []string
	roots := map[*supergraph.Type]string{sg.Query: "query", sg.Mutation: "mutation", sg.Subscription: "subscription"}
	schema := "schema {"
	for _, t := range sg.Types {
		p := t.In[g]
		if p == nil {
			continue
		}
		if t.Kind == ast.Union {
			var members []string
			for id := range p.Possible.All() {
				members = append(members, sg.Objects[id])
			}
			if len(members) > 0 {
				fmt.Fprintf(&b, "union %s = %s\n", t.Name, strings.Join(members, " | "))
			}
			continue
		}
		if p.Resolvable() && (t.Kind == ast.Object || p.InterfaceObject) {
			entities = append(entities, t.Name)
		}
		if root := roots[t]; root != "" && t.Kind == ast.Object {
			schema += " " + root + ": " + t.Name
		}
		writeType(&b, sg, t, g)
	}
	if sg.Query.In[g] == nil {
		fmt.Fprintf(&b, "type %s { _ok: Boolean }\n", sg.Query.Name)
		schema += " query: " + sg.Query.Name
	}
	if len(entities) > 0 {
		fmt.Fprintf(&b, "union _Entity = %s\nextend type %s { _entities(representations: [_Any!]!): [_Entity]! }\n", strings.Join(entities, " | "), sg.Query.Name)
	}
	b.WriteString(schema + " }\n")
	writeInputs(&b, sg)
	s, err := gqlparser.LoadSchema(&ast.Source{Name: sg.Subgraphs[g].Name, Input: b.String()})
	if err != nil {
		return nil, fmt.Errorf("%w in\n%s", err, b.String())
	}
	return s, nil
}

func writeType(b *strings.Builder, sg *supergraph.Supergraph, t *supergraph.Type, g int) {
	kind, implements := "type", ""
	if t.Kind == ast.Interface && !t.In[g].InterfaceObject {
		kind = "interface"
	}
	for _, i := range t.Interfaces {
		if p := i.In[g]; p != nil && !p.InterfaceObject && t.In[g].Possible.SubsetOf(p.Possible) {
			implements += " & " + i.Name
		}
	}
	fmt.Fprintf(b, "%s %s %s {\n", kind, t.Name, strings.Replace(implements, " &", "implements", 1))
	if t == sg.Query {
		b.WriteString("  _ok: Boolean\n")
	}
	for _, f := range t.Fields {
		s := f.In[g]
		if s == nil || s.As != t {
			continue
		}
		var args []string
		if def := sg.API.Types[t.Name]; def != nil && def.Fields.ForName(f.Name) != nil {
			for _, a := range def.Fields.ForName(f.Name).Arguments {
				arg := a.Name + ": " + a.Type.String()
				if a.DefaultValue != nil {
					arg += " = " + a.DefaultValue.String()
				}
				args = append(args, arg)
			}
		}
		for _, c := range s.Context {
			args = append(args, c.Name+": "+c.Type)
		}
		list := ""
		if len(args) > 0 {
			list = "(" + strings.Join(args, ", ") + ")"
		}
		fmt.Fprintf(b, "  %s%s: %s\n", f.Name, list, s.Type)
	}
	b.WriteString("}\n")
}

func writeInputs(b *strings.Builder, sg *supergraph.Supergraph) {
	var names []string
	for name, def := range sg.API.Types {
		if !def.BuiltIn && def.IsInputType() {
			names = append(names, name)
		}
	}
	sort.Strings(names)
	for _, name := range names {
		switch def := sg.API.Types[name]; def.Kind {
		case ast.Scalar:
			fmt.Fprintf(b, "scalar %s\n", name)
		case ast.Enum:
			fmt.Fprintf(b, "enum %s {", name)
			for _, v := range def.EnumValues {
				b.WriteString(" " + v.Name)
			}
			b.WriteString(" }\n")
		default:
			fmt.Fprintf(b, "input %s {", name)
			for _, f := range def.Fields {
				fmt.Fprintf(b, " %s: %s", f.Name, f.Type)
				if f.DefaultValue != nil {
					b.WriteString(" = " + f.DefaultValue.String())
				}
			}
			b.WriteString(" }\n")
		}
	}
}
