package plan_test

import (
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/tools/txtar"

	"github.com/agora-supergraph/agora/router/compose"
	"github.com/agora-supergraph/agora/router/operation"
	"github.com/agora-supergraph/agora/router/plan"
	"github.com/agora-supergraph/agora/router/supergraph"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// TestPlans reads testdata/*.txtar: a supergraph, the path of one, or subgraphs to compose, then NAME.graphql with
// NAME.plan. Only the comparison with one server uses NAME.variables, their values, and NAME.faults, what goes wrong.
// Lines of the comment that start with "label " switch an override label on.
func TestPlans(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txtar")
	if err != nil || len(files) == 0 {
		t.Fatalf("no golden files: %v", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txtar"), func(t *testing.T) {
			golden(t, file)
		})
	}
}

func golden(t *testing.T, file string) {
	g := readGolden(t, file)
	for _, name := range g.names {
		got := planText(t, g.sg, g.file(name+".graphql"), g.labels)
		switch want := g.file(name + ".plan"); {
		case *update:
			g.set(name+".plan", got)
		case want == "":
			t.Errorf("%s has no plan", name)
		case want != got:
			t.Errorf("%s (-want +got):\n%s", name, cmp.Diff(want, got))
		}
	}
	if *update {
		if err := os.WriteFile(file, txtar.Format(g.archive), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// goldenFile is a case: a supergraph, operations with their plans, and labels that are switched on.
type goldenFile struct {
	archive *txtar.Archive
	sg      *supergraph.Supergraph
	// sdl is what sg was read from.
	sdl    string
	labels map[string]bool
	// names are those of the operations.
	names []string
}

func readGolden(t *testing.T, file string) *goldenFile {
	archive, err := txtar.ParseFile(file)
	if err != nil {
		t.Fatal(err)
	}
	g := &goldenFile{archive: archive, labels: map[string]bool{}}
	for _, line := range strings.Split(string(archive.Comment), "\n") {
		if path, ok := strings.CutPrefix(line, "supergraph "); ok {
			g.sdl = read(t, filepath.Join("testdata", path))
		}
		if label, ok := strings.CutPrefix(line, "label "); ok {
			g.labels[label] = true
		}
	}
	var subgraphs []compose.Subgraph
	for _, f := range archive.Files {
		if name, ok := strings.CutSuffix(f.Name, ".subgraph"); ok {
			subgraphs = append(subgraphs, compose.Subgraph{Name: name, URL: "http://" + name, SDL: string(f.Data)})
		}
		if name, ok := strings.CutSuffix(f.Name, ".graphql"); ok && f.Name != "supergraph.graphql" {
			g.names = append(g.names, name)
		}
	}
	if sdl := g.file("supergraph.graphql"); sdl != "" {
		g.sdl = sdl
	} else if g.sdl == "" {
		result, errs := compose.Compose(subgraphs, compose.Config{})
		if len(errs) > 0 {
			t.Fatal(errs)
		}
		g.sdl = result.SDL
	}
	if g.sg, err = supergraph.Load(g.sdl); err != nil {
		t.Fatal(err)
	}
	return g
}

// faults are what goes wrong when an operation is compared with one server: NAME.faults, JSON.
func (g *goldenFile) faults(t *testing.T, name string) *faults {
	text := g.file(name + ".faults")
	if text == "" {
		return nil
	}
	f := new(faults)
	if err := json.Unmarshal([]byte(text), f); err != nil {
		t.Fatalf("%s.faults: %v", name, err)
	}
	return f
}

func (g *goldenFile) file(name string) string {
	for _, f := range g.archive.Files {
		if f.Name == name {
			return string(f.Data)
		}
	}
	return ""
}

func (g *goldenFile) set(name, data string) {
	for i := range g.archive.Files {
		if g.archive.Files[i].Name == name {
			g.archive.Files[i].Data = []byte(data)
			return
		}
	}
	g.archive.Files = append(g.archive.Files, txtar.File{Name: name, Data: []byte(data)})
}

func read(t testing.TB, path string) string {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func load(t testing.TB, path string) *supergraph.Supergraph {
	t.Helper()
	sg, err := supergraph.Load(read(t, path))
	if err != nil {
		t.Fatal(err)
	}
	return sg
}

// normalise brings an operation into normal form, with the defaults of its variables and every requirement met.
// If a variable needs a value, every condition is false.
func normalise(t testing.TB, sg *supergraph.Supergraph, query string) *operation.Operation {
	t.Helper()
	doc, errs := operation.Parse(sg, query, operation.Limits{})
	if len(errs) > 0 {
		t.Fatal(errs)
	}
	selected, err := doc.Operation("")
	if err != nil {
		t.Fatal(err)
	}
	var variant operation.Variant
	if values, err := selected.Coerce(nil); err == nil {
		variant = selected.Deferring(selected.Variant(values, func(*supergraph.Requirement) bool { return true }), values)
	}
	op, err := selected.Normalise(variant)
	if err != nil {
		t.Fatal(err)
	}
	return op
}

func planText(t *testing.T, sg *supergraph.Supergraph, query string, labels map[string]bool) string {
	p, err := plan.Build(context.Background(), sg, normalise(t, sg, query), plan.Config{Labels: labels})
	if err != nil {
		return "error: " + err.Error() + "\n"
	}
	var b bytes.Buffer
	b.WriteString(p.String())
	for _, f := range p.Fetches {
		b.WriteString("# " + f.Query + "\n")
	}
	return b.String()
}
