package operation

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/tools/txtar"

	"github.com/agora-supergraph/agora/router/supergraph"
)

var update = flag.Bool("update", false, "rewrite the expected parts of testdata")

// Each case is a schema, an operation, optionally its variables and the fields that are denied; it expects the
// normal form, and of the coerced variables those that there are.
func TestNormalise(t *testing.T) {
	files, err := filepath.Glob("testdata/normalise/*.txtar")
	if err != nil || len(files) == 0 {
		t.Fatalf("no cases: %v", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txtar"), func(t *testing.T) {
			archive, err := txtar.ParseFile(file)
			if err != nil {
				t.Fatal(err)
			}
			in := parts(archive)
			got := normalised(t, in)
			if *update {
				write(t, file, archive, "normal", got)
				return
			}
			if diff := cmp.Diff(string(in["normal"]), got); diff != "" {
				t.Errorf("normal form differs (-want +got):\n%s", diff)
			}
		})
	}
}

func normalised(t *testing.T, in map[string][]byte) string {
	t.Helper()
	sg := load(t, string(in["schema.graphql"]))
	doc, errs := Parse(sg, string(in["query.graphql"]), Limits{})
	if errs != nil {
		t.Fatalf("Parse: %v", errs)
	}
	selected, err := doc.Operation(strings.TrimSpace(string(in["operation"])))
	if err != nil {
		t.Fatal(err)
	}
	values, err := selected.Coerce(in["variables.json"])
	if err != nil {
		t.Fatal(err)
	}
	meets := func(r *supergraph.Requirement) bool { return len(in["denied"]) == 0 }
	normal, err := selected.Normalise(selected.Deferring(selected.Variant(values, meets), values))
	if err != nil {
		t.Fatal(err)
	}
	checkInvariants(t, normal.Selections)
	out := normal.Format(sg)
	for i, value := range values {
		if value != nil {
			out += "$" + selected.Variables[i].Name + " = " + string(value) + "\n"
		}
	}
	return out
}

// checkInvariants checks what Field's documentation promises of every selection set.
func checkInvariants(t *testing.T, fields []*Field) {
	t.Helper()
	taken := map[string]supergraph.TypeSet{}
	for _, f := range fields {
		if f.Types.Empty() {
			t.Errorf("%s has no types", f.ResponseKey)
		}
		if taken[f.ResponseKey].Intersects(f.Types) {
			t.Errorf("%s stands twice for one type", f.ResponseKey)
		}
		taken[f.ResponseKey] = taken[f.ResponseKey].Union(f.Types)
		checkInvariants(t, f.Selections)
	}
}

func parts(archive *txtar.Archive) map[string][]byte {
	out := map[string][]byte{}
	for _, f := range archive.Files {
		out[f.Name] = f.Data
	}
	return out
}

// write replaces one part of a case.
func write(t *testing.T, file string, archive *txtar.Archive, name, content string) {
	t.Helper()
	found := false
	for i := range archive.Files {
		if archive.Files[i].Name == name {
			archive.Files[i].Data = []byte(content)
			found = true
		}
	}
	if !found {
		archive.Files = append(archive.Files, txtar.File{Name: name, Data: []byte(content)})
	}
	if err := os.WriteFile(file, txtar.Format(archive), 0o644); err != nil {
		t.Fatal(err)
	}
}
