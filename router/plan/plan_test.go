package plan_test

import (
	"bytes"
	"context"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/tools/txtar"

	"github.com/agora-supergraph/agora/router/operation"
	"github.com/agora-supergraph/agora/router/plan"
	"github.com/agora-supergraph/agora/router/supergraph"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// TestPlans reads testdata/*.txtar: a supergraph (or the path of one), then pairs of NAME.graphql and NAME.plan.
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
	plans := map[string]int{}
	for i, f := range archive.Files {
		plans[f.Name] = i
	}
	var added []txtar.File
	for _, f := range archive.Files {
		if f.Name == "supergraph.graphql" {
			if sg, err = supergraph.Load(string(f.Data)); err != nil {
				t.Fatal(err)
			}
			continue
		}
		name, ok := strings.CutSuffix(f.Name, ".graphql")
		if !ok {
			continue
		}
		got := []byte(planText(t, sg, string(f.Data), labels))
		at, have := plans[name+".plan"]
		switch {
		case *update && have:
			archive.Files[at].Data = got
		case *update:
			added = append(added, txtar.File{Name: name + ".plan", Data: got})
		case !have:
			t.Errorf("%s has no plan", name)
		default:
			if diff := cmp.Diff(string(archive.Files[at].Data), string(got)); diff != "" {
				t.Errorf("%s (-want +got):\n%s", name, diff)
			}
		}
	}
	if *update {
		archive.Files = append(archive.Files, added...)
		if err := os.WriteFile(file, txtar.Format(archive), 0o644); err != nil {
			t.Fatal(err)
		}
	}
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
		variant = selected.Variant(values, func(*supergraph.Requirement) bool { return true })
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
