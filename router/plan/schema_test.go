package plan_test

import (
	"fmt"
	"slices"
	"sort"
	"strings"

	"github.com/vektah/gqlparser/v2"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/formatter"
	"github.com/vektah/gqlparser/v2/parser"

	"github.com/agora-supergraph/agora/router/supergraph"
)

// federation are the directives whose applications a subgraph's own schema can do without.
var federation = []string{
	"key", "external", "requires", "provides", "shareable", "override", "inaccessible", "interfaceObject", "extends",
	"context", "fromContext", "tag", "link", "authenticated", "requiresScopes", "policy",
}

func machinery(d *ast.Directive) bool { return slices.Contains(federation, d.Name) }

// ownSchema is the schema of a subgraph, made executable from the SDL that it was composed from.
func ownSchema(sdl string) (*ast.Schema, error) {
	doc, err := parser.ParseSchema(&ast.Source{Input: sdl})
	if err != nil {
		return nil, err
	}
	var entities []string
	hasQuery := false
	for _, def := range append(slices.Clone(doc.Definitions), doc.Extensions...) {
		for _, d := range def.Directives {
			if d.Name == "key" && (def.Kind == ast.Object) && !slices.Contains(entities, def.Name) {
				entities = append(entities, def.Name)
			}
		}
		hasQuery = hasQuery || def.Name == "Query"
		def.Directives = slices.DeleteFunc(def.Directives, machinery)
		for _, f := range def.Fields {
			f.Directives = slices.DeleteFunc(f.Directives, machinery)
			for _, a := range f.Arguments {
				a.Directives = slices.DeleteFunc(a.Directives, machinery)
			}
		}
		for _, v := range def.EnumValues {
			v.Directives = slices.DeleteFunc(v.Directives, machinery)
		}
	}
	doc.Definitions, doc.Extensions, doc.SchemaExtension = append(doc.Definitions, doc.Extensions...), nil, nil
	var b strings.Builder
	formatter.NewFormatter(&b).FormatSchemaDocument(doc)
	if !hasQuery {
		b.WriteString("type Query { _ok: Boolean }\n")
	}
	b.WriteString("scalar _Any\n")
	if len(entities) > 0 {
		fmt.Fprintf(&b, "union _Entity = %s\nextend type Query { _entities(representations: [_Any!]!): [_Entity]! }\n", strings.Join(entities, " | "))
	}
	s, err := gqlparser.LoadSchema(&ast.Source{Input: b.String()})
	if err != nil {
		return nil, fmt.Errorf("%w in\n%s", err, b.String())
	}
	return s, nil
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
