package plan_test

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"sort"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/vektah/gqlparser/v2/ast"
	"golang.org/x/tools/txtar"

	"github.com/agora-supergraph/agora/router/execute"
	"github.com/agora-supergraph/agora/router/operation"
	"github.com/agora-supergraph/agora/router/plan"
	"github.com/agora-supergraph/agora/router/supergraph"
	"github.com/agora-supergraph/agora/router/transport"
)

var (
	operations  = flag.Int("operations", 60, "random operations for each supergraph")
	supergraphs = flag.String("supergraphs", "testdata/*.txtar", "pattern of the files with supergraphs")
)

// TestAnswersEqualThoseOfOneServer plans and executes random operations over every golden supergraph, and
// compares with a server that holds all types and all data.
func TestAnswersEqualThoseOfOneServer(t *testing.T) {
	files, _ := filepath.Glob(*supergraphs)
	for _, file := range files {
		name := strings.TrimSuffix(filepath.Base(file), ".txtar")
		t.Run(name, func(t *testing.T) {
			sg, labels, queries := readGolden(t, file)
			o := newOracle(t, sg, labels)
			o.refuses = strings.Contains(read(t, file), "\nerror: ")
			for _, q := range queries {
				o.compare(t, q)
			}
			for seed := range *operations {
				r := rand.New(rand.NewPCG(uint64(seed), hashOf(name)))
				o.compare(t, (&generator{Rand: r, schema: sg.API}).operation())
			}
		})
	}
}

func readGolden(t *testing.T, file string) (*supergraph.Supergraph, map[string]bool, []string) {
	archive, err := txtar.ParseFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var sg *supergraph.Supergraph
	labels := map[string]bool{}
	for _, line := range strings.Split(string(archive.Comment), "\n") {
		if path, ok := strings.CutPrefix(line, "supergraph "); ok {
			sg = load(t, filepath.Join("testdata", path))
		}
		if label, ok := strings.CutPrefix(line, "label "); ok {
			labels[label] = true
		}
	}
	var queries []string
	for _, f := range archive.Files {
		switch {
		case f.Name == "supergraph.graphql":
			if sg, err = supergraph.Load(string(f.Data)); err != nil {
				t.Fatal(err)
			}
		case strings.HasSuffix(f.Name, ".graphql"):
			queries = append(queries, string(f.Data))
		}
	}
	return sg, labels, queries
}

type oracle struct {
	sg       *supergraph.Supergraph
	world    *world
	labels   map[string]bool
	all      *service
	services []*service
	complain func(format string, args ...any)
	executor *execute.Executor
	// refuses says that the golden file has operations that can't be planned.
	refuses bool
}

func newOracle(t *testing.T, sg *supergraph.Supergraph, labels map[string]bool) *oracle {
	o := &oracle{sg: sg, world: newWorld(sg, labels), labels: labels}
	complain := func(format string, args ...any) { o.complain(format, args...) }
	o.all = &service{world: o.world, graph: -1, schema: sg.API, complain: complain}
	var transports []transport.Transport
	for g := range sg.Subgraphs {
		schema, err := subgraphSchema(sg, g)
		if err != nil {
			t.Fatal(err)
		}
		s := &service{world: o.world, graph: g, schema: schema, complain: complain}
		o.services = append(o.services, s)
		transports = append(transports, s)
	}
	o.executor = execute.New(execute.Config{Transports: transports})
	return o
}

func (o *oracle) compare(t *testing.T, query string) {
	doc, errs := operation.Parse(o.sg, query, operation.Limits{})
	if len(errs) > 0 || strings.Contains(query, "__schema") || strings.HasPrefix(query, "subscription") {
		return
	}
	selected, err := doc.Operation("")
	if err != nil {
		t.Fatal(err)
	}
	given := variablesOf(selected)
	values, err := selected.Coerce([]byte(text(given)))
	if err != nil {
		return
	}
	op, err := selected.Normalise(selected.Variant(values, func(*supergraph.Requirement) bool { return true }))
	if err != nil {
		t.Fatal(err)
	}
	p, err := plan.Build(context.Background(), o.sg, op, plan.Config{Labels: o.labels})
	if err != nil {
		if !o.refuses {
			t.Errorf("%s\n%v", query, err)
		}
		return
	}
	failed := false
	o.complain = func(format string, args ...any) {
		t.Errorf("%s\n%s\n%s", query, fmt.Sprintf(format, args...), p)
		failed = true
	}
	response := o.executor.Execute(context.Background(), p, &execute.Request{Variables: values})
	defer response.Release()
	variables := map[string]any{}
	_ = json.Unmarshal([]byte(text(given)), &variables)
	want := `{"data":` + o.all.answer(query, variables) + `}`
	if got := string(response.Body); got != want && !failed {
		t.Errorf("%s\n(-want +got):\n%s\n%s", query, cmp.Diff(pretty(want), pretty(got)), p)
		for _, f := range p.Fetches {
			t.Log(f.Query)
		}
	}
}

func pretty(s string) any {
	var v any
	if json.Unmarshal([]byte(s), &v) != nil {
		return s
	}
	return v
}

// variablesOf gives every variable that the client declared a value.
func variablesOf(s *operation.Selected) map[string]any {
	out := map[string]any{}
	for _, v := range s.Variables {
		if v.Type == "Boolean" || v.Type == "Boolean!" {
			continue // Those have defaults.
		}
		switch strings.TrimSuffix(v.Type, "!") {
		case "Int":
			out[v.Name] = 7
		case "String", "ID":
			out[v.Name] = "seven"
		}
	}
	return out
}

// generator writes random operations.
type generator struct {
	*rand.Rand
	schema  *ast.Schema
	aliases int
	fields  int
}

func (g *generator) operation() string {
	if g.schema.Mutation != nil && g.IntN(8) == 0 {
		return "mutation " + g.selection(g.schema.Mutation, 4)
	}
	return g.selection(g.schema.Query, 5)
}

func (g *generator) selection(on *ast.Definition, depth int) string {
	var parts []string
	if len(on.Fields) > 0 {
		for range 1 + g.IntN(4) {
			if f := on.Fields[g.IntN(len(on.Fields))]; !strings.HasPrefix(f.Name, "__") {
				if part := g.field(on, f, depth); part != "" {
					parts = append(parts, part)
				}
			}
		}
	}
	if on.IsAbstractType() {
		parts = append(parts, g.fragments(on, depth)...)
	}
	if len(parts) == 0 || on.IsAbstractType() && g.IntN(3) == 0 {
		parts = append(parts, "__typename")
	}
	return "{ " + strings.Join(parts, " ") + " }"
}

func (g *generator) fragments(on *ast.Definition, depth int) []string {
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
	sort.Strings(names)
	var parts []string
	for range g.IntN(4) {
		name := names[g.IntN(len(names))]
		parts = append(parts, "... on "+name+" "+g.selection(g.schema.Types[name], depth))
	}
	return parts
}

func (g *generator) field(on *ast.Definition, f *ast.FieldDefinition, depth int) string {
	if g.fields++; g.fields > 60 {
		return ""
	}
	head := f.Name
	switch g.IntN(10) {
	case 0:
		g.aliases++
		head = fmt.Sprintf("a%d: %s", g.aliases, f.Name)
	case 1:
		if other := on.Fields[g.IntN(len(on.Fields))]; !strings.HasPrefix(other.Name, "__") {
			head = other.Name + ": " + f.Name
		}
	}
	var args []string
	for _, a := range f.Arguments {
		if a.Type.NonNull || g.IntN(2) == 0 {
			args = append(args, a.Name+": "+g.literal(a.Type, 3))
		}
	}
	if len(args) > 0 {
		head += "(" + strings.Join(args, ", ") + ")"
	}
	t := g.schema.Types[f.Type.Name()]
	if !t.IsCompositeType() {
		return head
	}
	if depth == 0 {
		return ""
	}
	return head + " " + g.selection(t, depth-1)
}

func (g *generator) literal(t *ast.Type, depth int) string {
	if t.Elem != nil {
		return "[" + g.literal(t.Elem, depth) + "]"
	}
	switch def := g.schema.Types[t.Name()]; {
	case def.Kind == ast.Enum:
		return def.EnumValues[g.IntN(len(def.EnumValues))].Name
	case def.Kind == ast.InputObject:
		var fields []string
		for _, f := range def.Fields {
			if f.Type.NonNull || depth > 0 && g.IntN(3) == 0 {
				fields = append(fields, f.Name+": "+g.literal(f.Type, depth-1))
			}
		}
		return "{" + strings.Join(fields, ", ") + "}"
	case t.Name() == "Int" || t.Name() == "Float":
		return fmt.Sprint(g.IntN(3))
	case t.Name() == "Boolean":
		return "true"
	}
	return []string{`"USD"`, `"EUR"`, `"x"`}[g.IntN(3)]
}
