package plan_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"sort"
	"strings"

	"github.com/vektah/gqlparser/v2/ast"
)

// generator writes random operations.
type generator struct {
	*rand.Rand
	schema  *ast.Schema
	aliases int
	fields  int
	// declared are the variables, in order of name; given are the values of some.
	declared, given []string
	fragments       []string
	// named are the names of those fragments, by type.
	named map[string][]string
	// defers says that fragments may be deferred.
	defers bool
}

// request writes an operation and values for its variables.
func (g *generator) request() request {
	root, kind, depth := g.schema.Query, "query", 5
	switch {
	case g.schema.Mutation != nil && g.IntN(6) == 0:
		root, kind, depth = g.schema.Mutation, "mutation", 4
	case g.schema.Subscription != nil && g.IntN(8) == 0:
		root, kind, depth = g.schema.Subscription, "subscription", 4
	}
	g.defers = kind != "subscription" && g.IntN(*defers) == 0
	body := g.selection(root, depth)
	if kind == "subscription" {
		f := root.Fields[g.IntN(len(root.Fields))]
		if body = g.field(root, f, depth); body == "" {
			body = "__typename"
		}
		body = "{ " + body + " }"
	}
	head := kind
	if len(g.declared) > 0 {
		head += "(" + strings.Join(g.declared, ", ") + ")"
	}
	if head == "query" && g.IntN(2) == 0 {
		head = ""
	}
	query := head + " " + body
	for _, f := range g.fragments {
		query += "\n" + f
	}
	return request{query: strings.TrimSpace(query), variables: "{" + strings.Join(g.given, ", ") + "}"}
}

func (g *generator) selection(on *ast.Definition, depth int) string {
	var parts []string
	if len(on.Fields) > 0 {
		for range 1 + g.IntN(5) {
			f := on.Fields[g.IntN(len(on.Fields))]
			if other := on.Fields[g.IntN(len(on.Fields))]; !g.schema.Types[f.Type.Name()].IsCompositeType() && g.IntN(3) > 0 {
				f = other // Objects lead further than leaves.
			}
			if !strings.HasPrefix(f.Name, "__") {
				if part := g.field(on, f, depth); part != "" {
					parts = append(parts, part)
				}
			}
		}
	}
	if g.IntN(12) == 0 && on != g.schema.Subscription {
		g.aliases++
		parts = append(parts, []string{"__typename", fmt.Sprintf("a%d: __typename", g.aliases)}[g.IntN(2)]+g.condition())
	}
	if on.IsAbstractType() {
		parts = append(parts, g.conditions(on, depth)...)
	} else if (g.IntN(12) == 0 || g.defers && g.IntN(3) == 0) && depth > 0 {
		parts = append(parts, g.fragment(on.Name, g.selection(on, depth-1)))
	}
	if len(parts) == 0 || on.IsAbstractType() && g.IntN(3) == 0 {
		parts = append(parts, "__typename")
	}
	return "{ " + strings.Join(parts, " ") + " }"
}

// conditions are fragments on what an abstract type may be.
func (g *generator) conditions(on *ast.Definition, depth int) []string {
	var names []string
	for _, t := range g.schema.PossibleTypes[on.Name] {
		if !slices.Contains(names, t.Name) {
			names = append(names, t.Name)
		}
		for _, i := range t.Interfaces {
			if !slices.Contains(names, i) {
				names = append(names, i)
			}
		}
	}
	if len(names) == 0 {
		return nil
	}
	sort.Strings(names)
	var parts []string
	for range g.IntN(4) {
		name := names[g.IntN(len(names))]
		parts = append(parts, g.fragment(name, g.selection(g.schema.Types[name], depth)))
	}
	return parts
}

// fragment writes a selection as a fragment, in its place or by name.
func (g *generator) fragment(on, selection string) string {
	if known := g.named[on]; len(known) > 0 && g.IntN(8) == 0 {
		return "... " + known[g.IntN(len(known))] + g.condition()
	}
	if g.IntN(4) == 0 {
		name := fmt.Sprintf("F%d", len(g.fragments))
		if g.named == nil {
			g.named = map[string][]string{}
		}
		g.named[on] = append(g.named[on], name)
		g.fragments = append(g.fragments, "fragment "+name+" on "+on+" "+selection)
		return "... " + name + g.deferral(on) + g.condition()
	}
	return "... on " + on + g.deferral(on) + g.condition() + " " + selection
}

// deferral is sometimes a defer.
func (g *generator) deferral(on string) string {
	if !g.defers || g.IntN(2) == 0 || g.schema.Mutation != nil && on == g.schema.Mutation.Name {
		return ""
	}
	g.aliases++
	switch g.IntN(4) {
	case 0:
		return " @defer(if: " + g.variable(&ast.Type{NamedType: "Boolean", NonNull: true}) + ")"
	case 1:
		return " @defer"
	}
	return fmt.Sprintf(" @defer(label: \"d%d\")", g.aliases)
}

// condition is sometimes a skip or include.
func (g *generator) condition() string {
	if g.IntN(16) > 0 {
		return ""
	}
	value := []string{"true", "false"}[g.IntN(2)]
	if g.IntN(2) == 0 {
		value = g.variable(&ast.Type{NamedType: "Boolean", NonNull: true})
	}
	return []string{" @skip", " @include"}[g.IntN(2)] + "(if: " + value + ")"
}

func (g *generator) field(on *ast.Definition, f *ast.FieldDefinition, depth int) string {
	if g.fields++; g.fields > 60 {
		return ""
	}
	head := f.Name
	switch g.IntN(12) {
	case 0, 1, 2:
		g.aliases++
		head = fmt.Sprintf("a%d: %s", g.aliases, f.Name)
	case 3:
		if other := on.Fields[g.IntN(len(on.Fields))]; !strings.HasPrefix(other.Name, "__") {
			head = other.Name + ": " + f.Name
		}
	}
	var args []string
	for _, a := range f.Arguments {
		if a.Type.NonNull && a.DefaultValue == nil || g.IntN(2) == 0 {
			args = append(args, a.Name+": "+g.argument(a.Type, 3))
		}
	}
	if len(args) > 0 {
		head += "(" + strings.Join(args, ", ") + ")"
	}
	head += g.condition()
	t := g.schema.Types[f.Type.Name()]
	if !t.IsCompositeType() {
		return head
	}
	if depth == 0 {
		return ""
	}
	return head + " " + g.selection(t, depth-1)
}

// argument is a literal or a variable.
func (g *generator) argument(t *ast.Type, depth int) string {
	if g.IntN(3) == 0 {
		return g.variable(t)
	}
	return g.literal(t, depth, true)
}

// variable declares a variable, with or without a default, gives it a value or not, and returns its name.
func (g *generator) variable(t *ast.Type) string {
	name := fmt.Sprintf("v%d", len(g.declared))
	declaration := "$" + name + ": " + t.String()
	given := t.NonNull
	switch g.IntN(3) {
	case 0:
		declaration += " = " + g.literal(t, 2, false)
		given = false
	case 1:
		given = true
	}
	if given || g.IntN(2) == 0 {
		value := g.json(t, 2)
		if !t.NonNull && g.IntN(6) == 0 {
			value = "null"
		}
		g.given = append(g.given, fmt.Sprintf("%q: %s", name, value))
	}
	g.declared = append(g.declared, declaration)
	return "$" + name
}

var words = []string{"USD", "EUR", "x"}

func (g *generator) literal(t *ast.Type, depth int, variables bool) string {
	next := func(t *ast.Type) string {
		if variables && g.IntN(4) == 0 {
			return g.variable(t)
		}
		return g.literal(t, depth-1, variables)
	}
	if t.Elem != nil {
		if g.IntN(4) == 0 && t.Elem.Elem == nil {
			return g.literal(t.Elem, depth, false) // A single item stands for a list of one.
		}
		items := make([]string, g.IntN(3))
		for i := range items {
			items[i] = next(t.Elem)
		}
		return "[" + strings.Join(items, ", ") + "]"
	}
	if !t.NonNull && g.IntN(12) == 0 {
		return "null"
	}
	switch def := g.schema.Types[t.Name()]; {
	case def.Kind == ast.Enum:
		return def.EnumValues[g.IntN(len(def.EnumValues))].Name
	case def.Kind == ast.InputObject:
		var fields []string
		for _, f := range def.Fields {
			if f.Type.NonNull && f.DefaultValue == nil || depth > 0 && g.IntN(3) == 0 {
				fields = append(fields, f.Name+": "+next(f.Type))
			}
		}
		return "{" + strings.Join(fields, ", ") + "}"
	case t.Name() == "Int" || t.Name() == "Float":
		return fmt.Sprint(g.IntN(3))
	case t.Name() == "Boolean":
		return "true"
	}
	return fmt.Sprintf("%q", words[g.IntN(3)])
}

// json is a value as a client sends it.
func (g *generator) json(t *ast.Type, depth int) string {
	if t.Elem != nil {
		items := make([]string, g.IntN(3))
		for i := range items {
			items[i] = g.json(t.Elem, depth-1)
		}
		return "[" + strings.Join(items, ",") + "]"
	}
	switch def := g.schema.Types[t.Name()]; {
	case def.Kind == ast.Enum:
		return fmt.Sprintf("%q", def.EnumValues[g.IntN(len(def.EnumValues))].Name)
	case def.Kind == ast.InputObject:
		var fields []string
		for _, f := range def.Fields {
			if f.Type.NonNull && f.DefaultValue == nil || depth > 0 && g.IntN(2) == 0 {
				fields = append(fields, fmt.Sprintf("%q:%s", f.Name, g.json(f.Type, depth-1)))
			}
		}
		return "{" + strings.Join(fields, ",") + "}"
	case t.Name() == "Int" || t.Name() == "Float":
		return fmt.Sprint(g.IntN(3))
	case t.Name() == "Boolean":
		return []string{"true", "false"}[g.IntN(2)]
	}
	return fmt.Sprintf("%q", words[g.IntN(3)])
}
