package operation

import (
	"fmt"
	"math/rand/v2"
	"sort"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/vektah/gqlparser/v2/ast"

	"github.com/agora-supergraph/agora/router/supergraph"
)

// The oracle executes selection sets as the specification's text says, one object type at a time, and writes
// what each object would be asked for. The normal form must say the same, for every type on every path.
type oracle struct {
	selected *Selected
	variant  Variant
	normal   *Operation
}

func (o *oracle) specification(b *strings.Builder, typ *ast.Definition, sets []ast.SelectionSet, depth int) {
	var keys []string
	grouped := map[string][]*ast.Field{}
	n := normaliser{selected: o.selected, variant: o.variant}
	var collect func(set ast.SelectionSet, visited map[string]bool)
	collect = func(set ast.SelectionSet, visited map[string]bool) {
		for _, selection := range set {
			switch s := selection.(type) {
			case *ast.Field:
				if !n.included(s.Directives) {
					continue
				}
				if grouped[s.Alias] == nil {
					keys = append(keys, s.Alias)
				}
				grouped[s.Alias] = append(grouped[s.Alias], s)
			case *ast.InlineFragment:
				if n.included(s.Directives) && (s.TypeCondition == "" || o.applies(typ, s.TypeCondition)) {
					collect(s.SelectionSet, visited)
				}
			case *ast.FragmentSpread:
				if !n.included(s.Directives) || visited[s.Name] {
					continue
				}
				visited[s.Name] = true
				if o.applies(typ, s.Definition.TypeCondition) {
					collect(s.Definition.SelectionSet, visited)
				}
			}
		}
	}
	for _, set := range sets {
		collect(set, map[string]bool{})
	}
	for _, key := range keys {
		f := grouped[key][0]
		b.WriteString(strings.Repeat(" ", depth) + key + ":" + f.Name + o.call(f) + "\n")
		var below []ast.SelectionSet
		for _, field := range grouped[key] {
			below = append(below, field.SelectionSet)
		}
		if len(f.SelectionSet) == 0 {
			continue
		}
		for _, possible := range o.possible(typ.Fields.ForName(f.Name).Type.Name()) {
			b.WriteString(strings.Repeat(" ", depth) + "on " + possible.Name + "\n")
			o.specification(b, possible, below, depth+1)
		}
	}
}

func (o *oracle) normalForm(b *strings.Builder, typ *ast.Definition, fields []*Field, depth int) {
	id := o.selected.supergraph.Object(typ.Name)
	for _, f := range fields {
		if !f.Types.Has(id) {
			continue
		}
		b.WriteString(strings.Repeat(" ", depth) + f.ResponseKey + ":" + f.Name + o.written(f) + "\n")
		if f.Name == "__typename" {
			continue
		}
		result := o.selected.supergraph.API.Types[typ.Fields.ForName(f.Name).Type.Name()]
		if result.IsLeafType() {
			continue
		}
		for _, possible := range o.possible(result.Name) {
			b.WriteString(strings.Repeat(" ", depth) + "on " + possible.Name + "\n")
			o.normalForm(b, possible, f.Selections, depth+1)
		}
	}
}

func (o *oracle) applies(typ *ast.Definition, condition string) bool {
	for _, p := range o.possible(condition) {
		if p == typ {
			return true
		}
	}
	return false
}

func (o *oracle) possible(name string) []*ast.Definition {
	api := o.selected.supergraph.API
	if def := api.Types[name]; def.Kind == ast.Object {
		return []*ast.Definition{def}
	}
	possible := append([]*ast.Definition(nil), api.PossibleTypes[name]...)
	sort.Slice(possible, func(i, j int) bool { return possible[i].Name < possible[j].Name })
	return possible
}

// call and written print arguments of the text and of the normal form alike.
func (o *oracle) call(f *ast.Field) string {
	var out []string
	for _, a := range f.Arguments {
		if a.Value.Kind == ast.Variable {
			out = append(out, a.Name+"=$"+a.Value.Raw)
			continue
		}
		raw, ok := o.selected.literal(a.Value, a.Value.ExpectedType)
		if !ok {
			raw = []byte("a value with variables")
		}
		out = append(out, a.Name+"="+string(raw))
	}
	sort.Strings(out)
	return fmt.Sprint(out)
}

func (o *oracle) written(f *Field) string {
	out := []string{}
	for _, a := range f.Arguments {
		v := Variable{Literal: []byte("a value with variables")}
		if a.Value.Kind == ValueVariable {
			v = o.normal.Variables[a.Value.Variable]
		}
		if v.Literal != nil {
			out = append(out, a.Name+"="+string(v.Literal))
		} else {
			out = append(out, a.Name+"=$"+v.Name)
		}
	}
	return fmt.Sprint(out)
}

// compare checks one variant of an operation against the oracle.
func compare(t *testing.T, selected *Selected, v Variant) {
	t.Helper()
	normal, err := selected.Normalise(v)
	if err != nil {
		return
	}
	o := &oracle{selected: selected, variant: v, normal: normal}
	root := selected.supergraph.API.Query
	switch selected.Kind {
	case Mutation:
		root = selected.supergraph.API.Mutation
	case Subscription:
		root = selected.supergraph.API.Subscription
	}
	var want, got strings.Builder
	o.specification(&want, root, []ast.SelectionSet{selected.definition.SelectionSet}, 0)
	o.normalForm(&got, root, normal.Selections, 0)
	if diff := cmp.Diff(want.String(), got.String()); diff != "" {
		t.Fatalf("normal form (-specification +normal form):\n%s\n%s", diff, normal.Format(selected.supergraph))
	}
	checkInvariants(t, normal.Selections)
}

// generator writes random operations over a schema of an interface, a union and three objects.
type generator struct {
	*rand.Rand
	strings.Builder
	fragments int
}

const generatedSchema = `
interface I { a(n: Int): Int i: I u: U x: Int }
type A implements I { a(n: Int): Int i: A u: U x: Int y: Int }
type B implements I { a(n: Int): Int i: I u: U x: Int z: Int }
type C { u: U y: Int z: Int x: Int }
union U = A | B | C
type Query { i: I u: U c: C }
`

var fieldsOf = map[string][]string{
	"Query": {"i>I", "u>U", "c>C"}, "I": {"a", "x", "i>I", "u>U"}, "A": {"a", "x", "y", "i>A", "u>U"},
	"B": {"a", "x", "z", "i>I", "u>U"}, "C": {"y", "z", "x", "u>U"}, "U": {},
}

func (g *generator) set(typ string, depth, fragment int) {
	g.WriteString("{ ")
	for range 1 + g.IntN(4) {
		g.selection(typ, depth, fragment)
	}
	g.WriteString("} ")
}

func (g *generator) selection(typ string, depth, fragment int) {
	types := []string{"I", "A", "B", "C", "U"}
	switch fields := fieldsOf[typ]; {
	case g.IntN(10) == 0:
		g.WriteString("__typename ")
	case typ != "Query" && g.IntN(3) == 0 && depth > 0:
		condition := types[g.IntN(len(types))]
		g.WriteString("... on " + condition + " ")
		g.condition()
		g.set(condition, depth-1, fragment)
	case typ != "Query" && g.IntN(4) == 0 && fragment+1 < g.fragments:
		fmt.Fprintf(g, "...F%d ", fragment+1+g.IntN(g.fragments-fragment-1))
		g.condition()
	case len(fields) > 0:
		name, result, composite := strings.Cut(fields[g.IntN(len(fields))], ">")
		if composite && depth <= 0 {
			g.WriteString("__typename ")
			return
		}
		if g.IntN(5) == 0 {
			name = []string{"k: ", "x: ", "l: "}[g.IntN(3)] + name
		}
		g.WriteString(name + " ")
		if strings.HasSuffix(name, "a") && g.IntN(2) == 0 {
			g.WriteString([]string{"(n: 1) ", "(n: 2) ", "(n: $n) "}[g.IntN(3)])
		}
		g.condition()
		if composite {
			g.set(result, depth-1, fragment)
		}
	default:
		g.WriteString("__typename ")
	}
}

func (g *generator) condition() {
	if g.IntN(8) == 0 {
		g.WriteString([]string{"@skip(if: $p) ", "@include(if: $q) ", "@skip(if: false) ", "@include(if: false) "}[g.IntN(4)])
	}
}

func TestNormalFormSaysWhatTheSpecificationSays(t *testing.T) {
	sg := load(t, generatedSchema)
	valid := 0
	for seed := range uint64(2_500) {
		g := &generator{Rand: rand.New(rand.NewPCG(seed, 1)), fragments: 4}
		g.WriteString("query($p: Boolean!, $q: Boolean = true, $n: Int) ")
		g.set("Query", 4, -1)
		for i := range g.fragments {
			fmt.Fprintf(g, "fragment F%d on %s ", i, []string{"I", "A", "B", "C"}[i])
			g.set([]string{"I", "A", "B", "C"}[i], 3, i)
		}
		doc := parseGenerated(sg, g.String())
		if doc == nil {
			continue
		}
		valid++
		selected := doc.Operations()[0]
		for bits := range 4 {
			v := Variant{}
			for i := range selected.Conditions {
				if bits&(1<<i) != 0 {
					v.Conditions = v.Conditions.With(i)
				}
			}
			compare(t, selected, v)
			if t.Failed() {
				t.Fatalf("seed %d: %s", seed, g.String())
			}
		}
	}
	t.Logf("%d operations", valid)
	if valid < 300 {
		t.Errorf("only %d operations of the generator are valid", valid)
	}
}

// parseGenerated takes operations that only leave something unused, too.
func parseGenerated(sg *supergraph.Supergraph, text string) *Document {
	for {
		doc, errs := Parse(sg, text, Limits{})
		if errs == nil {
			return doc
		}
		e := errs[0]
		switch {
		case strings.HasSuffix(e.Message, "is never used."):
			if strings.HasPrefix(e.Message, "Fragment") {
				// Fragments are one line of text, from their position to the next.
				start := e.Locations[0].Column - 1
				end := strings.Index(text[start+1:], "fragment F")
				if end < 0 {
					text = text[:start]
				} else {
					text = text[:start] + text[start+1+end:]
				}
				continue
			}
			name := strings.SplitN(e.Message, `"`, 3)[1]
			text = strings.NewReplacer(name+": Boolean!,", "", name+": Boolean = true,", "", name+": Int", "").Replace(text)
			text = strings.Replace(text, "query(  )", "query", 1)
			continue
		}
		return nil
	}
}

func FuzzParse(f *testing.F) {
	sg := petGraph(f)
	f.Add(benchQuery, "")
	f.Add(`{ pet { ... on Dog { name } ... on Cat { name next { name } } ...F } } fragment F on Pet { next { ... on Dog { x: barks } } }`, "")
	f.Add(`query Q($x: [Int!] = [1]) { in(l: $x, any: {a: "\u00e9", b: [SIT, $x]}) __schema { types { name } } }`, "Q")
	f.Fuzz(func(t *testing.T, text, name string) {
		doc, errs := Parse(sg, text, Limits{Depth: 6, Fields: 60})
		if errs != nil {
			for _, e := range errs {
				if e.Code == "" || e.Message == "" {
					t.Fatalf("Parse(%q): an error without code or message", text)
				}
			}
			return
		}
		selected, err := doc.Operation(name)
		if err != nil {
			return
		}
		values, err := selected.Coerce(nil)
		if err != nil {
			values = nil
		}
		v := selected.Variant(values, func(*supergraph.Requirement) bool { return true })
		normal, err := selected.Normalise(v)
		if err != nil {
			return
		}
		_ = normal.Format(sg)
		compare(t, selected, v)
	})
}
