package plan_test

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"

	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/parser"

	"github.com/agora-supergraph/agora/router/supergraph"
)

// arguments are the JSON of a field's arguments, coerced by a schema: only those that clients know, since
// whatever else a subgraph has takes its default there.
func (w *world) arguments(schema *ast.Schema, of thing, f *ast.Field, variables map[string]any) string {
	var known *ast.FieldDefinition
	if def := w.sg.API.Types[of.typ]; def != nil {
		known = def.Fields.ForName(f.Name)
	}
	args := map[string]any{}
	for name, v := range f.ArgumentMap(variables) {
		if known == nil || known.Arguments.ForName(name) != nil {
			args[name] = w.coerce(schema, v, f.Definition.Arguments.ForName(name).Type)
		}
	}
	return text(args)
}

// coerce brings equal inputs to one form.
func (w *world) coerce(schema *ast.Schema, v any, t *ast.Type) any {
	if v == nil {
		return nil
	}
	if t.Elem != nil {
		list, ok := v.([]any)
		if !ok {
			list = []any{v}
		}
		out := make([]any, len(list))
		for i := range list {
			out[i] = w.coerce(schema, list[i], t.Elem)
		}
		return out
	}
	switch def := schema.Types[t.Name()]; {
	case def.Kind == ast.InputObject:
		return w.coerceObject(schema, v.(map[string]any), def)
	case t.Name() == "ID":
		return fmt.Sprint(v)
	case t.Name() == "Float":
		if n, err := strconv.ParseFloat(fmt.Sprint(v), 64); err == nil {
			return n
		}
	}
	return v
}

func (w *world) coerceObject(schema *ast.Schema, given map[string]any, def *ast.Definition) any {
	out := map[string]any{}
	for _, f := range def.Fields {
		if known := w.sg.API.Types[def.Name]; known != nil && known.Fields.ForName(f.Name) == nil {
			continue
		}
		v, ok := given[f.Name]
		if !ok && f.DefaultValue != nil {
			v, _ = f.DefaultValue.Value(nil)
			ok = true
		}
		if ok {
			out[f.Name] = w.coerce(schema, v, f.Type)
		}
	}
	return out
}

// constArguments are the arguments of a field of a field set.
func (w *world) constArguments(of thing, sel *supergraph.FieldSelection) string {
	body := sel.Name
	if sel.Arguments != "" {
		body += "(" + sel.Arguments + ")"
	}
	doc, err := parser.ParseQuery(&ast.Source{Input: "{" + body + "}"})
	if err != nil {
		panic(err)
	}
	f := doc.Operations[0].SelectionSet[0].(*ast.Field)
	for _, schema := range append([]*ast.Schema{w.sg.API}, w.schemas...) {
		for _, name := range []string{of.typ, sel.Scope.Name} {
			if def := schema.Types[name]; def != nil && def.Fields.ForName(f.Name) != nil {
				f.Definition = def.Fields.ForName(f.Name)
				return w.arguments(schema, of, f, nil)
			}
		}
	}
	panic(fmt.Sprintf("%s.%s is in no schema", of.typ, sel.Name))
}

// contextArguments are those of a field that come from contexts.
func (w *world) contextArguments(of thing, name string) []supergraph.ContextArgument {
	for _, s := range w.sg.Type(of.typ).Field(name).In {
		if s != nil && s.Context != nil && !s.Overridden {
			return s.Context
		}
	}
	return nil
}

// context is the value of an argument from a context: of the nearest object above that sets it.
func (w *world) context(above []thing, c supergraph.ContextArgument) any {
	for i := len(above) - 1; i >= 0; i-- {
		id := w.sg.Object(above[i].typ)
		for _, sel := range c.Selections {
			if sel.Type.Possible.Has(id) {
				return leafOf(w.set(above[i], sel.Fields.Fields))
			}
		}
	}
	return nil
}

// leafOf goes down to the only leaf of an object.
func leafOf(v any) any {
	if m, ok := v.(map[string]any); ok {
		for _, below := range m {
			return leafOf(below)
		}
		return nil
	}
	return v
}

func decoded(s string) map[string]any {
	out := map[string]any{}
	d := json.NewDecoder(strings.NewReader(s))
	d.UseNumber()
	_ = d.Decode(&out)
	return out
}
